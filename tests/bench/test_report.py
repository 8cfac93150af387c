"""What a report holds: its files to the letter, and that nothing from a run can act on the page."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from benchmarks.report_speed import made_up_rows, made_up_summary
from PIL import Image

from infill.bench.report import Room, write
from infill.bench.report.files import csv_text, json_text
from infill.bench.report.markdown import write as markdown_of
from infill.bench.report.records import records
from infill.bench.summary import (
    Column,
    Cost,
    Interval,
    Rank,
    Reference,
    Standing,
    Summary,
    Table,
)
from infill.errors import Unwritable

EVIL = "<script>alert(1)</script>\"'&</td>]]>--><img src=x onerror=alert(2)>"
ENGINES = ["exemplar", "telea"]


def small_summary() -> Summary:
    """Two engines, one criterion, one figure that is exact: written by hand."""
    column = Column("psnr", "PSNR", "higher", 2, note="in dB")
    first, second = Interval(0.75, 0.5, 1.0, 4), Interval(0.25, 0.0, 0.5, 4)
    return Summary(
        title="A run",
        verdict=["exemplar is best."],
        engines=ENGINES,
        samples=4,
        trials=3,
        standings=[
            Standing("exemplar", Rank(1), first, {"consistency": first}),
            Standing("telea", Rank(2), second, {"consistency": second},
                     Interval(-0.5, -0.75, -0.25, 4)),
        ],
        tables=[
            Table(
                "consistency",
                "Consistency",
                [column],
                {"exemplar": {"psnr": Interval(24.5, 23.0, 26.0, 3, 1)},
                 "telea": {"psnr": Interval(None, exact=4)}},
                {"exemplar": {"psnr": Rank(1, ["telea"])},
                 "telea": {"psnr": Rank(1, ["exemplar"])}},
                ["Few photos."],
            )
        ],
        by_kind={},
        costs=[Cost("exemplar", 6.0, Interval(0.5, 0.4, 0.75, 11), {}, 7200.0, 300.0, None, None,
                    0.0123, "some rate")],
        spreads=[],
        pictures=[],
        failures=[],
        left_out=[],
        references=[Reference("LaMa", "FID", 2.21, "A paper, table 7")],
        techniques=[],
        rated=None,
        hardware={"words": "Some CPU, 2 cores", "cores": 2},
        versions={"infill": "1.0"},
        protocol={"seed": 7, "protocol": {"name": "wide", "version": 1, "hash": "abcdef012345"}},
        command="infill bench photos",
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]], Summary]:
    """A run of six samples with pictures, on which the second engine failed once."""
    run = tmp_path_factory.mktemp("run")
    rows = made_up_rows(run, 6, ENGINES, 2, 48)
    for row in rows:
        if row["sample"] == "sample-0002" and row["engine"] == "telea":
            row.update(output=None, error="too large a hole", scores={}, recipe=None)
    return run, rows, made_up_summary(rows, ENGINES)


# --- CSV, JSON, Markdown ------------------------------------------------------------------------


def test_rows_as_csv_to_the_letter() -> None:
    rows = [
        {
            "key": "a/e/0", "sample": 'a,"b"', "engine": "e", "trial": 0, "first": True,
            "options": {"radius": 3.0}, "seconds": {"total": 0.5}, "notes": ["one", "two"],
            "scores": {"psnr": 20.5, "seam": None}, "error": None, "recipe": {"seed": 1},
        },
        {
            "key": "a/e/1", "sample": "a", "engine": "e", "trial": 1, "first": False,
            "options": {}, "seconds": {"total": 1.25, "engine": 1.0}, "notes": [],
            "scores": {"psnr": "exact", "ssim": 0.5}, "error": "no\nmemory", "group": "g",
        },
    ]  # fmt: skip
    assert csv_text(rows) == (
        "key,sample,slug,kind,dataset,engine,options,trial,seed,width,height,coverage,prompt,"
        "seconds.total,seconds.engine,scores.psnr,scores.seam,scores.ssim,"
        "first,host_mb,device_mb,joules,output,output_sha256,notes,error,format,infill,group\n"
        'a/e/0,"a,""b""",,,,e,"{""radius"": 3.0}",0,,,,,,0.5,,20.5,,,true,,,,,,'
        '"[""one"", ""two""]",,,,\n'
        'a/e/1,a,,,,e,,1,,,,,,1.25,1.0,exact,,0.5,false,,,,,,,"no\nmemory",,,g\n'
    )


def test_csv_has_a_line_for_every_row(made: Any) -> None:
    _, rows, _ = made
    read = list(csv.DictReader(io.StringIO(csv_text(rows))))
    assert [line["key"] for line in read] == [row["key"] for row in rows]
    for line, row in zip(read, rows, strict=True):
        score = row["scores"].get("psnr")
        assert line["scores.psnr"] == ("" if score is None else repr(score))


def test_summary_as_json_holds_every_field_and_no_infinity() -> None:
    summary = replace(small_summary(), hardware={"a": float("inf"), "b": float("nan")})
    told = json.loads(json_text(summary), parse_constant=lambda name: pytest.fail(name))
    assert told["hardware"] == {"a": "exact", "b": None}
    assert told["standings"][0]["score"] == {
        "value": 0.75, "low": 0.5, "high": 1.0, "count": 4, "exact": 0,
    }  # fmt: skip
    assert told["tables"][0]["ranks"]["telea"] == {"psnr": {"rank": 1, "tied": ["exemplar"]}}
    assert told["format"] == 1


def test_markdown_to_the_letter() -> None:
    assert (
        markdown_of(small_summary(), picture="summary.jpg")
        == """\
# A run

**exemplar is best.**

![Engines, scores and some samples](summary.jpg)

2 engines; 4 samples; 3 trials.

## Overall

| rank | engine | score (95 % interval) | behind the first | consistency | tied with |
| --- | --- | ---: | ---: | ---: | --- |
| 1 | exemplar | 0.75 (0.50 to 1.00) | – | 0.75 (0.50 to 1.00) | – |
| 2 | telea | 0.25 (0.00 to 0.50) | -0.50 (-0.75 to -0.25) | 0.25 (0.00 to 0.50) | – |

The score is how often an engine is better than another one on the same sample, over the criteria \
that can be seen in a fill and tell engines apart: 0 never, 1 always, 0.5 as often as not. \
Reproducibility and cost are told beside it and do not count in it. Behind the first: the score \
less that of the engine at the top, on the same samples. Engines that the data cannot tell apart \
share a rank, marked =.

## Consistency

| engine | PSNR ↑ |
| --- | ---: |
| exemplar | 24.50 (23.00 to 26.00; 1 of 4 exact) #1= |
| telea | exact #1= |

- Few photos.
- PSNR: in dB

## Cost

| engine | first s | steady s (5 % to 95 %) | photos an hour | host MB | device MB | joules | \
price of 1,000, US $ |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| exemplar | 6.00 | 0.500 (0.400 to 0.750) | 7 200 | 300 | – | – | 0.0123 |

- Price of exemplar: some rate.

## Published figures, for reference

> These figures were published by others for the same protocol. They are no results of this run: \
other photos, hardware and code made them.

| engine | figure | value | source | checked |
| --- | --- | ---: | --- | --- |
| LaMa | FID | 2.21 | A paper, table 7 | – |

## To repeat it

```
infill bench photos
```

### Protocol

| what | value |
| --- | --- |
| Seed | 7 |
| Protocol | name: wide, version: 1, hash: abcdef012345 |

### Hardware

| what | value |
| --- | --- |
| Cores | 2 |

### Versions

| what | value |
| --- | --- |
| Infill | 1.0 |
"""
    )


def test_markdown_of_names_that_mean_something_to_it() -> None:
    summary = replace(small_summary(), title="*a* [b](c) <i> | `d`", command="echo ``` | x")
    text = markdown_of(summary, picture=None)
    assert text.startswith("# \\*a\\* \\[b\\](c) \\<i\\> | \\`d\\`\n")
    assert "``````\necho ``` | x\n``````" in text


# --- files --------------------------------------------------------------------------------------


def test_everything_is_written_and_again_the_same(made: Any, tmp_path: Path) -> None:
    run, rows, summary = made
    written = write(summary, rows, run, tmp_path / "new" / "report", threads=1)
    names = {path.name: path.read_bytes() for path in written.folder.iterdir()}
    assert set(names) == {"index.html", "report.md", "rows.csv", "summary.json", "summary.jpg"}
    again = write(summary, rows, run, tmp_path / "new" / "report", threads=3)
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == names
    assert (again.full, again.small, again.bare) == (6, 0, 0)
    with Image.open(written.picture) as picture:
        assert (picture.format, picture.width) == ("JPEG", 1200)
        assert picture.height > 500


def test_without_page_and_picture(tmp_path: Path) -> None:
    written = write(small_summary(), [], tmp_path, tmp_path / "r", html=False, picture=False)
    assert written.page is None
    assert written.picture is None
    assert {path.name for path in written.folder.iterdir()} == {
        "report.md", "rows.csv", "summary.json",
    }  # fmt: skip
    assert "summary.jpg" not in written.markdown.read_text()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unwritable, match="can't be made"):
        write(small_summary(), [], tmp_path, tmp_path / "file" / "report")


def test_a_run_of_nothing_still_has_a_report(tmp_path: Path) -> None:
    empty = made_up_summary([], [])
    written = write(empty, [], tmp_path, tmp_path / "report")
    assert written.page is not None
    page = written.page.read_text()
    assert "0 engines, 0 samples" in page
    assert 'id="cases"' not in page


# --- the page -----------------------------------------------------------------------------------


class Outside(HTMLParser):
    """Collects what the page would load, and every element that runs something."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.scripts: list[str | None] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            self.scripts.append(given.get("type"))
        for name, value in attrs:
            if name.startswith("on"):
                self.handlers.append(f"{tag} {name}")
            loads = name in ("src", "srcset", "data", "poster", "action", "xlink:href")
            if loads or (name == "href" and tag not in ("a",)):
                self.loads.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def parsed(page: str) -> Outside:
    found = Outside()
    found.feed(page)
    return found


def test_the_page_loads_nothing(made: Any, tmp_path: Path) -> None:
    run, rows, summary = made
    page = write(summary, rows, run, tmp_path / "r", picture=False).page
    assert page is not None
    text = page.read_text()
    found = parsed(text)
    assert found.loads == ["data:,"]
    assert found.handlers == []
    assert found.scripts == ["application/json"] * 3 + [None]
    assert len(found.ids) == len(set(found.ids))
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_text_from_a_run_stays_text(made: Any, tmp_path: Path) -> None:
    """Every text that a run can hold is replaced by one that would act if it were let."""
    run, rows, summary = made
    rows = [
        {**row, "sample": EVIL, "kind": EVIL, "prompt": EVIL, "notes": [EVIL], "seed": EVIL,
         "error": row["error"] and EVIL, "key": EVIL + row["key"],
         "recipe": row["recipe"] and {"engine": EVIL}}
        for row in rows
    ]  # fmt: skip
    poisoned = spoiled(summary)
    page = write(poisoned, rows, run, tmp_path / "r").page
    assert page is not None
    text = page.read_text()
    plain = parsed(text)
    clean = write(summary, made[1], run, tmp_path / "clean", picture=False).page
    assert clean is not None
    assert plain.scripts == ["application/json"] * 3 + [None]
    assert plain.handlers == []
    assert plain.loads == ["data:,"]
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;" in text


def spoiled(value: Any) -> Any:
    """A copy of a summary in which every text but keys and paths is `EVIL`."""
    title = replace(value, title=EVIL, verdict=[EVIL], notes=[EVIL], command=EVIL)
    return replace(
        title,
        protocol={EVIL: EVIL},
        hardware={"words": EVIL, "cpu": EVIL},
        versions={EVIL: EVIL},
        left_out=[EVIL],
        failures=[replace(one, error=EVIL, sample=EVIL) for one in value.failures],
        references=[replace(one, engine=EVIL, source=EVIL) for one in value.references],
        techniques=[{"name": EVIL, "paper": EVIL, "url": "javascript:alert(3)", EVIL: EVIL}],
        pictures=[
            replace(one, name=EVIL, title=EVIL, kind=EVIL, hard=EVIL, prompt=EVIL)
            for one in value.pictures
        ],
        tables=[
            replace(one, title=EVIL, notes=[EVIL], columns=[
                replace(column, label=EVIL, summary=EVIL, note=EVIL) for column in one.columns
            ])
            for one in value.tables
        ],
        by_kind={EVIL: next(iter(value.by_kind.values()))},
        spreads=[replace(one, label=EVIL) for one in value.spreads],
        rated={"raters": 1, "answers": 1, "notes": [EVIL], "agreement": {EVIL: EVIL},
               "criteria": {EVIL: {"title": EVIL, "question": EVIL,
                                   "engines": {EVIL: {"score": 0.5, "note": EVIL}}}}},
    )  # fmt: skip


def test_only_addresses_of_the_web_become_links(made: Any, tmp_path: Path) -> None:
    run, rows, summary = made
    papers = ["javascript:alert(1)", "See https://example.org/a_b(c). More", "http://[", "none"]
    summary = replace(summary, techniques=[{"name": "x", "paper": paper} for paper in papers],
                      references=[])  # fmt: skip
    page = write(summary, rows, run, tmp_path / "r", picture=False).page
    assert page is not None
    links = re.findall(r'<a href="([^#"][^"]*)"', page.read_text())
    assert links == ["https://example.org/a_b(c"]


def test_what_was_not_measured_has_no_place_and_no_panel(made: Any, tmp_path: Path) -> None:
    run, rows, summary = made
    page = write(summary, rows, run, tmp_path / "r", picture=False).page
    assert page is not None
    text = page.read_text()
    start = text.index('id="criterion-1"')
    adaptability = text[start : text.index("</section>", start)]
    assert "CLIP score" in adaptability
    assert "<svg" not in adaptability
    assert "#1" not in adaptability.partition("<table>")[2].partition("</table>")[0]
    assert adaptability.count('<span class="mean">–</span>') == 2


def test_a_criterion_without_figures_says_so(tmp_path: Path) -> None:
    nothing = Table(
        "adaptability", "Adaptability", [], {}, {}, ["clip was not measured: no weights"]
    )
    summary = replace(small_summary(), tables=[nothing])
    written = write(summary, [], tmp_path, tmp_path / "r", picture=False)
    assert written.page is not None
    for path in (written.page, written.markdown):
        assert "Nothing of this was measured." in path.read_text()
        assert "clip was not measured" in path.read_text()


def test_published_figures_are_set_apart(made: Any, tmp_path: Path) -> None:
    run, rows, summary = made
    page = write(summary, rows, run, tmp_path / "r", picture=False).page
    assert page is not None
    text = page.read_text()
    start = text.index('<section id="references" class="apart"')
    section = text[start : text.index("</section>", start)]
    assert "Published figures, not results of this run" in section
    assert "2.21" in section
    assert "2.21" not in text[:start]


# --- records ------------------------------------------------------------------------------------


def test_records_are_short_and_lose_nothing(made: Any) -> None:
    _, rows, summary = made
    told = records(rows, summary)
    texts = told["texts"]
    keys = [score["key"] for score in told["scores"]]
    assert keys == ["swd", "clip", "psnr_outside", "psnr", "ssim", "seam"]
    for line, row in zip(told["rows"], rows, strict=True):
        key, sample, kind, engine, trial, seed, seconds, error, notes, output, *scores = line
        assert key == row["key"]
        assert [texts[sample], texts[kind], texts[engine]] == [
            row["sample"], row["kind"], row["engine"],
        ]  # fmt: skip
        assert (trial, seed) == (row["trial"], str(row["seed"]))
        assert seconds == pytest.approx(row["seconds"]["total"], rel=1e-5)
        assert (texts[error] if error >= 0 else None) == row["error"]
        assert notes == -1
        assert output == (row["output"] or "")
        for name, score in zip(keys, scores, strict=True):
            was = row["scores"].get(name)
            assert score == (pytest.approx(was, rel=1e-5) if isinstance(was, float) else was)


def test_recipes_are_told_by_what_differs(made: Any) -> None:
    _, rows, summary = made
    recipes = records(rows, summary)["recipes"]
    for row, changes in zip(rows, recipes["of"], strict=True):
        whole = None if changes is None else {**recipes["base"][row["engine"]], **changes}
        assert whole == row["recipe"]
    assert recipes["of"][0] == {}


def test_recipes_that_would_be_too_long_stay_in_the_run(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, rows, summary = made
    monkeypatch.setattr("infill.bench.report.records.MOST_RECIPES", 100)
    assert records(rows, summary)["recipes"] is None


# --- ratings ------------------------------------------------------------------------------------


def test_ratings_are_shown_with_intervals_ranks_and_agreement(made: Any, tmp_path: Path) -> None:
    run, rows, summary = made
    engines = {
        "telea": {"score": -0.5, "low": -0.75, "high": -0.25, "rank": 2, "tied": [], "wins": 3},
        "exemplar": {"score": 0.5, "low": None, "high": None, "rank": 1, "tied": [], "wins": 9},
    }
    rated = {
        "raters": 3, "answers": 24, "model": "Bradley-Terry", "notes": ["Few raters."],
        "criteria": {"seam": {"title": "Seam", "question": "Which edge shows least?",
                              "engines": engines, "pairs": [1, 2]}},
        "agreement": {"alpha": 0.61},
    }  # fmt: skip
    written = write(replace(summary, rated=rated), rows, run, tmp_path / "r", picture=False)
    text = written.markdown.read_text()
    assert "3 people, 24 answers." in text
    assert "| exemplar | 0.50 | 1 | 9 |\n| telea | -0.50 (-0.75 to -0.25) | 2 | 3 |" in text
    assert "| Alpha | 0.61 |" in text
    assert written.page is not None
    page = written.page.read_text()
    for told in ("Which edge shows least?", "Few raters.", "-0.75 to -0.25", "Bradley-Terry"):
        assert told in page


@pytest.mark.parametrize(
    "rated",
    [{}, {"criteria": None}, {"criteria": {"a": 3}}, {"criteria": {"a": {"x": {"score": "?"}}}},
     {"agreement": 0.5, "notes": "one"}],
)  # fmt: skip
def test_ratings_of_another_shape_are_no_error(made: Any, tmp_path: Path, rated: Any) -> None:
    run, rows, summary = made
    written = write(replace(summary, rated=rated), rows, run, tmp_path / "r", picture=False)
    assert written.page is not None
    assert written.page.exists()


def test_room_is_kept_to(made: Any, tmp_path: Path) -> None:
    run, rows, summary = made
    written = write(summary, rows, run, tmp_path / "r", picture=False, room=Room(full=2, small=1))
    assert (written.full, written.small, written.bare) == (2, 1, 3)
    assert written.page is not None
    told = "2 samples can be enlarged"
    assert told in written.page.read_text()


def test_names_that_are_no_text_do_not_stop_it(made: Any, tmp_path: Path) -> None:
    """A file's name on Linux may be bytes that are no UTF-8; Python has them as lone surrogates."""
    run, rows, summary = made
    strange = replace(summary, title="photo \udce4", command="infill bench \udce4")
    rows = [{**row, "sample": "\udce4"} for row in rows]
    written = write(strange, rows, run, tmp_path / "r")
    assert written.page is not None
    for path in (written.page, written.markdown, written.csv, written.json):
        assert "?" in path.read_text(encoding="utf-8")
