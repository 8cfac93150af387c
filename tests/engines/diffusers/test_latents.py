"""Latents and pixels: scales, NaN in half precision, the hook, and what is kept as it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from infill import settings
from infill.engines.base import ENGINES, make_options
from infill.engines.diffusers import calls, canvas, latents, memory, scene
from infill.engines.diffusers.engine import Latent, _apply
from infill.errors import BadOption, EngineFailed, FullMask
from tests.engines.diffusers import scenes


def engine_and_options(name: str, model: Callable[[str], Path], **more: Any) -> tuple[Any, Any]:
    engine: Any = ENGINES.get(name)
    return engine, make_options(engine, scenes.options_for(name, model, **more))


class TestScales:
    @pytest.mark.parametrize("name", ["sd", "sdxl", "sd3"])
    def test_open_and_raw_undo_each_other(self, name: str, model: Callable[[str], Path]) -> None:
        engine, options = engine_and_options(name, model)
        pipe = engine.load(options).pipe
        channels = pipe.vae.config.latent_channels
        given = torch.randn(2, channels, 4, 6, generator=torch.Generator().manual_seed(1))
        there = latents.raw(pipe, given, "plain")
        torch.testing.assert_close(latents.closed(pipe, there, "plain"), given)

    @pytest.mark.parametrize("name", ["sd", "sd3", "flux-fill", "flux2-klein", "qwen-image"])
    def test_are_those_of_the_library(self, name: str, model: Callable[[str], Path]) -> None:
        """What we decode ourselves equals the pipeline's own decoding (Stable Diffusion 3's
        inpainting pipeline leaves the shift out, which the text-to-image one has)."""
        engine, options = engine_and_options(name, model)
        loaded = engine.load(options)
        pipe, layout = loaded.pipe, loaded.family.layout
        generator = torch.Generator().manual_seed(2)
        size = (8, 8)
        if layout == "plain":
            channels = pipe.vae.config.latent_channels
            packed = torch.randn(1, channels, *size, generator=generator)
            opened = packed
        else:
            channels = 32 if layout == "klein" else 16 if layout == "qwen" else 64
            packed = torch.randn(1, 16, channels, generator=generator)
            opened = latents.opened(packed, layout, size)
        ours = latents.raw(pipe, opened, layout)
        torch.testing.assert_close(ours, _library_raw(pipe, packed, name), rtol=1e-4, atol=1e-5)

    def test_noise_of_a_level_is_the_schedulers(self, model: Callable[[str], Path]) -> None:
        clean, noise = torch.zeros(1, 4, 2, 2), torch.ones(1, 4, 2, 2)
        for name in ("sd", "sd3"):
            engine, options = engine_and_options(name, model)
            scheduler = engine.load(options).scheduler
            scheduler.set_timesteps(4)
            levels = scheduler.timesteps
            shares = [
                latents.noised(scheduler, clean, noise, level).mean().item() for level in levels
            ]
            assert shares == sorted(shares, reverse=True)
            assert latents.noised(scheduler, clean, noise, None) is clean


def _library_raw(pipe: Any, packed: torch.Tensor, name: str) -> torch.Tensor:
    config = pipe.vae.config
    if name in ("sd", "sd3"):
        return packed / config.scaling_factor + (config.get("shift_factor") or 0)
    if name == "flux-fill":
        flat = pipe._unpack_latents(packed, 64, 64, 8)
        return flat / config.scaling_factor + config.shift_factor
    if name == "qwen-image":
        flat = pipe._unpack_latents(packed, 64, 64, 8)
        mean, std = (
            torch.tensor(one).view(1, -1, 1, 1, 1)
            for one in (config.latents_mean, config.latents_std)
        )
        return flat * std + mean
    ids = pipe._prepare_latent_ids(torch.zeros(1, 32, 4, 4))
    flat = pipe._unpack_latents_with_ids(packed, ids)
    mean = pipe.vae.bn.running_mean.view(1, -1, 1, 1)
    std = torch.sqrt(pipe.vae.bn.running_var.view(1, -1, 1, 1) + config.batch_norm_eps)
    return pipe._unpatchify_latents(flat * std + mean)


class TestNotANumber:
    def test_decoding_is_done_again_in_float32(
        self, model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine, options = engine_and_options("sd", model, dtype="bfloat16")
        pipe = engine.load(options).pipe
        plain = pipe.vae.decode
        seen = []

        def decode(given: torch.Tensor, *args: Any, **more: Any) -> Any:
            seen.append(given.dtype)
            made = plain(given, *args, **more)
            return (made[0] * torch.nan,) if given.dtype == torch.bfloat16 else made

        monkeypatch.setattr(pipe.vae, "decode", decode)
        made = scenes.made("sd", model, dtype="bfloat16")
        assert seen == [torch.bfloat16, torch.float32]
        assert np.isfinite(made.pixels).all()
        assert "gave NaN in bfloat16 and was done again in float32" in made.notes[-1]
        assert pipe.vae.dtype == torch.bfloat16

    def test_encoding_is_done_again_in_float32(
        self, model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine, options = engine_and_options("sd", model, dtype="bfloat16")
        pipe = engine.load(options).pipe
        plain = pipe.vae._encode

        def encode(given: torch.Tensor) -> torch.Tensor:
            made = plain(given)
            return made * torch.nan if given.dtype == torch.bfloat16 else made

        monkeypatch.setattr(pipe.vae, "_encode", encode)
        made = scenes.made("sd", model, dtype="bfloat16")
        assert np.isfinite(made.pixels).all()
        assert "reading the photo into the network gave NaN in bfloat16" in made.notes[-1]

    def test_of_the_network_itself_is_an_error_with_the_mend(
        self, model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine, options = engine_and_options("sd", model)
        pipe = engine.load(options).pipe
        plain = pipe.unet.forward
        broken = lambda *args, **more: (plain(*args, **more)[0] * torch.nan,)  # noqa: E731
        monkeypatch.setattr(pipe.unet, "forward", broken)
        with pytest.raises(EngineFailed, match=r"NaN\) in float32; set dtype to bfloat16"):
            scenes.filled("sd", model)


class TestHook:
    def test_sees_every_step_and_what_it_returns_goes_on(
        self, model: Callable[[str], Path]
    ) -> None:
        for name in ("sd", "sdxl", "sd3"):
            engine, options = engine_and_options(name, model)
            plain = scenes.filled(name, model)
            seen: list[tuple[int, int, Any, tuple[int, ...]]] = []

            def hook(
                step: int, steps: int, level: Any, now: torch.Tensor, scheduler: Any,
                seen: list[Any] = seen,
            ) -> torch.Tensor:  # fmt: skip
                seen.append((step, steps, level, tuple(now.shape)))
                return now * 0.5

            made = _run(engine, options, hook)
            assert [(step, steps) for step, steps, _, _ in seen] == [(0, 2), (1, 2)]
            assert seen[0][2] is not None
            assert seen[1][2] is None, "after the last step latents are clean"
            assert seen[0][3][0] == 1
            assert seen[0][3][2:] == (8, 8)
            assert np.abs(made - plain).max() > 1e-3

    def test_that_hands_them_on_changes_nothing(self, model: Callable[[str], Path]) -> None:
        engine, options = engine_and_options("sd3", model)
        made = _run(engine, options, lambda step, steps, level, now, scheduler: now)
        np.testing.assert_array_equal(made, scenes.filled("sd3", model))

    def test_is_refused_where_latents_are_packed(self, model: Callable[[str], Path]) -> None:
        engine, options = engine_and_options("flux-fill", model)
        with pytest.raises(BadOption, match="latents of flux-fill can't be guided"):
            _run(engine, options, lambda *given: given[3])

    def test_encoded_pixels_have_the_latents_shape_and_come_back(
        self, model: Callable[[str], Path]
    ) -> None:
        engine, options = engine_and_options("sd", model)
        pixels, _ = scenes.region()
        made = engine.encode(pixels, options)
        assert made.shape == (1, 4, 8, 8)
        with torch.no_grad():
            mean = engine.load(options).pipe.vae.encode(
                torch.from_numpy(pixels).permute(2, 0, 1)[None] * 2 - 1
            )
        torch.testing.assert_close(made, mean.latent_dist.mean * 0.18215)


def _run(engine: Latent, options: Any, hook: Any) -> np.ndarray:
    pixels, mask = scenes.region()
    rngs = [np.random.default_rng(3)]
    return engine.run([pixels], mask, options, rngs, lambda *_: None, on_latents=hook)[0].pixels


class TestKnownPixels:
    @pytest.mark.parametrize("name", ["sd-plain", "sdxl-plain", "flux", "z-image"])
    def test_latents_outside_whole_cells_are_the_photos_own(
        self, name: str, model: Callable[[str], Path]
    ) -> None:
        """Text-to-image models fill by latent blending: after the last step the known cells hold
        what the autoencoder made of the photo."""
        engine: Any = ENGINES.get("diffusers")
        given = {"model": str(model(name)), "prompt": "a boat", "num_inference_steps": 2}
        given |= {"strength": 1.0, "drift": "ignore"}
        inner = engine.of(make_options(engine, given))
        chosen = inner.chosen(make_options(engine, given))
        pipe = inner.load(chosen).pipe
        ends: list[torch.Tensor] = []
        plain = latents.decoded

        def spy(pipe: Any, now: torch.Tensor, *rest: Any) -> Any:
            ends.append(now)
            return plain(pipe, now, *rest)

        pixels, mask = scenes.region()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(calls.latents, "decoded", spy)
            # what the autoencoder makes of the photo is a narrow distribution: take its middle
            spread = diffusers.models.autoencoders.vae.DiagonalGaussianDistribution
            patch.setattr(spread, "sample", lambda self, generator=None: self.mean)
            for seed in (1, 2):
                rngs = [np.random.default_rng(seed)]
                inner.run([pixels], mask, chosen, rngs, lambda *_: None)
        cells = calls.scenes.of(inner.load(chosen), [pixels], mask).hole[::8, ::8]
        known = torch.from_numpy(~cells)
        difference = (ends[0] - ends[1]).abs().mean((0, 1))
        assert difference[~known].min() > 1e-2, "each seed draws its own hole"
        assert difference[known].max() < 1e-5
        assert pipe.vae.config.latent_channels == ends[0].shape[1]


class TestWhatIsRedrawn:
    def test_is_told_in_whole_cells(self, model: Callable[[str], Path]) -> None:
        _, mask = scenes.region()
        redrawn = scenes.made("sd", model).redrawn
        np.testing.assert_array_equal(redrawn, canvas.whole_cells(mask, 8))
        assert redrawn.sum() > mask.sum()

    def test_at_another_working_size_covers_all_that_was_mixed_in(self) -> None:
        hole = np.zeros((48, 80), np.bool_)
        hole[16:32, 16:48] = True
        for shape in ((33, 61), (96, 160), (48, 80)):
            there = scene.back_mask(hole, shape)
            made = scene.back(np.repeat(hole[..., None], 3, 2).astype(np.float32), shape)
            assert there.shape == shape
            assert there[made.max(-1) > 1e-3].all()
            assert not there.all()

    def test_that_leaves_nothing_known_is_refused_before_the_network_runs(
        self, model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = ENGINES.get("sd")
        options = make_options(engine, scenes.options_for("sd", model))
        pixels, mask = scenes.region()
        mask[::8, ::8] = True
        monkeypatch.setattr(calls, "_read", None)
        with pytest.raises(FullMask, match=r"cells of 8×8 pixels, and the mask touches every"):
            engine.fill(pixels, mask, options, np.random.default_rng(1), lambda *_: None)


def test_the_settings_threads_are_pytorchs(model: Callable[[str], Path]) -> None:
    engine = ENGINES.get("sd")
    options = make_options(engine, scenes.options_for("sd", model))
    pixels, mask = scenes.region()
    before, seen = torch.get_num_threads(), []

    def hook(step: int, steps: int, level: Any, now: torch.Tensor, _: Any) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return now

    rngs = [np.random.default_rng(1)]
    with settings.using(threads=before + 1):
        engine.run([pixels], mask, options, rngs, lambda *_: None, on_latents=hook)
    assert set(seen) == {before + 1}
    assert torch.get_num_threads() == before


class TestMemory:
    def test_a_plan_that_was_half_applied_is_not_taken_for_whole(
        self, model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = ENGINES.get("sd")
        loaded = engine.load(make_options(engine, scenes.options_for("sd", model)))
        loaded.plan = memory.Plan("cpu", "float32")

        def fails(*_: Any) -> None:
            raise RuntimeError("half-way")

        tiled = memory.Plan("cpu", "float32", tiles=True)
        with monkeypatch.context() as patch:
            patch.setattr(memory, "apply", fails)
            with pytest.raises(RuntimeError, match="half-way"):
                _apply(loaded, tiled)
        assert loaded.plan is None

    def test_the_fill_steps_down_once_and_says_so(
        self, model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain_draw, plans = calls.draw, []
        expected = scenes.filled("sd", model)

        def draw(job: calls.Job) -> Any:
            plans.append(job.loaded.plan)
            if len(plans) == 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return plain_draw(job)

        monkeypatch.setattr(calls, "draw", draw)
        made = scenes.made("sd", model, memory="full")
        assert [plan.tiles for plan in plans] == [False, True]
        assert isinstance(plans[0], memory.Plan)
        assert "ran out of memory" in made.notes[0]
        np.testing.assert_allclose(made.pixels, expected, atol=1e-4)

    def test_and_gives_up_with_the_mend(
        self, model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def draw(job: calls.Job) -> Any:
            raise torch.OutOfMemoryError("CUDA out of memory")

        monkeypatch.setattr(calls, "draw", draw)
        with pytest.raises(EngineFailed, match="does not suffice"):
            scenes.made("sd", model)
