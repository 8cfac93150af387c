"""The answers on disk: two raters at once, kills at any moment, files of others."""

import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from infill.errors import BadSetting, Unreadable, Unwritable
from infill.rating.booth import Booth
from infill.rating.criteria import asked
from infill.rating.store import FILE, VERSION, Store
from tests.cli.tools import environment
from tests.rating.runs import by_name, make_run, rate_all

ROOT = Path(__file__).parents[2]

RATER = """
import sys
from pathlib import Path
from infill.rating.booth import Booth
from infill.rating.criteria import asked
booth = Booth(Path(sys.argv[1]))
while True:
    turn = booth.turn(sys.argv[2])
    if turn.ballot is None:
        break
    names = [one.name for one in asked(turn.ballot.question.sample.prompt)]
    booth.answer(sys.argv[2], turn.ticket, dict.fromkeys(names, "A"))
    print(turn.ticket, flush=True)
"""


def rating(run: Path, rater: str) -> "subprocess.Popen[str]":
    """A process that answers every ballot, and says each when its answer is kept."""
    return subprocess.Popen(
        [sys.executable, "-c", RATER, str(run), rater],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "run", samples=8, trials=1)


@pytest.fixture
def fresh(run: Path) -> Path:
    for path in run.glob(f"{FILE}*"):
        path.unlink()
    return run


class TestKills:
    def test_what_was_said_to_be_kept_is_there_after_a_kill(self, fresh: Path) -> None:
        draw = random.Random(0)
        said: list[str] = []
        for _ in range(4):
            with rating(fresh, "ann") as child:
                assert child.stdout is not None
                for _ in range(draw.randint(1, 8)):
                    said.append(child.stdout.readline().strip())
                child.kill()
                assert child.wait() == -9
                rest = child.stdout.read().splitlines()
            kept = Store(fresh / FILE).answered("ann")
            assert {f"{question}:{repeat}" for question, repeat in kept} >= {*said, *rest}
            said += rest
        self.check_whole(fresh)

    def check_whole(self, run: Path) -> None:
        booth = Booth(run)
        prompts = {one.id: one.sample.prompt for one in booth.questions}
        answers = booth.store.answers()
        counts = Counter((one.rater, one.question, one.repeat) for one in answers)
        assert counts
        for (_, question, _), count in counts.items():
            assert count == len(asked(prompts[question])), "a ballot is kept whole or not at all"
        with sqlite3.connect(run / FILE) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        file.close()

    def test_two_raters_at_once(self, fresh: Path) -> None:
        with rating(fresh, "ann") as ann, rating(fresh, "bob") as bob:
            said = [child.communicate()[0].split() for child in (ann, bob)]
        assert ann.returncode == bob.returncode == 0
        total = Booth(fresh).turn("ann").total
        assert len(said[0]) == len(said[1]) == total
        for name in ("ann", "bob"):
            assert len(Store(fresh / FILE).answered(name)) == total
        self.check_whole(fresh)

    def test_the_same_rater_in_two_windows(self, fresh: Path) -> None:
        with rating(fresh, "ann") as one, rating(fresh, "ann") as other:
            one.communicate()
            other.communicate()
        answers = Store(fresh / FILE).answers()
        keys = [(a.rater, a.question, a.repeat, a.criterion) for a in answers]
        assert len(keys) == len(set(keys))
        self.check_whole(fresh)


class TestAnswers:
    def test_they_come_back_as_they_were_given(self, fresh: Path) -> None:
        booth = Booth(fresh)
        turn = booth.turn("ann")
        assert turn.ballot is not None
        names = [one.name for one in asked(turn.ballot.question.sample.prompt)]
        given = dict(zip(names, ["B", "=", "A", "C"], strict=False))
        assert booth.answer("ann", turn.ticket, given)
        found = {one.criterion: one for one in booth.store.answers()}
        engines = [fill.engine for fill in turn.ballot.shown]
        assert found["realism"].chosen == engines[1]
        assert found[names[1]].chosen is None
        assert [one.engine for one in found["realism"].shown] == engines
        assert found["realism"].rater == "ann"
        assert found["realism"].slug == turn.ballot.question.sample.slug

    def test_the_first_answer_counts(self, fresh: Path) -> None:
        booth = Booth(fresh)
        turn = booth.turn("ann")
        assert booth.answer("ann", turn.ticket, dict.fromkeys(("adaptability", *NAMES), "A"))
        before = booth.store.answers()
        assert not booth.answer("ann", turn.ticket, dict.fromkeys(("adaptability", *NAMES), "B"))
        assert booth.store.answers() == before

    def test_what_is_no_answer_is_not_kept(self, fresh: Path) -> None:
        booth = Booth(fresh)
        ticket = booth.turn("ann").ticket
        for letters in ({}, dict.fromkeys(NAMES, "D"), dict.fromkeys(NAMES, "AB")):
            with pytest.raises(BadSetting, match="no answer yet"):
                booth.answer("ann", ticket, letters)
        with pytest.raises(BadSetting, match="no ballot"):
            booth.answer("ann", "elsewhere:0", dict.fromkeys(NAMES, "A"))
        ballot = booth.turn("ann").ballot
        assert ballot is not None
        with pytest.raises(BadSetting, match="answers are to"):
            booth.store.add("ann", ballot, {"taste": 0})
        with pytest.raises(BadSetting, match="place"):
            booth.store.add("ann", ballot, {"realism": 3})
        assert booth.store.answers() == []

    def test_a_start_goes_on_with_what_was_settled(self, fresh: Path) -> None:
        first = Booth(fresh, seed=7, count=9, together=2)
        again = Booth(fresh)
        assert [one.id for one in first.questions] == [one.id for one in again.questions]
        assert len(again.questions) == 9
        with pytest.raises(BadSetting, match="seed 7"):
            Booth(fresh, seed=8)

    def test_all_done(self, fresh: Path) -> None:
        booth = Booth(fresh, count=5)
        assert rate_all(booth, "ann", by_name) == 6
        turn = booth.turn("ann")
        assert (turn.ballot, turn.done, turn.total) == (None, 6, 6)


NAMES = ("realism", "preservation", "consistency")


class TestFiles:
    def test_no_file_is_no_answers(self, tmp_path: Path) -> None:
        store = Store(tmp_path / FILE)
        assert store.answers() == []
        assert store.answered("ann") == set()
        assert not store.path.exists()

    def test_an_empty_file_is_no_answers(self, tmp_path: Path) -> None:
        (tmp_path / FILE).touch()
        assert Store(tmp_path / FILE).answers() == []

    def test_a_later_version_is_not_touched(self, fresh: Path) -> None:
        rate_all(Booth(fresh), "ann", most=1)
        with sqlite3.connect(fresh / FILE) as file:
            file.execute(f"PRAGMA user_version = {VERSION + 1}")
        file.close()
        for attempt in (Store(fresh / FILE).answers, lambda: Booth(fresh)):
            with pytest.raises(BadSetting, match="version"):
                attempt()

    def test_a_file_of_others_is_not_touched(self, tmp_path: Path) -> None:
        path = tmp_path / FILE
        with sqlite3.connect(path) as file:
            file.execute("CREATE TABLE theirs (x)")
        file.close()
        with pytest.raises(BadSetting, match="not a file of ratings"):
            Store(path).settle({"seed": 1}, {"seed": 0})
        path.write_bytes(b"this is no database, and longer than a header of one is" * 20)
        with pytest.raises(Unwritable, match="cannot be written"):
            Store(path).settle({"seed": 1}, {"seed": 0})

    def test_a_folder_that_is_gone(self, tmp_path: Path) -> None:
        with pytest.raises(Unwritable, match="no such folder"):
            Store(tmp_path / "gone" / FILE).settle({"seed": 1}, {"seed": 0})

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_answers_are_read_from_a_folder_that_may_not_be_written(self, fresh: Path) -> None:
        rate_all(Booth(fresh), "ann", most=1)
        before, log = stat.S_IMODE(fresh.stat().st_mode), fresh / f"{FILE}-wal"
        log.touch()
        fresh.chmod(0o500)
        try:
            assert Store(fresh / FILE).answers()
            log.write_bytes(b"the rest")
            with pytest.raises(Unreadable, match="cannot be read"):
                Store(fresh / FILE).answers()
        finally:
            fresh.chmod(before)
