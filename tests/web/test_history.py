"""Undo and redo, and the bound on what they keep."""

import numpy as np

from infill.picture import Picture
from infill.web.history import History, Step
from infill.web.session import composed

PHOTO = Picture.from_array(np.zeros((8, 10, 3), np.uint8))


def step(name: str) -> Step:
    return Step(PHOTO, name)


class TestHistory:
    def test_is_empty_at_first(self) -> None:
        history = History()
        assert history.now is None
        assert history.undo() is None
        assert history.redo() is None

    def test_goes_back_and_forth(self) -> None:
        history = History()
        first, second = history.push(step("a")), history.push(step("b"))
        assert history.undo() is first
        assert not history.can_undo
        assert history.undo() is first
        assert history.redo() is second
        assert not history.can_redo
        assert history.redo() is second

    def test_a_new_step_drops_what_was_undone(self) -> None:
        history = History()
        history.push(step("a"))
        history.push(step("b"))
        history.undo()
        third = history.push(step("c"))
        assert history.now is third
        assert not history.can_redo
        assert len(history) == 2

    def test_forgets_the_oldest_beyond_its_number(self) -> None:
        history = History(steps=3)
        for name in "abcde":
            history.push(step(name))
        assert len(history) == 3
        history.undo()
        assert history.undo().name == "c"

    def test_forgets_the_oldest_beyond_its_bytes_and_never_the_last(self) -> None:
        history = History(nbytes=PHOTO.pixels.nbytes + 200)
        for _ in range(5):
            history.push(Step(PHOTO, mask=np.zeros((8, 10), bool)))  # 80 bytes each
        assert len(history) == 2
        history.push(Step(PHOTO, mask=np.zeros(4000, bool)))
        assert len(history) == 1
        assert history.now is not None

    def test_counts_what_steps_share_once(self) -> None:
        history = History(nbytes=PHOTO.pixels.nbytes + 10)
        for name in "abc":
            history.push(step(name))
        assert len(history) == 3


class TestComposed:
    def test_takes_the_chosen_and_then_brush_and_eraser(self) -> None:
        small, large = np.zeros((8, 10), bool), np.zeros((8, 10), bool)
        small[2:4, 2:4], large[1:5, 1:5] = True, True
        added, erased = np.zeros((8, 10), bool), np.zeros((8, 10), bool)
        added[7, 9], erased[1, 1] = True, True
        found = composed(
            Step(PHOTO, candidates=(small, large), chosen=1, added=added, erased=erased)
        ).mask
        expected = large.copy()
        expected[7, 9], expected[1, 1] = True, False
        assert np.array_equal(found, expected)

    def test_inverts_what_is_selected_and_not_nothing(self) -> None:
        some = np.zeros((8, 10), bool)
        some[0, 0] = True
        assert composed(Step(PHOTO, candidates=(some,), inverted=True)).mask.sum() == 79
        assert not composed(Step(PHOTO, inverted=True)).mask.any()
