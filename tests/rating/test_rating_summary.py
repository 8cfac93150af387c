"""What the report gets, and what the page shows before anybody sees it."""

import base64
import json
import re
from pathlib import Path

import pytest

from infill.errors import BadSetting
from infill.picture import Picture
from infill.rating import pictures
from infill.rating.booth import LONGEST_NAME, Booth, clean_name
from infill.rating.summary import OVERALL, rated
from tests.cli.tools import call
from tests.rating.runs import ENGINES, by_name, make_run, rate_all, row, write_rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two raters who know what they like, and one who always takes the first place."""
    folder = make_run(tmp_path_factory.mktemp("runs") / "run", samples=12)
    booth = Booth(folder, count=40)
    for name in ("ann", "bob"):
        rate_all(booth, name, by_name)
    rate_all(booth, "eve", lambda ballot: "A", most=22)
    return folder


class TestTheSummary:
    def test_it_ranks_as_the_raters_do(self, run: Path) -> None:
        found = rated(run, draws=300)
        assert found is not None
        assert (found["raters"], found["ballots"], found["repeats"]) == (3, 100, 10)
        assert found["engines"][0] == "alpha"
        engines = found["criteria"]["realism"]["engines"]
        assert engines["alpha"]["rank"] == 1
        assert engines["alpha"]["low"] < engines["alpha"]["score"] < engines["alpha"]["high"]
        assert engines["alpha"]["probability"] > 0.7
        assert engines["delta"]["rank"] > 1
        for facts in engines.values():
            assert facts["wins"] + facts["losses"] + facts["ties"] == facts["answers"]

    def test_it_is_plain_json(self, run: Path) -> None:
        found = rated(run, draws=50)
        assert json.loads(json.dumps(found, allow_nan=False)) == found

    def test_its_counts_add_up(self, run: Path) -> None:
        found = rated(run, draws=50)
        assert found is not None
        criteria = found["criteria"]
        assert set(criteria) == {
            "realism",
            "adaptability",
            "preservation",
            "consistency",
            OVERALL,
        }
        assert found["answers"] == sum(
            sum(facts["wins"] for facts in criteria[name]["engines"].values())
            for name in criteria
            if name != OVERALL
        )
        prompted = sum(facts["wins"] for facts in criteria["adaptability"]["engines"].values())
        assert 0 < prompted < 100
        for pair in criteria["realism"]["pairs"]:
            assert pair["asked"] == sum(pair[key] for key in ("wins", "losses", "ties", "neither"))
        places = found["places"]["3"]
        assert sum(places["chosen"]) + places["none"] == found["answers"]
        assert places["chosen"][0] > places["chosen"][1], "eve always took the first"

    def test_agreement_tells_who_knows_and_who_does_not(self, run: Path) -> None:
        found = rated(run, draws=50)
        assert found is not None
        realism = found["criteria"]["realism"]
        assert 0.3 < realism["agreement"]["alpha"] < 1
        assert realism["agreement"]["units"] == 40
        # Ann and Bob answered all repeats as before, Eve none: whatever stands first.
        assert realism["self"]["share"] == pytest.approx(0.8)
        assert 0.2 < realism["agreement"]["chance"] < 0.5

    def test_nobody_was_asked(self, tmp_path: Path) -> None:
        assert rated(make_run(tmp_path / "run", samples=1)) is None

    def test_few_answers_are_told_of(self, tmp_path: Path) -> None:
        run = make_run(tmp_path / "run", samples=2)
        rate_all(Booth(run), "ann", most=2)
        found = rated(run, draws=50)
        assert found is not None
        notes = " ".join(found["notes"])
        assert "one rater" in notes
        assert "fewer than 10 answers" in notes
        assert found["criteria"]["realism"]["agreement"]["alpha"] is None

    def test_fills_that_were_made_anew_are_left_out(self, tmp_path: Path) -> None:
        run = make_run(tmp_path / "run", samples=1, engines=ENGINES[:2], trials=1)
        rate_all(Booth(run), "ann")
        rows = [
            row("scene-0", engine, 0, f"fills/scene-0/{engine}/0.png", output_sha256="new")
            for engine in ENGINES[:2]
        ]
        write_rows(run, rows)
        found = rated(run, draws=50)
        assert found is not None
        assert (found["answers"], found["criteria"]) == (0, {})
        assert "made anew" in found["notes"][0]


class TestWhatIsShown:
    def test_pictures_come_without_names_and_recipes(self, run: Path) -> None:
        ballot = Booth(run).turn("new").ballot
        assert ballot is not None
        value = pictures.value(ballot)
        text = json.dumps(value)
        assert not [name for name in (*ENGINES, "scene", "fills/", "recipe") if name in text]
        for source in (value["photo"], *value["fills"]):
            data = base64.b64decode(source.removeprefix("data:image/jpeg;base64,"))
            assert not re.search(rb"alpha|recipe", data)
            shown = Picture.load(data)
            assert (shown.width, shown.height) == (value["width"], value["height"]) == (64, 48)

    def test_a_large_photo_is_reduced(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pictures, "LONGEST", 32)
        ballot = Booth(run).turn("new").ballot
        assert ballot is not None
        value = pictures.value(ballot)
        assert (value["width"], value["height"]) == (32, 24)

    def test_names_are_tidied(self) -> None:
        assert clean_name("  Ann \n  Lee\x00 ") == "Ann Lee"
        assert clean_name("") != clean_name("")
        with pytest.raises(BadSetting, match="at most"):
            clean_name("x" * (LONGEST_NAME + 1))


class TestTheCommand:
    def test_summary(self, run: Path) -> None:
        answer = call("rate", run, "--summary")
        assert answer.code == 0
        assert "alpha" in answer.out
        assert "agreement between raters: alpha 0." in answer.out
        assert json.loads(call("rate", run, "--json").out)["raters"] == 3

    def test_nobody_yet(self, tmp_path: Path) -> None:
        run = make_run(tmp_path / "run", samples=1)
        assert "nobody has rated" in call("rate", run, "--summary").out

    @pytest.mark.parametrize("more", [(), ("--summary",)])
    def test_no_such_run(self, tmp_path: Path, more: tuple[str, ...]) -> None:
        answer = call("rate", tmp_path / "gone", *more)
        assert answer.code == 2
        assert "gone" in answer.err
        assert "Traceback" not in answer.err

    def test_it_is_not_open_to_others_without_a_token(self, run: Path) -> None:
        answer = call("rate", run, "--host", "0.0.0.0")
        assert answer.code == 2
        assert "--token" in answer.err

    def test_another_seed_is_refused(self, run: Path) -> None:
        pytest.importorskip("fastapi", reason="the page needs the extra web")
        answer = call("rate", run, "--seed", 5)
        assert answer.code == 2
        assert "seed 0" in answer.err
