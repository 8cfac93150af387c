"""A person's prompt in the network's numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from infill.segmenters.base import Prompt
from infill.segmenters.sam.frame import Frame
from infill.segmenters.sam.prompts import agrees, bounds, deepest, inputs

FRAME = Frame.fit((50, 100), 64, stretch=False)


def painted(rows: slice, columns: slice, size: tuple[int, int] = (50, 100)) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    return mask


class TestInputs:
    def test_points(self) -> None:
        given = inputs(Prompt(points=((50, 25), (25, 50)), labels=(True, False)), FRAME, 16)
        assert given.points.tolist() == [[31.5, 15.5], [15.5, 31.5]]  # the network adds half
        assert given.labels.tolist() == [1, 0]
        assert given.labels.dtype == np.int64
        assert (given.box, given.mask, given.ambiguous) == (None, None, False)

    def test_one_click_is_ambiguous_and_nothing_else_is(self) -> None:
        click, box = ((5.0, 5.0),), (0.0, 0.0, 9.0, 9.0)
        brush = painted(slice(0, 9), slice(0, 9))
        assert inputs(Prompt(points=click), FRAME, 16).ambiguous
        for prompt in (
            Prompt(points=click * 2),
            Prompt(points=click, box=box),
            Prompt(points=click, brush=brush),
            Prompt(box=box),
            Prompt(brush=brush),
            Prompt(points=click, labels=(False,), box=box),
        ):
            assert not inputs(prompt, FRAME, 16).ambiguous

    def test_a_box_is_cut_at_the_edge_of_the_photo(self) -> None:
        given = inputs(Prompt(box=(-10, 25, 50, 80)), FRAME, 16)
        assert given.box is not None
        assert given.box.tolist() == [-0.5, 15.5, 31.5, 31.5]
        assert given.points.shape == (0, 2)

    def test_a_brush_is_a_mask_a_point_and_a_box(self) -> None:
        given = inputs(Prompt(brush=painted(slice(10, 21), slice(40, 51))), FRAME, 16)
        assert given.points[0] == pytest.approx(np.array([45.5, 15.5]) * 0.64 - 0.5)
        assert given.labels.tolist() == [1]
        assert given.box is not None
        assert given.box == pytest.approx(np.array([40, 10, 51, 21]) * 0.64 - 0.5)
        assert given.mask is not None
        assert given.mask.shape == (16, 16)
        assert given.mask[2, 7] == pytest.approx(10)
        assert given.mask[0, 0] == given.mask[15, 15] == -10

    def test_a_box_goes_before_the_box_of_the_brush(self) -> None:
        brush = painted(slice(10, 20), slice(40, 50))
        given = inputs(Prompt(brush=brush, box=(0, 0, 100, 50)), FRAME, 16)
        assert given.box is not None
        assert given.box.tolist() == [-0.5, -0.5, 63.5, 31.5]

    def test_a_brush_that_painted_nothing_is_none(self) -> None:
        given = inputs(Prompt(points=((5, 5),), brush=np.zeros((50, 100), bool)), FRAME, 16)
        assert given.ambiguous
        assert given.mask is None


class TestBrush:
    def test_the_deepest_point_of_a_bent_stroke_lies_in_it(self) -> None:
        ring = painted(slice(5, 45), slice(5, 95)) & ~painted(slice(9, 45), slice(9, 95))
        x, y = deepest(ring)
        assert ring[int(y), int(x)]
        assert not ring[int(ring.nonzero()[0].mean()), int(ring.nonzero()[1].mean())]

    @given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)))
    def test_point_and_box_of_any_brush(self, brush: np.ndarray) -> None:
        if not brush.any():
            return
        x, y = deepest(brush)
        assert (x % 1, y % 1) == (0.5, 0.5)
        assert brush[int(y), int(x)]
        x0, y0, x1, y1 = (int(value) for value in bounds(brush))
        assert brush[y0:y1, x0:x1].sum() == brush.sum()
        assert brush[y0].any()
        assert brush[y1 - 1].any()
        assert brush[:, x0].any()
        assert brush[:, x1 - 1].any()


class TestAgrees:
    """Which of the objects that a text found the rest of the prompt points at."""

    mask = painted(slice(10, 30), slice(20, 60))

    @pytest.mark.parametrize(
        ("prompt", "agreed"),
        [
            (Prompt(text="it"), True),
            (Prompt(text="it", points=((25.5, 15.5),)), True),
            (Prompt(text="it", points=((5, 5),)), False),
            (Prompt(text="it", points=((5, 5),), labels=(False,)), True),
            (Prompt(text="it", points=((25, 15),), labels=(False,)), False),
            (Prompt(text="it", points=((100, 50),), labels=(False,)), True),  # the far corner
            (Prompt(text="it", box=(15, 5, 65, 35)), True),
            (Prompt(text="it", box=(-5, -5, 40, 90)), True),  # just half of it
            (Prompt(text="it", box=(0, 0, 39, 50)), False),
            (Prompt(text="it", brush=painted(slice(12, 14), slice(10, 30))), True),
            (Prompt(text="it", brush=painted(slice(12, 14), slice(0, 30))), False),
        ],
    )
    def test_table(self, prompt: Prompt, agreed: bool) -> None:
        assert agrees(self.mask, prompt) is agreed

    @given(st.integers(0, 100), st.integers(0, 50))
    def test_a_point_is_in_the_mask_or_it_is_not(self, x: int, y: int) -> None:
        inside, outside = (
            Prompt(text="it", points=((x, y),), labels=(label,)) for label in (True, False)
        )
        assert agrees(self.mask, inside) is not agrees(self.mask, outside)
