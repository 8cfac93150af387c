"""Drifts planted in photos: how well `infill.drift` measures and mends them.

A rendition is made of each picture by a known shift, zoom and change of colour (cubic splines,
in float64, so that the truth is exact), then damaged as a decoder or a file would, and measured
against the picture around a hole. Printed are the largest errors over all pictures and drifts, and
how far the colours in a rim of 3 pixels inside the hole are from the picture's, before and after.
Pictures are those that scikit-image brings along, and noise of many scales.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.threads import use_opencv_threads
from infill import drift
from infill.errors import EngineFailed

Triple = tuple[float, float, float]
PHOTOS = ("astronaut", "coffee", "chelsea", "rocket", "brick", "grass")
DAMAGES: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "blur 1, noise 2 %": {"blur": 1.0, "noise": 0.02},
    "blur 1.5, noise 3 %": {"blur": 1.5, "noise": 0.03},
    "JPEG, quality 40": {"jpeg": 40},
}
HOLES = (0.05, 0.6)
RIM = 3


@dataclass(frozen=True)
class Planted:
    """A drift to plant, as `infill.drift.Drift` has it; turn in degrees."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    gain: Triple = (1.0, 1.0, 1.0)
    offset: Triple = (0.0, 0.0, 0.0)
    turn: float = 0.0


DRIFTS = (
    Planted(0.3, -0.2),
    Planted(-1.4, 0.6),
    Planted(3.3, 5.0),
    Planted(-12.0, 7.7),
    Planted(scale=0.97),
    Planted(scale=1.03),
    Planted(gain=(0.85, 0.9, 1.0), offset=(0.06, 0.0, -0.03)),
    Planted(gain=(1.15, 1.1, 1.05), offset=(-0.06, -0.02, 0.0)),
    Planted(-7.0, 4.2, 1.02, (1.1, 1.0, 0.9), (0.0, -0.04, 0.03)),
    Planted(12.0, 9.0, 0.97, (0.85, 0.95, 0.9), (0.06, 0.03, 0.06)),
)
BEYOND = {
    "zoomed by 25 %": Planted(scale=1.25),
    "turned by 10 degrees": Planted(turn=10),
    "turned by 3 degrees": Planted(turn=3),
    "shifted by 60 pixels": Planted(60, 0),
    "gain 0.4": Planted(gain=(0.4, 0.4, 0.4)),
}


def noise(shape: tuple[int, int], seed: int = 0) -> NDArray[np.float32]:
    """(H, W, 3) in [0.1, 0.9]: smooth noise of seven scales, the coarse ones the strongest."""
    import cv2

    rng = np.random.default_rng(seed)
    total = np.zeros((*shape, 3), np.float32)
    for scale in range(7):
        cells = [max(4, side >> scale) for side in shape]
        layer = rng.standard_normal((*cells, 3)).astype(np.float32)
        size = shape[::-1]
        total += (0.5 + 0.3 * scale) * cv2.resize(layer, size, interpolation=cv2.INTER_CUBIC)
    total -= total.min((0, 1))
    return 0.1 + 0.8 * total / total.max((0, 1))


def photo(name: str) -> NDArray[np.float32]:
    """(H, W, 3) float32 in [0, 1], one of scikit-image's own pictures; grey ones as RGB."""
    from skimage import data

    pixels = getattr(data, name)()
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return pixels.astype(np.float32) / 255


def disc(shape: tuple[int, ...], share: float, seed: int = 0) -> NDArray[np.bool_]:
    """(H, W) bool: an ellipse that holds `share` of the picture, somewhat off its middle."""
    rng = np.random.default_rng(seed)
    middle = 0.4 + 0.2 * rng.random(2)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    away = np.hypot(rows / shape[0] - middle[0], columns / shape[1] - middle[1])
    return away <= np.quantile(away, share)


def plant(pixels: NDArray[np.float32], drifted: Planted) -> NDArray[np.float32]:
    """(H, W, 3): the rendition that has drifted so, mirrored at its edges, clipped to [0, 1]."""
    from scipy.ndimage import affine_transform

    turn = np.deg2rad(drifted.turn)
    cosine, sine = np.cos(turn), np.sin(turn)
    back = np.array([[cosine, -sine], [sine, cosine]]) / drifted.scale  # of (row, column)
    middle = (np.array(pixels.shape[:2]) - 1) / 2
    start = middle - back @ (middle + np.array([drifted.y, drifted.x]))
    moved = np.asarray(pixels, np.float64)
    if (drifted.x, drifted.y, drifted.scale, drifted.turn) != (0, 0, 1, 0):
        moved = np.stack(
            [
                affine_transform(moved[..., i], back, start, order=3, mode="mirror")
                for i in range(3)
            ],
            axis=-1,
        )
    coloured = moved * drifted.gain + drifted.offset
    return np.clip(coloured, 0, 1).astype(np.float32)


def damage(
    pixels: NDArray[np.float32], blur: float = 0, noise: float = 0, jpeg: int = 0, seed: int = 0
) -> NDArray[np.float32]:
    """Blurred (sigma in pixels), with Gaussian noise (of [0, 1]), and through a JPEG (quality)."""
    import cv2

    worse = cv2.GaussianBlur(pixels, (0, 0), blur) if blur else pixels.copy()
    if noise:
        drawn = np.random.default_rng(seed).standard_normal(pixels.shape, np.float32)
        worse = np.clip(worse + np.float32(noise) * drawn, 0, 1)
    if jpeg:
        steps = np.rint(worse[..., ::-1] * 255).astype(np.uint8)
        _, coded = cv2.imencode(".jpg", steps, [cv2.IMWRITE_JPEG_QUALITY, jpeg])
        worse = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32) / 255
    return np.ascontiguousarray(worse, np.float32)


def rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Hole pixels within RIM of the border."""
    import cv2

    core = cv2.erode(mask.view(np.uint8), np.ones((2 * RIM + 1,) * 2, np.uint8), borderValue=1)
    return mask & ~core.view(np.bool_)


@dataclass
class Row:
    """Largest errors over many cases: pixels, per cent, of 255; and seams, of 255."""

    shift: float = 0.0
    zoom: float = 0.0
    colour: float = 0.0
    refused: int = 0
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    def add(self, pixels: NDArray[np.float32], drifted: Planted, worse: NDArray[np.float32],
            mask: NDArray[np.bool_]) -> None:  # fmt: skip
        found = drift.measure(pixels, worse, mask)
        away = np.hypot(found.shift_x - drifted.x, found.shift_y - drifted.y)
        self.shift = max(self.shift, float(away))
        self.zoom = max(self.zoom, abs(found.scale - drifted.scale) * 100)
        usual = np.percentile(pixels[~mask], (2, 98), axis=0)
        true = usual * drifted.gain + drifted.offset
        seen = usual * found.gain + found.offset
        self.colour = max(self.colour, float(np.abs(true - seen).max()) * 255)
        try:
            mended, _ = drift.guard(pixels, worse, mask)
        except EngineFailed:
            self.refused += 1
            return
        where = rim(mask)
        self.before.append(float(np.abs(worse - pixels)[where].mean()) * 255)
        self.after.append(float(np.abs(mended - pixels)[where].mean()) * 255)


def rows(pictures: Mapping[str, NDArray[np.float32]]) -> Iterator[tuple[str, float, Row]]:
    """One for each damage and size of hole."""
    renditions = {
        (name, index): plant(pixels, drifted)
        for name, pixels in pictures.items()
        for index, drifted in enumerate(DRIFTS)
    }
    for label, wear in DAMAGES.items():
        for share in HOLES:
            row = Row()
            for (name, index), rendition in renditions.items():
                pixels = pictures[name]
                row.add(pixels, DRIFTS[index], damage(rendition, **wear), disc(pixels.shape, share))
            yield label, share, row


def verdicts(pictures: Mapping[str, NDArray[np.float32]]) -> Iterator[tuple[str, int, int]]:
    """What must be refused (or, the last ones, left alone): how often it was, out of how many."""
    names = list(pictures)
    for label, drifted in BEYOND.items():
        yield label, *_count((p, plant(p, drifted)) for p in pictures.values())
    yield "mirrored", *_count((p, np.ascontiguousarray(p[:, ::-1])) for p in pictures.values())
    pairs = zip(names, names[1:] + names[:1], strict=True)
    yield "another photo", *_count((pictures[a], _fitted(pictures[b], pictures[a].shape))
                                   for a, b in pairs)  # fmt: skip
    yield "random pixels", *_count((p, np.random.default_rng(1).random(p.shape, np.float32))
                                   for p in pictures.values())  # fmt: skip
    for label, wear in DAMAGES.items():
        yield (
            f"no drift, damage: {label}",
            *_count((p, damage(p, **wear)) for p in pictures.values()),
        )


def _count(
    pairs: Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> tuple[int, int, int]:
    """Refused, mended and left alone."""
    refused = mended = alone = 0
    for pixels, rendition in pairs:
        try:
            _, note = drift.guard(pixels, rendition, disc(pixels.shape, 0.2))
        except EngineFailed:
            refused += 1
        else:
            mended, alone = mended + (note is not None), alone + (note is None)
    return refused, mended, alone


def _fitted(pixels: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.resize(pixels, (shape[1], shape[0])), np.float32)


def seconds(rounds: int = 7) -> float:
    """The median time of `guard` for 1024 × 1024 with shift, zoom and colour, one thread."""
    pixels = noise((1024, 1024))
    worse = damage(plant(pixels, DRIFTS[8]), blur=1.0, noise=0.02)
    mask, taken = disc(pixels.shape, 0.2), []
    for _ in range(rounds):
        start = time.perf_counter()
        drift.guard(pixels, worse, mask)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--photos", nargs="+", choices=PHOTOS, default=PHOTOS)
    chosen = parser.parse_args(arguments).photos
    use_opencv_threads(1)
    pictures = {name: photo(name) for name in chosen} | {"noise": noise((512, 512))}
    print("| damage | hole | shift off by (px) | zoom off by (%) | colour off by (of 255) "
          "| rim before | rim after | refused |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for label, share, row in rows(pictures):
        print(
            f"| {label} | {share:.0%} | {row.shift:.3f} | {row.zoom:.3f} | {row.colour:.2f} "
            f"| {np.mean(row.before):.1f} | {np.mean(row.after):.2f} | {row.refused} |"
        )
    print("\n| rendition | refused | mended | left alone |\n|---|---|---|---|")
    for label, *counts in verdicts(pictures):
        print(f"| {label} | {' | '.join(map(str, counts))} |")
    print(f"\nguard, 1024 × 1024, one thread: {seconds():.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
