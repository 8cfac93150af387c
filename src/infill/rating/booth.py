"""Where raters come and go: who is asked what next, and what became of the answer.

Nothing is kept but the answers: which ballot is next follows from the run, the seed, the rater's
name and what the rater has answered. So a page goes on where it was after the server was killed.
"""

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from infill.errors import BadSetting
from infill.rating import ballots
from infill.rating.ballots import LETTERS, Ballot
from infill.rating.criteria import asked
from infill.rating.fills import read
from infill.rating.store import FILE, Store

SAME = "="
"""The answer "no difference"."""

LONGEST_NAME = 60
DEFAULTS = {"seed": 0, "ballots": ballots.QUESTIONS, "fills": 3}


@dataclass(frozen=True)
class Turn:
    """What a rater is asked now. ballot: None when all is done. done, total: ballots."""

    ballot: Ballot | None
    done: int
    total: int

    @property
    def ticket(self) -> str:
        """Names the ballot, and says nothing of what it shows."""
        if self.ballot is None:
            return ""
        return f"{self.ballot.question.id}:{self.ballot.repeat}"


class Booth:
    """The ballots of one run, for any number of raters.

    seed, count, together: of the questions; see `ballots.questions`. None = as those before have
    been asked, or the default.

    Raises what `fills.read`, `ballots.questions` and `Store.settle` raise.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int | None = None,
        count: int | None = None,
        together: int | None = None,
    ) -> None:
        samples = read(folder)
        self.store = Store(folder / FILE)
        ballots.questions(samples, seed=0, most=1)  # raises before a file is made
        settled = self.store.settle({"seed": seed, "ballots": count, "fills": together}, DEFAULTS)
        self._seed = settled["seed"]
        self.questions = ballots.questions(
            samples, seed=self._seed, together=settled["fills"], most=settled["ballots"]
        )
        self._of = lru_cache(maxsize=100)(self._drawn)
        self._broken: set[str] = set()

    def _drawn(self, rater: str) -> tuple[Ballot, ...]:
        return tuple(ballots.for_rater(self.questions, rater, seed=self._seed))

    def turn(self, rater: str) -> Turn:
        """What the rater is asked now: the first of her ballots without an answer."""
        mine, answered = self._of(rater), self.store.answered(rater)
        left = [
            one
            for one in mine
            if (one.question.id, one.repeat) not in answered and one.question.id not in self._broken
        ]
        return Turn(left[0] if left else None, len(mine) - len(left), len(mine))

    def leave_out(self, ballot: Ballot) -> None:
        """Ask that question no more until the server is started again: it cannot be shown."""
        self._broken.add(ballot.question.id)

    def answer(self, rater: str, ticket: str, letters: Mapping[str, str | None]) -> bool:
        """Keep the answers to the ballot of that ticket; on disk when this returns.

        letters: for each criterion that was asked, "A", "B", "C" or `SAME`; what else there is in
        it is not looked at.
        returns: whether they are new; not if the ballot was answered before, in another window say.

        Raises `BadSetting` where there is no such ballot, or a criterion has no answer.
        """
        found = [one for one in self._of(rater) if f"{one.question.id}:{one.repeat}" == ticket]
        if not found:
            raise BadSetting("this is no ballot of yours any more; go on with the next one")
        ballot = found[0]
        places: dict[str, int | None] = {}
        for criterion in asked(ballot.question.sample.prompt):
            letter = letters.get(criterion.name)
            if letter == SAME:
                places[criterion.name] = None
            elif letter in tuple(LETTERS[: len(ballot.places)]):
                places[criterion.name] = LETTERS.index(letter)
            else:
                raise BadSetting(f"{criterion.title} has no answer yet; choose one, then go on")
        return self.store.add(rater, ballot, places)


def clean_name(text: str | None) -> str:
    """The name under which a rater's answers are kept: spaces tidied, nothing that cannot be
    printed; one drawn by chance where nothing was typed.

    Raises `BadSetting` for a name that is too long.
    """
    printable = "".join(
        letter if unicodedata.category(letter)[0] != "C" else " " for letter in text or ""
    )
    name = " ".join(unicodedata.normalize("NFC", printable).split())
    if len(name) > LONGEST_NAME:
        raise BadSetting(f"a name has at most {LONGEST_NAME} letters; shorten it")
    return name or f"rater-{secrets.token_hex(4)}"
