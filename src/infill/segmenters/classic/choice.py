"""From what was pointed at to regions with scores: one step after the other, then three to choose.

The score of a proposal is a weighted sum of its measures, fitted by least squares to the overlap
(intersection over union) with the outlined object, on clicks like those of `benchmarks.clicks`.
"""

import numpy as np

from infill.segmenters.base import Box, Prompt
from infill.segmenters.classic import kernels
from infill.segmenters.classic.claims import box_claim, point_claim
from infill.segmenters.classic.graph import Bools, Floats, Graph, Ints
from infill.segmenters.classic.outline import at
from infill.segmenters.classic.regions import MEASURES, Ask, measure, proposals
from infill.segmenters.classic.weights import WEIGHTS

TIGHTER, WIDER = 0.75, 1.33
"""Another candidate has at most, or at least, this share of the first one's area."""


def choose(graph: Graph, size: tuple[int, int], prompt: Prompt) -> list[tuple[Bools, float]]:
    """One to three sets of superpixels, (N,) bool, and their scores in [0, 1], best first.

    size: (H, W) of the photo, in whose pixels the prompt is.
    """
    seeds = [_superpixel(graph, size, point) for point in prompt.points]
    yes = [s for s, label in zip(seeds, prompt.labels, strict=True) if label]
    no = [s for s, label in zip(seeds, prompt.labels, strict=True) if not label]
    allowed = np.ones(len(graph), np.bool_)
    selected = np.zeros(len(graph), np.bool_)
    found: tuple[Bools, Floats] | None = None
    steps = list(zip(seeds, prompt.labels, strict=True))
    if prompt.box is not None:
        found = _best(_box_ask(graph, size, prompt.box))
        allowed = _share_in(graph, _reduced_box(graph, size, prompt.box)) > 0
        selected = found[0][0]
    if prompt.brush is not None and prompt.brush.any():
        painted = _painted(graph, prompt.brush)
        if found is None:
            found = _best(_click_ask(graph, painted, True, selected, allowed, _ints(no)))
            selected = found[0][0]
        else:
            selected = selected | _mask(graph, painted)
            found = found[0] | _mask(graph, painted), found[1]
    if found is None:  # the first step must add something
        steps.insert(0, steps.pop(prompt.labels.index(True)))
    given: tuple[list[int], list[int]] = ([], [])
    for seed, label in steps:
        if found is None or bool(selected[seed]) != label:
            allowed[seed] = True
            others = _ints([other for other in given[not label] if other != seed])
            found = _best(_click_ask(graph, _ints([seed]), label, selected, allowed, others))
            selected = found[0][0]
        given[label].append(seed)
    assert found is not None, "a prompt says where the object is"
    masks, scores = found
    masks = masks.copy()
    masks[:, no] = False
    masks[:, yes] = True
    return _three(graph, masks, scores)


def _three(graph: Graph, masks: Bools, scores: Floats) -> list[tuple[Bools, float]]:
    """The best, the best of the clearly tighter ones and the best of the clearly wider ones."""
    areas = masks @ graph.area
    chosen = [0]
    for fits in (areas <= TIGHTER * areas[0], areas >= WIDER * areas[0]):
        fitting = np.flatnonzero(fits & (areas > 0))
        if len(fitting):
            chosen.append(int(fitting[0]))
    chosen.sort()  # they come by score
    return [(masks[i], float(np.clip(scores[i], 0, 1))) for i in chosen]


def _best(ask: Ask) -> tuple[Bools, Floats]:
    """What would be selected after each proposal, (C, N), and scores (C,), by score."""
    regions = proposals(ask)
    kind = "box" if ask.box else "click" if ask.first else "add" if ask.add else "remove"
    weights = WEIGHTS[kind]
    values = np.array([weights.get(name, 0.0) for name in MEASURES])
    scores = measure(ask, regions) @ values + weights["constant"]
    order = np.argsort(-scores, kind="stable")
    return ask.after(regions)[order], scores[order]


def _click_ask(
    graph: Graph, seeds: Ints, add: bool, selected: Bools, allowed: Bools, others: Ints
) -> Ask:
    """Add or take away around the seeds, within what is allowed and hangs together with them."""
    domain = (~selected & allowed) if add else selected.copy()
    domain[others] = False
    domain[seeds] = True
    domain = kernels.component(graph.starts, graph.nodes, domain, seeds)
    background = _ints(np.flatnonzero(graph.border))
    claim = point_claim(graph, seeds, background)
    return Ask(graph, claim, seeds, add, selected, domain, others)


def _box_ask(graph: Graph, size: tuple[int, int], box: Box) -> Ask:
    """Add something that fits the box."""
    small = _reduced_box(graph, size, box)
    inside = _share_in(graph, small)
    domain = inside >= 0.5
    if not domain.any():
        domain = inside > 0
    background = np.flatnonzero(~domain)
    if not len(background):
        background = np.flatnonzero(graph.border)
    claim = box_claim(graph, inside, small, _ints(background))
    nothing = np.zeros(len(graph), np.bool_)
    return Ask(graph, claim, _ints([]), True, nothing, domain, _ints([]), small)


def _superpixel(graph: Graph, size: tuple[int, int], point: tuple[float, float]) -> int:
    height, width = graph.labels.shape
    return int(graph.labels[at(point[1], size[0], height), at(point[0], size[1], width)])


def _painted(graph: Graph, brush: Bools) -> Ints:
    """Superpixels at least half painted over; the one painted most if there is none."""
    height, width = graph.labels.shape
    rows = (np.arange(brush.shape[0]) * height) // brush.shape[0]
    columns = (np.arange(brush.shape[1]) * width) // brush.shape[1]
    owner = graph.labels[rows[:, None], columns]
    count = len(graph)
    share = np.bincount(owner.ravel(), brush.ravel(), count) / np.bincount(
        owner.ravel(), minlength=count
    )
    painted = np.flatnonzero(share >= 0.5)
    return _ints(painted if len(painted) else [int(share.argmax())])


def _reduced_box(
    graph: Graph, size: tuple[int, int], box: Box
) -> tuple[float, float, float, float]:
    """The box in the reduced photo, cut to it."""
    height, width = graph.labels.shape
    across, down = width / size[1], height / size[0]
    x0, y0 = max(0.0, box[0] * across), max(0.0, box[1] * down)
    return x0, y0, min(width, box[2] * across), min(height, box[3] * down)


def _share_in(graph: Graph, box: tuple[float, float, float, float]) -> Floats:
    """The share of each superpixel that lies in the box, (N,) float32."""
    height, width = graph.labels.shape
    top, left = min(round(box[1]), height - 1), min(round(box[0]), width - 1)
    part = graph.labels[top : max(top + 1, round(box[3])), left : max(left + 1, round(box[2]))]
    return (np.bincount(part.ravel(), minlength=len(graph)) / graph.area).astype(np.float32)


def _mask(graph: Graph, superpixels: Ints) -> Bools:
    mask = np.zeros(len(graph), np.bool_)
    mask[superpixels] = True
    return mask


def _ints(values: object) -> Ints:
    return np.array(values, np.int32)
