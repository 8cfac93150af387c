"""Which fills are shown together, to whom, in which order: settled by a seed, kept nowhere.

Every rater gets the same questions, so that raters can be compared, in blocks of `BLOCK`. Within a
block, each rater has an order of her own, and each question shows its fills in places of its own.
After a block, one of its questions is asked once more with every fill in another place: how often
the answer is the same tells how well a rater agrees with herself.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from infill.errors import BatchError
from infill.rating.fills import Fill, Sample

BLOCK = 10
"""Questions after which every rater has answered the same ones."""

QUESTIONS = 60
"""How many questions a rater is asked at most, repeats not counted."""

LETTERS = "ABC"
"""What the places are called."""

FEW = 4
"""A block with fewer questions has no repeat: one would remember."""


@dataclass(frozen=True)
class Question:
    """Some fills of one sample. id: made of what is shown alone, whatever else the run has."""

    id: str
    sample: Sample
    fills: tuple[Fill, ...]


@dataclass(frozen=True)
class Ballot:
    """A question as one rater sees it. places: indices into its fills, from the first place.

    repeat: 0, or 1 when it is asked once more.
    """

    question: Question
    places: tuple[int, ...]
    repeat: int = 0

    @property
    def shown(self) -> tuple[Fill, ...]:
        """The fills in the order in which they are shown."""
        return tuple(self.question.fills[index] for index in self.places)


def questions(
    samples: Sequence[Sample], *, seed: int, together: int = 3, most: int = QUESTIONS
) -> list[Question]:
    """What is asked, at most `most`: every pair of engines about equally often, at any length.

    The samples take turns, in an order drawn for each round. A sample's turn goes to the engines
    whose pairs were shown together least often so far, chance deciding between equals, and to
    one of each engine's trials. No sample shows the same engines twice.

    together: fills in a question, 2 or 3; where a sample has but two, two.

    Raises `BatchError` where no sample was filled by two engines.
    """
    rng = np.random.default_rng([seed, 0])
    left = {
        sample.slug: list(combinations(sample.engines, min(together, len(sample.engines))))
        for sample in samples
        if len(sample.engines) > 1
    }
    if not left:
        raise BatchError("no sample of this run was filled by two engines; there is no choice")
    by_slug = {sample.slug: sample for sample in samples}
    met: Counter[tuple[str, str]] = Counter()
    found: list[Question] = []
    while left and len(found) < most:
        for slug in rng.permutation(sorted(left)):
            if len(found) == most:
                break
            names = _least_met(left[slug], met, rng)
            left[slug].remove(names)
            if not left[slug]:
                del left[slug]
            met.update(combinations(names, 2))
            found.append(_question(by_slug[slug], names, rng))
    return found


def _least_met(
    choices: Sequence[tuple[str, ...]], met: Counter[tuple[str, str]], rng: np.random.Generator
) -> tuple[str, ...]:
    """Of the choices, each sorted, the one whose pairs have met least; chance between equals."""
    costs = np.array([sum(met[pair] for pair in combinations(one, 2)) for one in choices])
    return choices[int(rng.choice(np.flatnonzero(costs == costs.min())))]


def _question(sample: Sample, names: Sequence[str], rng: np.random.Generator) -> Question:
    fills = []
    for name in names:
        trials = [fill for fill in sample.fills if fill.engine == name]
        fills.append(trials[int(rng.integers(len(trials)))])
    facts = [sample.slug, *([fill.engine, fill.trial, fill.sha256] for fill in fills)]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return Question(digest[:20], sample, tuple(fills))


def for_rater(asked: Sequence[Question], rater: str, *, seed: int) -> list[Ballot]:
    """All that one rater is asked, in her order; the same whenever it is called."""
    digest = hashlib.sha256(rater.encode()).digest()
    rng = np.random.default_rng([seed, 1, int.from_bytes(digest[:8], "big")])
    return [ballot for block in _blocks(asked) for ballot in _in_order(block, rng)]


def _blocks(asked: Sequence[Question]) -> Iterator[Sequence[Question]]:
    for start in range(0, len(asked), BLOCK):
        yield asked[start : start + BLOCK]


def _in_order(block: Sequence[Question], rng: np.random.Generator) -> list[Ballot]:
    """A block in an order of its own, and one of its first half once more at the end."""
    ballots = [
        Ballot(
            block[index], tuple(int(place) for place in rng.permutation(len(block[index].fills)))
        )
        for index in rng.permutation(len(block))
    ]
    if len(ballots) >= FEW:
        again = ballots[int(rng.integers(len(ballots) // 2))]
        moved = (*again.places[1:], again.places[0])  # each fill stands in another place
        ballots.append(Ballot(again.question, moved, repeat=1))
    return ballots
