"""FID against closed forms, scipy's square root of matrices, and rows in any number."""

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm

from infill.errors import BadMask, BadPixels
from infill.metrics import networks
from infill.metrics.base import SET_METRICS
from infill.metrics.fid import Fid, gaussian
from tests.metrics import tiny

RNG = np.random.default_rng(0)


def fid(one, other) -> float:
    """Of two arrays (n, d), given row by row."""
    return Fid().compare((row[None] for row in one), (row[None] for row in other))["fid"]


def exact(count: int, mean, deviations) -> np.ndarray:
    """Rows whose mean is exactly `mean`, and whose covariance is diagonal with these roots."""
    d = len(mean)
    centred = RNG.normal(size=(count, d))
    centred -= centred.mean(0)
    basis, _ = np.linalg.qr(centred)
    return np.asarray(mean) + basis * np.asarray(deviations) * math.sqrt(count - 1)


def literal(one, other) -> float:
    """Equation 6 of Heusel et al. 2017, with scipy's root."""
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = sqrtm(first @ second).real
    return ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root)


class TestCompare:
    @pytest.mark.parametrize("counts", [(40, 50), (300, 1000), (30, 700)])
    def test_is_equation_6(self, counts) -> None:
        mixing = RNG.normal(size=(12, 12))
        one = RNG.normal(size=(counts[0], 12)) @ mixing + 3
        other = RNG.normal(size=(counts[1], 12)) * np.arange(1, 13)
        expected = literal(one, other)
        assert fid(one.astype(np.float32), other.astype(np.float32)) == pytest.approx(
            expected, rel=1e-4
        )
        assert fid(one, other) == pytest.approx(expected, rel=1e-9)

    @pytest.mark.parametrize("count", [20, 600])
    def test_is_the_closed_form_of_diagonal_gaussians(self, count) -> None:
        a, b = np.array([1.0, 2.0, 0.5, 3.0]), np.array([0.5, 2.0, 4.0, 1.0])
        m, n = np.array([0.0, 1.0, -2.0, 0.25]), np.array([1.0, 1.0, 2.0, 0.0])
        expected = ((m - n) ** 2).sum() + ((a - b) ** 2).sum()
        assert fid(exact(count, m, a), exact(count, n, b)) == pytest.approx(expected, rel=1e-9)

    def test_of_less_rows_than_features_it_is_that_of_their_eigenvalues(self) -> None:
        one, other = RNG.normal(size=(6, 40)), RNG.normal(size=(9, 40)) + 1
        first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
        roots = np.sqrt(np.maximum(np.linalg.eigvals(first @ second).real, 0)).sum()
        expected = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(first + second) - 2 * roots
        assert fid(one, other) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("count", [7, 400])
    def test_one_set_with_itself_is_zero_and_never_below(self, count) -> None:
        rows = (100 * RNG.normal(size=(count, 30))).astype(np.float32)
        value = fid(rows, rows)
        assert 0 <= value < 1e-6
        assert math.copysign(1, value) == 1

    def test_a_shift_alone_is_its_square(self) -> None:
        rows = RNG.normal(size=(500, 8))
        assert fid(rows, rows + 2) == pytest.approx(8 * 4, rel=1e-9)

    def test_blocks_and_order_of_rows_do_not_matter(self) -> None:
        one, other = RNG.normal(size=(700, 6)), RNG.normal(size=(650, 6)) * 2 + 5
        whole = Fid().compare([one], [other])["fid"]
        assert fid(one, other) == pytest.approx(whole, rel=1e-10)
        assert fid(one[::-1], other) == pytest.approx(whole, rel=1e-10)
        assert fid(other, one) == pytest.approx(whole, rel=1e-10)

    def test_large_means_leave_the_covariance_exact(self) -> None:
        rows = RNG.normal(size=(900, 5))
        held = gaussian(row[None] for row in rows + 1e6)
        assert held is not None
        np.testing.assert_allclose(
            held.factor.T @ held.factor, np.cov(rows, rowvar=False), atol=1e-7
        )

    @pytest.mark.parametrize(("m", "n"), [(0, 5), (5, 0), (1, 5), (5, 1)])
    def test_too_few_is_nan(self, m, n) -> None:
        assert math.isnan(fid(RNG.normal(size=(m, 3)), RNG.normal(size=(n, 3))))

    def test_features_of_two_networks(self) -> None:
        with pytest.raises(BadPixels, match="3 features a photo and the other 4"):
            fid(RNG.normal(size=(5, 3)), RNG.normal(size=(5, 4)))


class TestDescribe:
    def test_is_what_the_network_sees_and_seen_once_for_fid_and_kid(
        self, inception_file, monkeypatch
    ) -> None:
        import torch

        from infill.nets.inception import Inception

        calls = []
        forward = Inception.forward
        monkeypatch.setattr(
            Inception, "forward", lambda self, x: calls.append(1) or forward(self, x)
        )
        photo, mask = tiny.photo(40, 52), np.zeros((40, 52), bool)
        rows = [SET_METRICS.get(name).describe(photo, mask) for name in ("fid", "kid", "fid")]
        assert len(calls) == 1
        with torch.inference_mode():
            pixels = torch.from_numpy(255 * photo.transpose(2, 0, 1))[None]
            expected = forward(tiny.inception(), pixels).numpy()
        for row in rows:
            assert row.dtype == np.float32
            np.testing.assert_allclose(row, expected, atol=1e-5)
        rows[0][:] = 0  # what is remembered is nobody's to write
        np.testing.assert_array_equal(SET_METRICS.get("fid").describe(photo, mask), rows[2])

    def test_the_network_is_read_once(self, inception_file, monkeypatch) -> None:
        from infill.nets import backbones

        read = []
        real = backbones.inception
        monkeypatch.setattr(backbones, "inception", lambda path: read.append(path) or real(path))
        for seed in range(3):
            Fid().describe(tiny.photo(20, 20, seed), np.zeros((20, 20), bool))
        assert len(read) == 1
        networks.forget()
        Fid().describe(tiny.photo(20, 20), np.zeros((20, 20), bool))
        assert len(read) == 2

    def test_fills_that_are_worse_are_farther(self, inception_file) -> None:
        mask = np.zeros((48, 48), bool)
        truths = [tiny.photo(48, 48, seed) for seed in range(8)]
        near = [np.clip(t + np.float32(0.01), 0, 1) for t in truths]
        far = [np.where(np.indices((48, 48))[0][..., None] > 20, np.float32(0), t) for t in truths]
        metric = Fid()
        rows = [[metric.describe(one, mask) for one in some] for some in (truths, near, far)]
        little, much = (metric.compare(rows[0], other)["fid"] for other in rows[1:])
        assert 0 < little < much

    def test_bad_input(self, inception_file) -> None:
        photo = tiny.photo(9, 8)
        with pytest.raises(BadPixels, match="float32"):
            Fid().describe(photo.astype(np.float64), np.zeros((9, 8), bool))
        with pytest.raises(BadMask):
            Fid().describe(photo, np.zeros((9, 8), np.uint8))
