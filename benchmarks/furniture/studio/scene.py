"""What a scene file gives: `ABOUT`, the facts, and `build()`, which returns a `Built`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

NAMES = (
    "sofa", "dining-table", "shelf", "bed", "desk",
    "kitchen", "hallway", "armchair", "mirror", "terrace",
)  # fmt: skip
TASKS = ("add", "remove", "replace", "recolour")
LIGHTS = ("soft", "hard", "both")
MASKS = {
    "object": "Exactly the pixels in which the object is seen.",
    "loose": "A quick outline round the object, its shadow and reflection, with room to spare.",
    "no-shadow": "The object with a small margin, its shadow and its reflection forgotten.",
    "whole": "The object and every pixel that it visibly changes: its shadow, its reflection.",
}


@dataclass(frozen=True)
class About:
    """The facts of one sample, as `sample.json` tells them."""

    name: str
    title: str
    task: str  # one of TASKS
    object: str  # "a ceramic vase"
    simple: str
    detailed: str
    negative: str
    background: str  # what is there once the object is gone
    hard: str  # what makes it hard, one or two sentences
    light: str  # one of LIGHTS
    camera: str  # "40 mm, level, eye height 1.3 m"
    seed: int = 1
    samples: int = 128

    def facts(self, blender: str, samples: int) -> dict[str, Any]:
        """The content of `sample.json`."""
        return {
            "name": self.name,
            "title": self.title,
            "task": self.task,
            "object": self.object,
            "prompts": {
                "simple": self.simple,
                "detailed": self.detailed,
                "negative": self.negative,
            },
            "background": self.background,
            "hard": self.hard,
            "light": self.light,
            "masks": dict(MASKS),
            "camera": self.camera,
            "blender": blender,
            "samples": samples,
            "seed": self.seed,
        }


@dataclass
class Built:
    """A scene that stands: `object` is everything that `clean.jpg` lacks."""

    object: Sequence[Any]
    exposure: float = 0.0  # stops
    look: str = "AgX - Medium High Contrast"
    extra: dict[str, Any] = field(default_factory=dict)
