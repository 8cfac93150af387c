"""What `exemplar` makes of pictures whose right answer is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from infill.engines.base import make_options, no_progress
from infill.engines.exemplar import Exemplar, Options
from infill.engines.exemplar.synthesis import synthesise
from infill.errors import BadOption, Cancelled
from tests.engines.exemplar_scenes import box, fill, grey, small_masks

SHAPE = (96, 120)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]
HOLE = box(SHAPE, (34, 62), (44, 76))
LEVEL = 1 / 255


def mean_error(photo: np.ndarray, mask: np.ndarray = HOLE, **options: object) -> float:
    """Mean error in grey levels of the worst of three seeds."""
    return max(
        float(abs(fill(photo, mask, seed=seed, **options) - photo)[mask].mean()) / LEVEL
        for seed in range(3)
    )


def colours(image: np.ndarray) -> set[bytes]:
    return {pixel.tobytes() for pixel in image.reshape(-1, 3)}


class TestTexture:
    @pytest.mark.parametrize(
        "values",
        [
            X // 4 % 2,
            Y // 5 % 2,
            (X + Y) // 5 % 2,
            0.5 + 0.5 * np.sin(X * (2 * np.pi / 12)),
            (X // 4 + Y // 4) % 2,
        ],
        ids=["upright", "level", "diagonal", "sine", "checkerboard"],
    )
    @pytest.mark.parametrize("joined", [False, True])
    def test_periodic_patterns_come_back_to_the_bit(self, values: np.ndarray, joined: bool) -> None:
        assert mean_error(grey(0.2 + 0.6 * values), join=joined) == 0

    def test_a_tile_of_noise_comes_back_to_the_bit(self) -> None:
        tile = np.random.default_rng(0).random((9, 11, 3), np.float32)
        assert mean_error(np.tile(tile, (11, 11, 1))[:96, :120].copy()) == 0

    def test_a_brick_wall_keeps_its_bond(self) -> None:
        mortar = (Y % 8 == 0) | ((X + 8 * (Y // 8 % 2)) % 16 == 0)
        wall = grey(np.where(mortar, 0.8, 0.3))
        # Of 128 levels between brick and mortar: at most one joint of a brick is amiss.
        assert mean_error(wall) < 4

    @pytest.mark.parametrize("grain", [0, 0.7, 1.2])
    def test_noise_keeps_its_standard_deviation(self, grain: float) -> None:
        mask = box((160, 160), (50, 110), (50, 110))
        noise = np.random.default_rng(0).normal(size=(160, 160, 3))
        if grain:
            noise = cv2.GaussianBlur(noise, (0, 0), grain)
        photo = (0.5 + 0.12 * noise / noise.std()).clip(0, 1).astype(np.float32)
        for joined in (False, True):
            filled = fill(photo, mask, join=joined)
            assert filled[mask].std(0) == pytest.approx(photo[~mask].std(0), rel=0.1)
            assert filled[mask].mean(0) == pytest.approx(photo[~mask].mean(0), abs=0.03)


class TestSmooth:
    @staticmethod
    def largest_step(image: np.ndarray) -> float:
        """Between neighbours, in grey levels."""
        return max(float(abs(np.diff(image, axis=axis)).max()) for axis in (0, 1)) / LEVEL

    def test_a_sky_that_can_be_copied_is(self) -> None:
        sky = np.stack([0.3 + 0.004 * Y, 0.5 + 0.003 * Y, 0.9 - 0.002 * Y], -1)
        assert mean_error(sky.astype(np.float32)) == 0

    def test_a_slanted_sky_shows_no_seam(self) -> None:
        sky = np.stack(
            [
                0.2 + 0.003 * Y + 0.002 * X,
                0.4 + 0.002 * Y + 0.001 * X,
                0.9 - 0.002 * Y - 0.001 * X,
            ],
            -1,
        ).astype(np.float32)
        assert mean_error(sky) < 0.5
        assert mean_error(sky) < mean_error(sky, join=False)
        assert self.largest_step(fill(sky, HOLE)) < 4, "its own steps are 0.8 of a level"


class TestEdges:
    def test_an_upright_edge_goes_on_to_the_bit(self) -> None:
        assert mean_error(grey(0.2 + 0.6 * (X > 60))) == 0

    @pytest.mark.parametrize(
        ("values", "bound"),
        [(Y > 50, 8), (1 / (1 + np.exp((0.5 * Y + 40 - X) / 2)), 4.5), (X > 0.3 * Y + 45, 12)],
        ids=["level", "soft and slanted", "hard and slanted"],
    )
    def test_an_edge_goes_on(self, values: np.ndarray, bound: float) -> None:
        """Bounds of the mean error in grey levels; the edge has 153, over 28 by 32 pixels."""
        assert mean_error(grey(0.2 + 0.6 * values), join=False) < bound
        assert mean_error(grey(0.2 + 0.6 * values)) < bound

    def test_the_join_does_no_harm_at_a_hard_edge(self) -> None:
        """Where copies meet a pixel off, the step of the edge is no difference in brightness."""
        edge = grey(0.2 + 0.6 * (X > Y + 12))
        assert mean_error(edge) < 1.5 * mean_error(edge, join=False) + 1


class TestCopying:
    def test_what_is_known_is_returned_and_what_is_not_is_copied(self) -> None:
        """In floats that no 8 bits can hold: nothing passes through the bytes that are compared."""
        photo = np.random.default_rng(0).random((70, 80, 3), np.float32)
        mask = box((70, 80), (10, 40), (20, 50))
        filled = fill(photo, mask, join=False)
        assert_array_equal(filled[~mask], photo[~mask])
        assert colours(filled[mask]) <= colours(photo[~mask])
        assert len(colours(filled[mask])) > 200
        assert_array_equal(fill(photo, mask)[~mask], photo[~mask])

    def test_a_16_bit_ramp_keeps_its_steps(self) -> None:
        ramp = grey(0.4 + (X * 3 + Y % 5) / 65535)
        filled = fill(ramp, HOLE)
        assert abs(filled - ramp)[HOLE].max() < 300 / 65535, "a grey level is 257 of them"
        assert colours(fill(ramp, HOLE, join=False)[HOLE]) <= colours(ramp[~HOLE])

    @given(small_masks(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0]))
    @settings(max_examples=60)
    def test_any_picture_with_any_hole(self, mask: np.ndarray, seed: int, texture: float) -> None:
        rng = np.random.default_rng(seed)
        photo = (rng.random((*mask.shape, 3)) ** rng.integers(1, 6)).astype(np.float32)
        plain = fill(photo, mask, seed=seed, join=False, texture=texture)
        assert colours(plain[mask]) <= colours(photo[~mask])
        filled = fill(photo, mask, seed=seed, texture=texture)
        assert filled.min() >= 0
        assert filled.max() <= 1
        for result in (plain, filled):
            assert result.dtype == np.float32
            assert_array_equal(result[~mask], photo[~mask])
        assert filled.tobytes() == fill(photo, mask, seed=seed, texture=texture).tobytes()

    def test_what_lies_under_the_mask_is_not_looked_at(self) -> None:
        photo = np.random.default_rng(0).random((60, 70, 3), np.float32)
        mask = box((60, 70), (10, 40), (20, 50))
        expected = fill(photo, mask)
        for under in (0.7, 1.0, np.nan):
            covered = np.where(mask[..., None], np.float32(under), photo)
            filled = synthesise(
                covered, mask, options=Options(), seed=0, threads=1, progress=no_progress
            )
            assert_array_equal(filled, expected)

    def test_fortran_order_is_filled_alike(self) -> None:
        photo = np.random.default_rng(0).random((40, 50, 3), np.float32)
        mask = box((40, 50), (10, 20), (20, 30))
        photo[mask] = 0
        filled = synthesise(
            np.asfortranarray(photo),
            np.asfortranarray(mask),
            options=Options(),
            seed=0,
            threads=1,
            progress=no_progress,
        )
        assert_array_equal(filled, fill(photo, mask))


WIDE = (100, 140)


class TestHoles:
    photo = np.random.default_rng(4).random((*WIDE, 3), np.float32)

    @pytest.mark.parametrize(
        "mask",
        [
            box(WIDE, (0, 40), (50, 90)),
            box(WIDE, (60, 100), (50, 90)),
            box(WIDE, (30, 70), (0, 40)),
            box(WIDE, (30, 70), (100, 140)),
            box(WIDE, (0, 30), (0, 30)),
            box(WIDE, (0, 30), (110, 140)),
            box(WIDE, (70, 100), (0, 30)),
            box(WIDE, (70, 100), (110, 140)),
            box(WIDE, (0, 30), (0, 30)) | box(WIDE, (70, 100), (110, 140)),
            box(WIDE, (45, 50), (5, 135)),
            box(WIDE, (5, 95), (60, 64)),
            box(WIDE, (40, 60), (0, 140)),
            box(WIDE, (0, 100), (60, 100)),
            box(WIDE, (8, 92), (8, 132)),
            ~box(WIDE, (40, 47), (60, 67)),
            ~box(WIDE, (0, 7), (133, 140)),
            ~box(WIDE, (93, 100), (0, 140)),
            np.random.default_rng(0).random(WIDE) < 0.01,
            (np.indices(WIDE) % 12 == 5).all(0),
            np.indices(WIDE).sum(0) % 40 < 3,
        ],
        ids=[
            *("top", "bottom", "left", "right"),
            *("top left", "top right", "bottom left", "bottom right", "two corners"),
            *("wide", "high", "whole width", "whole height", "all but a frame"),
            *("all but one patch", "all but a corner's patch", "all but the last rows"),
            *("specks", "a grid of specks", "stripes"),
        ],
    )
    def test_every_pixel_is_known_elsewhere(self, mask: np.ndarray) -> None:
        plain = fill(self.photo, mask, join=False)
        assert colours(plain[mask]) <= colours(self.photo[~mask])
        assert_array_equal(plain[~mask], self.photo[~mask])
        filled = fill(self.photo, mask)
        assert filled[mask].min() >= 0
        assert filled[mask].max() <= 1

    @pytest.mark.parametrize(
        ("shape", "known"),
        [
            ((1, 1), []),
            ((1, 2), [(0, 0)]),
            ((1, 9), [(0, 2), (0, 7)]),
            ((9, 1), [(8, 0)]),
            ((6, 6), [(0, 0), (5, 5)]),
            ((30, 40), [(3, 30)]),
            ((30, 40), [(3, 30), (25, 2), (29, 39)]),
        ],
    )
    def test_without_a_whole_patch_the_nearest_pixel_is_taken(
        self, shape: tuple[int, int], known: list[tuple[int, int]]
    ) -> None:
        mask = np.ones(shape, np.bool_)
        photo = np.random.default_rng(2).random((*shape, 3), np.float32)
        known = known or [(0, 0)]
        mask[tuple(np.transpose(known))] = False
        filled = fill(photo, mask)
        assert_array_equal(filled[~mask], photo[~mask])
        for y, x in np.ndindex(shape):
            away = [np.hypot(y - at[0], x - at[1]) for at in known]
            near = [photo[at] for at, d in zip(known, away, strict=True) if d <= min(away) * 1.05]
            assert any((filled[y, x] == colour).all() for colour in near), (y, x)


class TestOptions:
    photo = np.random.default_rng(4).random((50, 60, 3), np.float32)
    mask = box((50, 60), (15, 35), (20, 40))

    def test_defaults(self) -> None:
        assert make_options(Exemplar(), {}) == Options(effort=1.0, texture=1.0, join=True)

    @pytest.mark.parametrize(
        "given", [{"effort": 0.25}, {"effort": 8}, {"texture": 0}, {"texture": 4}, {"join": False}]
    )
    def test_each_makes_a_difference(self, given: dict[str, object]) -> None:
        blurred = cv2.GaussianBlur(self.photo, (0, 0), 1.5)
        make_options(Exemplar(), given)
        filled = fill(blurred, self.mask, **given)
        assert (filled != fill(blurred, self.mask))[self.mask].any()

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"effort": 0.2}, "effort must be between 0.25 and 8, not 0.2"),
            ({"effort": 8.5}, "effort must be between 0.25 and 8, not 8.5"),
            ({"effort": float("nan")}, "effort must be between 0.25 and 8, not nan"),
            ({"effort": "much"}, "effort|'<='"),
            ({"texture": -1}, "texture must be between 0 and 4, not -1"),
            ({"texture": 4.1}, "texture must be between 0 and 4, not 4.1"),
            ({"texture": None}, "texture|'<='"),
            ({"join": 1}, "join must be true or false, not 1"),
            ({"join": "yes"}, "join must be true or false, not 'yes'"),
            ({"patch": 7}, "has no option 'patch'; it has: effort, texture, join"),
        ],
    )
    def test_refusals(self, given: dict[str, object], words: str) -> None:
        with pytest.raises(BadOption, match=words) as caught:
            make_options(Exemplar(), given)
        assert "engine exemplar" in str(caught.value)

    def test_effort_is_work(self) -> None:
        calls = []
        for effort in (0.25, 1, 4):
            told: list[float] = []
            fill(self.photo, self.mask, effort=effort, progress=lambda f, _, t=told: t.append(f))
            calls.append(len(told))
        assert calls == sorted(set(calls))


class TestProgress:
    photo = np.random.default_rng(4).random((90, 100, 3), np.float32)

    @pytest.mark.parametrize(
        "mask",
        [
            box((90, 100), (10, 70), (20, 80)),
            box((90, 100), (40, 42), (0, 100)),
            np.eye(90, 100) == 0,
        ],
        ids=["levels", "one level", "no whole patch"],
    )
    def test_told_in_order_and_stopped_anywhere(self, mask: np.ndarray) -> None:
        told: list[tuple[float, str]] = []
        whole = fill(self.photo, mask, progress=lambda *args: told.append(args))
        fractions = [fraction for fraction, _ in told]
        assert fractions == sorted(fractions)
        assert fractions[0] == 0
        assert fractions[-1] == 1
        assert all(stage for _, stage in told)
        for last in range(len(told)):
            count = 0

            def stop(fraction: float, stage: str, last: int = last) -> None:
                nonlocal count
                count += 1
                if count > last:
                    raise Cancelled(f"at call {last}")

            with pytest.raises(Cancelled, match=f"at call {last}$"):
                fill(self.photo, mask, progress=stop, threads=2)
            assert count == last + 1
        assert_array_equal(fill(self.photo, mask), whole)
