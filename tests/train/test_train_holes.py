"""Masks to learn with: the same by seed, of the kinds and sizes asked for, quick."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infill.errors import BadMask
from infill.train.data.crops import random_numbers
from infill.train.holes import Holes, outlines, placed
from infill.train.tables import MaskConfig

ALL = MaskConfig(free_form=1, rectangle=1, object=1, border=1, both=1, area=(0.1, 0.4), pool=12)


def only(kind: str, **changes: object) -> MaskConfig:
    values = {"free_form": 0.0, "area": (0.1, 0.4), "pool": 12} | {kind: 1.0} | changes
    return MaskConfig(**values)  # type: ignore[arg-type]


def annotations(path: Path) -> Path:
    """A COCO file with one L-shaped object, one that is too small, and a crowd."""
    corner = [[10, 10, 70, 10, 70, 30, 30, 30, 30, 90, 10, 90]]
    small = [[0, 0, 5, 0, 5, 5, 0, 5]]
    entries = [
        {"segmentation": corner, "bbox": [10, 10, 60, 80], "iscrowd": 0},
        {"segmentation": small, "bbox": [0, 0, 5, 5], "iscrowd": 0},
        {"segmentation": {"size": [1, 1], "counts": [1]}, "bbox": [0, 0, 90, 90], "iscrowd": 1},
    ]
    for number, entry in enumerate(entries):
        entry |= {"id": number, "image_id": 7, "category_id": 1, "area": 1}
    images = [{"id": 7, "height": 100, "width": 120, "file_name": "7.jpg"}]
    path.write_text(json.dumps({"images": images, "annotations": entries, "categories": []}))
    return path


def test_follow_from_seed_step_and_place_alone() -> None:
    first = Holes(ALL, 32, seed=1).batch(5, range(20))
    again = Holes(ALL, 32, seed=1)
    again.batch(4, range(7))
    np.testing.assert_array_equal(first, again.batch(5, range(20)))
    np.testing.assert_array_equal(first[10:], again.batch(5, range(10, 20)))
    assert first.shape == (20, 32, 32)
    assert first.dtype == np.bool_
    assert not np.array_equal(first, again.batch(6, range(20)))
    assert not np.array_equal(first, Holes(ALL, 32, seed=2).batch(5, range(20)))


@pytest.mark.parametrize("kind", ["free_form", "rectangle", "object", "border"])
def test_the_area_lies_in_range(kind: str) -> None:
    masks = Holes(only(kind), 48, seed=0).batch(0, range(60))
    shares = masks.mean(axis=(1, 2))
    assert shares.min() > 0.1 - 0.03
    assert shares.max() < 0.4 + 0.03
    assert shares.max() - shares.min() > 0.1
    assert len(np.unique(masks.reshape(60, -1), axis=0)) > 30


def test_the_kinds_are_what_they_are_called() -> None:
    for mask in Holes(only("rectangle"), 32, seed=0).batch(0, range(10)):
        rows, columns = mask.any(axis=1), mask.any(axis=0)
        np.testing.assert_array_equal(mask, rows[:, None] & columns)
    for mask in Holes(only("border"), 32, seed=0).batch(0, range(10)):
        kept = ~mask
        np.testing.assert_array_equal(kept, kept.any(axis=1)[:, None] & kept.any(axis=0))
        assert mask[0].all() or mask[-1].all() or mask[:, 0].all() or mask[:, -1].all()


def test_come_as_often_as_their_weights_say() -> None:
    config = MaskConfig(free_form=0.0, rectangle=3.0, border=1.0, area=(0.1, 0.3))
    masks = Holes(config, 24, seed=0).batch(0, range(400))
    rims = sum(
        bool((~mask).any(axis=1).sum() * (~mask).any(axis=0).sum() == (~mask).sum())
        for mask in masks
    )
    assert 70 < rims < 160


def test_are_drawn_fast_enough_to_train_with() -> None:
    holes = Holes(replace(ALL, pool=16), 128, seed=0)
    holes.batch(0, range(16))
    begun = time.perf_counter()
    holes.batch(1, range(200))
    assert (time.perf_counter() - begun) / 200 < 0.002


class TestObjects:
    def test_outlines_are_cut_out_of_their_photos(self, tmp_path: Path) -> None:
        (found,) = outlines(annotations(tmp_path / "a.json"), 10, seed=0)
        assert found.shape == (80, 60)
        assert found[:20].all()
        assert found[:, :20].all()
        assert not found[20:, 20:].any()

    def test_keep_their_form_when_they_are_placed(self) -> None:
        shape = np.ones((80, 60), np.bool_)
        shape[20:, 20:] = False
        for number in range(20):
            mask = placed(shape, 100, 0.1, random_numbers(number))
            assert mask.mean() == pytest.approx(0.1, rel=0.1)
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            assert np.ptp(rows) / np.ptp(columns) == pytest.approx(80 / 60, rel=0.1)

    def test_one_too_long_is_cut_off(self) -> None:
        mask = placed(np.ones((2, 400), np.bool_), 50, 0.5, random_numbers(0))
        assert mask.shape == (50, 50)
        assert mask.any()

    def test_are_what_the_masks_are_made_of(self, tmp_path: Path) -> None:
        path = str(annotations(tmp_path / "a.json"))
        masks = Holes(only("object", annotations=path), 48, seed=0).batch(0, range(20))
        assert masks.mean(axis=(1, 2)).max() < 0.45
        assert masks.any(axis=(1, 2)).all()

    def test_a_file_without_objects_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.write_text(json.dumps({"images": [], "annotations": []}))
        with pytest.raises(BadMask, match="annotates no object"):
            Holes(only("object", annotations=str(path)), 32, seed=0)
        path.write_text(json.dumps({"annotations": [{}], "images": []}))
        with pytest.raises(BadMask, match="lacks or garbles"):
            outlines(path, 3, seed=0)
