"""Large JPEGs take a quicker way in and out: the same pixels, the same bytes, the same errors."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ImageOps import exif_transpose

from infill.errors import TruncatedPicture
from infill.picture import Picture, read, read_text, write

KINDS = [
    pytest.param({"subsampling": 0}, id="4:4:4"),
    pytest.param({"subsampling": 1}, id="4:2:2"),
    pytest.param({"subsampling": 2}, id="4:2:0"),
    pytest.param({"subsampling": 2, "progressive": True}, id="progressive"),
    pytest.param({"subsampling": 0, "keep_rgb": True}, id="RGB"),
    pytest.param({"subsampling": 2, "restart_marker_rows": 1}, id="restarts"),
]


@pytest.fixture(autouse=True)
def every_jpeg_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (read, write):
        monkeypatch.setattr(module, "LARGE", 0)


def jpeg(orientation: int = 1, **options: object) -> bytes:
    rng = np.random.default_rng(3)
    smooth = np.add.outer(np.arange(53), np.arange(37))[..., None] * np.array([1, 2, 3])
    pixels = np.clip(smooth + rng.normal(0, 20, (53, 37, 3)), 0, 255).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=83, exif=exif, **options)
    return file.getvalue()


def small_way(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (read, write):
        monkeypatch.setattr(module, "LARGE", 10**9)


@pytest.mark.parametrize("options", KINDS)
def test_the_pixels_are_pillows(options: dict[str, object]) -> None:
    data = jpeg(**options)
    with Image.open(io.BytesIO(data)) as image:
        assert (Picture.load(data).pixels == np.asarray(image)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_they_come_upright(orientation: int) -> None:
    data = jpeg(orientation, subsampling=2)
    with Image.open(io.BytesIO(data)) as image:
        upright = np.asarray(exif_transpose(image))
    picture = Picture.load(data)
    assert picture.pixels.shape == upright.shape
    assert (picture.pixels == upright).all()
    assert picture.pixels.flags.c_contiguous
    assert not picture.pixels.flags.writeable


@pytest.mark.parametrize("options", KINDS)
def test_the_files_are_the_same(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Picture.load(jpeg(**options))
    ways = [picture.to_bytes("jpg"), picture.to_bytes("jpg", quality=70)]
    small_way(monkeypatch)
    assert [picture.to_bytes("jpg"), picture.to_bytes("jpg", quality=70)] == ways


@pytest.mark.parametrize("profile", [0, 100, 70_000, 500_000])
@pytest.mark.parametrize("recipe", ["", "r" * 9, "r" * 200_000])
def test_texts_find_their_place_however_long_the_header_is(profile: int, recipe: str) -> None:
    picture = Picture.load(jpeg())
    icc = np.random.default_rng(5).bytes(profile) or None
    picture = replace(picture, metadata=replace(picture.metadata, icc=icc))
    data = picture.to_bytes("jpg", text={"infill": recipe, "Comment": "by hand"})
    assert read_text(data) == {"Comment": "by hand", "infill": recipe}
    again = Picture.load(data)
    assert again.metadata.icc == icc
    assert (again.pixels == Picture.load(picture.to_bytes("jpg")).pixels).all()


def test_the_quick_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("Pillow decoded it")

    monkeypatch.setattr(read, "picture_of", refuse)
    assert Picture.load(jpeg()).pixels.shape == (53, 37, 3)


@pytest.mark.parametrize("part", [0.5, 0.9, 0.999])
def test_half_a_file_is_complained_of_in_the_same_words(
    part: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = jpeg(subsampling=2)
    path = tmp_path / "half.jpg"
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(TruncatedPicture) as large:
        Picture.load(path)
    small_way(monkeypatch)
    with pytest.raises(TruncatedPicture) as small:
        Picture.load(path)
    assert str(large.value) == str(small.value)
