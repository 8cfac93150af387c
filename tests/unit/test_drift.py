"""Drifts planted in pictures are measured, mended or refused, by the known pixels alone."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.drift import DRIFTS, Planted, damage, disc, noise, plant, rim

from infill import drift
from infill.errors import EngineFailed
from infill.geometry import bounds

SCENE = noise((320, 384), seed=1)
DAMAGES = [{}, {"blur": 1.0, "noise": 0.02}, {"blur": 1.5, "noise": 0.03}, {"jpeg": 50}]


@pytest.fixture(autouse=True)
def _one_thread():
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[40:360, 60:444].astype(np.float32) / 255)


def seam(picture: np.ndarray, photo: np.ndarray, mask: np.ndarray) -> float:
    """Mean difference in a rim of 3 pixels inside the hole, of 255: the truth is known there."""
    return float(np.abs(picture - photo)[rim(mask)].mean()) * 255


def colour_error(found: drift.Drift, planted: Planted) -> float:
    """Largest over all channels and the colours 0.15 to 0.85, of 255."""
    value = np.array([[0.15], [0.85]])
    seen = value * found.gain + found.offset
    return float(np.abs(seen - (value * planted.gain + planted.offset)).max()) * 255


class TestPlantedDriftsAreFound:
    @pytest.mark.parametrize("planted", DRIFTS, ids=str)
    @pytest.mark.parametrize("share", [0.05, 0.6])
    def test_exactly_without_damage(self, planted: Planted, share: float) -> None:
        found = drift.measure(SCENE, plant(SCENE, planted), disc(SCENE.shape, share))
        assert np.hypot(found.shift_x - planted.x, found.shift_y - planted.y) < 0.04
        assert abs(found.scale - planted.scale) < 2e-4
        assert colour_error(found, planted) < 0.7
        assert found.agreement > 0.97
        assert found.bent < 0.2

    @pytest.mark.parametrize("wear", DAMAGES[1:], ids=str)
    @pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
    def test_closely_through_what_decoders_and_files_do(
        self, wear: dict, share: float, astronaut: np.ndarray
    ) -> None:
        for photo in (SCENE, astronaut):
            for planted in (DRIFTS[0], DRIFTS[8], DRIFTS[9]):
                rendition = damage(plant(photo, planted), **wear)
                found = drift.measure(photo, rendition, disc(photo.shape, share))
                assert np.hypot(found.shift_x - planted.x, found.shift_y - planted.y) < 0.15
                assert abs(found.scale - planted.scale) < 1e-3
                assert colour_error(found, planted) < 5
                assert found.agreement > 0.9

    def test_along_the_only_direction_that_stripes_tell(self) -> None:
        x = np.arange(300, dtype=np.float32)
        stripes = 0.5 + 0.3 * np.sin(x / 23) + 0.1 * np.sin(x / 3)
        photo = np.ascontiguousarray(np.broadcast_to(stripes[None, :, None], (200, 300, 3)))
        found = drift.measure(photo, plant(photo, Planted(5, 3)), disc(photo.shape, 0.2))
        assert found.shift_x == pytest.approx(5, abs=0.03)
        assert found.shift_y == pytest.approx(0, abs=0.01)

    def test_though_the_engine_changed_a_part_of_what_is_known(self) -> None:
        planted = Planted(3, 2, gain=(1.1, 1.0, 1.0))
        rendition = plant(SCENE, planted)
        rendition[200:300, 20:140] = 0
        found = drift.measure(SCENE, rendition, disc(SCENE.shape, 0.15))
        assert (found.shift_x, found.shift_y) == pytest.approx((3, 2), abs=0.03)
        assert colour_error(found, planted) < 0.5

    def test_what_is_near_the_hole_counts_most(self) -> None:
        """Half of the picture has moved, and another half has another colour."""
        mask = np.zeros(SCENE.shape[:2], bool)
        mask[110:210, 40:130] = True
        both = plant(SCENE, Planted(gain=(1.1, 1.1, 1.1)))
        both[:, :192] = plant(SCENE, Planted(1, 0))[:, :192]
        for hole, across, grey in ((mask, 1.0, 0.5), (mask[:, ::-1], 0.0, 0.55)):
            found = drift.measure(SCENE, both, np.ascontiguousarray(hole))
            columns = np.flatnonzero(hole.any(0)) - (SCENE.shape[1] - 1) / 2
            assert found.shift_x + (found.scale - 1) * columns.mean() == pytest.approx(
                across, abs=0.25
            )
            seen = 0.5 * np.array(found.gain) + found.offset
            np.testing.assert_allclose(seen, grey, atol=0.02)

    @pytest.mark.parametrize("mask", ["dotted", "half"])
    def test_with_odd_masks(self, mask: str) -> None:
        hole = np.zeros(SCENE.shape[:2], bool)
        if mask == "half":
            hole[:, :190] = True
        else:
            hole[::9, ::9] = hole[:, ::31] = True
        found = drift.measure(SCENE, plant(SCENE, Planted(3.5, 2, 1.01)), hole)
        assert (found.shift_x, found.shift_y) == pytest.approx((3.5, 2), abs=0.05)
        assert found.scale == pytest.approx(1.01, abs=3e-4)


class TestTheHole:
    def test_has_no_say_even_if_it_is_no_number(self) -> None:
        mask = disc(SCENE.shape, 0.3)
        rendition = damage(plant(SCENE, DRIFTS[8]), blur=1, noise=0.02)
        found = drift.measure(SCENE, rendition, mask)
        photo, other = SCENE.copy(), rendition.copy()
        photo[mask], other[mask] = 0, np.nan
        assert drift.measure(photo, other, mask) == found
        other[mask] = np.random.default_rng(0).random((int(mask.sum()), 3))
        assert drift.measure(photo, other, mask) == found

    def test_nothing_is_written(self) -> None:
        photo, rendition, mask = SCENE.copy(), plant(SCENE, DRIFTS[8]), disc(SCENE.shape, 0.2)
        before = rendition.copy()
        for array in (photo, rendition, mask):
            array.flags.writeable = False
        drift.guard(photo, rendition, mask)
        np.testing.assert_array_equal(rendition, before)


class TestMending:
    @pytest.mark.parametrize("planted", [*DRIFTS[1:6], DRIFTS[8]], ids=str)
    def test_brings_the_seam_to_nearly_nothing(
        self, planted: Planted, astronaut: np.ndarray
    ) -> None:
        for photo in (SCENE, astronaut):
            mask = disc(photo.shape, 0.2)
            rendition = plant(photo, planted)
            mended, note = drift.guard(photo, rendition, mask)
            assert note is not None
            assert mended.dtype == np.float32
            assert mended.min() >= 0
            assert mended.max() <= 1
            assert seam(mended, photo, mask) < 0.25 * seam(rendition, photo, mask)
            assert seam(mended, photo, mask) < 2.5

    def test_says_the_numbers(self) -> None:
        planted = Planted(-7, 4.25, 1.02, (1.1, 1.0, 0.9), (0.0, -0.04, 0.03))
        _, note = drift.guard(SCENE, plant(SCENE, planted), disc(SCENE.shape, 0.2))
        assert note is not None
        for number in ("-7.0", "+4.2", "+2.00 %", "1.10", "0.90", "-10."):
            assert number in note

    def test_says_when_a_part_of_the_hole_had_left_the_picture(self) -> None:
        mask = np.zeros(SCENE.shape[:2], bool)
        mask[100:200, 300:] = True
        mended, note = drift.guard(SCENE, plant(SCENE, Planted(9, 0)), mask)
        assert note is not None
        assert "9 pixels at the edge" in note
        inner = mask.copy()
        inner[:, -12:] = False
        assert np.abs(mended - SCENE)[inner].mean() * 255 < 2

    def test_colour_alone_is_mended_without_resampling(self) -> None:
        mask = disc(SCENE.shape, 0.2)
        planted = Planted(gain=(0.9, 0.9, 0.9), offset=(0.05, 0.05, 0.05))
        mended, _ = drift.guard(SCENE, plant(SCENE, planted), mask)
        np.testing.assert_allclose(mended, SCENE, atol=1e-3)

    def test_correct_undoes_a_known_drift(self) -> None:
        found = drift.measure(SCENE, SCENE, disc(SCENE.shape, 0.2))
        known = replace(found, shift_x=4.0, shift_y=-3.0, gain=(1.2, 1.0, 0.8), offset=(0, 0.1, 0))
        rendition = np.roll(SCENE, (-3, 4), (0, 1)) * np.float32((1.2, 1.0, 0.8)) + np.float32(
            (0, 0.1, 0)
        )
        mended = drift.correct(rendition, known)
        np.testing.assert_allclose(mended[8:-8, 8:-8], SCENE[8:-8, 8:-8], atol=1e-5)

    def test_a_gain_of_nothing_cannot_be_undone(self) -> None:
        found = drift.measure(SCENE, SCENE, disc(SCENE.shape, 0.2))
        with pytest.raises(EngineFailed, match="lost its colours"):
            drift.correct(SCENE, replace(found, gain=(1.0, 0.0, 1.0)))


class TestLeavingAlone:
    @pytest.mark.parametrize("wear", DAMAGES, ids=str)
    def test_what_a_decoder_does_is_no_drift(self, wear: dict, astronaut: np.ndarray) -> None:
        for photo in (SCENE, astronaut):
            rendition = damage(photo, **wear)
            kept, note = drift.guard(photo, rendition, disc(photo.shape, 0.3))
            assert kept is rendition
            assert note is None

    def test_below_the_threshold_the_seam_hardly_shows_and_above_it_is_mended(self) -> None:
        """A decoder's mild blur alone costs more than a drift that is left as it is."""
        mask = disc(SCENE.shape, 0.2)
        slight = plant(SCENE, Planted(0.6 * drift.STILL, 0))
        kept, note = drift.guard(SCENE, slight, mask)
        assert kept is slight
        assert note is None
        assert seam(slight, SCENE, mask) < 1
        assert seam(slight, SCENE, mask) < seam(damage(SCENE, blur=0.7), SCENE, mask)
        _, note = drift.guard(SCENE, plant(SCENE, Planted(1.6 * drift.STILL, 0)), mask)
        assert note is not None

    def test_colours_likewise(self) -> None:
        mask, step = disc(SCENE.shape, 0.2), drift.SAME
        slight = plant(SCENE, Planted(offset=(0.8 * step, 0, 0)))
        assert drift.guard(SCENE, slight, mask)[0] is slight
        assert drift.guard(SCENE, plant(SCENE, Planted(offset=(1.2 * step, 0, 0))), mask)[1]

    def test_the_engine_may_return_the_photo_itself_or_float64(self) -> None:
        mask = disc(SCENE.shape, 0.2)
        assert drift.guard(SCENE, SCENE, mask)[0] is SCENE
        doubles = SCENE.astype(np.float64)
        assert drift.guard(SCENE, doubles, mask)[0] is doubles


class TestRefusing:
    @pytest.mark.parametrize(
        ("planted", "says"),
        [
            (Planted(scale=1.25), r"zoomed by \+25\.\d+ %.*zoom of at most 10 %"),
            (Planted(50, 0), r"shifted by \+(49|50)\.\d+ pixels.*shift of at most 31 pixels"),
            (
                Planted(turn=10),
                r"agreement -?0\.\d+ as it came, -?0\.\d+ at best, of at least 0\.6",
            ),
            (Planted(gain=(0.4,) * 3), r"0\.40\d, 0\.40\d, 0\.40\d.*at most times 1\.6"),
            (Planted(offset=(0, 0.09, -0.3)), r"at most times 1\.6 and plus 64 of 255"),
        ],
        ids=str,
    )
    def test_what_is_too_far_with_the_numbers(self, planted: Planted, says: str) -> None:
        with pytest.raises(EngineFailed, match=says) as raised:
            drift.guard(SCENE, plant(SCENE, planted), disc(SCENE.shape, 0.2))
        assert "try another seed" in str(raised.value)

    def test_how_far_a_turn_moves_the_hole_is_measured(self, astronaut: np.ndarray) -> None:
        for photo in (SCENE, astronaut):
            mask = disc(photo.shape, 0.3)
            box, turn = bounds(mask), np.deg2rad(1)
            reach = max(
                np.hypot(x - (photo.shape[1] - 1) / 2, y - (photo.shape[0] - 1) / 2)
                for x in (box.left, box.right - 1)
                for y in (box.top, box.bottom - 1)
            )
            found = drift.measure(photo, plant(photo, Planted(turn=1)), mask)
            assert found.bent == pytest.approx(turn * reach, rel=0.03)

    @pytest.mark.parametrize("turn", [1, 3, 6])
    def test_what_is_turned(self, turn: float, astronaut: np.ndarray) -> None:
        for photo in (SCENE, astronaut):
            with pytest.raises(EngineFailed, match=r"turned or stretched by \d|at best"):
                drift.guard(photo, plant(photo, Planted(turn=turn)), disc(photo.shape, 0.3))

    def test_another_picture(self, astronaut: np.ndarray) -> None:
        rng = np.random.default_rng(0)
        others = {
            "mirrored": astronaut[:, ::-1],
            "upside down": astronaut[::-1],
            "negative": 1 - astronaut,
            "another": SCENE,
            "random pixels": rng.random(astronaut.shape, np.float32),
            "random weights": damage(rng.random(astronaut.shape, np.float32), blur=6),
            "black": np.zeros_like(astronaut),
        }
        for name, other in others.items():
            with pytest.raises(EngineFailed, match=r"agreement .* of at least 0\.60") as raised:
                drift.guard(astronaut, np.ascontiguousarray(other), disc(astronaut.shape, 0.2))
            assert "does not fit the photo" in str(raised.value), name

    def test_a_picture_without_its_colours(self, astronaut: np.ndarray) -> None:
        grey = np.repeat(astronaut.mean(axis=2, keepdims=True), 3, axis=2)
        with pytest.raises(
            EngineFailed, match=r"[3-9]\d\.\d of 255 left over.*colour (can|may) be"
        ):
            drift.guard(astronaut, grey, disc(astronaut.shape, 0.2))

    def test_bad_arrays(self) -> None:
        mask = disc(SCENE.shape, 0.2)
        with pytest.raises(EngineFailed, match="in place of a picture of shape"):
            drift.measure(SCENE, SCENE[:-1], mask)
        with pytest.raises(EngineFailed, match="no pixel around the hole is known"):
            drift.measure(SCENE, SCENE, np.ones_like(mask))
        broken = SCENE.copy()
        broken[0, 0] = np.nan
        with pytest.raises(EngineFailed, match="no number around the hole"):
            drift.measure(SCENE, broken, mask)


class TestFlatPhotos:
    rows = np.linspace(0.5, 0.75, 256, dtype=np.float32)
    sky = np.ascontiguousarray(np.broadcast_to(rows[:, None, None], (256, 300, 3)))
    mask = disc(sky.shape, 0.2)

    @pytest.mark.parametrize("grain", [0, 2, 8])
    def test_lost_grain_is_no_drift(self, grain: float) -> None:
        photo = damage(self.sky, noise=grain / 255) if grain else self.sky
        kept, note = drift.guard(photo, self.sky, self.mask)
        assert kept is self.sky
        assert note is None

    def test_colour_is_mended_and_that_it_was_all_is_said(self) -> None:
        planted = Planted(gain=(0.9, 1.0, 1.0), offset=(0.0, 0.04, 0.0))
        mended, note = drift.guard(self.sky, plant(self.sky, planted), self.mask)
        assert note is not None
        assert "too little texture is known to tell a shift" in note
        assert "pixels across" not in note
        np.testing.assert_allclose(mended, self.sky, atol=1e-3)

    def test_another_picture_is_refused(self) -> None:
        for other in (SCENE[:256, :300], damage(self.sky, noise=0.4)):
            with pytest.raises(EngineFailed, match="too little texture"):
                drift.guard(self.sky, np.ascontiguousarray(other), self.mask)

    @pytest.mark.parametrize("shape", [(1, 40), (3, 3), (8, 8), (2, 500)])
    def test_tiny_crops_are_judged_by_colour(self, shape: tuple[int, int]) -> None:
        photo = np.ascontiguousarray(SCENE[: shape[0], : shape[1]])
        photo = np.resize(photo, (*shape, 3))
        mask = np.zeros(shape, bool)
        mask[0, shape[1] // 2] = True
        assert drift.guard(photo, photo, mask)[0] is photo
        assert not drift.measure(photo, photo, mask).textured


def test_how_far_the_hole_is_off_is_taken_at_its_farthest_corner() -> None:
    mask = np.zeros((101, 201), bool)
    mask[50, 100] = mask[100, 200] = True
    motion = drift.Motion(x=1, y=0, scale=1.02)
    assert motion.off(bounds(mask), mask.shape) == pytest.approx(np.hypot(1 + 2, 1))


def test_the_same_pictures_measure_the_same() -> None:
    rendition, mask = plant(SCENE, DRIFTS[8]), disc(SCENE.shape, 0.2)
    assert drift.measure(SCENE, rendition, mask) == drift.measure(SCENE, rendition, mask)
