"""A small run as a benchmark leaves it on disk, and raters who know what they like."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infill.bench.layout import FORMAT
from infill.picture import Picture
from infill.rating.ballots import Ballot
from infill.rating.booth import Booth
from infill.rating.criteria import asked
from tests.cli.tools import hole, scene

ENGINES = ("alpha", "beta", "gamma", "delta")
RECIPE = {"infill-recipe": '{"engine": "alpha"}'}


def make_run(
    folder: Path,
    *,
    samples: int = 4,
    engines: Sequence[str] = ENGINES,
    trials: int = 2,
    height: int = 48,
    width: int = 64,
) -> Path:
    """RUN with PNGs that differ by engine and trial; every other sample has a prompt."""
    rows = []
    for number in range(samples):
        slug = f"scene-{number}"
        photo = scene(height, width, seed=number)
        place = folder / "samples" / slug
        place.mkdir(parents=True)
        Picture.from_array(photo).save(place / "before.png")
        mask = hole(height, width)
        Picture.from_array(mask.astype(np.uint8) * 255).save(place / "mask.png")
        for index, engine in enumerate(engines):
            for trial in range(trials):
                output = f"fills/{slug}/{engine}/{trial}.png"
                filled = photo.copy()
                filled[mask] = (40 * index + 30, 90, 20 * trial)
                (folder / output).parent.mkdir(parents=True, exist_ok=True)
                picture = Picture.from_array(filled)
                (folder / output).write_bytes(picture.to_bytes("png", text=RECIPE))
                rows.append(row(slug, engine, trial, output, prompt="a red chair" * (number % 2)))
    write_rows(folder, rows)
    return folder


def row(slug: str, engine: str, trial: int, output: str | None, **more: Any) -> dict[str, Any]:
    return {
        "key": f"{slug}/{engine}/{trial}",
        "sample": slug,
        "slug": slug,
        "engine": engine,
        "trial": trial,
        "prompt": "",
        "output": output,
        "output_sha256": f"{slug}-{engine}-{trial}",
        "error": None,
        "format": FORMAT,
    } | more


def write_rows(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(one) + "\n" for one in rows)
    (folder / "rows.jsonl").write_text(text, encoding="utf-8")


def by_name(ballot: Ballot) -> str:
    """Choose the fill of the engine that stands first in `ENGINES`."""
    engines = [fill.engine for fill in ballot.shown]
    return "ABC"[engines.index(min(engines, key=ENGINES.index))]


def rate_all(
    booth: Booth, rater: str, choose: Callable[[Ballot], str] = by_name, most: int = 10_000
) -> int:
    """Answer up to `most` ballots, every criterion alike; returns how many were answered."""
    for done in range(most):
        turn = booth.turn(rater)
        if turn.ballot is None:
            return done
        letter = choose(turn.ballot)
        criteria = asked(turn.ballot.question.sample.prompt)
        booth.answer(rater, turn.ticket, {one.name: letter for one in criteria})
    return most
