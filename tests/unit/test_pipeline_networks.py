"""What the pipeline does for networks: their own size, candidates, previews, drift."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from infill import candidates, fill, replay
from infill.engines import base
from infill.engines.base import ENGINES, Engine, Filled, SizeRule, preview
from infill.engines.flat import Flat
from infill.errors import BadOption, BadRecipe, Drifted, EngineFailed
from infill.geometry import Box, Frame
from infill.jobs.tasks import FillTask
from infill.picture import Picture

SQUARE = SizeRule(multiple=8, minimum=32, native=32, square=True, context_min=8)


@dataclass(frozen=True)
class Options:
    native: int = 32
    reference: Any = None
    drift: Literal["correct", "ignore"] = "correct"


class Network:
    """Fills with noise of the generator's, 32 pixels a side, and keeps what it was shown."""

    card = replace(Flat.card, name="network", size=SQUARE)
    Options = Options

    def __init__(self) -> None:
        self.seen: list[tuple[NDArray[np.float32], NDArray[np.bool_]]] = []
        self.sizes: list[int] = []

    def size_rule(self, options: Options) -> SizeRule:
        return replace(SQUARE, minimum=options.native, native=options.native)

    def localise(self, options: Options, frame: Frame, largest: bool) -> Options:
        if options.reference is None:
            return options
        return replace(options, reference=frame.bring(options.reference.pixels))

    def fill(
        self, pixels: NDArray[np.float32], mask: NDArray[np.bool_], options: Options, *rest: Any
    ) -> Filled:
        rng, progress = rest
        return self.fill_batch([pixels], mask, options, [rng], progress)[0]

    def fill_batch(
        self,
        pixels: Sequence[NDArray[np.float32]],
        mask: NDArray[np.bool_],
        options: Options,
        rngs: Sequence[np.random.Generator],
        progress: Any,
    ) -> list[Filled]:
        self.sizes.append(len(pixels))
        made = []
        for one, rng in zip(pixels, rngs, strict=True):
            self.seen.append((one, mask))
            noise = rng.random(one.shape, np.float32)
            if options.reference is not None:
                noise = np.asarray(options.reference, np.float32) / 255
            made.append(Filled(np.where(mask[..., None], noise, one), ("a note",), {"w": "00ff"}))
        progress(0.5, "denoise")
        preview(progress, lambda: np.ones_like(pixels[0]))
        return made


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    made, find = Network(), ENGINES.get

    def get(name: str) -> Engine:
        return made if name == "network" else find(name)

    monkeypatch.setattr(ENGINES, "get", get)
    return made


def scene(side: int = 96) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    rng = np.random.default_rng(1)
    photo = rng.integers(60, 200, (side, side, 3), np.uint8)
    mask = np.zeros((side, side), np.bool_)
    mask[40:70, 30:64] = True
    return photo, mask


class TestNativeSize:
    def test_the_engine_gets_its_own_size_and_the_rest_stays(self, network: Network) -> None:
        photo, mask = scene()
        result = fill(photo, mask, engine="network")
        (pixels, hidden), *more = network.seen
        assert not more
        assert pixels.shape == (32, 32, 3)
        assert hidden.any()
        assert not hidden.all()
        assert (pixels[hidden] == 0).all()
        assert result.proof.outside_max_diff == 0
        assert (result.picture.pixels[~mask] == photo[~mask]).all()
        assert (result.picture.pixels[mask] != photo[mask]).any()
        assert result.notes == ("a note",)
        assert result.recipe.weights["w"] == "00ff"

    def test_a_small_photo_is_made_larger(self, network: Network) -> None:
        photo, mask = scene()
        fill(photo[36:60, 26:56], mask[36:60, 26:56], engine="network", native=64)
        assert network.seen[0][0].shape == (64, 64, 3)

    def test_what_is_hidden_has_no_part_in_what_is_known(self, network: Network) -> None:
        """Known grey stays grey up to the border of the hole, however much it is resampled."""
        photo, mask = scene()
        photo[:] = 128
        fill(photo, mask, engine="network")
        pixels, hidden = network.seen[0]
        assert np.abs(pixels[~hidden] - 128 / 255).max() < 1e-5

    def test_what_an_engine_leaves_outside_the_hole_stays_out(self, network: Network) -> None:
        """Not even by way of the resampling back, which mixes neighbours."""

        class Rough(Network):
            def fill_batch(self, pixels: Any, mask: Any, *rest: Any) -> list[Filled]:
                hidden = np.broadcast_to(mask[..., None], (*mask.shape, 3))
                return [Filled(np.where(hidden, np.float32(0.5), np.float32(np.nan)))]

        network.fill_batch = Rough().fill_batch  # type: ignore[method-assign]
        photo, mask = scene()
        photo[:] = 128
        filled = fill(photo, mask, engine="network").picture.pixels
        assert np.abs(filled.astype(int) - 128).max() <= 2

    @pytest.mark.parametrize("native", [24, 32, 200])
    def test_one_known_pixel_is_enough(self, network: Network, native: int) -> None:
        photo, mask = scene(40)
        mask[:] = True
        mask[11, 7] = False
        photo[11, 7] = (10, 120, 250)
        fill(photo, mask, engine="network", native=native)
        pixels, hidden = network.seen[0]
        assert not hidden.all()
        assert np.allclose(pixels[~hidden], np.array((10, 120, 250)) / 255, atol=0.02)

    def test_lines_in_turn_leave_a_hole(self, network: Network) -> None:
        photo, mask = scene(64)
        mask[:] = False
        mask[::2] = True
        fill(photo, mask, engine="network", native=32)
        _, hidden = network.seen[0]
        assert 0.4 < hidden.mean() < 0.6

    def test_a_crop_is_not_larger_than_native_and_keeps_its_shape(self) -> None:
        rule = SizeRule(multiple=8, minimum=64, native=128)
        frame = Frame.of(Box(0, 0, 300, 600), rule)
        height, width = frame.size
        assert height * width <= 1.1 * 128**2
        assert width / height == pytest.approx(2, rel=0.1)
        assert height % 8 == width % 8 == 0
        assert frame.shape == frame.size
        assert Frame.of(Box(0, 0, 100, 120), rule).size == (100, 120), "between the two"
        assert Frame.of(Box(0, 0, 32, 32), rule).size == (64, 64)

    def test_there_and_back_is_nearly_the_same(self) -> None:
        down, across = np.mgrid[0:96, 0:64].astype(np.float32)
        smooth = np.stack([down / 96, across / 64, np.sin(down / 20) / 2 + 0.5], axis=-1)
        frame = Frame.of(Box(0, 0, 96, 64), SQUARE)
        again = frame.back(frame.bring(smooth))
        assert again.shape == smooth.shape
        assert np.abs(again - smooth)[4:-4, 4:-4].max() < 0.02

    def test_masks_stay_masks(self) -> None:
        mask = np.zeros((96, 96), np.bool_)
        mask[50, 50] = True
        brought = Frame.of(Box(0, 0, 96, 96), SQUARE).bring(mask)
        assert brought.dtype == np.bool_
        assert brought.sum() == 1

    def test_a_square_rule_has_one_size(self) -> None:
        with pytest.raises(ValueError, match="the same"):
            SizeRule(minimum=32, native=64, square=True)


class TestCandidates:
    def test_are_made_at_once_and_are_what_single_fills_are(self, network: Network) -> None:
        photo, mask = scene()
        results = candidates(photo, mask, seeds=(3, 9), engine="network")
        assert network.sizes == [2]
        for seed, result in zip((3, 9), results, strict=True):
            alone = fill(photo, mask, engine="network", seed=seed)
            assert result.recipe == alone.recipe
            assert (result.picture.pixels == alone.picture.pixels).all()
        assert results[0].recipe.output_sha256 != results[1].recipe.output_sha256

    def test_an_engine_without_batches_makes_one_after_the_other(self) -> None:
        photo, mask = scene()
        results = candidates(photo, mask, seeds=(0, 1), engine="exemplar", effort=0.5)
        assert [result.recipe.seed for result in results] == [0, 1]
        alone = fill(photo, mask, engine="exemplar", effort=0.5, seed=1)
        assert (results[1].picture.pixels == alone.picture.pixels).all()

    def test_a_later_hole_sees_each_candidates_own_first(self, network: Network) -> None:
        photo, mask = scene(400)
        mask[:] = False
        mask[20:30, 20:30] = mask[300:310, 300:310] = True
        results = candidates(photo, mask, seeds=(0, 1, 2), engine="network")
        assert network.sizes == [3, 3]
        assert len({result.recipe.output_sha256 for result in results}) == 3

    def test_no_seed_is_an_error(self) -> None:
        photo, mask = scene()
        with pytest.raises(BadOption, match="one at least"):
            candidates(photo, mask, seeds=(), engine="flat")


class Watcher:
    def __init__(self) -> None:
        self.shown: list[bytes] = []

    def __call__(self, fraction: float, stage: str) -> None:
        pass

    def show(self, preview: bytes) -> None:
        self.shown.append(preview)


class TestPreview:
    def test_shows_the_photo_with_the_fill_so_far(self, network: Network) -> None:
        photo, mask = scene()
        watcher = Watcher()
        FillTask(Picture.from_array(photo), mask, "network", seeds=(0, 1))(watcher)
        assert len(watcher.shown) == 1
        shown = Picture.load(watcher.shown[0]).pixels
        assert (shown[mask] == 255).all()
        assert (shown[~mask] == photo[~mask]).all()

    def test_nothing_is_drawn_if_nobody_watches(self) -> None:
        def draw() -> NDArray[np.floating]:
            raise AssertionError("drawn for nobody")

        preview(lambda fraction, stage: None, draw)


class TestMisbehaviour:
    def test_outside_of_the_fill_is_named_too(
        self, network: Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*given: Any) -> Any:
            raise RuntimeError("no such size")

        photo, mask = scene()
        for method in ("size_rule", "localise"):
            with monkeypatch.context() as patch:
                patch.setattr(network, method, broken)
                with pytest.raises(EngineFailed, match=r"network failed.*no such size"):
                    fill(photo, mask, engine="network")


class TestReference:
    def test_reaches_the_region_and_the_recipe_keeps_its_hash(self, network: Network) -> None:
        photo, mask = scene()
        target = np.full_like(photo, 33)
        result = fill(photo, mask, engine="network", reference=target)
        assert (result.picture.pixels[46:64, 36:58] == 33).all(), "but for the resampled rim"
        held = result.recipe.options["reference"]
        assert held == {"sha256": Picture.from_array(target).sha256[1]}
        assert type(result.recipe).from_json(result.recipe.to_json()) == result.recipe

    def test_is_asked_for_again(self, network: Network) -> None:
        photo, mask = scene()
        target = np.full_like(photo, 33)
        recipe = fill(photo, mask, engine="network", reference=target).recipe
        assert recipe.same_output(replay(recipe, photo, reference=target).recipe)
        with pytest.raises(BadRecipe, match="give that picture again"):
            replay(recipe, photo)
        with pytest.raises(BadRecipe, match="not the picture"):
            replay(recipe, photo, reference=target + 1)
        plain = fill(photo, mask, engine="network").recipe
        with pytest.raises(BadRecipe, match="leave it out"):
            replay(plain, photo, reference=target)


class Redrawing(Network):
    """Returns the photo two pixels to the right, and a ramp in the hole."""

    card = replace(Flat.card, redraws=True)

    def size_rule(self, options: Options) -> SizeRule:
        return SizeRule(context_min=200)

    def fill_batch(self, pixels: Any, mask: Any, *rest: Any) -> list[Filled]:
        whole = pixels[0].copy()
        whole[mask] = 0.5
        return [Filled(np.roll(whole, 2, axis=1))]


class TestDrift:
    @pytest.fixture
    def textured(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        import cv2

        rough = np.random.default_rng(4).random((12, 12, 3))
        photo = cv2.resize(rough, (200, 200), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        mask = np.zeros((200, 200), np.bool_)
        mask[80:120, 80:120] = True
        return (photo * 255).astype(np.uint8), mask

    def test_is_corrected_and_told(
        self, monkeypatch: pytest.MonkeyPatch, textured: tuple[Any, Any]
    ) -> None:
        monkeypatch.setattr(ENGINES, "get", lambda name: Redrawing())
        photo, mask = textured
        result = fill(photo, mask)
        assert len(result.notes) == 1
        assert "2" in result.notes[0]
        left = result.picture.pixels[95:105, 80:84].astype(float)
        assert np.abs(left - 127.5).max() < 2, "the hole's own grey is where it belongs"
        moved = fill(photo, mask, drift="ignore")
        assert moved.notes == ()
        assert np.abs(moved.picture.pixels[95:105, 80:82].astype(float) - 127.5).max() > 4

    def test_what_was_redrawn_has_no_say(
        self, monkeypatch: pytest.MonkeyPatch, textured: tuple[Any, Any]
    ) -> None:
        """Cells around the hole are made anew too; there is no drift to be seen in them."""
        photo, mask = textured
        cells = np.zeros_like(mask)
        cells[60:140, 60:140] = True

        class Cells(Redrawing):
            def fill_batch(self, pixels: Any, mask: Any, *rest: Any) -> list[Filled]:
                whole = pixels[0].copy()
                whole[cells] = np.random.default_rng(0).random(3, np.float32)
                return [Filled(whole, redrawn=cells)]

        monkeypatch.setattr(ENGINES, "get", lambda name: Cells())
        assert fill(photo, mask).notes == ()

    def test_another_picture_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, textured: tuple[Any, Any]
    ) -> None:
        class Other(Redrawing):
            def fill_batch(self, pixels: Any, mask: Any, *rest: Any) -> list[Filled]:
                return [Filled(np.random.default_rng(0).random(pixels[0].shape, np.float32))]

        monkeypatch.setattr(ENGINES, "get", lambda name: Other())
        with pytest.raises(Drifted, match="does not fit the photo"):
            fill(*textured)

    @pytest.mark.parametrize("batches", [True, False])
    @pytest.mark.parametrize("when", [0, 1])
    def test_one_that_is_refused_costs_no_other(
        self,
        monkeypatch: pytest.MonkeyPatch,
        textured: tuple[Any, Any],
        batches: bool,
        when: int,
    ) -> None:
        """Seed 1 gives another picture in hole `when`; the others go on to the last hole."""

        class Unsteady(Redrawing):
            def size_rule(self, options: Options) -> SizeRule:
                return SizeRule(context_min=40)

            def fill_batch(self, pixels: Any, mask: Any, options: Any, rngs: Any, progress: Any):  # type: ignore[no-untyped-def]
                self.sizes.append(len(pixels))
                return [self._one(*one, mask) for one in zip(pixels, rngs, strict=True)]

            def fill(self, pixels: Any, mask: Any, options: Any, rng: Any, progress: Any) -> Any:
                return self._one(pixels, rng, mask)

            def _one(self, pixels: Any, rng: Any, mask: Any) -> Filled:
                if rng.bit_generator.seed_seq.entropy == 1 and which(rng) == when:
                    return Filled(np.random.default_rng(0).random(pixels.shape, np.float32))
                whole = pixels.copy()
                whole[mask] = rng.random(dtype=np.float32)
                return Filled(whole)

        def which(rng: np.random.Generator) -> int:
            return int(rng.bit_generator.seed_seq.spawn_key[0])  # type: ignore[attr-defined]

        engine = Unsteady()
        monkeypatch.setattr(ENGINES, "get", lambda name: engine)
        monkeypatch.setattr(base, "in_batches", lambda engine: batches)
        photo, _ = textured
        photo = np.tile(photo, (1, 3, 1))
        mask = np.zeros(photo.shape[:2], np.bool_)
        mask[80:100, 40:60] = mask[80:100, 540:560] = True
        results = candidates(photo, mask, seeds=(0, 1, 2), engine="network")
        assert [result.recipe.seed for result in results] == [0, 2]
        for result in results:
            (note,) = result.notes
            assert note.startswith("1 of 3 candidates left out: the engine's picture does not fit")
            alone = fill(photo, mask, engine="network", seed=result.recipe.seed)
            assert (result.picture.pixels == alone.picture.pixels).all()
        if batches:
            assert engine.sizes[:2] == [3, 2 if when == 0 else 3]
        with pytest.raises(Drifted):
            candidates(photo, mask, seeds=(1, 1), engine="network")

    def test_where_all_was_redrawn_a_note_says_so(
        self, monkeypatch: pytest.MonkeyPatch, textured: tuple[Any, Any]
    ) -> None:
        class All(Redrawing):
            def fill_batch(self, pixels: Any, mask: Any, *rest: Any) -> list[Filled]:
                return [Filled(pixels[0] * 0.5, redrawn=np.ones_like(mask))]

        monkeypatch.setattr(ENGINES, "get", lambda name: All())
        (note,) = fill(*textured).notes
        assert note.startswith("too little of the photo was kept")
