"""COCO's annotations: which objects are chosen, what their masks are, and damaged files."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infill.data import Objects, instances_of, open_dataset, records
from infill.data.coco import Instances, outline
from infill.errors import BadMask, MaskSizeMismatch, MissingExtra
from infill.masks import to_rle
from infill.masks.protocols import protocol
from tests.data.trees import INSTANCES, PHOTOS, box, coco

SHAPE = (30, 40)
ALL = Objects(classes=(), share=(0, 1))


def read(tmp_path: Path, instances: Any = INSTANCES, **how: bool) -> Instances:
    found = open_dataset("coco", coco(tmp_path, instances, **how)).annotated
    assert found is not None
    return found


def square(left: int, top: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[top : top + height, left : left + width] = True
    return mask


class TestChoice:
    @pytest.mark.parametrize(
        ("chosen", "numbers"),
        [
            (ALL, [11, 12, 13]),
            (Objects(share=(0, 1)), [11, 12]),
            (Objects(), [11, 12]),
            (Objects(share=(0.05, 1)), [12]),
            (Objects(share=(20 / 1200, 0.05)), [11]),
            (Objects(classes=("dög",)), [13]),
            (Objects(classes=(18,)), [13]),
            (Objects(classes=("person", "dög"), pixels=(100, 100)), [12, 13]),
            (Objects(pixels=(101, None)), []),
        ],
    )
    def test_by_class_and_area(self, tmp_path: Path, chosen: Objects, numbers: list[int]) -> None:
        instances = read(tmp_path)
        assert [number for number, _ in instances.objects(PHOTOS[0], chosen)] == numbers
        assert instances.has(PHOTOS[0], chosen) == bool(numbers)

    def test_crowds_only_if_asked_for(self, tmp_path: Path) -> None:
        instances = read(tmp_path)
        assert not instances.has(PHOTOS[1], Objects())
        crowd = instances.mask(PHOTOS[1], SHAPE, Objects(crowd=True))
        assert np.array_equal(crowd, square(10, 0, 20, 30))

    def test_photos_that_hold_one(self, tmp_path: Path) -> None:
        data = open_dataset("coco", coco(tmp_path))
        names = [sample.name for sample in data.holding(Objects()).samples()]
        assert names == [PHOTOS[0]]
        crowds = data.holding(Objects(crowd=True))
        assert {sample.id for sample in crowds.samples()} == {1, 2}

    def test_an_unknown_class(self, tmp_path: Path) -> None:
        data = open_dataset("coco", coco(tmp_path))
        with pytest.raises(BadMask, match="has no class 'unicorn'; it has: person, dög"):
            data.holding(Objects(classes=("unicorn",)))


class TestMask:
    def test_all_objects_together(self, tmp_path: Path) -> None:
        mask = read(tmp_path).mask(f"val2017/{PHOTOS[0]}", SHAPE, Objects())
        assert np.array_equal(mask, square(20, 10, 10, 10) | square(0, 0, 4, 5))

    def test_one_by_the_seed(self, tmp_path: Path) -> None:
        instances = read(tmp_path)
        one = Objects(one=True)
        found = {instances.mask(PHOTOS[0], SHAPE, one, seed).sum() for seed in range(20)}
        assert found == {100, 20}
        again = [instances.mask(PHOTOS[0], SHAPE, one, 3) for _ in range(2)]
        assert np.array_equal(*again)

    def test_by_the_protocol(self, tmp_path: Path) -> None:
        instances = read(tmp_path)
        recipe = protocol("object", classes=["dög"])
        mask = recipe.mask(SHAPE, PHOTOS[0], annotated=instances)
        assert np.array_equal(mask, square(5, 20, 20, 5))

    @pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
    def test_is_pycocotools_own(self, tmp_path: Path) -> None:
        from pycocotools.coco import COCO

        points = np.random.default_rng(0).uniform(0, 1, (9, 2)) * (40, 30)
        wild = [points.ravel().tolist(), [1, 1, 12.5, 3, 7, 14.2]]
        entry = box(21, 3, 1, (0, 0, 40, 30)) | {"segmentation": wild}
        instances = read(tmp_path, INSTANCES | {"annotations": [entry]})
        theirs = COCO(str(instances.path))
        expected = theirs.annToMask(theirs.anns[21]).astype(bool)
        assert 0 < expected.sum() < expected.size
        assert np.array_equal(instances.mask(PHOTOS[2], SHAPE, ALL), expected)

    def test_a_photo_of_another_size(self, tmp_path: Path) -> None:
        with pytest.raises(MaskSizeMismatch):
            read(tmp_path).mask(PHOTOS[0], (60, 80), Objects())

    def test_a_photo_without_objects(self, tmp_path: Path) -> None:
        with pytest.raises(
            BadMask, match=r"no such object for 000000000003[.]jpg: person, 1% to 50%"
        ):
            read(tmp_path).mask(PHOTOS[2], SHAPE, Objects())

    def test_a_photo_that_is_not_annotated(self, tmp_path: Path) -> None:
        instances = read(tmp_path)
        assert not instances.has("000000000009.jpg", ALL)
        assert instances.objects("000000000009.jpg", ALL) == []
        with pytest.raises(BadMask, match="annotates no photo 000000000009"):
            instances.mask("000000000009.jpg", SHAPE, ALL)

    def test_without_pycocotools(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pycocotools.mask", None)
        with pytest.raises(MissingExtra, match=r"pip install 'infill\[data\]'"):
            read(tmp_path).mask(PHOTOS[0], SHAPE, Objects())


class TestDamaged:
    @pytest.mark.parametrize(
        "segmentation",
        [
            [[0, 0, 5, 5]],
            [[0, 0, 5, 5, 3]],
            [[0, 0, 1e9, 0, 5, 5]],
            [[0, 0, float("nan"), 0, 5, 5]],
            [[0, 0, "x", 0, 5, 5]],
            [],
            "polygons",
            None,
            {"size": [30, 40], "counts": "04"},
            {"size": [30, 40], "counts": [5, 5]},
        ],
    )
    def test_an_outline(self, segmentation: Any) -> None:
        with pytest.raises((BadMask, ValueError)):
            outline(segmentation, SHAPE)

    def test_an_object_is_named(self, tmp_path: Path) -> None:
        entry = box(77, 1, 1, (0, 0, 10, 10)) | {"segmentation": [[1, 2]]}
        instances = read(tmp_path, INSTANCES | {"annotations": [entry]})
        with pytest.raises(BadMask, match=r"the object 77 in .*val2017\.json is damaged"):
            instances.mask(PHOTOS[0], SHAPE, ALL)

    @pytest.mark.parametrize("lost", ["id", "image_id", "category_id", "area"])
    def test_an_entry_that_lacks_something(self, tmp_path: Path, lost: str) -> None:
        entry = box(77, 1, 1, (0, 0, 10, 10))
        del entry[lost]
        with pytest.raises(BadMask, match=rf"annotations at byte \d+ lacks or garbles '{lost}'"):
            read(tmp_path, INSTANCES | {"annotations": [entry]})

    @pytest.mark.parametrize("content", ["", "[]", "{}", "no json", '{"annotations": [1]}'])
    def test_no_instances_file(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "a.json"
        path.write_text(content)
        with pytest.raises(BadMask, match=r"a\.json is no COCO instances file"):
            instances_of(path)

    def test_a_file_cut_off_anywhere(self, tmp_path: Path) -> None:
        whole = json.dumps(INSTANCES)
        path = tmp_path / "a.json"
        for end in range(0, len(whole) - 1, 37):
            path.write_text(whole[:end])
            with pytest.raises(BadMask, match="is cut off"):
                list(records.records(path))

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(BadMask, match="cannot be read: no such file"):
            instances_of(tmp_path / "none.json")

    def test_a_file_that_changes_under_way(self, tmp_path: Path) -> None:
        instances = read(tmp_path)
        instances.path.write_text("{}")
        with pytest.raises(BadMask, match="has changed or gone"):
            instances.mask(PHOTOS[0], SHAPE, ALL)
        with pytest.raises(BadMask, match="is no COCO instances file"):
            instances_of(instances.path)


class TestRecords:
    @pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
    @pytest.mark.parametrize("indent", [None, 1])
    def test_are_what_json_reads(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None
    ) -> None:
        monkeypatch.setattr(records, "CHUNK", chunk)
        path = tmp_path / "a.json"
        path.write_text(json.dumps(INSTANCES, indent=indent, ensure_ascii=False), encoding="utf-8")
        found: dict[str, list[Any]] = {"annotations": [], "images": [], "categories": []}
        for record in records.records(path):
            found[record.key].append(record.content)
            again = records.read_record(path, record.start, record.length)
            assert again == record.content
        assert found == {key: INSTANCES[key] for key in found}

    def test_with_a_byte_order_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.write_text(json.dumps(INSTANCES), encoding="utf-8-sig")
        assert len(list(records.records(path))) == 4 + 3 + 2

    def test_a_file_is_not_held_whole(self, tmp_path: Path) -> None:
        import tracemalloc

        rows = [box(n, 1, 1, (0, 0, 9, 9)) for n in range(30_000)]
        path = tmp_path / "a.json"
        path.write_text(json.dumps({"annotations": rows}))
        tracemalloc.start()
        assert sum(1 for _ in records.records(path)) == 30_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert path.stat().st_size > 4_000_000
        assert peak < 5 * records.CHUNK

    def test_the_index_is_read_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = read(tmp_path)
        monkeypatch.setattr("infill.data.coco.records", lambda path: pytest.fail("read again"))
        assert instances_of(first.path) is first


def test_a_run_length_code_is_exact(tmp_path: Path) -> None:
    mask = np.random.default_rng(1).random(SHAPE) < 0.3
    assert np.array_equal(outline(to_rle(mask), SHAPE), mask)
