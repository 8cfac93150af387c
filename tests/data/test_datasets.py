"""Data sets to test with: what is read, subsets, shards, folders that are not theirs."""

import hashlib
import pickle
from itertools import chain
from pathlib import Path

import pytest

from infill.data import DATASETS, Dataset, Objects, Unread, open_dataset
from infill.data.layouts import photo_names
from infill.errors import BadOption, Unreadable
from tests.data.trees import PHOTOS, coco, tree


def names(data: Dataset) -> list[str]:
    return [sample.name for sample in data.samples()]


def numbered(root: Path, count: int = 40) -> Dataset:
    return open_dataset("folder", tree(root, *(f"{n:03}.png" for n in range(count))))


SQUARE = {"size": (8, 8)}


class TestReading:
    def test_a_folder(self, tmp_path: Path) -> None:
        data = open_dataset("folder", tree(tmp_path, "b.jpg", "a.png", "c.txt", "deep/d.jpg"))
        assert names(data) == ["a.png", "b.jpg"]
        assert [sample.path for sample in data.samples()] == [
            tmp_path / "a.png",
            tmp_path / "b.jpg",
        ]

    def test_a_tree(self, tmp_path: Path) -> None:
        data = open_dataset("tree", tree(tmp_path, "b.jpg", "x/a.png", "x-y/c.jpg"))
        assert names(data) == ["b.jpg", "x-y/c.jpg", "x/a.png"]

    @pytest.mark.parametrize("top", ["images1024x1024/", ""])
    def test_ffhq_is_parted_as_its_authors_do(self, tmp_path: Path, top: str) -> None:
        photos = ("00000/00000.png", "59000/59999.png", "60000/60000.png", "69000/69999.png")
        tree(tmp_path, *(top + name for name in photos), **SQUARE)
        parts = {split: names(open_dataset("ffhq", tmp_path, split=split)) for split in SPLITS}
        assert parts == {"train": [*photos[:2]], "val": [*photos[2:]], "all": [*photos]}

    def test_part_of_ffhq(self, tmp_path: Path) -> None:
        tree(tmp_path, "00000/00000.png", "00000/00001.png", **SQUARE)
        with pytest.raises(Unreadable, match=r"numbers 60000 to .*; take the split all"):
            open_dataset("ffhq", tmp_path)
        assert len(names(open_dataset("ffhq", tmp_path, split="all"))) == 2

    def test_ffhq_with_its_thumbnails_only(self, tmp_path: Path) -> None:
        tree(tmp_path, "thumbnails128x128/60000/60001.png", "LICENSE.txt", **SQUARE)
        with pytest.raises(Unreadable, match=r"name .*thumbnails128x128"):
            open_dataset("ffhq", tmp_path)
        assert names(open_dataset("ffhq", tmp_path / "thumbnails128x128")) == ["60000/60001.png"]

    def test_celeba_hq(self, tmp_path: Path) -> None:
        tree(tmp_path, "CelebAMask-HQ/CelebA-HQ-img/7.jpg", "CelebAMask-HQ/README.txt", **SQUARE)
        assert names(open_dataset("CelebA_HQ", tmp_path)) == ["7.jpg"]

    @pytest.mark.parametrize("name", ["places2", "Places365"])
    def test_places(self, tmp_path: Path, name: str) -> None:
        tree(tmp_path, "val_256/Places365_val_00000002.jpg", "data_256/a/abbey/00000001.jpg")
        data = open_dataset(name, tmp_path)
        assert (data.name, names(data)) == ("places2", ["Places365_val_00000002.jpg"])
        assert names(open_dataset(name, tmp_path, split="train")) == ["a/abbey/00000001.jpg"]
        assert names(open_dataset(name, tmp_path, split="all")) == [
            "data_256/a/abbey/00000001.jpg",
            "val_256/Places365_val_00000002.jpg",
        ]

    def test_the_validation_part_alone_is_enough(self, tmp_path: Path) -> None:
        tree(tmp_path, "val_large/Places365_val_00000002.jpg")
        assert len(names(open_dataset("places2", tmp_path))) == 1
        with pytest.raises(Unreadable, match=r"no data_large, .* or train in it"):
            open_dataset("places2", tmp_path, split="train")

    def test_coco(self, tmp_path: Path) -> None:
        data = open_dataset("coco", coco(tmp_path))
        assert names(data) == list(PHOTOS)
        assert [sample.id for sample in data.samples()] == [1, 2, 3]
        assert data.annotations == tmp_path / "annotations" / "instances_val2017.json"

    def test_coco_without_annotations(self, tmp_path: Path) -> None:
        data = open_dataset("coco", tree(tmp_path, f"val2017/{PHOTOS[0]}"))
        assert data.annotated is None
        with pytest.raises(BadOption, match=r"annotations/instances_val2017\.json"):
            data.holding(Objects())

    def test_what_is_named_otherwise_is_left_out(self, tmp_path: Path) -> None:
        tree(tmp_path, *(f"val2017/{n:012}.jpg" for n in range(40)), "val2017/zebra.jpg")
        assert len(names(open_dataset("coco", tmp_path))) == 40

    def test_a_stray_photo_in_ffhq(self, tmp_path: Path) -> None:
        tree(tmp_path, *(f"{n:05}.png" for n in range(60000, 60040)), "zebra.png", **SQUARE)
        assert len(names(open_dataset("ffhq", tmp_path))) == 40
        with pytest.raises(Unreadable, match="no photo of the split train"):
            open_dataset("ffhq", tmp_path, split="train")


SPLITS = ("train", "val", "all")


class TestNotWhatItsNameSays:
    @pytest.mark.parametrize(
        ("name", "file", "page"),
        [
            ("ffhq", "holiday.png", "https://github.com/NVlabs/ffhq-dataset"),
            ("celeba-hq", "000001.jpg", "CelebAMask-HQ"),
            ("places2", "val_256/beach.jpg", "http://places2.csail.mit.edu/download.html"),
            ("coco", "val2017/1.jpg", "https://cocodataset.org/#download"),
        ],
    )
    def test_by_the_names(self, tmp_path: Path, name: str, file: str, page: str) -> None:
        with pytest.raises(Unreadable) as told:
            open_dataset(name, tree(tmp_path, file))
        assert "whose photos are named" in str(told.value)
        assert Path(file).name in str(told.value)
        assert page in str(told.value)

    @pytest.mark.parametrize("name", ["ffhq", "celeba-hq"])
    def test_by_the_shape(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(Unreadable, match="whose photos are square: it has 9×8"):
            open_dataset(name, tree(tmp_path, "00001.png"), split="all")

    def test_a_first_photo_that_cannot_be_read_is_told_later(self, tmp_path: Path) -> None:
        (tmp_path / "00001.png").write_text("damaged")
        assert names(open_dataset("celeba-hq", tmp_path)) == ["00001.png"]

    @pytest.mark.parametrize("name", ["places2", "coco"])
    def test_by_the_folders(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(
            Unreadable, match=r"is not laid out as .*; put val.* into .*, from http"
        ):
            open_dataset(name, tree(tmp_path, "a.jpg"))

    @pytest.mark.parametrize("name", DATASETS)
    def test_no_folder(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(Unreadable, match=r"there is no folder .*missing; put "):
            open_dataset(name, tmp_path / "missing")

    @pytest.mark.parametrize("name", ["folder", "tree", "ffhq", "celeba-hq"])
    def test_no_photo(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(Unreadable, match="holds no photo"):
            open_dataset(name, tree(tmp_path, "notes.txt"))


class TestSubset:
    def test_is_the_documented_one(self, tmp_path: Path) -> None:
        data = numbered(tmp_path)
        ordered = sorted(names(data), key=lambda one: hashlib.sha256(f"5\n{one}".encode()).digest())
        assert names(data.subset(12, seed=5)) == ordered[:12]

    def test_smaller_ones_begin_larger_ones(self, tmp_path: Path) -> None:
        data = numbered(tmp_path)
        assert names(data.subset(20))[:7] == names(data.subset(7))
        assert names(data.subset(7)) != names(data.subset(7, seed=1))

    def test_hardly_hangs_on_what_lies_beside(self, tmp_path: Path) -> None:
        data = numbered(tmp_path)
        before = names(data.subset(20))
        (tmp_path / before[3]).unlink()
        tree(tmp_path, "new.png")
        after = names(data.subset(20))
        assert len(set(before) & set(after)) >= 18
        assert [name for name in after if name in before] == [n for n in before if n in after]

    def test_of_more_than_there_are(self, tmp_path: Path) -> None:
        assert sorted(names(numbered(tmp_path, 3).subset(9))) == ["000.png", "001.png", "002.png"]

    def test_of_none(self, tmp_path: Path) -> None:
        with pytest.raises(BadOption, match="at least 1 photo, not 0"):
            numbered(tmp_path, 3).subset(0)

    def test_does_not_hang_on_where_the_data_set_lies(self, tmp_path: Path) -> None:
        photos = [f"{n:05}.png" for n in range(20)]
        bare = tree(tmp_path / "a", *photos, **SQUARE)
        whole = tree(tmp_path / "b", *(f"CelebA-HQ-img/{name}" for name in photos), **SQUARE)
        first, second = (open_dataset("celeba-hq", root).subset(6) for root in (bare, whole))
        assert names(first) == names(second)


class TestShard:
    @pytest.mark.parametrize("of", [1, 3, 8, 50])
    def test_parts_are_disjoint_and_everything(self, tmp_path: Path, of: int) -> None:
        data = numbered(tmp_path).subset(17, seed=2)
        parts = [names(data.shard(index, of)) for index in range(of)]
        assert sorted(chain(*parts)) == sorted(names(data))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1

    @pytest.mark.parametrize("index", [-1, 3])
    def test_out_of_range(self, tmp_path: Path, index: int) -> None:
        with pytest.raises(BadOption, match="from 0 to below 3"):
            numbered(tmp_path, 3).shard(index, 3)


class TestPhotos:
    def test_one_by_one(self, tmp_path: Path) -> None:
        found = [(sample.name, photo.width) for sample, photo in numbered(tmp_path, 2).photos()]
        assert found == [("000.png", 9), ("001.png", 9)]

    def test_what_cannot_be_read_is_told_and_counted(self, tmp_path: Path) -> None:
        data = numbered(tmp_path, 4)
        (tmp_path / "001.png").write_bytes(b"")
        (tmp_path / "002.png").write_text("no photo")
        (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
        told: list[str] = []
        unread = Unread(told.append)
        assert [sample.name for sample, _ in data.photos(unread)] == ["000.png", "003.png"]
        assert unread.count == len(told) == 3
        assert all(line.startswith("left out: ") for line in told)
        assert len(list(data.photos())) == 2

    def test_a_data_set_is_light_and_travels(self, tmp_path: Path) -> None:
        data = numbered(tmp_path).subset(30).shard(1, 2)
        packed = pickle.dumps(data)
        assert len(packed) < 1500
        assert names(pickle.loads(packed)) == names(data)

    def test_the_mark_changes_with_the_photos(self, tmp_path: Path) -> None:
        data = numbered(tmp_path, 3)
        first = data.mark()
        assert numbered(tmp_path, 3).mark() == first
        assert data.subset(2).mark() != first
        tree(tmp_path, "001.png", size=(60, 50))
        assert data.mark() != first


class TestOptions:
    def test_an_unknown_name(self, tmp_path: Path) -> None:
        with pytest.raises(BadOption, match=r"one of folder, .*coco, not 'imagenet'"):
            open_dataset("imagenet", tmp_path)

    def test_an_unknown_split(self, tmp_path: Path) -> None:
        with pytest.raises(BadOption, match="val, train or all, not 'test'"):
            open_dataset("folder", tmp_path, split="test")

    @pytest.mark.parametrize("name", ["folder", "tree", "celeba-hq"])
    def test_no_part_to_learn_from(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(BadOption, match="take the split all"):
            open_dataset(name, tmp_path, split="train")

    def test_annotations_of_what_has_none(self, tmp_path: Path) -> None:
        with pytest.raises(BadOption, match="belong to coco, not to folder"):
            open_dataset("folder", tmp_path, annotations=tmp_path / "a.json")


def test_names_come_in_order_of_the_whole_path(tmp_path: Path) -> None:
    files = ["a/b.png", "a-c.png", "a.png", "a/b/c.png", "a-/z.png", "B.png", "a0/x.png"]
    tree(tmp_path, *files)
    assert list(photo_names(tmp_path, deep=True)) == sorted(files)
