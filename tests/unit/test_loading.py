"""Photo and mask in: the same whether they are decoded side by side or one after the other."""

from pathlib import Path

import numpy as np
import pytest

from infill import settings
from infill.errors import BadMask, MaskSizeMismatch, TooManyPixels, Unreadable
from infill.loading import load_both
from infill.picture import Picture

MASK = np.zeros((20, 30), np.uint8)
MASK[3:7, 4:9] = 255


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    photo = Picture.from_array(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    mask = Picture.from_array(MASK)
    return photo.save(tmp_path / "photo.png"), mask.save(tmp_path / "mask.png")


@pytest.mark.parametrize("threads", [1, 2])
class TestBothWays:
    def test_files_and_bytes(self, files: tuple[Path, Path], threads: int) -> None:
        photo, mask = files
        with settings.using(threads=threads):
            for source in (mask, str(mask), mask.read_bytes()):
                picture, hole = load_both(photo, source)
                assert (hole == (MASK > 0)).all()
                assert (picture.pixels == Picture.load(photo).pixels).all()
            assert (load_both(photo, mask, invert=True)[1] == (MASK == 0)).all()

    def test_a_mask_of_another_size_is_named(self, files: tuple[Path, Path], threads: int) -> None:
        photo, mask = files
        Picture.from_array(MASK[:-1]).save(mask, overwrite=True)
        with (
            settings.using(threads=threads),
            pytest.raises(MaskSizeMismatch, match=r"mask\.png is 30×19 .* 30×20"),
        ):
            load_both(photo, mask)

    def test_of_two_bad_files_the_photo_is_named(self, tmp_path: Path, threads: int) -> None:
        with settings.using(threads=threads), pytest.raises(Unreadable, match=r"photo\.png"):
            load_both(tmp_path / "photo.png", tmp_path / "mask.png")

    def test_the_limit_holds_for_both(self, files: tuple[Path, Path], threads: int) -> None:
        photo, mask = files
        small = Picture.from_array(MASK[:4, :4]).save(photo.with_name("small.png"))
        with settings.using(threads=threads, max_pixels=599):
            with pytest.raises(TooManyPixels):
                load_both(photo, small)
            with pytest.raises(TooManyPixels):
                load_both(small, mask)


def test_arrays_are_copied() -> None:
    given = MASK > 0
    _, hole = load_both(np.zeros((20, 30, 3), np.uint8), given)
    assert (hole == given).all()
    assert not np.may_share_memory(hole, given)
    given.flags.writeable = False
    assert load_both(np.zeros((20, 30, 3), np.uint8), given)[1] is given


def test_no_mask_is_the_transparent_part() -> None:
    photo = np.full((20, 30, 4), 255, np.uint8)
    with pytest.raises(BadMask, match="give a mask"):
        load_both(photo, None)
    photo[MASK > 0, 3] = 0
    assert (load_both(photo, None)[1] == (MASK > 0)).all()
