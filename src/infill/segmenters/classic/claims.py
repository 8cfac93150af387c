"""What a click, a brush or a box says of every superpixel: how likely it is meant as well."""

from dataclasses import dataclass

import numpy as np

from infill.segmenters.classic.graph import FAR, FARTHEST, LASTS, NEAR, Floats, Graph, Ints

TINY = 1e-9
CUES = ("near", "far", "farthest", "inner", "innermost", "apart", "colour")
"""How near to the prompt at three scales of diffusion; how much nearer than to the background, at
two; log distance (in a box: from its middle, in half sides); how much of its colours is the
prompt's own rather than the photo's."""
POINT = (0.0, 0.12, 0.0, 0.14, 0.0, -1.23, 1.86, -1.16)
"""Weights of the cues in the log odds for a click, and a constant; fitted like those of edges."""
BOX = (0.0, 0.22, 0.0, 0.35, 0.0, -1.78, 2.3, 2.03)
"""The same for a box."""


@dataclass(frozen=True, eq=False)
class Claim:
    """What one prompt says of every superpixel; all (N,).

    cues: one row for each of `CUES`. belief: log odds that a superpixel is meant.
    """

    cues: Floats
    belief: Floats

    def orders(self) -> list[Floats]:
        """Values by which superpixels may be taken, the surest first."""
        near, far, farthest, inner, innermost = self.cues[:5]
        return [self.belief, near, far, farthest, inner, innermost, self.belief + near]


def visits(graph: Graph, seeds: Ints, weights: Floats | None = None) -> Floats:
    """How often walkers from the seeds pass, (3, N), for each scale."""
    if weights is None:
        weights = np.full(len(seeds), 1 / len(seeds), np.float32)
    return np.asarray(np.einsum("ksn,s->kn", graph.kinship[:, seeds], weights), np.float32)


def point_claim(graph: Graph, seeds: Ints, background: Ints) -> Claim:
    """The claim of the superpixels that were clicked or brushed.

    background: superpixels that are hardly meant (the photo's border, what is outside of a box).
    """
    away = np.hypot(graph.x - graph.x[seeds, None], graph.y - graph.y[seeds, None]).min(0)
    apart = np.log(away / np.sqrt(graph.area.sum()) + 0.03)
    return _claim(graph, visits(graph, seeds), background, apart, POINT)


def box_claim(
    graph: Graph, inside: Floats, box: tuple[float, float, float, float], background: Ints
) -> Claim:
    """The claim of a box (x0, y0, x1, y1 in the reduced photo) for what lies in it.

    inside (N,): the share of each superpixel that lies in the box.
    """
    x0, y0, x1, y1 = box
    off = np.hypot(2 * (graph.x - x0) / (x1 - x0) - 1, 2 * (graph.y - y0) / (y1 - y0) - 1)
    core = graph.area * inside * np.exp(-2 * np.minimum(off, 2) ** 2)
    seeds = np.flatnonzero(core > 0).astype(np.int32)
    weights = (core[seeds] / core[seeds].sum()).astype(np.float32)
    return _claim(graph, visits(graph, seeds, weights), background, off, BOX)


def _claim(
    graph: Graph,
    passed: Floats,
    background: Ints,
    apart: Floats,
    weights: tuple[float, ...],
) -> Claim:
    cues = [np.log(passed[k] / passed[k].max() + TINY) for k in range(len(LASTS))]
    for scale in (FAR, FARTHEST):
        others = graph.kinship[scale, background].sum(0)
        cues.append(np.log(passed[scale] + 1e-12) - np.log(others + 1e-12))
    near = passed[NEAR] * graph.area
    own = near @ graph.colours / near.sum()
    rest = graph.area @ graph.colours / graph.area.sum()
    colour = graph.colours @ (own / (own + rest + TINY))
    table = np.stack([*cues, apart, colour]).astype(np.float32)
    belief = np.array(weights[:-1], np.float32) @ table + np.float32(weights[-1])
    return Claim(table, belief)


def contest(graph: Graph, seed: Ints, others: Ints) -> list[Floats]:
    """How much nearer than to the other clicks each superpixel is to this one, for two scales."""
    found = []
    for scale in (NEAR, FAR):
        table = graph.kinship[scale]
        own = table[seed].mean(0)
        theirs = (table[others] / table[others].max(1, keepdims=True)).max(0)
        found.append(np.log(own / own.max() + TINY) - np.log(theirs + TINY))
    return found
