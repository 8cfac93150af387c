"""COCO annotations: codes, polygons and instances files, against pycocotools."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as reference

from infill.errors import BadMask, MaskSizeMismatch
from infill.masks import as_mask
from infill.masks.coco import from_annotation, from_rle, read_instances, to_rle

# pycocotools' own arrays lack a keyword that NumPy 2 asks for, which says so at each decoding.
warned = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40))

BENT = np.array([[0, 1, 1], [0, 0, 1]], bool)
BENT_RLE = {"size": [2, 3], "counts": [2, 1, 1, 2]}

INSTANCES = {
    "images": [
        {"id": 7, "file_name": "a/cat.jpg", "height": 4, "width": 6},
        {"id": 8, "file_name": "b/dog.jpg", "height": 2, "width": 3},
        {"id": 9, "file_name": "c/dog.jpg", "height": 2, "width": 3},
    ],
    "categories": [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}, {"id": 19, "name": "cow"}],
    "annotations": [
        {
            "image_id": 7,
            "category_id": 17,
            "area": 4,
            "iscrowd": 0,
            "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]],
        },
        {
            "image_id": 7,
            "category_id": 18,
            "area": 2,
            "iscrowd": 0,
            "segmentation": [[4, 0, 5, 0, 5, 1, 4, 1], [5, 1, 6, 1, 6, 2, 5, 2]],
        },
        {
            "image_id": 7,
            "category_id": 18,
            "area": 1,
            "iscrowd": 1,
            "segmentation": {"size": [4, 6], "counts": [3, 1, 20]},
        },
        {"image_id": 8, "category_id": 18, "area": 3, "segmentation": BENT_RLE},
    ],
}


def rows(mask):
    return ["".join(".#"[int(cell)] for cell in row) for row in mask]


def test_run_lengths_go_down_the_columns():
    assert np.array_equal(from_rle(BENT_RLE), BENT)
    assert np.array_equal(from_rle({"size": [2, 2], "counts": [0, 4]}), np.ones((2, 2), bool))
    assert to_rle(BENT) == BENT_RLE
    assert to_rle(~BENT) == {"size": [2, 3], "counts": [0, 2, 1, 1, 2]}


@given(masks)
def test_a_code_comes_back(mask):
    coded = to_rle(mask)
    assert np.array_equal(from_rle(json.loads(json.dumps(coded)), mask), mask)
    assert from_rle(coded).flags.c_contiguous


@given(masks)
def test_compressed_codes_are_pycocotools_own(mask):
    coded = reference.encode(np.asfortranarray(mask.view(np.uint8)))
    assert np.array_equal(from_rle(coded, mask), mask)
    assert np.array_equal(from_rle({**coded, "counts": coded["counts"].decode()}), mask)
    assert reference.frPyObjects(to_rle(mask), *mask.shape)["counts"] == coded["counts"]


whole = st.integers(0, 30)


@warned
@given(st.lists(st.tuples(whole, whole), min_size=3, max_size=7))
def test_polygons_agree_with_pycocotools_but_for_the_outline(points):
    flat = [float(value) for point in points for value in point]
    theirs = reference.decode(reference.frPyObjects([flat], 30, 30))[:, :, 0].view(bool)
    try:
        ours = from_annotation({"segmentation": [flat]}, (30, 30))
    except BadMask:
        ours = np.zeros((30, 30), bool)
    lengths = sum(
        np.hypot(ax - bx, ay - by)
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True)
    )
    assert np.count_nonzero(ours ^ theirs) <= lengths


@warned
def test_a_whole_cornered_box_agrees_with_pycocotools_exactly():
    flat = [1, 1, 5, 1, 5, 3, 1, 3]
    theirs = reference.decode(reference.frPyObjects([flat], 5, 8))[:, :, 0].view(bool)
    assert np.array_equal(from_annotation({"segmentation": [flat]}, (5, 8)), theirs)


def test_all_annotations_of_a_photo():
    expected = ["##..#.", "##...#", "......", "#....."]
    assert rows(from_annotation(INSTANCES, image=7)) == expected
    assert rows(from_annotation(INSTANCES, image="a/cat.jpg")) == expected
    assert rows(from_annotation(INSTANCES, image="cat.jpg")) == expected
    assert rows(from_annotation(INSTANCES, (4, 6, 3), image="7")) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"category": "cat"}, ["##....", "##....", "......", "......"]),
        ({"category": 18}, ["....#.", ".....#", "......", "#....."]),
        ({"category": ["18"]}, ["....#.", ".....#", "......", "#....."]),
        ({"category": []}, ["##..#.", "##...#", "......", "#....."]),
        ({"category": ["cat", 18]}, ["##..#.", "##...#", "......", "#....."]),
        ({"category": "dog", "crowd": False}, ["....#.", ".....#", "......", "......"]),
        ({"min_area": 2, "max_area": 3}, ["....#.", ".....#", "......", "......"]),
        ({"max_area": 1}, ["......", "......", "......", "#....."]),
    ],
)
def test_filters(filters, expected):
    assert rows(from_annotation(INSTANCES, image=7, **filters)) == expected


def test_a_file_is_read_once_or_by_path(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(INSTANCES))
    assert read_instances(path) == INSTANCES
    assert np.array_equal(from_annotation(path, image="b/dog.jpg"), BENT)
    assert np.array_equal(from_annotation(str(path), (2, 3), image=8), BENT)


def test_the_only_photo_of_a_file_needs_no_name():
    alone = {**INSTANCES, "images": INSTANCES["images"][1:2]}
    assert np.array_equal(from_annotation(alone), BENT)


def test_a_mapping_is_a_mask_source():
    assert np.array_equal(as_mask(BENT_RLE, (2, 3)), BENT)
    assert np.array_equal(as_mask({"segmentation": BENT_RLE}, invert=True), ~BENT)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "annotates 3 photos; say which"),
        ({"image": "bird.jpg"}, "no photo of the id or name 'bird.jpg'"),
        ({"image": "dog.jpg"}, "2 photos of the id or name"),
        ({"image": 7, "category": "cow"}, "a/cat.jpg has no such annotation; it has 1 cat, 2 dog"),
        ({"image": 9}, "c/dog.jpg has no such annotation; it has none at all"),
        ({"image": 7, "category": "bird"}, "no category 'bird'; it has: cat, dog, cow"),
        ({"image": 7, "min_area": 5}, "no such annotation"),
    ],
)
def test_a_choice_that_finds_nothing(arguments, message):
    with pytest.raises(BadMask, match=message):
        from_annotation(INSTANCES, **arguments)


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        ({}, "a run-length code is"),
        ({"size": [2], "counts": [4]}, "a run-length code is"),
        ({"size": [2, 2]}, "a run-length code is"),
        ({"size": [0, 2], "counts": []}, "1×1"),
        ({"size": [2, 2], "counts": [3]}, "add up to 3.*2×2 pixels are 4"),
        ({"size": [2, 2], "counts": [5, -1]}, "damaged: they are not whole numbers"),
        ({"size": [2, 2], "counts": [1.5, 2.5]}, "damaged: they are not whole numbers"),
        ({"size": [2, 2], "counts": ["a"]}, "damaged: they are not whole numbers"),
        ({"size": [2, 2], "counts": [[4]]}, "damaged: they are not whole numbers"),
        ({"size": [2, 2], "counts": "9"}, "add up to 9"),
        ({"size": [2, 2], "counts": "\x7f\x7f"}, "damaged"),
        ({"size": [2, 2], "counts": b"4P"}, "damaged"),
        ({"size": [2, 2], "counts": "o" * 40}, "damaged"),
    ],
)
def test_a_code_that_is_none(rle, message):
    with pytest.raises(BadMask, match=message):
        from_rle(rle)


@pytest.mark.parametrize(
    "annotation", [{}, {"segmentation": None}, {"segmentation": "x"}, {"bbox": [0, 0, 2, 2]}]
)
def test_an_annotation_without_a_shape(annotation):
    with pytest.raises(BadMask, match="segmentation"):
        from_annotation(annotation, (4, 4))


def test_polygons_need_the_photos_size():
    with pytest.raises(BadMask, match="how large the photo is"):
        from_annotation({"segmentation": [[0, 0, 2, 0, 2, 2]]})


def test_an_annotation_of_another_size():
    with pytest.raises(MaskSizeMismatch, match="annotation is 3×2 pixels, but the photo is 9×8"):
        from_rle(BENT_RLE, (8, 9))
    with pytest.raises(MaskSizeMismatch, match="annotated photo is 6×4"):
        from_annotation(INSTANCES, (6, 4), image=7)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "no JSON"), ("[]", "no COCO annotations"), ("{}", "no COCO annotations")],
)
def test_a_file_that_is_no_instances_file(tmp_path, content, message):
    path = tmp_path / "odd.json"
    path.write_text(content)
    with pytest.raises(BadMask, match=rf"odd\.json.*{message}"):
        read_instances(path)


@pytest.mark.parametrize(
    "content",
    [
        {"images": [{"id": 1}], "annotations": [{}]},
        {"images": [{}], "annotations": []},
        {"images": [{"id": 1}], "annotations": None},
        {"images": None, "annotations": []},
        {"images": [{"id": 1}], "annotations": [{"image_id": 1, "area": "large"}]},
        {"images": [{"id": 1}], "annotations": [3]},
    ],
)
def test_a_garbled_file(content):
    with pytest.raises(BadMask, match="no COCO instances file"):
        from_annotation(content, (4, 4), image=1)


def test_a_missing_file(tmp_path):
    with pytest.raises(BadMask, match="no such file"):
        read_instances(tmp_path / "none.json")
