"""What a run makes: every sample with every engine, as often as trials were asked for."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from infill.batch.plan import derived_seed
from infill.bench.samples import Sample, Task
from infill.engines.base import ENGINES, Engine, make_options, read_pictures
from infill.engines.typed import parted, typed
from infill.errors import BadOption
from infill.masks.protocols import Protocol

TRIALS = 3


@dataclass(frozen=True)
class Entry:
    """One engine of the comparison: its label in tables, its name, and its own options."""

    label: str
    engine: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """Everything that decides the rows of a run.

    samples:  what is filled. entries: by which engines.
    trials:   fills of each sample by each engine, with seeds of their own.
    seed:     of the run; that of each fill follows from it, the sample and the trial, and is the
              same for all engines.
    protocol: draws the masks of samples that have none; None if all have one.
    annotated: the data set's own annotations, for the protocol that draws objects.
    size:     photos are cut to a square about their middle and brought to this side, in pixels;
              None leaves them as they are.
    metrics:  names in `METRICS`, `PROMPT_METRICS` and `SET_METRICS`; None = all that are ready.
    again:    fill the first trial twice, to see whether the same seed gives the same bytes.
    energy:   read the machine's energy counters (one process at a time).
    source:   how a person names what is filled, for the report.
    dataset:  name of the data set, "" for photos of one's own: published figures go by it.
    """

    samples: Sequence[Sample]
    entries: Sequence[Entry]
    trials: int = TRIALS
    seed: int = 0
    task: Task = "remove"
    protocol: Protocol | None = None
    annotated: Any = None
    size: int | None = None
    metrics: Sequence[str] | None = None
    again: bool = True
    energy: bool = False
    source: str = ""
    dataset: str = ""


@dataclass(frozen=True)
class Item:
    """One fill that is to be made."""

    key: str
    sample: Sample
    entry: Entry
    trial: int
    seed: int


def items(options: Options, label: str | None = None) -> Iterator[Item]:
    """Every fill, engine by engine (so that a network is loaded once), sample by sample.

    label: those of one engine alone.
    """
    for entry in options.entries:
        if label is not None and entry.label != label:
            continue
        for sample in options.samples:
            for trial in range(options.trials):
                yield Item(
                    key=key_of(sample.slug, entry.label, trial),
                    sample=sample,
                    entry=entry,
                    trial=trial,
                    seed=derived_seed(options.seed, f"{sample.slug}/{trial}", "bench"),
                )


def key_of(slug: str, label: str, trial: int) -> str:
    """The name of a fill, unique in the run."""
    return f"{slug}/{label}/{trial}"


def entry_of(text: str) -> Entry:
    """An engine as a person types it: NAME, or NAME:OPTION=VALUE,OPTION=VALUE.

    Raises `UnknownPlugin` and `BadOption`.
    """
    name, _, rest = text.partition(":")
    engine = ENGINES.get(name)
    options: dict[str, Any] = {}
    for pair in filter(None, rest.split(",")):
        key, value = parted(pair, "an engine is written NAME or NAME:OPTION=VALUE,OPTION=VALUE")
        options[key] = typed(engine, key, value)
    make_options(engine, read_pictures(options))
    return Entry(text, name, options)


def entries_of(texts: Sequence[str]) -> list[Entry]:
    """Entries of what was typed; without any, all engines that run here and now and need neither
    a prompt nor a picture. Raises what `entry_of` raises, and `BadOption` for one named twice."""
    if not texts:
        return [Entry(name, name) for name in ENGINES.names() if at_hand(ENGINES.get(name))]
    twice = {text for text in texts if texts.count(text) > 1}
    if twice:
        raise BadOption(f"engine {twice.pop()} is named twice; each is compared once")
    return [entry_of(text) for text in texts]


def reads_prompts(entries: Sequence[Entry]) -> None:
    """Raise `BadOption` unless there are engines and each of them reads a prompt."""
    for entry in entries:
        engine = ENGINES.get(entry.engine)
        if "prompt" not in {option.name for option in fields(engine.Options)}:
            raise BadOption(
                f"engine {entry.label} reads no prompt, so it cannot put there what one says; "
                "leave it out, or use --task remove"
            )
    if not entries:
        raise BadOption("--task edit needs engines that read a prompt; name them with --engine")


def at_hand(engine: Engine) -> bool:
    """Whether an engine needs no download, no further library, no prompt and no picture."""
    card = engine.card
    return not (
        card.checkpoint
        or card.needs_model
        or card.needs_prompt
        or card.needs_reference
        or card.extra
        or card.family == "fake"
    )


def identity(options: Options, metrics: Sequence[str]) -> dict[str, Any]:
    """What makes a run the same run: flat JSON values, for `run.json`.

    The samples are pinned by a hash of their names, files' sizes and prompts.
    """
    return {
        "kind": "bench",
        "samples": len(options.samples),
        "samples_sha256": _hash([_facts(sample) for sample in options.samples]),
        "engines": [asdict(entry) for entry in options.entries],
        "trials": options.trials,
        "seed": options.seed,
        "task": options.task,
        "protocol": None if options.protocol is None else options.protocol.describe(),
        "size": options.size,
        "metrics": list(metrics),
        "again": options.again,
        "source": options.source,
        "dataset": options.dataset,
    }


def _facts(sample: Sample) -> dict[str, Any]:
    facts = asdict(sample)
    for name, value in facts.items():
        if isinstance(value, Path):
            facts[name] = [value.name, value.stat().st_size if value.exists() else None]
    return facts


def _hash(facts: Any) -> str:
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
