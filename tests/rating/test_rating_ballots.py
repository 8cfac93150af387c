"""What is asked: balanced, blind, the same for everyone, and in another order for each."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest

from infill.errors import BatchError, Unreadable
from infill.rating import ballots
from infill.rating.ballots import BLOCK, Question, for_rater, questions
from infill.rating.fills import Fill, Sample, read
from tests.rating.runs import ENGINES, make_run, row, write_rows


def sample(number: int, engines: Sequence[str] = ENGINES, trials: int = 2) -> Sample:
    fills = [
        Fill(engine, trial, Path(f"{number}-{engine}-{trial}.png"), f"{number}-{engine}-{trial}")
        for engine in engines
        for trial in range(trials)
    ]
    return Sample(f"s{number}", f"s{number}", "", Path("a"), Path("b"), tuple(fills))


def met(asked: Sequence[Question], engines: Sequence[str] = ENGINES) -> list[int]:
    """How often each two engines were shown together."""
    counts: Counter[tuple[str, str]] = Counter()
    for question in asked:
        counts.update(combinations(sorted(fill.engine for fill in question.fills), 2))
    return [counts[pair] for pair in combinations(sorted(engines), 2)]


class TestQuestions:
    @pytest.mark.parametrize("together", [2, 3])
    @pytest.mark.parametrize("many", [4, 9])
    def test_every_pair_is_asked_about_equally_often_at_any_length(
        self, together: int, many: int
    ) -> None:
        engines = [f"e{number}" for number in range(many)]
        asked = questions([sample(n, engines) for n in range(12)], seed=5, together=together)
        assert len(asked) == (60 if many > 4 or together == 2 else 48)
        for length in (20, 40, len(asked)):
            counts = met(asked[:length], engines)
            assert max(counts) - min(counts) <= 2

    def test_every_sample_is_asked_about_equally_often(self) -> None:
        asked = questions([sample(n) for n in range(7)], seed=1, together=2, most=30)
        counts = Counter(question.sample.slug for question in asked)
        assert max(counts.values()) - min(counts.values()) <= 1

    def test_no_question_is_asked_twice(self) -> None:
        asked = questions([sample(n) for n in range(3)], seed=1, most=1000)
        assert len(asked) == len({question.id for question in asked}) == 3 * 4

    def test_all_trials_are_shown(self) -> None:
        asked = questions([sample(n) for n in range(12)], seed=1)
        assert {fill.trial for question in asked for fill in question.fills} == {0, 1}

    def test_the_seed_decides(self) -> None:
        samples = [sample(n) for n in range(5)]
        first, again, other = (questions(samples, seed=seed) for seed in (1, 1, 2))
        assert first == again
        assert [one.id for one in first] != [one.id for one in other]

    def test_where_engines_failed_the_others_are_compared(self) -> None:
        samples = [sample(0), sample(1, ENGINES[:2]), sample(2, ENGINES[:1])]
        asked = questions(samples, seed=0)
        assert {len(one.fills) for one in asked if one.sample.slug == "s1"} == {2}
        assert not [one for one in asked if one.sample.slug == "s2"]

    def test_one_engine_is_no_choice(self) -> None:
        with pytest.raises(BatchError, match="two engines"):
            questions([sample(0, ENGINES[:1])], seed=0)

    def test_an_id_says_nothing_of_what_is_shown_but_changes_with_it(self) -> None:
        (asked,) = questions([sample(0, ENGINES[:2], 1)], seed=0)
        assert not any(engine in asked.id for engine in ENGINES)
        fills = tuple(dataclasses.replace(fill, sha256="new") for fill in sample(0).fills)
        (remade,) = questions(
            [dataclasses.replace(sample(0, ENGINES[:2], 1), fills=fills[:1] + fills[2:3])], seed=0
        )
        assert remade.id != asked.id


class TestWhatOneRaterSees:
    ASKED = questions([sample(number) for number in range(12)], seed=3, most=44)

    def test_everyone_is_asked_the_same_in_each_block_in_another_order(self) -> None:
        ann, bob = (for_rater(self.ASKED, name, seed=3) for name in ("ann", "bob"))
        firsts = [[one.question.id for one in who if not one.repeat] for who in (ann, bob)]
        assert firsts[0] != firsts[1]
        for start in range(0, 44, BLOCK):
            mine, yours = (sorted(ids[start : start + BLOCK]) for ids in firsts)
            assert mine == yours
        assert ann == for_rater(self.ASKED, "ann", seed=3)

    def test_some_come_again_later_with_every_fill_in_another_place(self) -> None:
        shown = for_rater(self.ASKED, "ann", seed=3)
        again = [index for index, one in enumerate(shown) if one.repeat]
        assert len(again) == 5
        for index in again:
            (first,) = (
                place
                for place, one in enumerate(shown)
                if one.question == shown[index].question and not one.repeat
            )
            assert index - first >= 2
            for before, now in zip(shown[first].shown, shown[index].shown, strict=True):
                assert before != now
            assert set(shown[first].shown) == set(shown[index].shown)

    def test_no_engine_has_a_place_of_its_own(self) -> None:
        seen = [one for name in "abcdefgh" for one in for_rater(self.ASKED, name, seed=0)]
        counts = Counter(
            (place, fill.engine) for one in seen for place, fill in enumerate(one.shown)
        )
        expected = len(seen) / len(ENGINES)
        for place in range(3):
            for engine in ENGINES:
                assert counts[place, engine] == pytest.approx(expected, rel=0.3)

    def test_a_few_questions_are_not_asked_again(self) -> None:
        assert len(for_rater(self.ASKED[:3], "ann", seed=0)) == 3


class TestReadingARun:
    def test_what_it_finds(self, tmp_path: Path) -> None:
        found = read(make_run(tmp_path / "run", samples=2))
        assert [one.slug for one in found] == ["scene-0", "scene-1"]
        assert found[0].engines == tuple(sorted(ENGINES))
        assert [one.prompt for one in found] == ["", "a red chair"]
        assert len(found[0].fills) == 8
        assert found[0].before.is_file()
        assert found[0].mask.is_file()

    def test_it_leaves_out_what_failed_is_gone_or_lies_elsewhere(self, tmp_path: Path) -> None:
        run = make_run(tmp_path / "run", samples=1, engines=("alpha",), trials=1)
        (tmp_path / "secret.png").write_bytes((run / "fills/scene-0/alpha/0.png").read_bytes())
        write_rows(
            run,
            [
                row("scene-0", "alpha", 0, "fills/scene-0/alpha/0.png"),
                row("scene-0", "beta", 0, None, error="it failed"),
                row("scene-0", "gamma", 0, "fills/scene-0/gamma/0.png"),
                row("scene-0", "delta", 0, "../secret.png"),
                row("scene-9", "alpha", 0, "fills/scene-0/alpha/0.png"),
            ],
        )
        (found,) = read(run)
        assert found.engines == ("alpha",)

    def test_a_folder_that_is_no_run(self, tmp_path: Path) -> None:
        with pytest.raises(Unreadable, match=r"rows\.jsonl"):
            read(tmp_path)
        write_rows(tmp_path, [{"key": "a", "format": 1}])
        with pytest.raises(BatchError, match="infill bench"):
            read(tmp_path)

    def test_letters_are_as_many_as_fills_can_be(self) -> None:
        assert len(ballots.LETTERS) == 3
