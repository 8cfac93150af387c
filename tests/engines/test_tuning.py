"""What makes a diffusion pipeline quicker changes its picture by rounding alone."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import peft
import pytest
import torch
from benchmarks import diffusion_models
from diffusers.models.attention_processor import FusedAttnProcessor2_0

from infill.engines.diffusers import memory, tuning
from infill.engines.diffusers.memory import Plan
from infill.engines.diffusers.tuning import EmbeddingCache, tune

ROUNDING = 1e-4  # of float32 sums taken in another order, through a few random layers
SIZE = (64, 64, 1)

pytestmark = pytest.mark.filterwarnings(  # the library's Euler sampler, as NumPy 2 sees it
    "ignore:__array__ implementation:DeprecationWarning"
)


@pytest.fixture(params=["sd", "sdxl"])
def pipe(request: pytest.FixtureRequest) -> Any:
    return diffusion_models.build(request.param, tiny=True)


@pytest.fixture
def small() -> Any:
    return diffusion_models.build("sd", tiny=True)


def fill(pipe: Any, **named: Any) -> np.ndarray:
    """One picture (64, 64, 3) out of `pipe`, always from the same noise."""
    rows = torch.linspace(0, 1, 64)
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 16:40, 20:48] = 1
    made = pipe(
        prompt=named.pop("prompt", "a dog on grass"),
        image=torch.stack([rows.expand(64, 64)] * 3)[None],
        mask_image=hole,
        height=64,
        width=64,
        num_inference_steps=3,
        guidance_scale=7.5,
        output_type="np",
        generator=torch.Generator("cpu").manual_seed(3),
        **named,
    )
    return np.asarray(made.images[0])


def fused_layers(network: Any) -> list[bool]:
    return [type(part) is FusedAttnProcessor2_0 for part in network.attn_processors.values()]


class TestSamePicture:
    """Networks that lie in main memory are tuned as for a card: what is done is the same."""

    def test_tuned_equals_untuned(self, pipe: Any) -> None:
        plain = fill(pipe)
        tuned = tune(pipe, "cuda", compile="off", size=SIZE)
        assert np.abs(fill(pipe) - plain).max() < ROUNDING
        assert tuned.notes == []

    def test_the_networks_are_laid_out_channels_last_and_fused(self, pipe: Any) -> None:
        tune(pipe, "cuda", size=SIZE)
        for network in (pipe.unet, pipe.vae):
            assert (
                network.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
                if (network is pipe.unet)
                else network.encoder.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
            )
            assert all(fused_layers(network))
        again = fill(pipe)
        tune(pipe, "cuda", size=SIZE)  # a second time finds all done
        assert np.array_equal(fill(pipe), again)

    def test_on_the_processor_where_it_would_be_slower_they_stay_as_they_are(
        self, small: Any
    ) -> None:
        plain = fill(small)
        tune(small, "cpu", size=SIZE)
        assert not any(fused_layers(small.unet))
        assert np.array_equal(fill(small), plain)

    def test_fusing_takes_no_more_memory(self, pipe: Any) -> None:
        before = memory.weights_by_part(pipe)
        count = tuning.fuse_projections(pipe)
        assert count == len(fused_layers(pipe.unet)) + len(fused_layers(pipe.vae))
        assert memory.weights_by_part(pipe) == before

    @pytest.mark.parametrize(("dtype", "widened"), [("bfloat16", False), ("float16", True)])
    def test_only_an_autoencoder_that_could_overflow_is_widened(
        self, dtype: str, widened: bool
    ) -> None:
        pipe = diffusion_models.build("sdxl", tiny=True, dtype=dtype)
        assert pipe.vae.config.force_upcast
        tune(pipe, "cuda", size=SIZE)
        assert pipe.vae.config.force_upcast == widened
        if not widened:
            made = fill(pipe)
            pipe.vae.register_to_config(force_upcast=True)
            assert 0 < np.abs(made - fill(pipe)).mean() < 0.02

    def test_several_candidates_at_once_equal_one_after_the_other(self, small: Any) -> None:
        tune(small, "cuda", size=SIZE)

        def noise(seed: int) -> torch.Tensor:
            return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed))

        alone = [fill(small, latents=noise(seed)) for seed in (1, 2)]
        both = small(
            prompt="a dog on grass",
            image=torch.linspace(0, 1, 64).expand(1, 3, 64, 64),
            mask_image=torch.nn.functional.pad(torch.ones(1, 1, 24, 28), (20, 16, 16, 24)),
            height=64,
            width=64,
            num_inference_steps=3,
            guidance_scale=7.5,
            output_type="np",
            num_images_per_prompt=2,
            latents=torch.cat([noise(1), noise(2)]),
            generator=[torch.Generator("cpu").manual_seed(3) for _ in range(2)],
        ).images
        assert np.abs(np.stack(alone) - both).max() < ROUNDING


class TestAdapters:
    @pytest.mark.parametrize("before", [True, False])
    def test_a_lora_counts_whether_it_came_before_or_after(self, small: Any, before: bool) -> None:
        def adapt() -> None:
            torch.manual_seed(1)
            small.unet.add_adapter(
                peft.LoraConfig(
                    r=2, lora_alpha=64, init_lora_weights=False, target_modules=["to_q", "to_v"]
                )
            )

        plain = fill(small)
        if before:
            adapt()
            expected = fill(small)
        tune(small, "cuda", size=SIZE)
        if not before:
            adapt()
            tune(small, "cuda", size=SIZE)
            expected = _unfused(small)
        made = fill(small)
        assert not any(fused_layers(small.unet))
        assert np.abs(made - plain).max() > 10 * ROUNDING
        assert np.abs(made - expected).max() < ROUNDING

    def test_without_the_lora_it_is_fused_again(self, small: Any) -> None:
        plain = fill(small)
        small.unet.add_adapter(peft.LoraConfig(r=2, target_modules=["to_k"]))
        tune(small, "cuda", size=SIZE)
        small.unet.delete_adapters("default")
        small.unload_lora_weights()
        tune(small, "cuda", size=SIZE)
        assert all(fused_layers(small.unet))
        assert np.abs(fill(small) - plain).max() < ROUNDING

    def test_processors_of_others_are_left_alone(self, small: Any) -> None:
        class Own:
            def __call__(self, attn: Any, states: Any, *rest: Any, **named: Any) -> Any:
                return states

        own = Own()
        name = next(iter(small.unet.attn_processors))
        small.unet.set_attn_processor({**small.unet.attn_processors, name: own})
        tune(small, "cuda", size=SIZE)
        assert small.unet.attn_processors[name] is own
        assert fused_layers(small.unet).count(False) == 1


def _unfused(pipe: Any) -> np.ndarray:
    """What the pipeline makes by the library's own processors."""
    from diffusers.models.attention_processor import AttnProcessor2_0

    pipe.unet.set_attn_processor(AttnProcessor2_0())
    return fill(pipe)


class TestWithOffload:
    def test_what_was_fused_is_put_back_and_nothing_is_compiled(
        self, small: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = fill(small)
        tune(small, "cuda", size=SIZE)
        parts = memory.weights_by_part(small)
        with monkeypatch.context() as patch:
            patch.setattr(memory, "kind", lambda device: "cuda")
            memory.apply(small, Plan("cpu", "float32", "offload"))
        tuned = tune(small, "cuda", compile="on", size=SIZE)
        assert not any(fused_layers(small.unet))
        assert memory.weights_by_part(small) == parts
        assert [note for note in tuned.notes if "spare memory" in note] == tuned.notes != []
        assert np.abs(fill(small) - plain).max() < ROUNDING


class Compiler:
    """Stands in for torch.compile: counts, and calls the network's own code."""

    def __init__(self, error: Exception | None = None) -> None:
        self.made, self.calls, self.error = 0, 0, error

    def __call__(self, plain: Callable[..., Any], **how: Any) -> Callable[..., Any]:
        assert how == {"dynamic": False, "mode": None}
        self.made += 1

        def compiled(*given: Any, **named: Any) -> Any:
            self.calls += 1
            if self.error:
                raise self.error
            return plain(*given, **named)

        return compiled


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    made = Compiler()
    monkeypatch.setattr(torch, "compile", made)
    return made


class TestCompiling:
    def test_compiled_equals_untuned(self, small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = fill(small)
        # Tracing is the library's own; the kernels of its slow last stage are not ours to test.
        monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
        tuned = tune(small, "cuda", compile="on", size=SIZE)
        assert all(fused_layers(small.unet))
        assert np.abs(fill(small) - plain).max() < ROUNDING
        assert (tuned.compiling, tuned.notes) == (True, [])

    def test_denoiser_and_decoder_go_through_compiled_code(
        self, small: Any, compiler: Compiler
    ) -> None:
        tune(small, "cpu", compile="on", size=SIZE)
        fill(small)
        assert (compiler.made, compiler.calls) == (2, 4 + 1)  # the sampler's 3 steps are 4 calls
        tune(small, "cpu", compile="on", size=SIZE)
        fill(small)
        assert (compiler.made, compiler.calls) == (2, 10)

    def test_a_decoder_that_works_in_tiles_is_not(self, small: Any, compiler: Compiler) -> None:
        tune(small, "cpu", compile="on", size=SIZE)
        small.vae.enable_tiling()
        fill(small)
        assert compiler.calls == 4

    @pytest.mark.parametrize("device", ["cpu", "cuda"])
    def test_nothing_is_compiled_by_itself(
        self, small: Any, compiler: Compiler, device: str
    ) -> None:
        for _ in range(5):
            assert not tune(small, device, size=SIZE).compiling
        assert tune(small, device, compile="on", size=SIZE).compiling
        assert not tune(small, device, size=SIZE).compiling
        fill(small)
        assert compiler.calls == 0

    def test_only_so_many_sizes_are_compiled(self, small: Any, compiler: Compiler) -> None:
        for side in range(tuning.MOST_SIZES):
            assert tune(small, "cpu", compile="on", size=side).notes == []
        assert "sizes" in tune(small, "cpu", compile="on", size="one more").notes[0]
        assert tune(small, "cpu", compile="on", size=0).compiling

    def test_where_it_fails_the_fill_goes_on_without_and_says_so(
        self, small: Any, compiler: Compiler
    ) -> None:
        plain = fill(small)
        compiler.error = torch._dynamo.exc.InternalTorchDynamoError("no C compiler found\nmore")
        tuned = tune(small, "cpu", compile="on", size=SIZE)
        assert np.abs(fill(small) - plain).max() < ROUNDING
        assert compiler.calls == 1
        told = "the model ran without being compiled: compiling failed (no C compiler found)"
        assert tuned.notes == [told]
        assert tune(small, "cpu", compile="on", size=SIZE).notes == [told]
        assert tune(small, "cpu", compile="off", size=SIZE).notes == []

    def test_running_out_of_memory_while_compiling_is_no_reason_to_go_on(
        self, small: Any, compiler: Compiler
    ) -> None:
        compiler.error = torch._dynamo.exc.InternalTorchDynamoError("backend failed")
        compiler.error.__cause__ = torch.OutOfMemoryError("CUDA out of memory")
        tune(small, "cpu", compile="on", size=SIZE)
        with pytest.raises(torch._dynamo.exc.InternalTorchDynamoError):
            fill(small)

    def test_of_a_transformer_its_repeated_blocks_are_compiled(self, compiler: Compiler) -> None:
        class Block(torch.nn.Module):
            def forward(self, states: torch.Tensor) -> torch.Tensor:
                return states + 1

        class Transformer(torch.nn.Module):
            _repeated_blocks = ("Block",)

            def __init__(self) -> None:
                super().__init__()
                self.blocks = torch.nn.Sequential(Block(), Block(), Block())

            def forward(self, states: torch.Tensor) -> torch.Tensor:
                return torch.as_tensor(self.blocks(states))

        class Pipe:
            def __init__(self) -> None:
                self.transformer = Transformer()
                self.components = {"transformer": self.transformer}

        pipe = Pipe()
        tune(pipe, "cpu", compile="on")
        assert pipe.transformer(torch.zeros(1)).item() == 3
        assert (compiler.made, compiler.calls) == (3, 3)


class TestEmbeddingCache:
    def test_a_prompt_that_was_read_is_not_read_again(self, small: Any) -> None:
        cache, calls = EmbeddingCache(), 0

        def count(*_: Any) -> None:
            nonlocal calls
            calls += 1

        small.text_encoder.register_forward_hook(count)

        def embeds(prompt: str, negative: str = "") -> dict[str, torch.Tensor]:
            def make() -> dict[str, torch.Tensor]:
                with torch.no_grad():
                    made = small.encode_prompt(prompt, "cpu", 1, True, negative)
                return dict(zip(("prompt_embeds", "negative_prompt_embeds"), made, strict=True))

            return cache.get(("tiny", "float32", prompt, negative), make)

        first = fill(small, prompt=None, **embeds("a dog on grass"))
        assert calls == 2  # the prompt and the negative one
        second = fill(small, prompt=None, **embeds("a dog on grass"))
        assert calls == 2
        assert np.array_equal(first, second)
        assert np.array_equal(first, fill(small))  # the same as without a cache
        before = calls
        embeds("a dog on grass", "blurred")
        embeds("a cat")
        assert calls == before + 4

    def test_the_least_recently_used_goes_first(self) -> None:
        cache = EmbeddingCache(limit_bytes=3 * 400)
        for key in "abc":
            cache.get(key, lambda: (torch.zeros(50), [torch.zeros(50)]))
        assert cache.bytes_held == 1200
        cache.get("a", lambda: pytest.fail("a is kept"))
        cache.get("d", lambda: {"embeds": torch.zeros(100)})
        assert len(cache) == 3
        cache.get("a", lambda: pytest.fail("a was used last but one"))
        assert cache.get("b", lambda: "made anew") == "made anew"

    def test_what_is_larger_than_the_limit_is_not_kept_and_drops_nothing(self) -> None:
        cache = EmbeddingCache(limit_bytes=400)
        cache.get("small", lambda: torch.zeros(100))
        cache.get("large", lambda: torch.zeros(101))
        assert cache.get("large", lambda: "again") == "again"
        cache.clear()
        assert len(cache) == cache.bytes_held == 0

    def test_nothing_is_kept_of_a_reading_that_failed(self) -> None:
        cache = EmbeddingCache()
        with pytest.raises(ValueError, match="too long"):
            cache.get("key", lambda: (_ for _ in ()).throw(ValueError("too long")))
        assert cache.get("key", lambda: 1) == 1
