"""What the answers come to, as plain values for the report: `rated(run_folder)`."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

from infill.errors import InfillError
from infill.rating import fit as fitting
from infill.rating.agreement import agreement
from infill.rating.criteria import CRITERIA
from infill.rating.fills import read
from infill.rating.fit import Fitted, chance_of_winning
from infill.rating.store import FILE, Answer, Store

FORMAT = 1
OVERALL = "overall"
ENOUGH = 10
"""Answers about an engine below which a note says that they are few."""
PEOPLE = 3
"""Raters below which a note says that they are few."""

MODEL = (
    "Bradley-Terry, a choice among three by Luce's rule; no difference counts as an equal share of "
    "a win; maximum likelihood by MM (Hunter 2004), half a win and half a loss for each engine "
    "against the average one; 95 % intervals by a bootstrap over raters and photos"
)


def rated(run_folder: Path, *, seed: int = 0, draws: int = fitting.DRAWS) -> dict[str, Any] | None:
    """What people said of the fills of a run; None where nobody has answered.

    returns: plain values, as JSON holds them:

        format, model: of this. raters, ballots, answers, repeats: how many; ballots and answers
            count first showings, repeats those asked once more.
        engines: names, best first by the overall score.
        criteria: one entry for each criterion that was asked, and "overall" for all their answers
            together; see `_criterion`.
        agreement: that of "overall" in short: alpha, share and chance between raters, and with
            self_ before them, of raters with themselves.
        places: how often the first, second, third place was chosen, and None's share: whether
            raters favoured a side.
        notes: what a reader must know.

    Answers on fills that are not in the run any more, or were made anew since, are left out.
    Raises what `Store.answers` raises.
    """
    everything = Store(run_folder / FILE).answers()
    if not everything:
        return None
    answers = _still_there(everything, run_folder)
    first = [answer for answer in answers if not answer.repeat]
    again = [answer for answer in answers if answer.repeat]
    criteria = {}
    for criterion in CRITERIA:
        mine = [answer for answer in first if answer.criterion == criterion.name]
        if mine:
            both = [answer for answer in answers if answer.criterion == criterion.name]
            facts = _criterion(mine, both, seed, draws)
            criteria[criterion.name] = {
                "title": criterion.title,
                "question": criterion.question,
            } | facts
    if first:
        facts = _criterion(first, answers, seed, draws)
        criteria[OVERALL] = {"title": "Overall", "question": "All criteria together."} | facts
    raters = sorted({answer.rater for answer in first})
    return {
        "format": FORMAT,
        "model": MODEL,
        "raters": len(raters),
        "ballots": len({(answer.rater, answer.question) for answer in first}),
        "answers": len(first),
        "repeats": len({(answer.rater, answer.question) for answer in again}),
        "engines": list(criteria[OVERALL]["engines"]) if first else [],
        "criteria": criteria,
        "agreement": _in_short(criteria[OVERALL]) if first else {},
        "places": _places(first),
        "notes": [
            *_notes(len(everything) - len(answers), raters, first),
            *(criteria[OVERALL]["notes"] if first else []),
        ],
    }


def _still_there(answers: Sequence[Answer], run_folder: Path) -> list[Answer]:
    """Answers whose fills are those that the run has now."""
    try:
        samples = read(run_folder)
    except InfillError:  # the rows are gone; what was said of them is still worth printing
        return list(answers)
    now = {
        (sample.slug, fill.engine, fill.trial): fill.sha256
        for sample in samples
        for fill in sample.fills
    }
    return [
        answer
        for answer in answers
        if all(
            now.get((answer.slug, fill.engine, fill.trial)) == fill.sha256 for fill in answer.shown
        )
    ]


def _criterion(
    first: Sequence[Answer], both: Sequence[Answer], seed: int, draws: int
) -> dict[str, Any]:
    """The part of one criterion, from the answers to first showings, and to both.

    engines: name → score (log-odds against the average), low, high (95 %; None where they
        cannot be had), probability (of being chosen over an average engine) with its ends,
        wins, ties, losses, answers, rank (1 + engines that are surely better), tied.
    pairs: for each two engines that met: one, other, asked, wins and losses of `one`,
        ties (none of those shown was chosen), neither (a third one was).
    agreement: between raters. self: of raters with themselves, on repeats.
    notes: what a reader must know.
    """
    names = sorted({fill.engine for answer in first for fill in answer.shown})
    shown = [[fill.engine for fill in answer.shown] for answer in first]
    chosen = [answer.chosen for answer in first]
    cast = fitting.votes(
        names,
        shown,
        chosen,
        [answer.rater for answer in first],
        [answer.photo for answer in first],
    )
    fitted = fitting.fit(cast, seed=seed, draws=draws)
    tallies = {name: _tally(name, shown, chosen) for name in names}
    engines = {name: _standing(fitted, index) | tallies[name] for index, name in enumerate(names)}
    ranked = sorted(names, key=lambda name: (engines[name]["rank"], -engines[name]["score"]))
    return {
        "engines": {name: engines[name] for name in ranked},
        "pairs": _pairs(names, shown, chosen),
        "agreement": _between(first),
        "self": _within(both),
        "notes": _few(tallies, fitted),
    }


def _standing(fitted: Fitted, index: int) -> dict[str, Any]:
    score = float(fitted.scores[index])
    ends = fitted.interval(index)
    others = [number for number in range(len(fitted.engines)) if number != index]
    better = [number for number in others if fitted.surely_above(number, index)]
    worse = [number for number in others if fitted.surely_above(index, number)]
    return {
        "score": score,
        "low": None if ends is None else ends[0],
        "high": None if ends is None else ends[1],
        "probability": chance_of_winning(score),
        "probability_low": None if ends is None else chance_of_winning(ends[0]),
        "probability_high": None if ends is None else chance_of_winning(ends[1]),
        "rank": 1 + len(better),
        "tied": [fitted.engines[n] for n in others if n not in better and n not in worse],
    }


def _tally(
    name: str, shown: Sequence[Sequence[str]], chosen: Sequence[str | None]
) -> dict[str, int]:
    """How often an engine was chosen, tied with all that were shown, or passed over."""
    mine = [one for names, one in zip(shown, chosen, strict=True) if name in names]
    wins, ties = mine.count(name), mine.count(None)
    return {"wins": wins, "ties": ties, "losses": len(mine) - wins - ties, "answers": len(mine)}


def _pairs(
    names: Sequence[str], shown: Sequence[Sequence[str]], chosen: Sequence[str | None]
) -> list[dict[str, Any]]:
    found = []
    for one, other in combinations(names, 2):
        met = [
            best
            for together, best in zip(shown, chosen, strict=True)
            if one in together and other in together
        ]
        if met:
            wins, losses, ties = met.count(one), met.count(other), met.count(None)
            found.append(
                {
                    "one": one,
                    "other": other,
                    "asked": len(met),
                    "wins": wins,
                    "losses": losses,
                    "ties": ties,
                    "neither": len(met) - wins - losses - ties,
                }
            )
    return found


def _between(answers: Sequence[Answer]) -> dict[str, Any]:
    """Agreement between raters who answered the same question."""
    units = defaultdict(list)
    for answer in answers:
        units[answer.question, answer.criterion].append(_value(answer))
    return asdict(agreement(units.values()))


def _within(answers: Sequence[Answer]) -> dict[str, Any]:
    """Agreement of raters with themselves: the two answers to a ballot that was repeated."""
    units: dict[tuple[str, str, str], dict[int, Any]] = defaultdict(dict)
    for answer in answers:
        key = (answer.rater, answer.question, answer.criterion)
        units[key][answer.repeat] = _value(answer)
    return asdict(agreement(list(unit.values()) for unit in units.values()))


def _in_short(criterion: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("alpha", "share", "chance")
    between, own = criterion["agreement"], criterion["self"]
    return {key: between[key] for key in keys} | {f"self_{key}": own[key] for key in keys}


def _value(answer: Answer) -> int | None:
    """What was chosen, as a number that means the same to all who answered that question.

    By the engines' names, chance would be that of guessing among all engines of the run, while
    only those shown can be chosen. So they are numbered within the question, in an order that
    its id scatters: no number is an engine's own.
    """
    if answer.place is None:
        return None
    scattered = sorted(fill.engine for fill in answer.shown)  # the same whatever the places
    scattered.sort(key=lambda name: hashlib.sha256(f"{answer.question}/{name}".encode()).digest())
    return scattered.index(answer.shown[answer.place].engine)


def _places(answers: Sequence[Answer]) -> dict[str, Any]:
    """How often each place was chosen, from the left, and "none"; by how many were shown."""
    found: dict[str, Any] = {}
    for size in sorted({len(answer.shown) for answer in answers}):
        counts = Counter(answer.place for answer in answers if len(answer.shown) == size)
        found[str(size)] = {
            "chosen": [counts[place] for place in range(size)],
            "none": counts[None],
        }
    return found


def _few(tallies: Mapping[str, Mapping[str, int]], fitted: Fitted) -> list[str]:
    notes = []
    few = [name for name, tally in tallies.items() if tally["answers"] < ENOUGH]
    if few:
        notes.append(
            f"fewer than {ENOUGH} answers about {', '.join(few)}: their scores are drawn towards "
            "the average and may still change much"
        )
    if not len(fitted.draws):
        notes.append(
            f"fewer than {fitting.LEAST} photos were judged: nothing can be said about others, so "
            "there are no intervals and no ranks"
        )
    return notes


def _notes(gone: int, raters: Sequence[str], first: Sequence[Answer]) -> list[str]:
    notes = []
    if gone:
        notes.append(
            f"{gone} answers are left out: the fills they are about were made anew or are gone"
        )
    if len(raters) == 1:
        notes.append("one rater: the intervals say how sure this person is, not what others see")
    elif 1 < len(raters) < PEOPLE:
        notes.append(f"{len(raters)} raters: what they have in common may be chance")
    photos = len({answer.photo for answer in first})
    if first and photos < ENOUGH:
        notes.append(f"{photos} photos: what holds for them may not hold for others")
    return notes
