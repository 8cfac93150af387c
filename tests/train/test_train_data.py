"""Photos: decoded once or streamed, and crops that follow from seed and step."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infill.data.layouts import Listing, listing
from infill.errors import Unreadable
from infill.train.data import photos as reading
from infill.train.data.crops import batch, jittered, middles, random_numbers, squares, whole_middles
from infill.train.data.photos import Streamed, Thumbnails, decoded, thumbnail
from infill.train.data.prefetch import Prefetch
from infill.train.tables import DataConfig


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


class TestDecoded:
    def test_holds_every_photo_in_the_order_of_the_names(
        self, folder: Path, tmp_path: Path
    ) -> None:
        for threads in (1, 3):
            found = decoded(listing("folder", folder)[0], 20, tmp_path / "a.bytes", threads=threads)
            assert [int(found[index][0, 0, 0]) // 20 for index in range(12)] == list(range(12))
            assert found[0].shape == (27, 20, 3)
            assert isinstance(found.pixels, np.memmap)
            (tmp_path / "a.bytes").unlink()

    def test_is_used_and_made_again_when_photos_change(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache, made = tmp_path / "kept" / "a.bytes", []
        monkeypatch.setattr(
            reading, "thumbnail", lambda *given: made.append(1) or thumbnail(*given)
        )
        first = np.array(decoded(listing("folder", folder)[0], 20, cache).pixels)
        again = decoded(listing("folder", folder)[0], 20, cache)
        assert len(made) == 12
        np.testing.assert_array_equal(first, again.pixels)
        Image.new("RGB", (90, 60), "red").save(folder / "new.png")
        assert len(decoded(listing("folder", folder)[0], 20, cache)) == 13
        assert len(made) == 12 + 13
        with cache.open("ab") as file:
            file.write(b"more")
        decoded(listing("folder", folder)[0], 20, cache)
        assert len(made) == 12 + 13 + 13
        cache.with_name("a.bytes.json").write_text("[]")
        decoded(listing("folder", folder)[0], 20, cache)
        decoded(listing("folder", folder)[0], 24, cache)
        assert len(made) == 12 + 4 * 13

    def test_a_damaged_photo_is_left_out_and_named(self, folder: Path, tmp_path: Path) -> None:
        (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
        told: list[str] = []
        found = decoded(listing("folder", folder)[0], 20, tmp_path / "a", tell=told.append)
        assert len(found) == 12
        assert len(told) == 1
        assert "bad.png" in told[0]

    def test_nothing_that_can_be_read_leaves_nothing_behind(self, tmp_path: Path) -> None:
        (tmp_path / "bad.png").write_bytes(b"none")
        with pytest.raises(Unreadable, match="none of the 1 photos"):
            decoded(Listing(tmp_path, ("bad.png",)), 20, tmp_path / "cache" / "a.bytes")
        assert not list((tmp_path / "cache").iterdir())


class TestStreamed:
    def test_decodes_what_is_asked_for(self, folder: Path) -> None:
        found = Streamed(listing("folder", folder)[0])
        assert len(found) == 12
        assert found[3].shape == (80, 90, 3)
        assert tuple(found[3][0, 0]) == (60, 0, 255)

    def test_the_next_one_stands_in_for_a_damaged_one(self, folder: Path) -> None:
        (folder / "03.png").write_bytes(b"none")
        told: list[str] = []
        found = Streamed(listing("folder", folder)[0], told.append)
        assert tuple(found[3][0, 0]) == (80, 0, 255)
        assert len(told) == 1
        assert "03.png" in told[0]


class TestSquares:
    CONFIG = DataConfig(side=16, scale=(0.5, 1.0))

    def test_are_cut_at_the_scales_asked_for(self) -> None:
        photo = gradient(40, 60)
        spans = []
        for step in range(60):
            cut = squares(Thumbnails.of([photo]), step, 1, self.CONFIG, seed=0)[0].astype(int)
            assert cut.shape == (16, 16, 3)
            spans.append((cut[-1, 0, 0] - cut[0, 0, 0]) * 16 / 15)
        assert 19 < min(spans) < 23
        assert 36 < max(spans) < 41

    def test_a_fixed_scale_of_the_photo_s_own_size_is_not_resampled(self) -> None:
        photo, config = gradient(20, 30), replace(self.CONFIG, scale=(0.8, 0.8), flip=0.0)
        corners = set()
        for step in range(40):
            cut = squares(Thumbnails.of([photo]), step, 1, config, seed=1)[0]
            top, left = cut[0, 0, :2].astype(int)
            corners.add((top, left))
            np.testing.assert_array_equal(cut, photo[top : top + 16, left : left + 16])
        assert {top for top, _ in corners} == set(range(5))

    def test_follow_from_seed_step_and_place_alone(self) -> None:
        photos = Thumbnails.of([gradient(20, 30), gradient(30, 20), gradient(25, 25)])
        config = replace(self.CONFIG, colour=0.2)
        whole = squares(photos, 5, 8, config, seed=1)
        parts = [squares(photos, 5, 8, config, 1, range(at, at + 4)) for at in (0, 4)]
        np.testing.assert_array_equal(whole, np.concatenate(parts))
        assert not np.array_equal(whole, squares(photos, 6, 8, config, seed=1))
        assert not np.array_equal(whole, squares(photos, 5, 8, config, seed=2))

    def test_mirrors_as_often_as_asked(self) -> None:
        photos = Thumbnails.of([gradient(20, 30)])
        for share, low, high in ((0.0, 0, 0), (1.0, 64, 64), (0.5, 20, 44)):
            cut = squares(photos, 0, 64, replace(self.CONFIG, flip=share), seed=0).astype(int)
            assert low <= np.sum(cut[:, 0, 0, 1] > cut[:, 0, -1, 1]) <= high

    def test_the_middles_for_figures_are_whole_and_spread(self) -> None:
        photos = Thumbnails.of([np.full((20, 30, 3), index, np.uint8) for index in range(10)])
        assert whole_middles(photos, 16, 4)[:, 0, 0, 0].tolist() == [0, 3, 6, 9]
        assert len(whole_middles(photos, 16, 99)) == 10
        cut = whole_middles(Thumbnails.of([gradient(20, 30)]), 20, 1)[0]
        np.testing.assert_array_equal(cut, gradient(20, 30)[:, 5:25])


class TestJitter:
    def test_stays_within_its_factors(self) -> None:
        grey = np.full((4, 4, 3), 100, np.uint8)
        values = {int(jittered(grey, random_numbers(0, n), 0.2)[0, 0, 0]) for n in range(50)}
        assert min(values) >= 80
        assert max(values) <= 120
        assert max(values) - min(values) > 25

    def test_none_changes_nothing(self) -> None:
        photo = gradient(9, 9)
        np.testing.assert_array_equal(jittered(photo, random_numbers(0), 0.0), photo)

    def test_saturation_keeps_the_grey_of_each_pixel(self) -> None:
        photo = np.zeros((4, 4, 3), np.uint8)
        photo[..., 0], photo[..., 1], photo[..., 2] = 120, 90, 100
        weights = np.array([0.299, 0.587, 0.114])
        for number in range(20):
            rng = random_numbers(number)
            brightness = 1 + 0.3 * (2 * rng.random(3, np.float32)[0] - 1)
            made = jittered(photo, random_numbers(number), 0.3)[0, 0]
            assert made @ weights == pytest.approx(photo[0, 0] @ weights * brightness, abs=1)


class TestPrefetch:
    def test_gives_what_would_have_been_made(self) -> None:
        with Prefetch(lambda step: step * step, ahead=3, threads=2) as coming:
            assert [coming(step) for step in (0, 1, 2, 3, 9, 10, 4)] == [0, 1, 4, 9, 81, 100, 16]

    def test_works_ahead_in_another_thread(self) -> None:
        made: dict[int, str] = {}
        reached = threading.Event()

        def make(step: int) -> int:
            made[step] = threading.current_thread().name
            if step == 2:
                reached.set()
            return step

        with Prefetch(make, ahead=2) as coming:
            coming(0)
            assert reached.wait(10)
        assert set(made) == {0, 1, 2}
        assert threading.current_thread().name not in made.values()

    def test_what_goes_wrong_is_raised_where_it_is_asked_for(self) -> None:
        def make(step: int) -> int:
            if step == 1:
                raise Unreadable("gone")
            return step

        with Prefetch(make, ahead=3) as coming:
            assert coming(0) == 0
            with pytest.raises(Unreadable, match="gone"):
                coming(1)

    def test_without_threads(self) -> None:
        with Prefetch(lambda step: threading.current_thread(), ahead=0) as coming:
            assert coming(0) is threading.current_thread()


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
