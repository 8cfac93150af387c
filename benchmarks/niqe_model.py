"""The model of undistorted photos that NIQE measures from.

    python -m benchmarks.niqe_model --photos DIR --out src/infill/metrics/niqe_model.npz

Every photo's blocks (96 × 96, half overlapping) are ranked by their mean local deviation, and
those above three quarters of the photo's best are kept (Mittal et al. 2013, section III). The
model is the mean and covariance of their 36 statistics. The file also holds how many photos and
blocks it is from, their names and what `--origin` says of them.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from infill.metrics.base import to_unit
from infill.metrics.niqe import BLOCK, FEATURES, corners, features, local_moments, luma

SHARP = 0.75
"""Share of the sharpest block's mean deviation that a block must have."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}


def sharpness(pixels: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Corners of a photo's blocks (n, 2) and their mean local deviation (n,)."""
    places = corners(pixels.shape[:2], BLOCK // 2)
    deviation = local_moments(luma(pixels))[1]
    found = [deviation[top : top + BLOCK, left : left + BLOCK].mean() for top, left in places]
    return places, np.array(found)


def sharp_features(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """The statistics of a photo's sharp blocks, (n, 36)."""
    places, sharp = sharpness(pixels)
    if not len(places):
        return np.empty((0, FEATURES))
    found = features(pixels, places[sharp > SHARP * sharp.max()])
    return found[np.isfinite(found).all(axis=1)]


def read(path: Path) -> NDArray[np.float32]:
    held = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if held is None:
        raise SystemExit(f"{path} is not a photo that can be read: take it out of the folder")
    return to_unit(cv2.cvtColor(held, cv2.COLOR_BGR2RGB))


def choose(photos: Sequence[Path], kinds: Sequence[str], most: int) -> list[Path]:
    """The sharpest photos of the kinds in their order, at most `most`.

    A photo is of a kind whose name its file name holds. An earlier kind is taken whole before a
    later one; within a kind the sharpest block decides. Without kinds all photos are one.
    """
    chosen: list[Path] = []
    for kind in kinds or [""]:
        of_kind = [path for path in photos if kind in path.stem and path not in chosen]
        best = {}
        for path in tqdm(of_kind, desc=kind or "photos"):
            sharp = sharpness(read(path))[1]
            best[path] = float(sharp.max(initial=0))
        ranked = sorted(of_kind, key=lambda path: (-best[path], path.name))
        chosen += ranked[: most - len(chosen)]
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of sharp photos")
    parser.add_argument("--out", type=Path, required=True, help="where the model goes (.npz)")
    parser.add_argument("--kinds", default="", help="names in file names, comma between them")
    parser.add_argument("--most", type=int, default=150, help="photos to take")
    parser.add_argument("--origin", default="", help="where the photos are from and their terms")
    given = parser.parse_args(arguments)
    photos = sorted(p for p in given.photos.iterdir() if p.suffix.lower() in SUFFIXES)
    kinds = [kind for kind in given.kinds.split(",") if kind]
    chosen = choose(photos, kinds, given.most)
    found = [sharp_features(read(path)) for path in tqdm(chosen, desc="fitting")]
    blocks = np.concatenate(found) if found else np.empty((0, FEATURES))
    if len(blocks) <= FEATURES:
        raise SystemExit(
            f"{given.photos} has {len(blocks)} sharp blocks and the model needs more than "
            f"{FEATURES}: give more or larger photos"
        )
    np.savez(
        given.out,
        mean=blocks.mean(axis=0),
        covariance=np.cov(blocks, rowvar=False),
        photos=len(chosen),
        blocks=len(blocks),
        names=np.array([path.name for path in chosen]),
        origin=given.origin,
    )
    print(f"{given.out}: {len(blocks)} blocks of {len(chosen)} photos")


if __name__ == "__main__":
    main()
