"""Regions that a prompt may mean, and what can be measured of each.

A prompt asks for a region to be added to what is selected already (nothing, at first) or taken
away from it. The proposals are the superpixels that come first in some order, at many sizes, and
the least cuts between what is believed and what is not, from tight to wide.
"""

from dataclasses import dataclass, field

import numpy as np

from infill.segmenters.classic import kernels
from infill.segmenters.classic.claims import Claim, contest
from infill.segmenters.classic.cut import min_cut
from infill.segmenters.classic.graph import Bools, Floats, Graph, Ints, chi

SIZES = 12
"""At how many sizes an order of superpixels is cut off."""
BIASES = tuple(float(bias) for bias in np.linspace(-1.5, 4.5, 9))
"""What is taken off the log odds before a cut: the more, the tighter."""
LARGEST = 0.85
"""No object covers more of the photo."""
MEASURES = (
    "edge", "outline", "contrast", "shared", "border", "round", "whole", "off", "inner", "inmost",
    "deep", "believed", "around", "leak", "size", "size2", "unlike", "gaps",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Ask:
    """One step: to add (`add`) to what is selected, or to take away, around the seeds.

    selected (N,): what is selected so far. domain (N,): where the region may lie. others: what
    was clicked with the other meaning. box: x0, y0, x1, y1 in the reduced photo, None for a click.
    """

    graph: Graph
    claim: Claim
    seeds: Ints
    add: bool
    selected: Bools
    domain: Bools
    others: Ints
    box: tuple[float, float, float, float] | None = None
    first: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", not self.selected.any())

    def after(self, regions: Bools) -> Bools:
        """What is selected when each region is added or taken away, (C, N)."""
        return self.selected ^ regions


def proposals(ask: Ask) -> Bools:
    """Different regions within the domain, (C, N), each with the seeds in it; C >= 1."""
    graph, area = ask.graph, ask.graph.area
    total, room = area.sum(), area[ask.domain].sum()
    orders = ask.claim.orders()
    rivals = contest(graph, ask.seeds, ask.others) if len(ask.others) else []
    least = min(0.008 * total if ask.first else 0.003 * total, room * 0.5)
    most = max(least, min(0.6 * total if ask.add else room, room))
    inside = np.flatnonzero(ask.domain)
    found: dict[bytes, Bools] = {}
    for order in orders + rivals:
        ranked = inside[np.argsort(-order[inside], kind="stable")]
        sizes = np.cumsum(area[ranked])
        for size in np.geomspace(least, most, SIZES):
            last = min(len(ranked) - 1, int(np.searchsorted(sizes, size)))
            _collect(found, ask, order >= order[ranked[last]])
    for order in [ask.claim.belief, *rivals[1:]]:
        for bias in BIASES:
            _collect(found, ask, _cut(ask, order - bias))
    if not ask.first or not found:
        _collect(found, ask, ask.domain, force=True)
    return np.stack(list(found.values()))


def _collect(found: dict[bytes, Bools], ask: Ask, taken: Bools, force: bool = False) -> None:
    """Keep the region if it is new, cleaned: it hangs together with the seeds, without holes."""
    graph = ask.graph
    region = taken & ask.domain
    if ask.box is None:
        region[ask.seeds] = True
        region = kernels.component(graph.starts, graph.nodes, region, ask.seeds)
    else:
        region = _main_parts(graph, region)
    if ask.first:
        region = filled(graph, region, ask.others) & ask.domain
    selected = graph.area[region].sum() + (graph.area[ask.selected].sum() if ask.add else 0)
    if region.any() and (force or selected <= LARGEST * graph.area.sum() or ask.box):
        found.setdefault(region.tobytes(), region)


def _cut(ask: Ask, odds: Floats) -> Bools:
    """The least cut between what is believed and what is not, with the seeds on the one side."""
    graph = ask.graph
    price = -4 * odds * graph.area / graph.area.mean()
    price[ask.seeds] = -1e4 if ask.box is None else price[ask.seeds]
    price[~ask.domain] = 1e4
    within = ask.domain[graph.a] & ask.domain[graph.b]
    if ask.box is not None:
        within[:] = True
    weights = 0.5 * graph.length * (1 - graph.edge) * within
    return min_cut(
        graph.starts, graph.nodes, graph.twin, weights[graph.edge_at], price.astype(np.float32)
    )


def filled(graph: Graph, region: Bools, keep: Ints, share: float = 0.15) -> Bools:
    """The region without its holes, but for those larger than `share` of it, or with `keep` in."""
    open_ones = np.concatenate([np.flatnonzero(graph.border), keep]).astype(np.int32)
    outside = kernels.component(graph.starts, graph.nodes, ~region, open_ones)
    holes = ~region & ~outside
    limit = share * graph.area[region].sum()
    while holes.any():
        one = np.flatnonzero(holes)[:1].astype(np.int32)
        hole = kernels.component(graph.starts, graph.nodes, holes, one)
        if graph.area[hole].sum() < limit:
            region = region | hole
        holes &= ~hole
    return region


def _main_parts(graph: Graph, region: Bools, share: float = 0.15) -> Bools:
    """The parts that hang together, but for those smaller than `share` of the largest."""
    parts, left = [], region.copy()
    while left.any():
        one = np.flatnonzero(left)[:1].astype(np.int32)
        parts.append(kernels.component(graph.starts, graph.nodes, left, one))
        left &= ~parts[-1]
    sizes = [graph.area[part].sum() for part in parts]
    kept = [p for p, size in zip(parts, sizes, strict=True) if size >= share * max(sizes)]
    return np.any(kept, axis=0) if kept else region


def measure(ask: Ask, regions: Bools) -> Floats:
    """(C, F) float32, a column for each of `MEASURES`.

    edge: mean probability of an edge along the outline that is new; outline: the same along all
    of the outline then. contrast, unlike: distance of the colours to those around, in the domain
    and beyond it. shared: the part of the outline that is old. border: share of the photo's
    border. round, whole: compactness of the region, and of all that is selected then. off,
    inner, inmost, deep: how far the click is from the middle, and from the outline, beside the
    region's size, the domain's nearest end and the deepest place. believed, around: mean belief
    inside, and just outside. leak: how readily a walker leaves. size, size2: log share of the
    photo, and its square. gaps: mean distance to the sides of the prompt's box.
    """
    graph, domain = ask.graph, ask.domain
    area, length, edge = graph.area, graph.length, graph.edge
    total = area.sum()
    r = regions.astype(np.float32)
    size = r @ area
    cut = regions[:, graph.a] != regions[:, graph.b]
    before = ask.selected[graph.a] != ask.selected[graph.b]
    free = cut & ~before
    along, loose = cut @ length + 1e-6, free @ length
    after = ask.after(regions)
    line = after[:, graph.a] != after[:, graph.b]
    whole = line @ length + 1e-6
    left = after @ area + 1e-6
    ring = kernels.rings(graph.starts, graph.nodes, regions, 2)
    near, beyond = ring & domain, ring & ~domain
    own = (r * area) @ graph.colours / size[:, None]
    belief = ask.claim.belief
    believed = r @ (area * belief) / size
    room = near @ area
    around = np.where(room > 0, near @ (area * belief) / (room + 1e-6), believed - 3)
    degree = r @ graph.degree
    leak = free @ graph.ease / (np.minimum(degree, graph.degree.sum() - degree) + 1e-6)
    log_size = np.log(size / total)
    columns = [
        np.where(loose > 0, free @ (length * edge) / (loose + 1e-6), 0.5),
        line @ (length * edge) / whole,
        _unlike(graph, own, near),
        1 - loose / along,
        r @ graph.border.astype(np.float32) / graph.border.sum(),
        np.log(4 * np.pi * size / along**2),
        np.log(4 * np.pi * left / whole**2),
        *_places(ask, regions, size),
        believed,
        around,
        np.log(leak + 1e-3),
        log_size,
        log_size**2,
        _unlike(graph, own, beyond),
        _gaps(ask, regions),
    ]
    return np.stack(columns, 1).astype(np.float32)


def _unlike(graph: Graph, own: Floats, ring: Bools) -> Floats:
    """Distance of histograms: the regions' own (C, K), and of what lies in the rings (C, N)."""
    room = ring @ graph.area
    theirs = (ring * graph.area) @ graph.colours / (room[:, None] + 1e-6)
    return np.where(room > 0, chi(own, theirs), 0.7)


def _places(ask: Ask, regions: Bools, size: Floats) -> list[Floats]:
    """Where the click lies in each region: off, inner, inmost."""
    graph = ask.graph
    if ask.box is not None:
        return [np.zeros(len(regions), np.float32)] * 4
    x0, y0 = graph.x[ask.seeds].mean(), graph.y[ask.seeds].mean()
    dx, dy = graph.x - x0, graph.y - y0
    away = np.hypot(dx, dy)
    weighted = regions * graph.area
    off = np.hypot(weighted @ dx, weighted @ dy) / size**1.5
    far = np.sqrt(graph.area.sum())
    inner = np.where(regions, far, away).min(1)
    free = np.where(ask.domain, far, away).min()
    height, width = graph.labels.shape
    border = np.minimum.reduce([graph.x, graph.y, width - graph.x, height - graph.y])
    depth = kernels.depths(graph.starts, graph.nodes, graph.x, graph.y, border, regions)
    deep = depth[:, ask.seeds].max(1) / depth.max(1)
    return [off, inner / np.sqrt(size), inner / free, deep]


def _gaps(ask: Ask, regions: Bools) -> Floats:
    """Mean distance between each region's sides and the box's, in shares of the box; 0 without."""
    graph = ask.graph
    if ask.box is None:
        return np.zeros(len(regions), np.float32)
    x0, y0, x1, y1 = ask.box
    half = 0.5 * np.sqrt(graph.area)
    far = np.float32(1e6)
    sides = (
        (np.where(regions, graph.x - half, far).min(1) - x0) / (x1 - x0),
        (np.where(regions, graph.y - half, far).min(1) - y0) / (y1 - y0),
        (x1 - np.where(regions, graph.x + half, -far).max(1)) / (x1 - x0),
        (y1 - np.where(regions, graph.y + half, -far).max(1)) / (y1 - y0),
    )
    return np.asarray(np.maximum(0, np.stack(sides)).mean(0), np.float32)
