"""NIQE: its statistics against an independent statement, its model, and what it is for."""

import math

import cv2
import numpy as np
import pytest
from benchmarks import niqe_model
from tests.conformance_metrics import middle, picture, scene

from infill.metrics import niqe
from infill.metrics.niqe import Niqe


def stated_fit(values):
    """Shape, left and right scale of an asymmetric generalised Gaussian, by its moments."""
    from scipy.special import gamma

    values = values.ravel()
    left = math.sqrt((values[values < 0] ** 2).mean())
    right = math.sqrt((values[values > 0] ** 2).mean())
    skew = left / right
    target = np.abs(values).mean() ** 2 / (values**2).mean()
    target *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shapes = np.arange(0.2, 10.0005, 0.001)
    ratios = gamma(2 / shapes) ** 2 / (gamma(1 / shapes) * gamma(3 / shapes))
    shape = shapes[np.argmin((ratios - target) ** 2)]
    scale = math.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, left * scale, right * scale


def stated_features(pixels, places):
    """The 36 numbers of each block as the paper and its authors' program state them."""
    from scipy.ndimage import correlate
    from scipy.special import gamma

    line = np.exp(-(np.arange(-3, 4) ** 2) / (2 * (7 / 6) ** 2))
    window = np.outer(line, line) / line.sum() ** 2
    grey = np.rint(pixels.astype(np.float64) @ (0.2989, 0.587, 0.114) * 255)
    rows = [[] for _ in places]
    for scale in (1, 2):
        mean = correlate(grey, window, mode="nearest")
        variance = correlate(grey**2, window, mode="nearest") - mean**2
        normal = (grey - mean) / (np.sqrt(np.abs(variance)) + 1)
        side = 96 // scale
        for row, (top, left) in zip(rows, places, strict=True):
            block = normal[top // scale :, left // scale :][:side, :side]
            shape, low, high = stated_fit(block)
            row += [shape, (low + high) / 2]
            for shift in ((0, 1), (1, 0), (1, 1), (-1, 1)):
                shape, low, high = stated_fit(block * np.roll(block, shift, (0, 1)))
                row += [shape, (high - low) * gamma(2 / shape) / gamma(1 / shape), low, high]
        grey = stated_half(stated_half(grey).T).T
    return np.array(rows)


def stated_half(values):
    """MATLAB's imresize(..., 0.5) along the first axis: Keys' cubic, twice as wide."""
    found = np.zeros((len(values) // 2, values.shape[1]))
    for place in range(len(found)):
        total = 0.0
        for tap in range(2 * place - 3, 2 * place + 5):
            away = abs(tap - (2 * place + 0.5)) / 2
            near, far = 1.5 * away**3 - 2.5 * away**2 + 1, -0.5 * away**3 + 2.5 * away**2
            weight = near if away < 1 else far - 4 * away + 2
            mirrored = -1 - tap if tap < 0 else min(tap, 2 * len(values) - 1 - tap)
            found[place] += weight * values[mirrored]
            total += weight
        found[place] /= total
    return found


@pytest.mark.parametrize("photo", [scene((200, 196)), picture((192, 192))])
def test_statistics_are_those_of_the_paper(photo):
    places = np.array([(0, 0), (96, 0), (48, 96), (96, 96)])
    found = niqe.features(photo, places)
    expected = stated_features(photo, places)
    assert found.shape == (4, 36)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_shapes_of_known_distributions_are_found():
    rng = np.random.default_rng(0)
    gaussian, laplacian = rng.normal(size=(1, 300, 300)), rng.laplace(size=(1, 300, 300))
    assert niqe._fit(gaussian)[0][0] == pytest.approx(2, abs=0.03)
    assert niqe._fit(laplacian)[0][0] == pytest.approx(1, abs=0.02)
    wide = np.abs(gaussian) * np.where(rng.random(gaussian.shape) < 1 / 3, -1, 2)
    shape, left, right = niqe._fit(wide)  # each side has a share like its scale
    assert right[0] / left[0] == pytest.approx(2, rel=0.02)
    assert shape[0] == pytest.approx(2, abs=0.05)


def test_half_size_keeps_a_constant_and_leaves_out_an_odd_edge():
    np.testing.assert_allclose(niqe.halved(np.full((7, 10), 9.0)), np.full((3, 5), 9.0))
    drawn = picture((10, 12))[..., 0].astype(np.float64)
    np.testing.assert_allclose(niqe.halved(drawn), stated_half(stated_half(drawn).T).T, atol=1e-12)


def test_a_flat_place_is_nought_and_a_flat_block_is_left_out():
    photo = scene((200, 300))
    photo[:, 150:] = np.float32(0.7)
    assert not niqe.normalised(niqe.luma(photo))[:, 160:].any()
    found = niqe.features(photo, niqe.corners((200, 300), 48))
    usable = np.isfinite(found).all(axis=1)
    assert 0 < usable.sum() < len(usable)
    assert niqe.distance(found) == niqe.distance(found[usable])
    assert math.isnan(niqe.distance(found[~usable]))


def test_the_distance_is_equation_10():
    rng = np.random.default_rng(3)
    mean, covariance = niqe.model()
    blocks = mean + 0.1 * rng.normal(size=(50, 36))
    apart = mean - blocks.mean(axis=0)
    both = (covariance + np.cov(blocks.T)) / 2
    expected = math.sqrt(apart @ np.linalg.inv(both) @ apart)
    assert niqe.distance(blocks) == pytest.approx(expected, rel=1e-6)
    assert niqe.distance(np.stack([mean, mean])) == 0
    assert math.isnan(niqe.distance(blocks[:1]))


def test_the_distance_at_a_hole_counts_each_block_by_its_share():
    mean, covariance = niqe.model()
    values, vectors = np.linalg.eigh(covariance)
    off = mean + 3 * math.sqrt(values[-1]) * vectors[:, -1]  # 3 deviations away
    shares = np.array([0.2, 0.6])
    found = niqe.mean_distance(np.stack([mean, off]), shares)
    assert found == pytest.approx(3 * 0.6 / 0.8, rel=1e-6)


def test_blocks_that_touch_the_hole():
    mask = np.zeros((200, 200), bool)
    mask[100, 100] = True
    places, shares = niqe.touching(mask)
    assert places.tolist() == [[48, 48], [48, 96], [96, 48], [96, 96]]
    np.testing.assert_allclose(shares, 1 / 96**2)
    mask[:] = True
    places, shares = niqe.touching(mask)
    assert len(places) == 9
    assert (shares == 1).all()


def test_of_very_many_blocks_some_are_taken(monkeypatch):
    monkeypatch.setattr(niqe, "MOST", 4)
    places, _ = niqe.touching(np.ones((200, 200), bool))
    assert places.tolist() == [[0, 0], [48, 0], [96, 0]]


def test_a_small_photo_has_no_blocks_or_too_few():
    nothing = Niqe().measure(picture((95, 300)), picture((95, 300)), middle((95, 300)))
    assert all(math.isnan(value) for value in nothing.values())
    one = Niqe().measure(scene((96, 120)), scene((96, 120)), middle((96, 120)))
    assert math.isnan(one["niqe"])
    assert math.isfinite(one["masked_niqe"])
    photo = scene((200, 200))
    empty = Niqe().measure(photo, photo, np.zeros((200, 200), bool))
    assert math.isnan(empty["masked_niqe"])
    assert math.isfinite(empty["niqe"])


def test_blur_and_noise_are_further_from_sharp_photos():
    photo, mask = scene((288, 288), 6), middle((288, 288))
    own = Niqe().measure(photo, photo, mask)
    blurred = cv2.GaussianBlur(photo, (0, 0), 3)
    rough = np.clip(photo + 0.2 * (picture((288, 288)) - np.float32(0.5)), 0, 1)
    for worse in (blurred, rough):
        assert Niqe().measure(photo, worse, mask)["niqe"] > own["niqe"]
        fill = np.where(mask[..., None], worse, photo)
        assert Niqe().measure(photo, fill, mask)["masked_niqe"] > own["masked_niqe"]


# --- the model ----------------------------------------------------------------------------


def test_the_model_that_is_shipped_says_what_it_is_from():
    mean, covariance = niqe.model()
    assert mean.shape == (36,)
    assert covariance.shape == (36, 36)
    np.testing.assert_allclose(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > 0
    path = niqe_model.Path(niqe.__file__).with_name("niqe_model.npz")
    with np.load(path, allow_pickle=False) as stored:
        assert len(stored["names"]) == stored["photos"] >= 100
        assert stored["blocks"] > 36 * 10
        assert "CC0" in str(stored["origin"])


def save(folder, name, photo):
    pixels = np.rint(photo[..., ::-1] * 255).astype(np.uint8)
    cv2.imwrite(str(folder / name), pixels)


def test_a_model_is_fitted_to_the_sharp_blocks_of_the_sharpest_photos(tmp_path, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(3):
        save(photos, f"{seed}_kept.png", scene((260, 300), seed))
    save(photos, "3_kept.png", cv2.GaussianBlur(scene((260, 300), 3), (0, 0), 3))
    save(photos, "4_other.png", scene((260, 300), 4))
    (photos / "notes.txt").write_text("not a photo")
    out = tmp_path / "model.npz"
    told = ["--photos", str(photos), "--out", str(out), "--kinds", "kept", "--most", "3"]
    niqe_model.main([*told, "--origin", "drawn"])
    assert "3 photos" in capsys.readouterr().out
    expected = [
        niqe_model.sharp_features(niqe_model.read(photos / f"{seed}_kept.png")) for seed in range(3)
    ]
    with np.load(out, allow_pickle=False) as stored:
        assert sorted(stored["names"]) == ["0_kept.png", "1_kept.png", "2_kept.png"]
        blocks = np.concatenate(expected)
        assert stored["blocks"] == len(blocks)
        np.testing.assert_allclose(stored["mean"], blocks.mean(axis=0))
        np.testing.assert_allclose(stored["covariance"], np.cov(blocks.T), atol=1e-12)
        assert stored["origin"] == "drawn"


def test_a_folder_with_too_few_blocks_is_refused_and_so_is_what_is_no_photo(tmp_path):
    save(tmp_path, "small.png", scene((100, 100)))
    told = ["--photos", str(tmp_path), "--out", str(tmp_path / "model.npz")]
    with pytest.raises(SystemExit, match="more than 36"):
        niqe_model.main(told)
    (tmp_path / "torn.png").write_bytes(b"no photo")
    with pytest.raises(SystemExit, match=r"torn\.png"):
        niqe_model.main(told)
