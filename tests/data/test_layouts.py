"""Small trees in the layouts of public data sets."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from infill.data.layouts import is_held_out, listing, parted, photo_names
from infill.errors import BadOption, Unreadable
from tests.data.trees import tree


@pytest.mark.parametrize(
    ("layout", "names", "learn", "own"),
    [
        ("folder", ["b.jpg", "a.png", "c.txt", "deep/d.jpg"], ["a.png", "b.jpg"], []),
        ("tree", ["b.jpg", "x/a.png", "x/y/c.jpg"], ["b.jpg", "x/a.png", "x/y/c.jpg"], []),
        (
            "ffhq",
            ["images1024x1024/00000/00001.png", "thumbnails128x128/00000/00001.png"],
            ["images1024x1024/00000/00001.png"],
            [],
        ),
        (
            "ffhq",
            ["00000/00001.png", "01000/01001.png"],
            ["00000/00001.png", "01000/01001.png"],
            [],
        ),
        (
            "celeba-hq",
            ["CelebAMask-HQ/CelebA-HQ-img/0.jpg", "CelebAMask-HQ/CelebAMask-HQ-mask-anno/0/0.png"],
            ["CelebAMask-HQ/CelebA-HQ-img/0.jpg"],
            [],
        ),
        ("celeba-hq", ["CelebA-HQ-img/7.jpg", "list.txt"], ["CelebA-HQ-img/7.jpg"], []),
        ("celeba-hq", ["00000.jpg", "00001.jpg"], ["00000.jpg", "00001.jpg"], []),
        (
            "places2",
            ["data_large/a/abbey/1.jpg", "data_large/z/zoo/2.jpg", "val_large/V_1.jpg"],
            ["data_large/a/abbey/1.jpg", "data_large/z/zoo/2.jpg"],
            ["val_large/V_1.jpg"],
        ),
        (
            "places2",
            ["train/abbey/1.jpg", "val/abbey/2.jpg"],
            ["train/abbey/1.jpg"],
            ["val/abbey/2.jpg"],
        ),
        (
            "coco",
            ["train2017/1.jpg", "val2017/2.jpg", "annotations/instances_train2017.json"],
            ["train2017/1.jpg"],
            ["val2017/2.jpg"],
        ),
    ],
)
def test_finds_the_photos(
    tmp_path: Path, layout: str, names: list[str], learn: list[str], own: list[str]
) -> None:
    found, validation = listing(layout, tree(tmp_path, *names))
    assert list(found.names) == learn
    assert list(validation.names) == own
    assert all(found.path(index).is_file() for index in range(len(found)))


@pytest.mark.parametrize("layout", ["places2", "coco"])
def test_another_layout_is_told(tmp_path: Path, layout: str) -> None:
    with pytest.raises(Unreadable, match=r"is not laid out as .*there is no"):
        listing(layout, tree(tmp_path, "a.jpg"))


def test_an_unknown_layout(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"layout is one of folder, .*coco, not 'imagenet'"):
        listing("imagenet", tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"there is no folder .*missing"):
        listing("folder", tmp_path / "missing")


def test_no_photo(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="holds no photo"):
        listing("folder", tree(tmp_path, "notes.txt"))


class TestParted:
    def test_by_the_name_alone(self, tmp_path: Path) -> None:
        names = [f"{index:02d}.png" for index in range(12)]
        learn, aside = parted("folder", tree(tmp_path, *names), 0.3)
        assert set(aside.names) == {name for name in names if is_held_out(name, 0.3)}
        assert 0 < len(aside) < 12
        assert sorted([*learn.names, *aside.names]) == names

    def test_the_hash_is_the_documented_one(self) -> None:
        first = hashlib.sha256(b"a.png").digest()[0] / 256
        assert is_held_out("a.png", first + 1 / 256)
        assert not is_held_out("a.png", first - 1 / 256)

    def test_about_the_fraction_is_held_out(self) -> None:
        count = sum(is_held_out(f"{index}.jpg", 0.1) for index in range(2000))
        assert 150 < count < 250

    def test_the_data_set_s_own_part(self, tmp_path: Path) -> None:
        tree(tmp_path, "train2017/1.jpg", "train2017/3.jpg", "val2017/2.jpg")
        learn, aside = parted("coco", tmp_path, 0.0)
        assert (len(learn), aside.names) == (2, ("val2017/2.jpg",))

    def test_no_part_of_its_own(self, tmp_path: Path) -> None:
        with pytest.raises(Unreadable, match=r"no validation part of its own; set data\.held_out"):
            parted("folder", tree(tmp_path, "a.jpg"), 0.0)

    def test_too_few_to_hold_some_out(self, tmp_path: Path) -> None:
        with pytest.raises(Unreadable, match="too few photos"):
            parted("folder", tree(tmp_path, "one.png"), 0.1)


def test_links_may_lead_in_a_circle_or_nowhere(tmp_path: Path) -> None:
    tree(tmp_path, "deep/a.png")
    (tmp_path / "deep" / "up").symlink_to(tmp_path)
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    found = listing("tree", tmp_path)[0]
    assert set(found.names) == {"deep/a.png", "gone.jpg"}
    assert found.mark() == listing("tree", tmp_path)[0].mark()


def test_the_mark_changes_with_the_photos(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png")
    first = listing("folder", tmp_path)[0].mark()
    assert listing("folder", tmp_path)[0].mark() == first
    Image.new("RGB", (90, 80), "red").save(tmp_path / "a.png")
    assert listing("folder", tmp_path)[0].mark() != first


def test_masks_beside_their_photos_are_no_photos(tmp_path: Path) -> None:
    tree(tmp_path, "a.jpg", "a_mask.png", "carnival_mask.jpg", "b/c.png", "b/c_mask.png")
    assert list(photo_names(tmp_path, True)) == ["a.jpg", "b/c.png", "carnival_mask.jpg"]
