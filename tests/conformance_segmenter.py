"""What every segmenter must do, whichever it is: `assert_segmenter(segmenter)`."""

from collections.abc import Iterator, Sequence
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from infill.errors import BadPrompt
from infill.segmenters.base import Candidate, Prompt, Segmenter

SIZES = ((1, 1), (1, 40), (33, 1), (2, 2), (3, 7), (24, 31), (60, 80))
KINDS = {"points", "box", "brush", "text"}


def assert_segmenter(
    segmenter: Segmenter,
    *,
    sizes: Sequence[tuple[int, int]] = SIZES,
    honours_clicks: bool = False,
    kinds: Sequence[str] | None = None,
) -> None:
    """Every promise in the docstrings of `Segmenter`, `Prompt.check` and `Candidate`.

    sizes: (H, W) of the photos to try. honours_clicks: whether a clicked pixel always has the
    meaning that the click gave it, in every candidate. kinds: of prompts, where this one takes
    fewer than its card says.
    """
    taken = tuple(kinds or segmenter.card.prompts)
    assert_card(segmenter)
    assert_options(segmenter)
    for size in sizes:
        pixels = scene(size)
        pixels.flags.writeable = False
        before = pixels.copy()
        state = segmenter.embed(pixels)
        assert tuple(state.size) == size
        assert state.nbytes > 0
        for prompt in prompts(size, taken):
            found = segmenter.segment(state, prompt)
            assert_candidates(found, size)
            if honours_clicks:
                assert_honoured(found, prompt)
        assert (pixels == before).all(), "the photo was written"
    assert_repeatable(segmenter, taken)
    assert_strided_input(segmenter, taken)
    assert_refusals(segmenter, taken)


def scene(size: tuple[int, int], seed: int = 3) -> np.ndarray:
    """A bright ellipse on a darker, noisy ground, (H, W, 3) uint8."""
    height, width = size
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    inside = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5) < 0.3
    colours = np.where(inside[..., None], (220, 180, 40), (40, 70, 110))
    return np.clip(colours + rng.normal(0, 6, (*size, 3)), 0, 255).astype(np.uint8)


def prompts(size: tuple[int, int], kinds: Sequence[str]) -> Iterator[Prompt]:
    """Every kind of prompt that the card lists, alone and together, borders and corners too."""
    height, width = size
    middle = (width / 2, height / 2)
    brush = np.zeros(size, np.bool_)
    brush[height // 3 : height // 3 + 1 + height // 4, width // 3 : width // 3 + 1 + width // 4] = 1
    box = (width * 0.15, height * 0.15, width * 0.85 + 0.1, height * 0.85 + 0.1)
    corners = ((0.0, 0.0), (width, 0.0), (0.0, height), (float(width), float(height)))
    if "points" in kinds:
        yield Prompt((middle,))
        for corner in corners:
            yield Prompt((corner,))
            yield Prompt((middle, corner), (True, False))
            yield Prompt((corner, middle), (False, True))
        yield Prompt((middle, middle), (True, False))  # it cannot be both; an answer all the same
        yield Prompt((middle, *corners))
        yield Prompt((middle, *corners), (True, False, False, False, False))
    if "box" in kinds:
        yield Prompt(box=box)
        yield Prompt(box=(0, 0, width, height))
        yield Prompt(box=(-5, -5, width + 5, height + 5))
        yield Prompt(box=(width - 0.4, height - 0.4, width + 3, height + 3))
        yield Prompt(box=(0, 0, 0.3, 0.3))
    if "brush" in kinds:
        yield Prompt(brush=brush)
        yield Prompt(brush=np.ones(size, np.bool_))
    if {"points", "box"} <= set(kinds):
        yield Prompt((middle,), box=box)
        yield Prompt((middle,), (False,), box=box)
        yield Prompt((corners[0],), box=box)
    if {"points", "brush"} <= set(kinds):
        yield Prompt((middle, corners[3]), (True, False), brush=brush)
    if {"points", "box", "brush"} <= set(kinds):
        yield Prompt((middle,), (False,), box=box, brush=brush)
    if "text" in kinds:
        yield Prompt(text="the yellow ellipse")


def assert_card(segmenter: Segmenter) -> None:
    """The card says all that tables print."""
    card = segmenter.card
    for text in (card.name, card.summary, card.authors, card.published, card.paper, card.licence):
        assert isinstance(text, str)
        assert text.strip()
    assert card.published[:4].isdigit(), "published begins with the year"
    assert isinstance(card.commercial_use, bool)
    assert card.prompts
    assert set(card.prompts) <= KINDS
    with pytest.raises(FrozenInstanceError):
        card.name = "another"  # type: ignore[misc]


def assert_options(segmenter: Segmenter) -> None:
    """A frozen dataclass with defaults; unknown keys are refused."""
    assert is_dataclass(segmenter.Options)
    defaults = segmenter.Options()
    assert isinstance(segmenter.options, segmenter.Options)
    for entry in fields(segmenter.Options):
        with pytest.raises(FrozenInstanceError):
            setattr(defaults, entry.name, None)
    with pytest.raises(TypeError):
        segmenter.Options(no_such_option=1)


def assert_candidates(found: Sequence[Candidate], size: tuple[int, int]) -> None:
    """One to three masks of the photo's size, scores in [0, 1], the likeliest first."""
    assert 1 <= len(found) <= 3
    for candidate in found:
        assert isinstance(candidate.mask, np.ndarray)
        assert candidate.mask.dtype == np.bool_
        assert candidate.mask.shape == size
        assert isinstance(candidate.score, float)
        assert 0 <= candidate.score <= 1
    assert found[0].score == max(candidate.score for candidate in found)
    assert len({candidate.mask.ctypes.data for candidate in found}) == len(found)


def assert_honoured(found: Sequence[Candidate], prompt: Prompt) -> None:
    """What a pixel was last clicked as, it is."""
    height, width = found[0].mask.shape
    meaning = {
        (min(height - 1, int(y)), min(width - 1, int(x))): label
        for (x, y), label in zip(prompt.points, prompt.labels, strict=True)
    }
    for candidate in found:
        for place, label in meaning.items():
            assert candidate.mask[place] == label, (prompt, place)


def _answers(
    segmenter: Segmenter, state: Any, size: tuple[int, int], taken: Sequence[str]
) -> list[bytes]:
    return [
        candidate.mask.tobytes() + np.float64(candidate.score).tobytes()
        for prompt in prompts(size, taken)
        for candidate in segmenter.segment(state, prompt)
    ]


def assert_repeatable(segmenter: Segmenter, taken: Sequence[str]) -> None:
    """The same answers from one state, whatever was asked before; NumPy's own seed is not used."""
    size = (40, 56)
    state = segmenter.embed(scene(size))
    seed = np.random.get_state(legacy=False)["state"]["key"].copy()
    first = _answers(segmenter, state, size, taken)
    assert _answers(segmenter, state, size, taken) == first
    assert (np.random.get_state(legacy=False)["state"]["key"] == seed).all(), "numpy's own seed"


def assert_strided_input(segmenter: Segmenter, taken: Sequence[str]) -> None:
    """Pixels that are not contiguous give the same answers."""
    size = (24, 30)
    wide = np.zeros((*size, 5), np.uint8)
    wide[..., 1:4] = scene(size)
    straight = _answers(segmenter, segmenter.embed(scene(size)), size, taken)
    assert _answers(segmenter, segmenter.embed(wide[..., 1:4]), size, taken) == straight


def assert_refusals(segmenter: Segmenter, taken: Sequence[str]) -> None:
    """`BadPrompt` for kinds that it does not take, and for what lies outside the photo."""
    size = (20, 30)
    state = segmenter.embed(scene(size))
    one_of = {
        "points": Prompt(((3, 3),)),
        "box": Prompt(box=(1, 1, 9, 9)),
        "brush": Prompt(brush=np.ones(size, np.bool_)),
        "text": Prompt(text="the chair"),
    }
    for kind, prompt in one_of.items():
        if kind not in taken:
            with pytest.raises(BadPrompt, match=kind):
                segmenter.segment(state, prompt)
    outside = {
        "points": Prompt(((30.5, 3),)),
        "box": Prompt(box=(31, 1, 40, 9)),
        "brush": Prompt(brush=np.ones((20, 31), np.bool_)),
    }
    for kind, prompt in outside.items():
        if kind in taken:
            with pytest.raises(BadPrompt):
                segmenter.segment(state, prompt)
