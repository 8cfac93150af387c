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


@st.composite
def photos_with_masks(draw: st.DrawFn, largest: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """A photo of any kind that an array can be, and a mask that leaves some of it.

    uint8 or uint16; (H, W), (H, W, 1), RGB or RGBA; alpha opaque, partly or fully transparent in
    places; sides from 1 pixel on; the mask empty, of boxes, or of scattered pixels.
    """
    height, width = draw(st.tuples(st.integers(1, largest), st.integers(1, largest)))
    channels = draw(st.sampled_from([(), (1,), (3,), (4,)]))
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    top = np.iinfo(dtype).max
    photo = rng.integers(0, top, (height, width, *channels), dtype=dtype, endpoint=True)
    mask = np.zeros((height, width), np.bool_)
    for _ in range(draw(st.integers(0, 3))):
        y, x = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask[y : y + draw(st.integers(1, 40)), x : x + draw(st.integers(1, 40))] = True
    if draw(st.booleans()):
        mask |= rng.random((height, width)) < 0.1
    keep = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    mask[keep] = False
    if channels == (4,):
        photo[..., 3] = rng.choice([0, top // 2, top], (height, width), p=[0.3, 0.2, 0.5])
        photo[(*keep, 3)] = top
    return photo, mask
