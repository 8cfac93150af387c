"""The minimum cut of a graph, compiled by Numba and cached on disk; it releases the GIL."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


@njit(cache=True, nogil=True)
def min_cut(
    starts: Ints, nodes: Ints, twin: Ints, weights: Floats, unary: Floats
) -> NDArray[np.bool_]:
    """The labelling of least energy: sum of unary where True, plus weights of edges cut.

    weights (M,) are symmetric, twin[e] is the edge back. unary (N,): what it costs to be True
    (negative: gains). Maximum flow by Dinic's algorithm. Returns (N,) bool.
    """
    count = len(starts) - 1
    left = weights.astype(np.float64)
    source = np.maximum(-unary, 0).astype(np.float64)
    sink = np.maximum(unary, 0).astype(np.float64)
    level = np.empty(count, np.int32)
    queue = np.empty(count, np.int32)
    at = np.empty(count, np.int32)
    path = np.empty(count + 1, np.int32)
    tiny = 1e-9
    while True:
        level[:] = -1
        head = tail = 0
        for i in range(count):
            if source[i] > tiny:
                level[i] = 0
                queue[tail] = i
                tail += 1
        found = False
        while head < tail:
            i = queue[head]
            head += 1
            if sink[i] > tiny:
                found = True
            for e in range(starts[i], starts[i + 1]):
                if left[e] > tiny and level[nodes[e]] < 0:
                    level[nodes[e]] = level[i] + 1
                    queue[tail] = nodes[e]
                    tail += 1
        if not found:
            return level >= 0
        at[:] = starts[:-1]
        for root in range(count):
            if level[root] != 0:
                continue
            depth = 0
            node = root
            while source[root] > tiny:
                if sink[node] > tiny:
                    flow = min(source[root], sink[node])
                    for d in range(depth):
                        flow = min(flow, left[path[d]])
                    source[root] -= flow
                    sink[node] -= flow
                    for d in range(depth):
                        left[path[d]] -= flow
                        left[twin[path[d]]] += flow
                    depth = 0
                    node = root
                    continue
                moved = False
                while at[node] < starts[node + 1]:
                    e = at[node]
                    if left[e] > tiny and level[nodes[e]] == level[node] + 1:
                        path[depth] = e
                        depth += 1
                        node = nodes[e]
                        moved = True
                        break
                    at[node] += 1
                if not moved:
                    if depth == 0:
                        break
                    depth -= 1
                    e = path[depth]
                    node = nodes[twin[e]]
                    at[node] += 1
