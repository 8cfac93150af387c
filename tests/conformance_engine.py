"""What every engine must do, whichever it is: `assert_engine(name)`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import FrozenInstanceError, asdict, fields, is_dataclass
from typing import Any, get_args

import numpy as np
import pytest

from infill import settings
from infill.engines.base import (
    ENGINES,
    Engine,
    Family,
    Filled,
    SizeRule,
    make_options,
    no_progress,
    size_rule,
)
from infill.errors import BadOption, Cancelled
from infill.geometry import Box, Frame

SIZES = [(1, 2), (1, 33), (47, 1), (2, 2), (3, 5), (17, 31), (40, 40), (64, 81)]
THREADS = [1, 2, 8]


def assert_engine(name: str, threads: Sequence[int] = THREADS, **options: Any) -> None:
    """Every promise in the docstrings of `Engine` and `EngineCard`.

    threads: numbers of them at which the same bytes are promised.
    options: quicker than the defaults, for engines that take long.
    """
    engine = ENGINES.get(name)
    assert_card(name)
    assert_options(engine)
    chosen = make_options(engine, options)
    for pixels, mask in examples(size_rule(engine, chosen)):
        assert_fill(engine, chosen, pixels, mask)
    assert_same_bytes(engine, chosen, threads)
    assert_progress(engine, chosen)
    assert_strided_input(engine, chosen)


def examples(rule: SizeRule) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pixels and mask as the pipeline hands them over: odd sizes, holes at every border."""
    rng = np.random.default_rng(5)
    for shape in SIZES:
        for mask in _holes(shape):
            pixels = rng.random((*shape, 3), np.float32)
            pixels[mask] = 0
            yield _brought(pixels, mask, rule)


def _brought(pixels: np.ndarray, mask: np.ndarray, rule: SizeRule) -> tuple[np.ndarray, np.ndarray]:
    """As the pipeline hands them over, of the size that the rule asks for."""
    frame = Frame.of(Box(0, 0, *mask.shape), rule)
    shown, hidden = frame.bring_hidden(pixels, mask)
    return shown.copy(), hidden.copy()


def _fill(engine: Engine, *given: Any) -> np.ndarray:
    """The pixels of a fill, whichever way the engine returns them."""
    made = engine.fill(*given)
    return made.pixels if isinstance(made, Filled) else made


def _holes(shape: tuple[int, int]) -> Iterator[np.ndarray]:
    height, width = shape
    one = np.zeros(shape, np.bool_)
    one[height // 2, width // 2] = True
    yield one
    yield ~one  # one known pixel
    for rows, columns in (
        (slice(0, (height + 1) // 2), slice(0, (width + 1) // 2)),  # a corner
        (slice(0, height // 2), slice(None)),  # above, from side to side
        (slice(height // 2 + 1, None), slice(None)),  # below
        (slice(None), slice(0, width // 2)),  # left
        (slice(None), slice(width // 2 + 1, None)),  # right
        (slice(height // 4, height - height // 4), slice(width // 4, width - width // 4)),
    ):
        hole = np.zeros(shape, np.bool_)
        hole[rows, columns] = True
        if hole.any() and not hole.all():
            yield hole


def assert_card(name: str) -> None:
    """The card says all that the tables of engines print, without running the engine."""
    engine = ENGINES.get(name)
    card = engine.card
    assert card.name == name
    assert card.family in get_args(Family)
    for text in (card.summary, card.authors, card.published, card.architecture, card.licence):
        assert isinstance(text, str)
        assert text.strip()
    assert card.published[:4].isdigit(), "published begins with the year"
    assert isinstance(card.commercial_use, bool)
    weighty = bool(card.weights or card.checkpoint)
    if not card.needs_model:  # it may tell those of the published model
        assert (card.parameters > 0) == weighty, "what has weights has parameters"
    for weights in card.weights:
        assert weights.source
        assert weights.size > 0
        assert len(weights.sha256) == 64
        assert int(weights.sha256, 16) >= 0
    rule = card.size
    assert min(rule.multiple, rule.minimum) >= 1
    assert rule.native is None or rule.native >= 1
    assert min(rule.context, rule.context_min) >= 0
    assert rule.context_max is None or rule.context_max >= rule.context_min
    with pytest.raises(FrozenInstanceError):
        card.name = "another"  # type: ignore[misc]


def assert_options(engine: Engine) -> None:
    """A frozen dataclass with defaults; it fits into a recipe and comes back from one."""
    assert is_dataclass(engine.Options)
    defaults = make_options(engine, {})
    for entry in fields(engine.Options):
        with pytest.raises(FrozenInstanceError):
            setattr(defaults, entry.name, None)
        assert entry.name not in ("photo", "mask", "engine", "seed", "blend", "progress")
        assert entry.name not in ("match_colour", "opaque"), "fill has one of that name"
    text = json.dumps(asdict(defaults), allow_nan=False)
    assert make_options(engine, json.loads(text)) == defaults
    with pytest.raises(BadOption, match="no_such_option"):
        make_options(engine, {"no_such_option": 1})


def assert_fill(engine: Engine, options: Any, pixels: np.ndarray, mask: np.ndarray) -> None:
    """A new float32 array of that shape, in range; nothing it was given is written."""
    pixels_before, mask_before = pixels.copy(), mask.copy()
    pixels.flags.writeable = mask.flags.writeable = False
    state = np.random.get_state(legacy=False)["state"]["key"].copy()
    filled = _fill(engine, pixels, mask, options, np.random.default_rng(1), no_progress)
    assert isinstance(filled, np.ndarray)
    assert filled.dtype == np.float32
    assert filled.shape == pixels.shape
    assert not np.may_share_memory(filled, pixels)
    inside = filled[mask]
    assert np.isfinite(inside).all(), pixels.shape
    assert inside.min() >= 0, pixels.shape
    assert inside.max() <= 1, pixels.shape
    assert (pixels == pixels_before).all()
    assert (mask == mask_before).all()
    assert (np.random.get_state(legacy=False)["state"]["key"] == state).all(), "numpy's own seed"


def _scene(rule: SizeRule) -> tuple[np.ndarray, np.ndarray]:
    """A slanted edge, some texture and two holes; 96 × 120 or what the rule makes of it."""
    y, x = np.mgrid[:96, :120].astype(np.float32)
    pixels = np.stack([(x > y) * 0.6, x / 120, 0.5 + 0.4 * np.sin(x) * np.cos(y)], -1)
    mask = np.zeros((96, 120), np.bool_)
    mask[30:60, 40:75] = mask[70:74, 5:110] = True
    pixels[mask] = 0
    return _brought(pixels.astype(np.float32), mask, rule)


def assert_same_bytes(engine: Engine, options: Any, threads: Sequence[int] = THREADS) -> None:
    """One seed gives one result, at any number of threads and however often."""
    pixels, mask = _scene(size_rule(engine, options))
    results = []
    for count in (*threads, threads[0]):
        with settings.using(threads=count):
            rng = np.random.default_rng(7)
            results.append(_fill(engine, pixels, mask, options, rng, no_progress)[mask].tobytes())
    assert len(set(results)) == 1


def assert_progress(engine: Engine, options: Any) -> None:
    """It tells how far it is, never backwards, and stops where the caller asks it to."""
    pixels, mask = _scene(size_rule(engine, options))
    told: list[tuple[float, str]] = []
    engine.fill(pixels, mask, options, np.random.default_rng(0), lambda *args: told.append(args))
    fractions = [fraction for fraction, _ in told]
    assert fractions, "progress is never called, so a fill cannot be stopped"
    assert fractions == sorted(fractions)
    assert min(fractions) >= 0
    assert max(fractions) <= 1
    assert all(isinstance(stage, str) and stage for _, stage in told)

    def stop(fraction: float, stage: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        engine.fill(pixels, mask, options, np.random.default_rng(0), stop)


def assert_strided_input(engine: Engine, options: Any) -> None:
    """Arrays that are not contiguous give the same result, or are refused; never garbage."""
    pixels, mask = _scene(size_rule(engine, options))
    wide = np.zeros((*pixels.shape[:2], 5), np.float32)
    wide[..., 1:4] = pixels
    strided, flipped = wide[..., 1:4], np.asfortranarray(mask)
    before = wide.copy()
    straight = _fill(engine, pixels, mask, options, np.random.default_rng(3), no_progress)
    try:
        filled = _fill(engine, strided, flipped, options, np.random.default_rng(3), no_progress)
    except (ValueError, TypeError):
        pass
    else:
        assert (filled[mask] == straight[mask]).all()
    assert (wide == before).all()
