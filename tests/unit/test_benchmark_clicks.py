"""The benchmark of segmenters: its clicks, its figures and its folder."""

import numpy as np
import pytest
from benchmarks import clicks
from PIL import Image


def blank():
    return np.zeros((20, 30), bool)


def test_the_next_click_is_in_the_middle_of_the_largest_error():
    truth, mask = blank(), blank()
    truth[2:7, 2:7] = True  # missing, the largest piece
    mask[10:13, 10:13] = True  # too much
    assert clicks.next_click(mask, truth) == (4.5, 4.5, True)
    mask[2:7, 2:7] = True
    assert clicks.next_click(mask, truth) == (11.5, 11.5, False)
    assert clicks.next_click(truth, truth) is None


def test_an_error_at_the_photos_border_is_not_deepest_there():
    truth = blank()
    truth[:, :5] = True
    x, y, label = clicks.next_click(blank(), truth)
    assert label
    assert x == 2.5
    assert 2 < y < 18


def test_iou():
    a, b = blank(), blank()
    assert clicks.iou(a, b) == 1
    a[:2, :2] = b[:2, 1:3] = True
    assert clicks.iou(a, b) == pytest.approx(2 / 6)


def test_grabcut_stays_in_its_box_and_takes_the_whole_photo():
    pixels = np.full((40, 50, 3), 60, np.uint8)
    pixels[10:30, 15:35] = (220, 60, 40)
    found = clicks.grabcut(pixels, (8.0, 5.0, 42.0, 36.0))
    assert clicks.iou(found, (pixels[..., 0] == 220)) > 0.9
    assert clicks.grabcut(pixels, (0.0, 0.0, 50.0, 40.0)).shape == (40, 50)


def test_objects_are_read_from_the_folder_that_is_named(tmp_path, monkeypatch):
    (tmp_path / "clicks").mkdir()
    (tmp_path / "clicks.csv").write_text(
        "name,coco_class,click_x,click_y,box_x0,box_y0,box_x1,box_y1,area\n"
        "a,1,5,6,2,3,9,10,0.1\nb,2,5,6,2,3,9,10,0.2\n"
    )
    Image.new("RGB", (12, 14)).save(tmp_path / "clicks" / "a.jpg")
    Image.new("L", (12, 14), 255).save(tmp_path / "clicks" / "a_truth.png")
    monkeypatch.setenv("INFILL_BENCH_CLICKS", str(tmp_path))
    first, second = clicks.things_at_hand()
    assert (first.name, first.click, first.box) == ("a", (5, 6), (2, 3, 9, 10))
    pixels, truth = first.load()
    assert pixels.shape == (14, 12, 3)
    assert truth.all()
    assert clicks.choose([first, second], 1) == [first]
    Image.new("L", (3, 3)).save(tmp_path / "clicks" / "a_truth.png")
    with pytest.raises(SystemExit, match="not of the size"):
        first.load()


def test_a_missing_folder_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("INFILL_BENCH_CLICKS", raising=False)
    with pytest.raises(SystemExit, match="INFILL_BENCH_CLICKS"):
        clicks.things_at_hand()
    monkeypatch.setenv("INFILL_BENCH_CLICKS", str(tmp_path))
    with pytest.raises(SystemExit, match="no file"):
        clicks.things_at_hand()
