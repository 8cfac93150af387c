"""The seam-free join: what it corrects, and against a dense statement of its system."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from infill.engines.exemplar import field, join
from infill.engines.exemplar.join import CELL, EDGE, SCREEN, joined
from infill.engines.exemplar.workers import Workers
from tests.engines.exemplar_scenes import box, grey, random_level, small_masks

LEVEL = 1 / 255


def origins_of_field(mask: np.ndarray, seed: int) -> np.ndarray:
    """Origins as a field gives them that nothing has improved yet: none of its pieces fit."""
    level = random_level(seed, mask.shape, mask)
    field.start_at_random(level, seed)
    with Workers(1) as workers:
        return field.copy(level, workers)


def join_all(
    pixels: np.ndarray, mask: np.ndarray, origin: np.ndarray, threads: int = 1
) -> np.ndarray:
    """The picture with the joined copies in its hole; `origin` per hole pixel, flat."""
    hole = np.flatnonzero(mask).astype(np.int32)
    blanked = np.where(mask[..., None], np.float32(0), pixels).astype(np.float32)
    with Workers(threads) as workers:
        colours = joined(blanked, hole, origin.astype(np.int32), mask, workers)
    assert colours.shape == (hole.size, 3)
    assert colours.dtype == np.float32
    blanked[mask] = colours
    return blanked


def shifted(mask: np.ndarray, down: int, right: int) -> np.ndarray:
    """Origins of a hole that is copied from one place as a whole."""
    return np.flatnonzero(mask) + down * mask.shape[1] + right


class TestCorrection:
    noise = np.random.default_rng(0).random((48, 100, 3)).astype(np.float32)

    @pytest.mark.parametrize("hole", [((10, 30), (10, 40)), ((0, 20), (0, 31)), ((30, 48), (5, 9))])
    def test_what_fits_is_copied_to_the_bit(
        self, hole: tuple[tuple[int, int], tuple[int, int]]
    ) -> None:
        periodic = np.concatenate([self.noise[:, :50], self.noise[:, :50]], 1)
        mask = box((48, 100), *hole)
        assert_array_equal(join_all(periodic, mask, shifted(mask, 0, 50)), periodic)

    def test_pieces_that_fit_each_other_are_copied_to_the_bit(self) -> None:
        tile = self.noise[:12, :10]
        periodic = np.tile(tile, (5, 10, 1))
        mask = box((60, 100), (20, 40), (30, 60))
        y, x = np.divmod(np.flatnonzero(mask), 100)
        rng = np.random.default_rng(1)  # every pixel from another repetition, up or down
        origin = (y % 12 + 12 * rng.choice([0, 4], y.size)) * 100
        origin += x % 10 + 10 * rng.choice([1, 2, 8], y.size)
        assert_array_equal(join_all(periodic, mask, origin), periodic)

    @pytest.mark.parametrize("step", [20 * LEVEL, -20 * LEVEL])
    @pytest.mark.parametrize("size", [3, 12, 30])
    def test_a_flat_piece_takes_the_brightness_of_its_surround(
        self, step: float, size: int
    ) -> None:
        photo = grey(np.full((48, 100), 0.4))
        photo[:, 50:] += np.float32(step)
        mask = box((48, 100), (9, 9 + size), (9, 9 + size))
        result = join_all(photo, mask, shifted(mask, 0, 46))
        off = abs(result - 0.4)[mask].reshape(size, size, 3) / LEVEL
        # The pull towards no correction leaves a little, most of it in the middle.
        assert off[[0, -1]].max() < 1.6
        assert off[:, [0, -1]].max() < 1.6
        assert off.max() < (1.6 if size < 20 else 5)

    def test_the_texture_of_a_brighter_piece_stays(self) -> None:
        photo = (0.3 + 0.1 * self.noise).astype(np.float32)
        photo[:, 50:] = photo[:, :50] + np.float32(20 * LEVEL)
        mask = box((48, 100), (12, 28), (12, 32))
        result = join_all(photo, mask, shifted(mask, 0, 50))
        assert abs(result - photo)[mask].max() < 2 * LEVEL
        correction = (result[mask] - photo.reshape(-1, 3)[shifted(mask, 0, 50)]) / LEVEL
        assert correction.std() < 0.6

    def test_two_pieces_of_unlike_brightness_meet(self) -> None:
        """Left half from a brighter part, right half from a darker one: both lose that."""
        photo = grey(np.full((40, 160), 0.5))
        photo[:, 60:110] += np.float32(15 * LEVEL)
        photo[:, 110:] -= np.float32(15 * LEVEL)
        mask = box((40, 160), (10, 26), (12, 36))
        y, x = np.divmod(np.flatnonzero(mask), 160)
        origin = y * 160 + x + np.where(x < 24, 60, 110)
        result = join_all(photo, mask, origin)
        off = abs(result - 0.5)[mask].reshape(16, 24, 3) / LEVEL
        assert off.mean() < 2.5
        assert off[:, [*range(8), *range(16, 24)]].max() < 1.5
        jump = abs(result[10:26, 24] - result[10:26, 23]).max()
        assert jump < 25 * LEVEL, "the copies jump by 30; the smooth part of that goes"

    @given(small_masks(), st.integers(0, 2**32 - 1), st.sampled_from([1, 3]))
    def test_in_range_and_finite_whatever_is_copied(
        self, mask: np.ndarray, seed: int, threads: int
    ) -> None:
        rng = np.random.default_rng(seed)
        pixels = rng.choice(np.array([0, 0, 1, 1, 0.5], np.float32), (*mask.shape, 3))
        known = np.flatnonzero(~mask)
        origin = rng.permutation(np.resize(known, mask.sum()))
        for each in (origin, origins_of_field(mask, seed)):
            result = join_all(pixels, mask, each, threads)
            assert np.isfinite(result).all()
            assert result.min() >= 0
            assert result.max() <= 1
            assert_array_equal(result[~mask], pixels[~mask])

    @pytest.mark.parametrize("threads", [2, 3, 8])
    def test_threads(self, threads: int) -> None:
        mask = box((120, 160), (10, 110), (20, 120))
        pixels = np.random.default_rng(0).random((120, 160, 3))
        origin = np.random.default_rng(1).choice(np.flatnonzero(~mask), mask.sum())
        one = join_all(pixels, mask, origin)
        assert one.tobytes() == join_all(pixels, mask, origin, threads).tobytes()


def dense(
    pixels: np.ndarray, mask: np.ndarray, origin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The corrections of the cells as float64 least squares, and what they make of the copies.

    A straight statement of what `join` says: c(p) - c(q) = e for neighbouring pixels, e within
    EDGE of 0, c = 0 outside the hole, a weak pull towards zero; c lives on the centres of cells.
    """
    height, width = mask.shape
    copies = pixels.astype(np.float64)
    copies[mask] = copies.reshape(-1, 3)[origin]
    came_from = dict(zip(np.flatnonzero(mask).tolist(), origin.tolist(), strict=True))
    cells = sorted({(p // width // CELL, p % width // CELL) for p in came_from})
    number = {cell: k for k, cell in enumerate(cells)}
    rows, wanted = [], []

    def ask(weight: float, combination: dict[int, float], value: np.ndarray | float) -> None:
        row = np.zeros(len(cells))
        for cell, factor in combination.items():
            row[cell] += factor
        rows.append(np.sqrt(weight) * row)
        wanted.append(np.sqrt(weight) * (np.zeros(3) + value))

    def known(y: int, x: int) -> np.ndarray | None:
        inside = 0 <= y < height and 0 <= x < width and not mask[y, x]
        return pixels[y, x].astype(np.float64) if inside else None

    for p, here in came_from.items():
        y, x = divmod(p, width)
        own = number[y // CELL, x // CELL]
        ask(SCREEN, {own: 1.0}, 0.0)
        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            if not (0 <= y + down < height and 0 <= x + right < width):
                continue
            says = known(here // width + down, here % width + right)
            outside = known(y + down, x + right)
            if outside is not None:
                if says is not None:
                    ask(2 / (CELL + 1), {own: 1.0}, np.clip(outside - says, -EDGE, EDGE))
                continue
            if down + right < 0:
                continue
            there = came_from[p + down * width + right]
            back = known(there // width - down, there % width - right)
            errors = []
            if says is not None:  # the gradient where p comes from, less that of the copies
                errors.append(copies[y + down, x + right] - says)
            if back is not None:  # and where its neighbour comes from
                errors.append(back - copies[y, x])
            # Between which centres of cells the middle of the two pixels lies, on their line.
            middle = (y if down else x) + 1
            low = (middle - CELL // 2) // CELL
            first = (low, x // CELL) if down else (y // CELL, low)
            second = (low + 1, x // CELL) if down else (y // CELL, low + 1)
            if first in number and second in number:
                jump = np.clip(np.mean(errors, 0), -EDGE, EDGE) if errors else 0.0
                slope = {number[first]: 1 / CELL, number[second]: -1 / CELL}
                ask(1.0, slope, jump)
    solution = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    for p in came_from:
        y, x = divmod(p, width)
        near = []
        for cell, k in number.items():
            apart = [abs((at + 0.5) / CELL - 0.5 - c) for at, c in zip((y, x), cell, strict=True)]
            if max(apart) < 1:
                near.append(((1 - apart[0]) * (1 - apart[1]), solution[k]))
        weights, values = zip(*near, strict=True)
        copies[y, x] += np.average(values, axis=0, weights=weights)
    return solution, copies.clip(0, 1)


class TestAgainstDenseLeastSquares:
    @given(small_masks(), st.integers(0, 2**32 - 1))
    def test_whole_join(self, mask: np.ndarray, seed: int) -> None:
        """Conjugate gradients end at a thousandth of the residual: far below one grey level of
        a correction of 20 levels, here held relative to the largest."""
        rng = np.random.default_rng(seed)
        pixels = (0.3 + 0.4 * rng.random((*mask.shape, 3))).astype(np.float32)
        origin = origins_of_field(mask, seed)
        corrections, expected = dense(pixels, mask, origin)
        result = join_all(pixels, mask, origin)
        largest = max(float(abs(corrections).max()), LEVEL)
        assert abs(result - expected)[mask].max() < 0.01 * largest

    @pytest.mark.parametrize("cells", [1, 2, 3, 8, 40])
    def test_solve(self, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """To 1e-6 where it is let run to the end, to a thousandth or so where it is not."""
        rng = np.random.default_rng(cells)
        at = np.flatnonzero(rng.permutation(64) < cells)
        cell_at = np.full((9, 9), -1, np.int32)
        cell_at[at // 8, at % 8] = np.arange(cells)
        to_right, to_below = cell_at[at // 8, at % 8 + 1], cell_at[at // 8 + 1, at % 8]
        pull, right, below = rng.uniform(0.03, 3, (3, cells))
        wanted = rng.normal(size=(cells, 3))
        matrix = np.diag(pull)
        for weights, to in ((right, to_right), (below, to_below)):
            for i, j in enumerate(to):
                if j >= 0:
                    matrix[[i, j], [i, j]] += weights[i]
                    matrix[[i, j], [j, i]] -= weights[i]
        expected = np.linalg.solve(matrix, wanted)
        arguments = (wanted, pull, right, below, to_right, to_below)
        assert join._solve(*arguments) == pytest.approx(expected, abs=5e-3 * abs(expected).max())
        monkeypatch.setattr(join, "SMALL", 1e-26)
        exact = join._solve.py_func(*arguments)
        assert exact == pytest.approx(expected, abs=1e-6 * abs(expected).max())

    def test_nothing_wanted(self) -> None:
        one = np.ones(2)
        to = np.array([1, -1], np.int32)
        solution = join._solve(np.zeros((2, 3)), one, one, one, to, -np.ones(2, np.int32))
        assert (solution == 0).all()
