"""A photo as a graph: superpixels, how strong the edges between them are, and how near they are.

How near two superpixels are is told by diffusion: a walker starts on one, crosses weak edges
more readily than strong ones and gives up after a while; the more often it comes by the other,
the nearer that is. All pairs are computed at once, so a click costs a look at one row. See
Grady, "Random walks for image segmentation" (2006), and Zhou et al., "Learning with local and
global consistency" (2004), for this form of it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from infill.segmenters.classic import kernels

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

SIDE = 480
"""Longest side of the reduced photo, in pixels."""
SUPERPIXELS = 1200
COLOURS = 24
"""How many colours the photo is reduced to for histograms."""
EDGE = (0.95, 0.3, 2.0, 1.9, -2.5)
"""Log odds that an object ends between two superpixels: weights of the gradient (fine, coarse), of
the histograms' distance (own, with surroundings) and a constant; fitted to the edges of objects."""
NEAR, FAR, FARTHEST = 0, 1, 2
LASTS = (0.98, 0.996, 0.999)
"""Probability that a walker goes on for one more step: the scales NEAR, FAR and FARTHEST."""


@dataclass(frozen=True, eq=False)
class Graph:
    """What is kept of a photo. N superpixels, M edges between those that touch, a[i] < b[i].

    labels (H, W): the superpixel of each pixel of the reduced photo; small (H, W, 3) uint8 RGB.
    area, x, y (N,): pixels and centre; border (N,): touches the photo's border.
    colours (N, K): histogram over the photo's own K colours; around (N, K): the same with its
    surroundings. length, edge, ease (M,): pixels along the border, the probability that an
    object ends there, and how readily a walker passes. degree (N,): sum of ease.
    kinship (3, N, N): how often a walker from one passes the other, for each of `LASTS`.
    starts, nodes, twin, edge_at: the edges in compressed rows; edge_at (2M,) is 0…M-1.
    """

    labels: Ints
    small: NDArray[np.uint8]
    area: Floats
    x: Floats
    y: Floats
    border: Bools
    colours: Floats
    around: Floats
    a: Ints
    b: Ints
    length: Floats
    edge: Floats
    ease: Floats
    degree: Floats
    kinship: Floats
    starts: Ints
    nodes: Ints
    twin: Ints
    edge_at: Ints

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in vars(self).values())

    def __len__(self) -> int:
        return len(self.area)


def reduced(pixels: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """The photo with its longest side at `side`; never enlarged."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(pixels)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def build(pixels: NDArray[np.uint8]) -> Graph:
    """The graph of a photo, (H, W, 3) uint8 RGB."""
    small = reduced(pixels)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    labels = superpixels(lab)
    count = int(labels.max()) + 1
    height, width = labels.shape
    flat = labels.ravel()
    area = np.bincount(flat, minlength=count).astype(np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32) + 0.5
    y, x = (np.bincount(flat, where.ravel(), count) / area for where in (rows, columns))
    means = np.stack([np.bincount(flat, lab[..., c].ravel(), count) / area for c in range(3)], 1)
    colours = histograms(lab, flat, palette(means, area), count)
    a, b, length, gradient = touching(labels, lab)
    likeness = np.exp(-np.linalg.norm(means[a] - means[b], axis=1) / 8).astype(np.float32)
    around = pooled(colours, area, a, b, likeness)
    cues = (*np.log1p(gradient.T), chi(colours[a], colours[b]), chi(around[a], around[b]))
    odds = sum(weight * cue for weight, cue in zip(EDGE, cues, strict=False)) + EDGE[-1]
    edge = (1 / (1 + np.exp(-np.asarray(odds, np.float64)))).astype(np.float32)
    ease = length * (1 - edge) ** 2
    degree, kinship = diffusion(a, b, ease, count)
    border = np.zeros(count, np.bool_)
    border[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    return Graph(
        labels,
        small,
        area,
        x.astype(np.float32),
        y.astype(np.float32),
        border,
        colours,
        around,
        a,
        b,
        length,
        edge,
        ease,
        degree,
        kinship,
        *compressed(a, b, count),
    )


def superpixels(lab: Floats) -> Ints:
    """Labels (H, W), 0 … N - 1, of superpixels that each hang together."""
    height, width = lab.shape[:2]
    step = max(1.0, (height * width / SUPERPIXELS) ** 0.5)
    soft = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.7), np.float32)
    return kernels.mended(kernels.slic(soft, step, 8.0, 7), max(1, int(step * step / 5)))


def palette(means: NDArray[np.float64], area: Floats) -> NDArray[np.float64]:
    """The photo's main colours, (K, 3) Lab: k-means of superpixels, from the farthest apart."""
    start = np.average(means, axis=0, weights=area)
    centres = [means[np.argmin(((means - start) ** 2).sum(1))]]
    far = ((means - centres[0]) ** 2).sum(1)
    for _ in range(min(COLOURS, len(means)) - 1):
        centres.append(means[np.argmax(far * np.sqrt(area))])
        far = np.minimum(far, ((means - centres[-1]) ** 2).sum(1))
    found = np.array(centres)
    for _ in range(8):
        nearest = ((means[:, None] - found[None]) ** 2).sum(2).argmin(1)
        for k in range(len(found)):
            mine = nearest == k
            if mine.any():
                found[k] = np.average(means[mine], axis=0, weights=area[mine])
    return found


def histograms(lab: Floats, flat: Ints, centres: NDArray[np.float64], count: int) -> Floats:
    """How much of each superpixel has each of the K colours, (N, K), rows sum to 1."""
    centres32 = centres.astype(np.float32)
    nearest = ((centres32**2).sum(1) - 2 * lab.reshape(-1, 3) @ centres32.T).argmin(1)
    kinds = len(centres)
    table = np.bincount(flat.astype(np.int64) * kinds + nearest, minlength=count * kinds)
    table = table.reshape(count, kinds)
    return (table / table.sum(1, keepdims=True)).astype(np.float32)


def touching(labels: Ints, lab: Floats) -> tuple[Ints, Ints, Floats, Floats]:
    """Pairs of superpixels that touch: a, b, length (M,) in pixels, mean gradients (M, 2)."""
    gradients = []
    for sigma in (1.0, 2.5):
        total = np.zeros(labels.shape, np.float32)
        for channel, weight in enumerate((1.0, 1.5, 1.5)):
            soft = cv2.GaussianBlur(np.ascontiguousarray(lab[..., channel]), (0, 0), sigma)
            for dx, dy in ((1, 0), (0, 1)):
                total += weight * cv2.Sobel(soft, cv2.CV_32F, dx, dy, scale=sigma / 8) ** 2
        gradients.append(np.sqrt(total))
    keys, values = kernels.borders(labels, np.stack(gradients, -1))
    count = int(labels.max()) + 1
    pairs, inverse, length = np.unique(keys, return_inverse=True, return_counts=True)
    sums = [np.bincount(inverse, values[:, k], len(pairs)) for k in range(2)]
    return (
        (pairs // count).astype(np.int32),
        (pairs % count).astype(np.int32),
        length.astype(np.float32),
        (np.stack(sums, 1) / length[:, None]).astype(np.float32),
    )


def pooled(table: Floats, area: Floats, a: Ints, b: Ints, likeness: Floats) -> Floats:
    """Rows mixed with those of neighbours of like colour, twice."""
    count = len(area)
    mix = np.eye(count, dtype=np.float32)
    mix[a, b] = mix[b, a] = likeness
    mix *= area
    mix /= mix.sum(1, keepdims=True)
    return np.asarray(mix @ (mix @ table), np.float32)


def chi(p: Floats, q: Floats) -> Floats:
    """The χ² distance of histograms along the last axis, 0 to 1."""
    return np.asarray(0.5 * ((p - q) ** 2 / (p + q + 1e-9)).sum(-1), np.float32)


def diffusion(a: Ints, b: Ints, ease: Floats, count: int) -> tuple[Floats, Floats]:
    """degree (N,), and kinship (3, N, N) float32: visits of a walker, per degree; symmetric."""
    weights = np.zeros((count, count), np.float32)
    weights[a, b] = weights[b, a] = ease
    degree = weights.sum(1) + np.float32(1e-3)
    scale = np.sqrt(degree[:, None] * degree)
    weights /= scale
    kinship = np.empty((len(LASTS), count, count), np.float32)
    for i, last in enumerate(LASTS):
        system = np.eye(count, dtype=np.float32) - np.float32(last) * weights
        kinship[i] = np.maximum(np.linalg.inv(system), 0) / scale
    return degree, kinship


def compressed(a: Ints, b: Ints, count: int) -> tuple[Ints, Ints, Ints, Ints]:
    """starts (N + 1,), nodes, twin and edge_at (2M,): every edge in both directions, by node."""
    edges = len(a)
    source, target = np.concatenate([a, b]), np.concatenate([b, a])
    order = np.lexsort((target, source))
    place = np.empty(2 * edges, np.int32)
    place[order] = np.arange(2 * edges)
    starts = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=count))])
    twin = np.concatenate([place[edges:], place[:edges]])[order]
    edge_at = order % max(1, edges)
    return (
        starts.astype(np.int32),
        target[order].astype(np.int32),
        twin.astype(np.int32),
        edge_at.astype(np.int32),
    )
