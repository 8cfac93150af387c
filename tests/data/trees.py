"""Small data sets on disk for tests."""

import json
from pathlib import Path
from typing import Any

from PIL import Image


def tree(root: Path, *names: str, size: tuple[int, int] = (9, 8)) -> Path:
    """A folder with these files: photos of `size` (width, height), or texts."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".png", ".jpg"):
            Image.new("RGB", size).save(path)
        else:
            path.write_text("no photo")
    return root


def box(number: int, photo: int, kind: int, at: tuple[int, int, int, int], **more: Any) -> dict:
    """An annotation: a box (x, y, width, height) as a polygon."""
    x, y, width, height = at
    corners = [x, y, x + width, y, x + width, y + height, x, y + height]
    return {
        "id": number,
        "image_id": photo,
        "category_id": kind,
        "segmentation": [corners],
        "area": float(width * height),
        "bbox": list(at),
        "iscrowd": 0,
    } | more


# Photos of 40 × 30: one with two people and a dog, one with a crowd, one with nothing.
PHOTOS = ("000000000001.jpg", "000000000002.jpg", "000000000003.jpg")
CROWD = {"size": [30, 40], "counts": [300, 600, 300]}
INSTANCES = {
    "info": {"description": "ähnlich", "year": 2017, "nested": [1, {"a": [2.5, None, True]}]},
    "annotations": [
        box(12, 1, 1, (20, 10, 10, 10)),
        box(11, 1, 1, (0, 0, 4, 5)),
        box(13, 1, 18, (5, 20, 20, 5)),
        {"id": 14, "image_id": 2, "category_id": 1, "area": 600, "segmentation": CROWD}
        | {"iscrowd": 1, "bbox": [10, 0, 20, 30]},
    ],
    "images": [
        {"id": n, "file_name": name, "height": 30, "width": 40} for n, name in enumerate(PHOTOS, 1)
    ],
    "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dög"}],
}


def coco(root: Path, instances: Any = INSTANCES, *, ascii_only: bool = False) -> Path:
    """A data set in COCO's layout."""
    tree(root, *(f"val2017/{name}" for name in PHOTOS), size=(40, 30))
    path = root / "annotations" / "instances_val2017.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(instances, ensure_ascii=ascii_only), encoding="utf-8")
    return root
