"""Engines and a segmenter for the app's tests; processes find them by their entry points."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import EngineCard, NoOptions, Progress, option
from infill.engines.checked import Checked
from infill.errors import MissingExtra
from infill.segmenters.base import Candidate, Prompt, SegmenterCard

ENTRY_POINTS = """[infill.engines]
prompted = tests.web.fakes:Prompted
paced = tests.web.fakes:Paced
unmet = tests.web.fakes:Unmet
[infill.segmenters]
disc = tests.web.fakes:Disc
"""


def install(folder: Path) -> Path:
    """Make `folder`, on a process's path, register what is in this module."""
    info = folder / "infill_fakes-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: infill-fakes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


def _card(name: str, summary: str, **more: Any) -> EngineCard:
    return EngineCard(
        name=name,
        family="fake",
        summary=summary,
        authors="tests",
        published="2026",
        architecture="none",
        paper="",
        licence="Apache-2.0",
        commercial_use=True,
        **more,
    )


@dataclass(frozen=True)
class PromptedOptions(Checked):
    prompt: str = ""
    negative_prompt: str = ""
    guidance_scale: float = option(7.5, "Closeness to the prompt.", low=1.0, high=20.0)
    num_inference_steps: int = option(20, low=1, high=100)
    strength: float = option(1.0, low=0.0, high=1.0)
    reference: Any = None


class Prompted:
    """Red where the prompt says so, else blue; brighter with more steps."""

    card: ClassVar[EngineCard] = _card("prompted", "does what it is told", needs_prompt=True)
    Options: ClassVar[type] = PromptedOptions

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: PromptedOptions,
        rng: np.random.Generator,
        progress: Progress,
    ) -> NDArray[np.float32]:
        filled = pixels.copy()
        bright = options.num_inference_steps / 100
        filled[mask] = (bright, 0, 0) if "red" in options.prompt else (0, 0, bright)
        progress(1.0, "told")
        return filled


class Paced:
    """Takes a minute, and says so."""

    card: ClassVar[EngineCard] = _card("paced", "takes its time")
    Options: ClassVar[type] = NoOptions

    def fill(
        self,
        pixels: NDArray[np.float32],
        mask: NDArray[np.bool_],
        options: Any,
        rng: np.random.Generator,
        progress: Progress,
    ) -> NDArray[np.float32]:
        for step in range(600):
            progress(step / 600, "pacing")
            time.sleep(0.1)
        return pixels.copy()


class Unmet:
    """Lacks a library, as an engine does whose extra is not installed."""

    card: ClassVar[EngineCard] = _card("unmet", "cannot run here", extra="diffusion")
    Options: ClassVar[type] = NoOptions

    def fill(self, *given: Any) -> NDArray[np.float32]:
        raise MissingExtra("diffusers is not installed; type: pip install 'infill[diffusion]'")


@dataclass(frozen=True)
class DiscState:
    size: tuple[int, int]
    nbytes: int = 0


class Disc:
    """A disc around the first point in three sizes, less one around each point that is not it."""

    card: ClassVar[SegmenterCard] = SegmenterCard(
        "disc", "a disc", "tests", "2026", "", "Apache-2.0", True, prompts=("points",)
    )
    Options: ClassVar[type] = NoOptions

    def __init__(self, options: Any = None) -> None:
        self.options = options or NoOptions()

    def embed(self, pixels: NDArray[np.uint8]) -> DiscState:
        return DiscState((pixels.shape[0], pixels.shape[1]))

    def segment(self, state: DiscState, prompt: Prompt) -> list[Candidate]:
        rows, columns = np.mgrid[: state.size[0], : state.size[1]] + 0.5
        labels = prompt.labels or (True,) * len(prompt.points)
        found = []
        for share, score in ((0.12, 0.9), (0.18, 0.8), (0.06, 0.7)):
            reach = share * min(state.size)
            mask = np.zeros(state.size, bool)
            for (x, y), on in zip(prompt.points, labels, strict=True):
                near = np.hypot(columns - x, rows - y) <= reach
                mask = (mask | near) if on else (mask & ~near)
            found.append(Candidate(mask, score))
        return found
