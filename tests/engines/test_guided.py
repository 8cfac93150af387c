"""The guided engine end to end, with a tiny random network and with a made-up denoiser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

import infill
from infill import geometry
from infill.diffusion.schedule import NoiseSchedule
from infill.engines.base import ENGINES, Filled, make_options, no_progress
from infill.engines.guided import Guided, sampling, scores, streams
from infill.engines.guided.guide import Region
from infill.engines.guided.options import Options, localised
from infill.errors import BadOption, Cancelled, FullMask
from infill.picture import Picture
from tests.conformance import assert_engine
from tests.engines.guided_scenes import bottle, disc, overlap, target, texture
from tests.engines.tiny_ddpm import save

SIDE = 32
HOLE = np.zeros((SIDE, SIDE), np.bool_)
HOLE[6:26, 8:24] = True
SCENE = np.where(HOLE[..., None], 0, texture((SIDE, SIDE), (80, 120, 70), 1) / np.float32(255))
SCENE = SCENE.astype(np.float32)
BOTTLE = bottle((90, 120), 40, 20, 54)
TARGET = target(BOTTLE)
QUICK = {"schedule": "custom", "num_inference_steps": 3}
ONE = {"candidates": 1}
PLAIN = {"heat_width": 0, "buffer": 0}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a tiny random UNet for 32 × 32 pixels."""
    return save(tmp_path_factory.mktemp("tiny"), SIDE)


def options(model: str = "none", **given: Any) -> Options:
    made = make_options(Guided(), {"model": model, "reference": TARGET, **QUICK, **ONE, **given})
    assert isinstance(made, Options)
    return made


def filled(chosen: Options, seed: int = 0, progress: Any = no_progress) -> Filled:
    rng = np.random.default_rng(seed)
    made = ENGINES.get("guided").fill(SCENE, HOLE, chosen, rng, progress)
    assert isinstance(made, Filled)
    return made


class Fake:
    """A denoiser that sees `picture` (3, H, W) in whatever it is shown."""

    side, channels, sha256, fell_back = SIDE, 3, {}, False  # type: ignore[var-annotated]
    schedule = NoiseSchedule.linear(100)

    def __init__(self, picture: float = 0.0) -> None:
        self.picture = picture

    def __call__(self, x: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, None]:
        bars = torch.from_numpy(self.schedule.alphas_cumprod).to(x)[t].reshape(-1, 1, 1, 1)
        return (x - bars.sqrt() * self.picture) / (1 - bars).sqrt(), None


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(sampling, "denoiser_of", lambda options: (made, "cpu"))
    return made


class TestEquation:
    """x_{t-1} = m s_{t-1} + (1 - m) (λ y_{t-1} + (1 - λ) x'_{t-1}), by a model that is known."""

    def test_constant_1_is_the_target_itself(self, fake: Fake) -> None:
        chosen = options(lambda_kind="constant", lambda_start=1.0, **PLAIN)
        pixels, where = Guided().goal(SCENE, HOLE, chosen)
        made = filled(chosen).pixels
        assert made[where] == pytest.approx(pixels[where], abs=1e-6)
        assert np.abs(made[HOLE & ~where] - 0.5).max() < 1e-5, "the model alone decides there"

    @pytest.mark.parametrize("share", [0.25, 0.6])
    def test_at_the_last_step_both_are_mixed(self, fake: Fake, share: float) -> None:
        """With λ constant, the last step mixes target and the model's estimate (0 = grey)."""
        chosen = options(lambda_kind="constant", lambda_start=share, **PLAIN)
        pixels, where = Guided().goal(SCENE, HOLE, chosen)
        mixed = share * pixels + (1 - share) * np.float32(0.5)
        assert filled(chosen).pixels[where] == pytest.approx(mixed[where], abs=1e-5)

    def test_lambda_that_ends_leaves_the_last_word_to_the_model(self, fake: Fake) -> None:
        chosen = options(lambda_start=1.0, lambda_until=0.5, **PLAIN)
        assert filled(chosen).pixels[HOLE] == pytest.approx(0.5, abs=1e-3)

    def test_without_lambda_it_is_repaint_bit_for_bit(self, model: str) -> None:
        plain = make_options(ENGINES.get("repaint"), {"model": model, **QUICK})
        expected = ENGINES.get("repaint").fill(
            SCENE, HOLE, plain, np.random.default_rng(4), no_progress
        )
        assert isinstance(expected, Filled)
        for given in ({"lambda_start": 0.0}, {"lambda_until": 0.0}):
            made = filled(options(model, **given, **PLAIN), seed=4)
            assert (made.pixels == expected.pixels).all()

    def test_the_buffer_and_what_lies_beside_the_object_are_left_to_the_model(
        self, fake: Fake
    ) -> None:
        chosen = options(lambda_kind="constant", lambda_start=1.0, heat_width=0, buffer=2)
        made = filled(chosen).pixels
        _, where = Guided().goal(SCENE, HOLE, chosen)
        _, wide = Guided().goal(SCENE, HOLE, replace(chosen, buffer=0))
        rim = wide & ~where
        assert rim.any()
        assert np.abs(made[rim] - 0.5).max() < 1e-5


class TestGuide:
    def test_the_object_fills_the_hole_and_guides_there_alone(self) -> None:
        pixels, where = Guided().goal(SCENE, HOLE, options(buffer=0, harmonise=False))
        assert pixels.dtype == np.float32
        assert not (where & ~HOLE).any()
        assert 0.45 < where.sum() / HOLE.sum() < 0.95
        assert (pixels[where][:, 0] > 0.5).mean() > 0.9, "the bottle is red"
        _, narrower = Guided().goal(SCENE, HOLE, options(buffer=2))
        assert (narrower & ~where).sum() == 0
        assert 0 < narrower.sum() < where.sum()

    def test_with_the_objects_shape_as_hole_all_of_it_guides(self) -> None:
        hole = bottle((64, 64), 18, 6, 54)
        scene = np.full((64, 64, 3), 0.4, np.float32)
        _, where = Guided().goal(scene, hole, options(buffer=0))
        assert overlap(where, hole) > 0.9

    def test_brightness_comes_nearer_to_the_scene(self) -> None:
        dark = SCENE * np.float32(0.35)
        plain, where = Guided().goal(dark, HOLE, options(harmonise=False))
        fitted, _ = Guided().goal(dark, HOLE, options())
        light = fitted[where].mean() / plain[where].mean()
        assert 0.4 < light < 0.8

    def test_given_place(self) -> None:
        there = {"placement": "given", "buffer": 0, "harmonise": False}
        _, middle = Guided().goal(SCENE, HOLE, options(**there, scale=0.5))
        _, lower = Guided().goal(SCENE, HOLE, options(**there, scale=0.5, shift_y=0.25))
        assert (np.roll(middle, 5, axis=0) == lower).all()
        with pytest.raises(BadOption, match="does not meet the hole"):
            Guided().goal(SCENE, HOLE, options(**there, shift_x=2.0))

    def test_frame_each_pixel_stays_where_it_is(self) -> None:
        whole = Picture(texture((SIDE, SIDE), (200, 60, 60), 9))
        chosen = options(reference=whole, placement="frame", harmonise=False, buffer=0)
        pixels, where = Guided().goal(SCENE, HOLE, chosen)
        assert (np.rint(pixels * 255) == whole.pixels).all()
        assert (where == HOLE).all()
        with pytest.raises(BadOption, match="scene's own size, 32×32, not 120×90"):
            Guided().goal(SCENE, HOLE, options(placement="frame"))

    def test_frame_is_brought_to_each_region(self) -> None:
        rule = geometry.SizeRule(minimum=SIDE, native=SIDE, square=True)
        frame = geometry.Frame.of(geometry.Box(10, 20, 74, 84), rule)
        photo = texture((100, 120), (200, 60, 60), 9)
        mask = disc((100, 120), 42, 52, 20)
        chosen = options(
            reference=Picture(photo), reference_mask=mask, placement="frame", harmonise=False
        )
        local = Guided().localise(chosen, frame, True)
        pixels, where = Guided().goal(SCENE, np.ones_like(HOLE), local)
        expected = photo[10:74, 20:84].reshape(32, 2, 32, 2, 3).mean((1, 3)) / 255
        assert pixels == pytest.approx(expected, abs=1e-3)
        assert overlap(where, disc((32, 32), 16, 16, 9)) > 0.9
        small = options(reference=Picture(photo[:60, :60]), placement="frame")
        with pytest.raises(BadOption, match="smaller; use placement fit"):
            Guided().localise(small, frame, True)
        known = replace(frame, photo=(100, 120))
        same = Guided().localise(chosen, known, True).region
        assert same is not None
        assert local.region is not None
        assert (same.pixels == local.region.pixels).all()

    @pytest.mark.parametrize("shape", [(101, 120), (100, 121), (200, 240), (99, 120)])
    def test_frame_takes_a_target_of_the_photos_size_alone(self, shape: tuple[int, int]) -> None:
        """A larger one would otherwise be cropped at its upper left corner."""
        rule = geometry.SizeRule(minimum=SIDE, native=SIDE, square=True)
        frame = geometry.Frame.of(geometry.Box(10, 20, 74, 84), rule, (100, 120))
        chosen = options(reference=Picture(texture(shape, (200, 60, 60), 9)), placement="frame")
        words = f"scene's own size, 120×100, not {shape[1]}×{shape[0]}"
        with pytest.raises(BadOption, match=words):
            Guided().localise(chosen, frame, True)

    def test_the_mirror_image_beyond_the_photo_is_no_room(self) -> None:
        """A frame of 32 rows of which 16 are the photo's: the object stays in those."""
        hole = np.zeros((SIDE, SIDE), np.bool_)
        hole[8:24, 8:24] = True  # mirrored at row 16
        frame = geometry.Frame(
            geometry.Box(0, 0, 16, SIDE), (16, SIDE), geometry.SizeRule(multiple=SIDE)
        )
        local = Guided().localise(options(buffer=0), frame, True)
        _, where = Guided().goal(SCENE, hole, local)
        assert where[:16].any()
        assert where[17:].sum() < 0.1 * where.sum()

    def test_of_two_holes_the_larger_gets_it_and_a_note_says_so(self, fake: Fake) -> None:
        hole = HOLE.copy()
        hole[28:31, 1:5] = True
        made = Guided().fill(SCENE, hole, options(), np.random.default_rng(0), no_progress)
        assert "of several holes, the largest got the object" in made.notes
        _, where = Guided().goal(SCENE, hole, options())
        assert not where[28:].any()

    def test_a_buffer_that_is_too_wide_gives_way(self, fake: Fake) -> None:
        notes = filled(options(buffer=100)).notes
        assert any("buffer of 100 pixels would leave nothing" in note for note in notes)


def test_conformance(model: str) -> None:
    quick = {"schedule": "custom", "num_inference_steps": 1, **ONE}
    assert_engine("guided", threads=[1, 2], model=model, reference=TARGET, **quick)


class TestEngine:
    def test_same_seed_same_bytes_and_another_one_differs(self, model: str) -> None:
        first, again, other = (filled(options(model), seed).pixels for seed in (1, 1, 2))
        assert first.tobytes() == again.tobytes()
        assert first[HOLE].tobytes() != other[HOLE].tobytes()
        assert first.dtype == np.float32
        assert np.isfinite(first).all()

    def test_known_pixels_are_what_they_were(self, model: str) -> None:
        made = filled(options(model, **PLAIN)).pixels
        assert made[~HOLE] == pytest.approx(SCENE[~HOLE], abs=1e-6)

    def test_a_batch_is_its_members(self, model: str) -> None:
        chosen = options(model)
        rngs = [np.random.default_rng(seed) for seed in (3, 4)]
        both = Guided().fill_batch([SCENE, SCENE], HOLE, chosen, rngs, no_progress)
        for seed, made in zip((3, 4), both, strict=True):
            assert made.pixels == pytest.approx(filled(chosen, seed).pixels, abs=1e-5)

    def test_of_candidates_the_best_is_returned_with_their_scores(self, model: str) -> None:
        chosen = options(model, candidates=3)
        made = filled(chosen, 5)
        told = [note for note in made.notes if note.startswith("the best of 3 candidates")]
        assert len(told) == 1
        assert all(f"no. {number} " in told[0] for number in (1, 2, 3))
        pixels, where = Guided().goal(SCENE, HOLE, chosen)
        totals = {}
        for stream in streams(np.random.default_rng(5), 3):
            one = Guided().fill(SCENE, HOLE, options(model), stream, no_progress).pixels
            kept = np.where(HOLE[..., None], one, SCENE)
            totals[scores.score(kept, HOLE, pixels, where).total] = one
        assert made.pixels == pytest.approx(totals[min(totals)], abs=1e-4)

    def test_weights_are_named(self, model: str) -> None:
        weights = filled(options(model)).weights
        assert weights
        assert all(len(digest) == 64 for digest in weights.values())

    def test_progress_rises_and_cancels_within_a_step(self, model: str) -> None:
        told: list[float] = []
        filled(options(model), progress=lambda fraction, word: told.append(fraction))
        assert told == sorted(told)
        assert told[-1] == 1
        seen: list[str] = []

        def stop(fraction: float, word: str) -> None:
            seen.append(word)
            if fraction > 0.3:
                raise Cancelled("stopped")

        with pytest.raises(Cancelled):
            filled(options(model), progress=stop)
        assert seen.count("denoise") == 1

    def test_previews_are_pictures(self, model: str) -> None:
        class Watcher:
            def __init__(self) -> None:
                self.shown: list[np.ndarray] = []

            def __call__(self, fraction: float, word: str) -> None:
                pass

            def preview(self, make: Any) -> None:
                self.shown.append(make())

        watcher = Watcher()
        filled(options(model), progress=watcher)
        assert len(watcher.shown) == 3
        assert {one.shape for one in watcher.shown} == {(SIDE, SIDE, 3)}

    @pytest.mark.parametrize(
        "error",
        [torch.OutOfMemoryError("too much"), RuntimeError("DefaultCPUAllocator: out of memory")],
    )
    def test_short_of_memory_it_goes_on_one_by_one(
        self, model: str, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chosen = options(model, candidates=2)
        expected = filled(chosen, 6)
        plain, sizes = sampling.guided, []

        def short(denoiser: Any, device: str, tasks: Any, *rest: Any) -> Any:
            sizes.append(len(tasks))
            if len(tasks) == 1:
                return plain(denoiser, device, tasks, *rest)
            for task in tasks:
                task.rng.standard_normal(7)  # what was drawn before memory ran out
            raise error

        monkeypatch.setattr(sampling, "guided", short)
        made = filled(chosen, 6)
        assert sizes == [2, 1, 1]
        assert made.pixels == pytest.approx(expected.pixels, abs=1e-4)
        assert any("one by one" in note for note in made.notes)


class TestBadInput:
    def test_no_target(self) -> None:
        bare = replace(options(), reference=None)
        with pytest.raises(BadOption, match="needs a target picture: give it as reference"):
            filled(bare)

    def test_a_target_without_an_object_is_told_before_anything_is_loaded(self) -> None:
        flat = Picture(np.full((60, 60, 3), 99, np.uint8))
        with pytest.raises(BadOption, match="no object that stands out"):
            filled(options(reference=flat))

    def test_everything_masked(self) -> None:
        with pytest.raises(FullMask):
            Guided().fill(
                SCENE, np.ones_like(HOLE), options(), np.random.default_rng(0), no_progress
            )

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"lambda_start": 1.5}, "lambda_start must be between 0 and 1"),
            ({"lambda_kind": "cosine"}, "lambda_kind must be one of linear, constant"),
            ({"placement": "left"}, "placement must be one of fit, frame, given"),
            ({"scale": 2.0}, "scale has no effect unless placement is given"),
            ({"click": "12"}, "click is two numbers"),
            ({"click": "a,b"}, "click is two numbers"),
            ({"click": (1.0, float("nan"))}, "click is two numbers"),
            ({"buffer": -1}, "buffer must be between 0 and 128"),
            ({"heat_passes": 2.5}, "heat_passes is a whole number"),
            ({"candidates": 0}, "candidates must be between 1 and 16"),
            ({"harmonise": "maybe"}, "harmonise must be true or false"),
            ({"lambda_kind": "constant", "lambda_until": 0.2}, "lambda_until has no effect"),
            ({"guidance": 3}, "no option 'guidance'"),
        ],
    )
    def test_options(self, given: dict[str, Any], words: str) -> None:
        with pytest.raises(BadOption, match=words):
            options(**given)

    def test_a_prompt_for_a_model_that_does_not_read(self, model: str) -> None:
        with pytest.raises(BadOption, match="reads no prompt"):
            filled(options(model, prompt="a bottle"))

    def test_drift_where_nothing_can_drift(self, model: str) -> None:
        with pytest.raises(BadOption, match="drift has no effect with the model of pixels"):
            filled(options(model, drift="ignore"))

    def test_a_click_and_a_mask_of_the_object(self) -> None:
        with pytest.raises(BadOption, match="click has no effect beside reference_mask"):
            options(click="52,50", reference_mask=BOTTLE)

    def test_a_click_may_be_a_pair(self) -> None:
        assert options(click=(50, 41.5)).point == (50.0, 41.5)
        assert options(click=" 50 , 41.5").point == (50.0, 41.5)
        assert options().point is None


class TestThroughThePipeline:
    photo = texture((90, 130), (80, 120, 70), 2)
    hole = bottle((90, 130), 60, 15, 60)

    def fill(self, model: str, **given: Any) -> Any:
        return infill.fill(
            self.photo, self.hole, engine="guided", seed=3, model=model, **QUICK, **given
        )

    def test_two_photos_are_enough(self, model: str) -> None:
        result = self.fill(model, reference=TARGET.pixels, lambda_start=1.0, lambda_kind="constant")
        after = result.picture.pixels
        assert result.proof.outside_max_diff == 0
        assert (after[~self.hole] == self.photo[~self.hole]).all()
        red = (after[..., 0] > 1.3 * after[..., 1].astype(float)) & self.hole
        assert red.sum() > 0.5 * self.hole.sum(), "the bottle stands in the hole"

    def test_of_two_far_holes_the_larger_gets_it(self, model: str) -> None:
        photo = texture((160, 900), (80, 120, 70), 2)
        hole = np.zeros(photo.shape[:2], np.bool_)
        hole[20:140, 780:860] = True
        hole[40:100, 30:70] = True  # filled first, and without the object
        result = infill.fill(
            photo,
            hole,
            engine="guided",
            model=model,
            reference=TARGET,
            lambda_kind="constant",
            buffer=0,
            **QUICK,
        )
        after = result.picture.pixels.astype(float)
        red = (after[..., 0] > 1.3 * after[..., 1]) & hole
        assert red[:, 450:].sum() > 0.4 * hole[:, 450:].sum()
        noise = infill.fill(photo, hole, engine="repaint", model=model, **QUICK)
        plain = noise.picture.pixels.astype(float)
        alone = ((plain[..., 0] > 1.3 * plain[..., 1]) & hole)[:, :450].sum()
        assert red[:, :450].sum() <= 1.5 * alone, "no redder than what the model makes by itself"
        assert "of several holes, the largest got the object" in result.notes
        told = [note for note in result.notes if note.startswith("the best of")]
        assert len(told) == 1, "of what has no target there is no best"
        with pytest.raises(BadOption, match="no object"):
            infill.fill(photo, hole, engine="guided", model=model, reference=photo[:64, :64] * 0)

    def test_a_file_a_mask_and_a_click(self, model: str, tmp_path: Path) -> None:
        path = tmp_path / "target.png"
        infill.save(TARGET.pixels, path)
        plain = self.fill(model, reference=TARGET.pixels, reference_mask=BOTTLE)
        file = self.fill(model, reference=str(path), reference_mask=BOTTLE)
        clicked = self.fill(model, reference=str(path), click="52,50")
        assert (plain.picture.pixels == file.picture.pixels).all()
        assert clicked.picture.pixels.shape == self.photo.shape

    def test_a_target_of_the_scenes_size(self, model: str) -> None:
        whole = texture((90, 130), (200, 60, 60), 9)
        result = self.fill(
            model,
            reference=whole,
            placement="frame",
            lambda_start=1.0,
            lambda_kind="constant",
            harmonise=False,
            buffer=0,
        )
        away = np.abs(result.picture.pixels[self.hole].astype(float) - whole[self.hole])
        assert away.mean() < 20, "all but what the model's size takes away"


def test_scores_are_what_they_say() -> None:
    scene = np.full((20, 20, 3), 0.5, np.float32)
    hole = disc((20, 20), 10, 10, 5)
    goal = np.full((20, 20, 3), 0.7, np.float32)
    smooth = scores.score(scene, hole, goal, hole)
    assert smooth.distance == pytest.approx(0.2)
    assert smooth.total == pytest.approx(0.2), "no seam, no penalty"
    jump = np.where(hole[..., None], 0.7, scene).astype(np.float32)
    close = scores.score(jump, hole, goal, hole)
    assert close.distance == pytest.approx(0, abs=1e-6)
    assert close.seam > 10
    assert scores.ranked([close, smooth]) == [1, 0]
    assert scores.distance(scene, goal, np.zeros_like(hole)) == 0


def test_localised_options_are_the_same_but_for_the_region() -> None:
    chosen = options(buffer=3)
    local = localised(chosen, Region((4, 5)))
    assert {name: getattr(local, name) for name in vars(chosen)} == vars(chosen)
    assert chosen.region is None
    assert local.region is not None
    assert local.region.visible == (4, 5)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    from infill import settings

    with settings.using(threads=1):
        yield


def test_the_card_is_read_without_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from infill.engines.base import ENGINES; ENGINES.get('guided').card; "
        "print('torch' in sys.modules, 'cv2' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]
