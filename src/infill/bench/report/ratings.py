"""What people said, read with tolerance: keys that are missing are left out, not an error."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infill.bench import words
from infill.bench.summary import Interval, Rank

SHOWN = ("score", "low", "high")
"""Keys of an engine's entry that make its interval; plain values among the others have a column."""


@dataclass(frozen=True)
class Judged:
    """Ratings ready to print.

    counted:   how many people and answers. agreement: names and values.
    titles:    criterion → what its heading says. asked: criterion → the question.
    scores:    criterion → engine → interval of its score.
    others:    criterion → engine → what else is told (wins, ties).
    """

    counted: str
    titles: Mapping[str, str]
    asked: Mapping[str, str]
    scores: Mapping[str, Mapping[str, Interval]]
    others: Mapping[str, Mapping[str, Mapping[str, Any]]]
    agreement: Sequence[tuple[str, str]]
    notes: Sequence[str]

    def tables(self) -> Iterator[tuple[str, list[str], list[list[str]]]]:
        """The title, the headings and the cells of each criterion's table."""
        for criterion, engines in self.scores.items():
            keys = list(dict.fromkeys(key for of in self.others[criterion].values() for key in of))
            rows = [
                [
                    engine,
                    words.whole(score, 2),
                    *(words.told(self.others[criterion][engine].get(key)) for key in keys),
                ]
                for engine, score in engines.items()
            ]
            yield self.titles[criterion], ["engine", "score (95 % interval)", *keys], rows


def judged(rated: Mapping[str, Any]) -> Judged:
    """The ratings of a summary (`Summary.rated`), best engines first."""
    scores: dict[str, dict[str, Interval]] = {}
    others: dict[str, dict[str, Mapping[str, Any]]] = {}
    titles, asked = {}, {}
    for criterion, told in _mapping(rated.get("criteria")).items():
        told = _mapping(told)
        titles[str(criterion)] = str(told.get("title") or words.named(criterion))
        asked[str(criterion)] = str(told.get("question") or "")
        engines = {
            str(name): _mapping(entry)
            for name, entry in _mapping(told.get("engines", told)).items()
        }
        found = {name: _interval(entry) for name, entry in engines.items()}
        order = sorted(found, key=lambda name: -_or_lowest(found[name].value))
        scores[str(criterion)] = {name: found[name] for name in order}
        others[str(criterion)] = {name: _others(engines[name]) for name in order}
    return Judged(_counted(rated), titles, asked, scores, others, _agreement(rated), _notes(rated))


def _others(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What else is told of an engine: its rank with ties, and plain values (not None)."""
    told: dict[str, Any] = {}
    if isinstance(entry.get("rank"), int):
        told["rank"] = words.place(Rank(entry["rank"], entry.get("tied") or ()))
    for key, value in entry.items():
        if key not in (*SHOWN, *told) and isinstance(value, str | int | float):
            told[str(key)] = value
    return told


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _interval(entry: Mapping[str, Any]) -> Interval:
    ends = [entry.get(key) for key in SHOWN]
    value, low, high = (float(end) if isinstance(end, int | float) else None for end in ends)
    return Interval(value, low, high)


def _or_lowest(value: float | None) -> float:
    return float("-inf") if value is None else value


def _counted(rated: Mapping[str, Any]) -> str:
    parts = []
    if isinstance(rated.get("raters"), int):
        parts.append(words.counted(rated["raters"], "person", "people"))
    if isinstance(rated.get("answers"), int):
        parts.append(words.counted(rated["answers"], "answer"))
    return f"{', '.join(parts)}." if parts else "Ratings by people."


def _agreement(rated: Mapping[str, Any]) -> list[tuple[str, str]]:
    agreement = rated.get("agreement") or None
    if isinstance(agreement, Mapping):
        return [(words.named(key), words.told(value)) for key, value in agreement.items()]
    return [] if agreement is None else [("Agreement", words.told(agreement))]


def _notes(rated: Mapping[str, Any]) -> list[str]:
    notes = rated.get("notes") or ()
    told = [notes] if isinstance(notes, str) else [str(note) for note in notes]
    model = rated.get("model")
    return [*told, f"The model: {model}."] if isinstance(model, str) else told
