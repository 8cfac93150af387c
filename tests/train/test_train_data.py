"""Thumbnails: shapes, the split, the cache, and crops that follow from seed and step."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infill.errors import Unreadable
from infill.train.data import (
    Thumbnails,
    batch,
    is_held_out,
    middles,
    photo_files,
    read_photos,
    thumbnail,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve photos, each of one colour that its name tells, of different shapes."""
    place = tmp_path / "photos"
    place.mkdir()
    for index in range(12):
        size = (60 + 10 * index, 80)
        Image.new("RGB", size, (index * 20, 0, 255)).save(place / f"{index:02d}.png")
    return place


def gradient(height: int, width: int) -> np.ndarray:
    """Each pixel tells where it is: red is its row, green its column."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)


class TestThumbnail:
    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ((80, 120, 3), (20, 30, 3)),
            ((120, 80, 3), (30, 20, 3)),
            ((80, 400, 3), (20, 40, 3)),  # its ends are cut off
            ((10, 10, 3), (20, 20, 3)),  # smaller than wanted: enlarged
        ],
    )
    def test_brings_the_short_side_to_size(self, shape: tuple, expected: tuple) -> None:
        small = thumbnail(np.full(shape, 77, np.uint8), 20)
        assert small.shape == expected
        assert small.dtype == np.uint8
        assert np.all(small == 77)

    def test_averages(self) -> None:
        stripes = np.zeros((40, 40, 3), np.uint8)
        stripes[::2] = 200
        assert np.all(thumbnail(stripes, 20) == 100)

    def test_takes_16_bits(self) -> None:
        assert np.all(thumbnail(np.full((40, 40, 3), 65535, np.uint16), 20) == 255)

    def test_a_panorama_keeps_its_middle(self) -> None:
        photo = np.zeros((20, 200, 3), np.uint8)
        photo[:, 80:120] = 255
        assert np.all(thumbnail(photo, 20) == 255)


class TestThumbnails:
    def test_gives_back_photos_of_different_shapes(self) -> None:
        photos = [gradient(5, 7), gradient(9, 4)]
        kept = Thumbnails.of(photos)
        assert len(kept) == 2
        for index, photo in enumerate(photos):
            np.testing.assert_array_equal(kept[index], photo)


class TestReading:
    def test_parts_the_photos_by_name_alone(self, folder: Path) -> None:
        split = read_photos(folder, 20, 0.3)
        expected = [index for index in range(12) if is_held_out(f"{index:02d}.png", 0.3)]
        assert 0 < len(expected) < 12
        found = [int(split.held_out[i][0, 0, 0]) // 20 for i in range(len(split.held_out))]
        assert found == expected
        assert len(split.learn) == 12 - len(expected)

    def test_the_hash_is_the_documented_one(self) -> None:
        first = hashlib.sha256(b"a.png").digest()[0] / 256
        assert is_held_out("a.png", first + 1 / 256)
        assert not is_held_out("a.png", first - 1 / 256)

    def test_about_the_fraction_is_held_out(self) -> None:
        count = sum(is_held_out(f"{index}.jpg", 0.1) for index in range(2000))
        assert 150 < count < 250

    def test_the_cache_is_used_and_made_again_when_photos_change(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from infill.train import data

        cache, decoded = tmp_path / "kept" / "thumbnails.npz", []
        monkeypatch.setattr(
            data, "thumbnail", lambda *given: decoded.append(1) or thumbnail(*given)
        )
        first = read_photos(folder, 20, 0.3, cache)
        again = read_photos(folder, 20, 0.3, cache)
        assert len(decoded) == 12
        np.testing.assert_array_equal(first.learn.pixels, again.learn.pixels)
        Image.new("RGB", (90, 60), "red").save(folder / "new.png")
        read_photos(folder, 20, 0.3, cache)
        assert len(decoded) == 12 + 13
        cache.write_bytes(b"no archive")
        read_photos(folder, 20, 0.3, cache)
        assert len(decoded) == 12 + 13 + 13

    def test_a_damaged_photo_is_left_out_and_named(self, folder: Path) -> None:
        (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
        told: list[str] = []
        split = read_photos(folder, 20, 0.3, tell=told.append)
        assert len(split.learn) + len(split.held_out) == 12
        assert len(told) == 1
        assert "bad.png" in told[0]

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(Unreadable, match=r"there is no folder .*missing"):
            photo_files(tmp_path / "missing")

    def test_no_photo(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("none")
        with pytest.raises(Unreadable, match="holds no photo"):
            photo_files(tmp_path)

    def test_too_few_to_hold_some_out(self, tmp_path: Path) -> None:
        Image.new("RGB", (30, 30)).save(tmp_path / "one.png")
        with pytest.raises(Unreadable, match="too few photos"):
            read_photos(tmp_path, 20, 0.1)


class TestBatch:
    def test_crops_are_whole_squares_of_the_photo_some_mirrored(self) -> None:
        photos = Thumbnails.of([gradient(20, 30)])
        squares = batch(photos, step=0, size=64, side=16, seed=1)
        assert squares.shape == (64, 16, 16, 3)
        assert squares.dtype == np.uint8
        mirrored, corners = 0, set()
        for square in squares.astype(int):
            flipped = square[0, 0, 1] > square[0, -1, 1]
            mirrored += flipped
            upright = square[:, ::-1] if flipped else square
            top, left = upright[0, 0, :2]
            corners.add((top, left))
            np.testing.assert_array_equal(upright, gradient(20, 30)[top : top + 16, left:][:, :16])
        assert 16 < mirrored < 48
        assert {top for top, _ in corners} == set(range(5))
        assert {left for _, left in corners} <= set(range(15))

    def test_follows_from_seed_and_step_alone(self) -> None:
        photos = Thumbnails.of([gradient(20, 30), gradient(30, 20)])
        one = batch(photos, 5, 8, 16, seed=1)
        np.testing.assert_array_equal(one, batch(photos, 5, 8, 16, seed=1))
        assert not np.array_equal(one, batch(photos, 6, 8, 16, seed=1))
        assert not np.array_equal(one, batch(photos, 5, 8, 16, seed=2))

    def test_every_photo_comes_once_before_any_comes_again(self) -> None:
        photos = Thumbnails.of([np.full((16, 16, 3), index, np.uint8) for index in range(10)])
        seen = [
            int(square[0, 0, 0])
            for step in range(5)
            for square in batch(photos, step, 4, 16, seed=0)
        ]
        assert sorted(seen[:10]) == list(range(10))
        assert sorted(seen[10:]) == list(range(10))
        assert seen[:10] != seen[10:]

    def test_the_middle(self) -> None:
        photos = Thumbnails.of([gradient(20, 30)])
        np.testing.assert_array_equal(middles(photos, 16)[0], gradient(20, 30)[2:18, 7:23])
