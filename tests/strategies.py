"""Hypothesis strategies that several tests draw from."""

import numpy as np
from hypothesis import strategies as st

from infill.geometry import SizeRule

size_rules = st.builds(
    SizeRule,
    multiple=st.sampled_from([1, 2, 7, 8, 64]),
    minimum=st.integers(1, 100),
    context=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    context_min=st.integers(0, 40),
    context_max=st.one_of(st.none(), st.integers(0, 60)),
)


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    """Masks of some boxes and some single pixels, of any shape from 1×1 on."""
    shape = draw(st.tuples(st.integers(1, 300), st.integers(1, 300)))
    mask = np.zeros(shape, np.bool_)
    for _ in range(draw(st.integers(1, 6))):
        top = draw(st.integers(0, shape[0] - 1))
        left = draw(st.integers(0, shape[1] - 1))
        mask[top : top + draw(st.integers(1, 40)), left : left + draw(st.integers(1, 40))] = True
    return mask
