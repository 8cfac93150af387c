"""DeepFillv2 and LaMa through `infill.fill`, on tiny networks with random weights."""

import collections
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import infill
from infill import pipeline, settings
from infill.engines.base import ENGINES, make_options, no_progress
from infill.engines.learned import engine as shared
from infill.engines.learned import running
from infill.errors import BadOption, Cancelled, EngineFailed, FullMask, MissingWeights
from infill.nets import deepfill, lama
from tests.engines.learned.tiny import network
from tests.nets.files import Evil, deepfill_file, lightning_file, script_file
from tests.nets.networks import deepfill_of, lama_of

Models = Callable[[str], str]

KINDS = [("deepfill", "plain"), ("deepfill", "tf"), ("lama", "lama")]
PHOTO = np.random.default_rng(0).integers(0, 256, (90, 117, 3), np.uint8)
MASK = np.zeros(PHOTO.shape[:2], np.bool_)
MASK[21:60, 33:70] = True


def filled(engine: str, model: str, photo: Any = PHOTO, mask: Any = MASK, **given: Any) -> Any:
    return infill.fill(photo, mask, engine=engine, model=model, **given)


def direct(
    engine: str, model: str, photos: list[np.ndarray], progress: Any = no_progress, **given: Any
) -> list[Any]:
    """What the engine makes of photos (96, 120, 3), several of them in one batch."""
    maker: Any = ENGINES.get(engine)
    mask = np.zeros(photos[0].shape[:2], np.bool_)
    mask[20:60, 30:80] = True
    rngs = [np.random.default_rng(0) for _ in photos]
    options = make_options(maker, {"model": model, **given})
    return maker.fill_batch(photos, mask, options, rngs, progress)


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.random((96, 120, 3), np.float32) for _ in range(count)]


@pytest.mark.parametrize(("engine", "kind"), KINDS)
class TestFill:
    def test_only_the_hole_changes_and_the_recipe_names_the_file(
        self, models: Models, engine: str, kind: str
    ) -> None:
        result = filled(engine, models(kind))
        assert result.proof.outside_max_diff == 0
        assert (result.picture.pixels[~MASK] == PHOTO[~MASK]).all()
        assert (result.picture.pixels[MASK] != PHOTO[MASK]).any()
        assert len(np.unique(result.picture.pixels[MASK], axis=0)) > 50
        ((source, digest),) = result.recipe.weights.items()
        assert (source, len(digest)) == (models(kind), 64)
        assert result.notes == ()
        again = infill.replay(result.recipe, PHOTO)
        assert (again.picture.pixels == result.picture.pixels).all()

    def test_it_is_the_network_that_fills(self, models: Models, engine: str, kind: str) -> None:
        """At sizes that it takes as they are, the hole holds what the bare network gives."""
        (photo,) = pictures(1)
        mask = np.zeros(photo.shape[:2], np.bool_)
        mask[20:60, 30:80] = True
        given = torch.from_numpy(photo.transpose(2, 0, 1))[None]
        hole = torch.from_numpy(mask.astype(np.float32))[None, None]
        with torch.no_grad():
            if engine == "lama":
                made = network(kind)(lama.prepare(given, hole))
            else:
                x = deepfill.prepare(2 * given - 1, hole)
                made = (network(kind)(x, hole)[1] + 1) / 2
        expected = made[0].permute(1, 2, 0).numpy()
        (ours,) = direct(engine, models(kind), [photo])
        np.testing.assert_allclose(ours.pixels[mask], expected[mask], atol=1e-5)

    @pytest.mark.parametrize("shape", [(1, 3), (65, 9), (31, 200), (130, 77)])
    def test_any_size_and_large_holes(
        self, models: Models, engine: str, kind: str, shape: tuple[int, int]
    ) -> None:
        photo = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
        mask = np.ones(shape, np.bool_)
        mask[-1, -1] = False
        result = filled(engine, models(kind), photo, mask)
        assert result.picture.pixels.shape == photo.shape
        assert (result.picture.pixels[-1, -1] == photo[-1, -1]).all()

    @pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
    def test_short_formats(self, models: Models, engine: str, kind: str, dtype: str) -> None:
        (photo,) = pictures(1)
        exact, short = (
            direct(engine, models(kind), [photo], dtype=one)[0].pixels for one in ("float32", dtype)
        )
        away = np.abs(exact - short)
        assert 0 < away.max() < 0.2
        assert away.mean() < 0.01
        steps = np.unique(short[20:60, 30:80])
        assert len(steps) > 1000, "the last layer works in float32"

    def test_candidates_are_equal_and_a_note_says_so(
        self, models: Models, engine: str, kind: str
    ) -> None:
        several = pipeline.candidates(
            PHOTO, MASK, seeds=(1, 2, 3), engine=engine, model=models(kind)
        )
        one = filled(engine, models(kind), seed=9)
        for result in several:
            assert (result.picture.pixels == one.picture.pixels).all()
            assert result.notes == (
                f"{engine} draws nothing at random: other seeds change nothing",
            )

    def test_a_batch_equals_single_fills(self, models: Models, engine: str, kind: str) -> None:
        photos = pictures(3)
        photos.append(photos[0].copy())
        together = direct(engine, models(kind), photos)
        for photo, made in zip(photos, together, strict=True):
            (alone,) = direct(engine, models(kind), [photo])
            np.testing.assert_allclose(made.pixels, alone.pixels, atol=2e-5)
        assert (together[0].pixels == together[3].pixels).all()
        assert not np.may_share_memory(together[0].pixels, together[3].pixels)

    def test_a_large_region_is_made_smaller_and_a_note_says_so(
        self, models: Models, engine: str, kind: str
    ) -> None:
        result = filled(engine, models(kind), max_side=64)
        assert result.notes == (
            "the region of 117 × 90 pixels was filled at 72 × 64; set max_side higher for more",
        )
        assert result.proof.outside_max_diff == 0

    def test_stops_between_layers(self, models: Models, engine: str, kind: str) -> None:
        words: list[tuple[float, str]] = []

        def stop(fraction: float, word: str) -> None:
            words.append((fraction, word))
            if len(words) == 5:
                raise Cancelled("stopped")

        with pytest.raises(Cancelled):
            direct(engine, models(kind), pictures(1), stop)
        assert words[0] == (0, "load")
        assert {word for _, word in words[1:]} == {"fill"}
        calls: list[float] = []
        direct(engine, models(kind), pictures(1), lambda fraction, _: calls.append(fraction))
        assert len(calls) > 10, "the hooks of the fill before are gone, and there are new ones"
        assert calls == sorted(calls)

    def test_the_network_is_read_once(
        self, models: Models, engine: str, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = []
        inner = running.ready

        def counting(*given: Any, **named: Any) -> Any:
            made.append(given)
            return inner(*given, **named)

        monkeypatch.setattr(running, "ready", counting)
        filled(engine, models(kind))
        filled(engine, models(kind))
        assert len(made) == 1
        filled(engine, models(kind), dtype="bfloat16")
        assert len(made) == 2

    def test_no_numbers_in_the_short_format(
        self, models: Models, engine: str, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        maker: Any = ENGINES.get(engine)
        inner = type(maker).run

        def overflowing(self: Any, loaded: Any, *given: Any) -> Any:
            made = inner(self, loaded, *given)
            return made if loaded.dtype == "float32" else [one * np.nan for one in made]

        monkeypatch.setattr(type(maker), "run", overflowing)
        (short,) = direct(engine, models(kind), pictures(1), dtype="float16")
        (exact,) = direct(engine, models(kind), pictures(1))
        assert (short.pixels == exact.pixels).all()
        assert short.notes == (
            "the network gave no numbers in the shorter format, so it ran in float32",
        )

    def test_nothing_known(self, models: Models, engine: str, kind: str) -> None:
        maker: Any = ENGINES.get(engine)
        options = make_options(maker, {"model": models(kind)})
        with pytest.raises(FullMask):
            maker.fill(
                pictures(1)[0], np.ones((96, 120), bool), options, np.random.default_rng(), print
            )


class TestOptions:
    def test_layout_and_fusing_reach_the_network(self, models: Models) -> None:
        (photo,) = pictures(1)
        fills = {
            (layout, fuse): direct("deepfill", models("plain"), [photo], layout=layout, fuse=fuse)[
                0
            ].pixels.tobytes()
            for layout in ("auto", "plain", "tf")
            for fuse in ("auto", "on", "off")
        }
        assert fills["auto", "auto"] == fills["plain", "auto"] == fills["plain", "on"]
        assert len(set(fills.values())) == 4

    @pytest.mark.parametrize(
        ("engine", "given", "words"),
        [
            ("deepfill", {"layout": "caffe"}, "layout must be one of auto, plain, tf"),
            ("deepfill", {"fuse": True}, "fuse must be one of"),
            ("deepfill", {"max_side": 63}, "max_side must be between 64 and 4096"),
            ("lama", {"dtype": "int8"}, "dtype must be one of"),
            ("lama", {"refine": 1}, "refine must be true or false"),
            ("lama", {"refine": True, "compile": "on"}, "compile has no effect with refine"),
            ("lama", {"refine": True, "dtype": "bfloat16"}, "refine works in float32"),
            ("lama", {"refine_steps": 0}, "refine_steps must be between"),
        ],
    )
    def test_what_is_none(self, engine: str, given: dict[str, Any], words: str) -> None:
        with pytest.raises(BadOption, match=f"engine {engine}: {words}"):
            make_options(ENGINES.get(engine), given)

    def test_deepfill_needs_a_model_and_is_hidden_where_none_can_be_named(self) -> None:
        from infill.api.catalogue import engines

        with pytest.raises(BadOption, match=r"needs a model: .* -O model="):
            infill.fill(PHOTO, MASK, engine="deepfill")
        served = {card["name"]: card for card in engines("exemplar")["engines"]}
        assert "deepfill" not in served
        names = {control["name"] for control in served["lama"]["controls"]}
        assert names == {"max_side", "dtype", "compile", "refine", "refine_steps"}

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
    @pytest.mark.parametrize(("engine", "kind"), KINDS)
    def test_compiled(self, models: Models, engine: str, kind: str) -> None:
        (photo,) = pictures(1)
        (plain,) = direct(engine, models(kind), [photo])
        (quick,) = direct(engine, models(kind), [photo], compile="on")
        np.testing.assert_allclose(quick.pixels, plain.pixels, atol=1e-5)
        assert quick.notes == ()

    def test_without_a_compiler_it_runs_all_the_same(
        self, models: Models, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*given: Any, **named: Any) -> Any:
            def run(*inputs: Any) -> Any:
                raise torch._dynamo.exc.BackendCompilerFailed(print, RuntimeError("no gcc"), None)

            return run

        monkeypatch.setattr(torch, "compile", broken)
        (photo,) = pictures(1)
        (made,) = direct("lama", models("lama"), [photo], compile="on")
        assert len(made.notes) == 1
        assert made.notes[0].startswith("the model ran without being compiled: compiling failed")
        (plain,) = direct("lama", models("lama"), [photo])
        assert (made.pixels == plain.pixels).all()


class TestFiles:
    """What is no checkpoint of that network: one sentence, nothing run."""

    def told(self, engine: str, model: Any) -> str:
        with pytest.raises((MissingWeights, EngineFailed)) as raised:
            filled(engine, str(model))
        assert "\n" not in str(raised.value)
        assert not running._kept
        return str(raised.value)

    def test_of_another_architecture(self, models: Models) -> None:
        assert "is no checkpoint of LaMa" in self.told("lama", models("tf"))
        assert "is no checkpoint of DeepFillv2" in self.told("deepfill", models("lama"))

    def test_corrupt(self, tmp_path: Path, models: Models) -> None:
        whole = Path(models("lama")).read_bytes()
        for name, content in (("a.ckpt", whole[: len(whole) // 2]), ("b.pth", b"no"), ("c", b"")):
            (tmp_path / name).write_bytes(content)
            for engine in ("lama", "deepfill"):
                told = self.told(engine, tmp_path / name)
                assert "damaged" in told or "holds more than tensors" in told

    def test_code_is_not_run(self, tmp_path: Path) -> None:
        target = tmp_path / "ran"
        torch.save({"G": deepfill_of("plain").state_dict(), "x": Evil(target)}, tmp_path / "a.pth")
        torch.save({"state_dict": lama_of().state_dict(), "x": Evil(target)}, tmp_path / "a.ckpt")
        assert "could run code" in self.told("deepfill", tmp_path / "a.pth")
        assert "could run code" in self.told("lama", tmp_path / "a.ckpt")
        (tmp_path / "old.pth").write_bytes(pickle.dumps({"x": collections.ChainMap()}, 2))
        told = self.told("lama", tmp_path / "old.pth")
        assert "it names collections.ChainMap" in told
        assert "weights_only" not in told, "that would say how to run it all the same"
        assert not target.exists()

    def test_torchscript_and_folders(self, tmp_path: Path, models: Models) -> None:
        expected = filled("lama", models("lama")).picture.pixels
        inner = tmp_path / "big-lama" / "models"
        inner.mkdir(parents=True)
        (inner.parent / "config.yaml").write_text("x: 1")
        lightning_file(inner / "best.ckpt", lama_of())
        script_file(tmp_path / "big-lama.pt", lama_of())
        for place in (inner.parent, tmp_path / "big-lama.pt"):
            assert (filled("lama", str(place)).picture.pixels == expected).all()
        deepfill_file(inner / "other.pth", deepfill_of("plain"))
        with pytest.raises(MissingWeights, match=r"holds several \(best.ckpt, other.pth\)"):
            filled("lama", str(inner))

    def test_not_here_and_offline(self) -> None:
        with settings.using(offline=1):
            with pytest.raises(MissingWeights, match=r"type: infill download lama;"):
                infill.fill(PHOTO, MASK, engine="lama")
            with pytest.raises(MissingWeights, match=r"there is no file /no/such\.ckpt"):
                filled("lama", "/no/such.ckpt")
            typed = r"type: infill download deepfill --model someone/weights/a\.pth;"
            with pytest.raises(MissingWeights, match=typed):
                filled("deepfill", "someone/weights/a.pth")
            address = f"https://example.org/a b.pth#sha256={'0' * 64}"
            with pytest.raises(MissingWeights, match="download deepfill --model 'https://"):
                filled("deepfill", address)


def test_the_photos_that_differ() -> None:
    one, two = pictures(2)
    found, which = shared._distinct([one, two, one.copy(), one])
    assert (len(found), which) == (2, [0, 1, 0, 0])
