"""Which metrics a run measures with, and one fill's figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.errors import MissingWeights
from infill.metrics.base import METRICS, PROMPT_METRICS, SET_METRICS, card_of, missing
from infill.registry import Registry

Unit = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Chosen:
    """Metrics by their kind, and why the others are not measured.

    lacking: name → what to do before it can measure, one sentence.
    """

    plain: Sequence[str]
    prompts: Sequence[str]
    sets: Sequence[str]
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """All that are measured, in the order of the tables."""
        return [*self.plain, *self.prompts, *self.sets]


def choose(names: Sequence[str] | None) -> Chosen:
    """The metrics of these names; None = all that are ready, and no weights are fetched.

    Raises `UnknownPlugin` for a name that is none, and `MissingWeights` for one that was named and
    lacks something.
    """
    for name in names or ():
        card_of(name)  # raises if there is none
    lacking: dict[str, str] = {}

    def chosen(table: Registry[Any]) -> list[str]:
        kept = []
        for name in table.names() if names is None else filter(table.__contains__, names):
            why = missing(table.get(name))
            if why is None:
                kept.append(name)
            elif names is None:
                lacking[name] = why
            else:
                raise MissingWeights(f"metric {name} cannot measure: {why}")
        return kept

    return Chosen(chosen(METRICS), chosen(PROMPT_METRICS), chosen(SET_METRICS), lacking)


@dataclass(frozen=True)
class Scene:
    """One sample in memory.

    before, truth: (H, W, 3) float32 RGB in [0, 1]; mask: (H, W) bool, True = hole.
    """

    before: Unit
    truth: Unit | None
    mask: Mask
    prompt: str = ""
    before_prompt: str = ""


def scores(chosen: Chosen, scene: Scene, filled: Unit) -> dict[str, float]:
    """All figures of one fill, (H, W, 3) float32 in [0, 1]; NaN where there is nothing to measure
    it by (no truth, no prompt)."""
    row: dict[str, float] = {}
    for name in chosen.plain:
        metric = METRICS.get(name)
        against = {"truth": scene.truth, "before": scene.before, "nothing": filled}
        reference = against[metric.card.against]
        if reference is None:
            row.update(dict.fromkeys(metric.card.better, math.nan))
        else:
            row.update(metric.measure(reference, filled, scene.mask))
    for name in chosen.prompts:
        asked = PROMPT_METRICS.get(name)
        if scene.prompt:
            row.update(
                asked.measure(scene.before, filled, scene.mask, scene.prompt, scene.before_prompt)
            )
        else:
            row.update(dict.fromkeys(asked.card.better, math.nan))
    return row
