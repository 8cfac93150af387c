"""What stands behind the figures, as text that both HTML and Markdown print."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infill.bench import words
from infill.bench.summary import Cost, Summary

SCORE_NOTE = (
    "The score is how often an engine is better than another one on the same sample, over the "
    "criteria that can be seen in a fill and tell engines apart: 0 never, 1 always, 0.5 as often "
    "as not. Reproducibility and cost are told beside it and do not count in it. Behind the first: "
    "the score less that of the engine at the top, on the same samples. Engines that the data "
    "cannot tell apart share a rank, marked =."
)

REFERENCE_NOTE = (
    "These figures were published by others for the same protocol. They are no results of this "
    "run: other photos, hardware and code made them."
)

TECHNIQUES = {
    "name": "Engine",
    "family": "Family",
    "published": "Published",
    "authors": "Authors",
    "architecture": "Architecture",
    "paper": "Paper",
    "guidance": "Guidance",
    "resolution": "Resolution",
    "weights": "Weights",
    "parameters": "Parameters",
    "licence": "Licence",
    "commercial_use": "Commercial use",
    "needs": "Needs",
}
"""What is told of a technique, and what its column is called."""


def techniques(summary: Summary) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the table of techniques; columns that nobody fills are left out."""
    known = [key for key in TECHNIQUES if any(entry.get(key) for entry in summary.techniques)]
    extra = dict.fromkeys(key for entry in summary.techniques for key in entry)
    keys = [*known, *(key for key in extra if key not in TECHNIQUES)]
    rows = [[_told(key, entry.get(key)) for key in keys] for entry in summary.techniques]
    return [TECHNIQUES.get(key, words.named(key)) for key in keys], rows


def _told(key: str, value: Any) -> str:
    if key == "parameters" and isinstance(value, int | float) and not isinstance(value, bool):
        return _millions(value) if value else words.NONE
    if key == "weights" and isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_weight, value)) or words.NONE
    return words.told(value)


def _millions(count: float) -> str:
    if count >= 1e9:
        return f"{count / 1e9:.3g} billion"
    return f"{count / 1e6:.3g} million" if count >= 1e6 else f"{count:g}"


def _weight(entry: Any) -> str:
    """A file of weights, however the card tells it, with its size where that is known."""
    if not isinstance(entry, Mapping):
        return words.told(entry)
    source, size = entry.get("source") or entry.get("name"), entry.get("size")
    if source is None:
        return words.told(entry)
    return f"{source} ({size / 1e6:.0f} MB)" if isinstance(size, int | float) else str(source)


def cost_cells(cost: Cost) -> tuple[str, list[str]]:
    """Seconds of the first fill; and, in the order of the table, what stands after the steady
    ones: photos an hour, memory of host and device, energy, price."""
    after = (cost.photos_an_hour, cost.host_mb, cost.device_mb, cost.joules, cost.price)
    return words.short(cost.first), [words.short(value) for value in after]


def rates(summary: Summary) -> list[str]:
    """By which rate the prices are, and for which engines: one sentence for each rate."""
    by_rate: dict[str, list[str]] = {}
    for cost in summary.costs:
        if cost.rate:
            by_rate.setdefault(cost.rate, []).append(cost.engine)
    return [f"Price of {', '.join(engines)}: {rate}." for rate, engines in by_rate.items()]


def facts(summary: Summary) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Groups of names and values that tell what has to be the same to repeat the run."""
    groups: Mapping[str, Mapping[str, Any]] = {
        "Protocol": summary.protocol,
        "Hardware": summary.hardware,
        "Versions": summary.versions,
    }
    for title, pairs in groups.items():
        told = [
            (words.named(key), words.told(value))
            for key, value in pairs.items()
            if (title, key) != ("Hardware", "words")  # the head of the page says it
        ]
        if told:
            yield title, told


def first_line(summary: Summary) -> str:
    """Protocol, its hash, hardware and date on one line, for the head of the page."""
    run, hardware = summary.protocol, summary.hardware
    inner = run.get("protocol")
    protocol = inner if isinstance(inner, Mapping) else run
    named = " ".join(str(protocol[key]) for key in ("name", "version") if protocol.get(key))
    parts = [str(run.get("source") or ""), named]
    marks = [of[key] for of in (protocol, run) for key in ("hash", "sha256") if of.get(key)]
    parts += [f"protocol {str(mark)[:12]}" for mark in marks[:1]]
    machine = [hardware.get("words")] if hardware.get("words") else [
        hardware.get(key) for key in ("cpu", "gpu")
    ]  # fmt: skip
    parts += [str(text) for text in machine if text]
    dates = [of["date"] for of in (protocol, run, hardware) if of.get("date")]
    return " · ".join(filter(None, [*parts, *map(str, dates[:1])]))
