"""The pieces that a report is made of: axes, drawings, choice of samples, outlines, pictures."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.report_speed import made_up_rows, made_up_summary
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from infill.bench import words
from infill.bench.report import album, banner, encode, outline, plots
from infill.bench.report.album import Room
from infill.bench.report.markup import Markup, data, join, tag
from infill.bench.report.plots import Dot, Point
from infill.bench.report.scales import Scale, fitting, round_figures, written
from infill.bench.summary import Interval, Pictured, Rank
from infill.errors import Unreadable

# --- markup and words ---------------------------------------------------------------------------


def test_text_is_escaped_and_markup_is_not() -> None:
    made = tag("p", "a < b & c", tag("br"), ["x", None, 3], class_="q", title='"', hidden=False)
    assert made == '<p class="q" title="&quot;">a &lt; b &amp; c<br>x3</p>'
    assert join([Markup("<b>"), "<b>"]) == "<b>&lt;b&gt;"


def test_json_in_a_page_cannot_end_its_element() -> None:
    made = data("x", {"a": "</script><!--\u2028"})
    assert made == (
        '<script type="application/json" id="x">'
        '{"a":"\\u003c/script\\u003e\\u003c!--\\u2028"}</script>'
    )


def test_figures_as_text() -> None:
    assert words.whole(Interval(12.345, 11.0, 13.0, 3, 1), 1) == "12.3 (11.0 to 13.0; 1 of 4 exact)"
    assert words.whole(Interval(None, exact=3), 1) == "exact"
    assert words.whole(None, 1) == "–"
    assert words.number(float("inf"), 2) == "exact"
    assert [words.short(value) for value in (0.012345, 4.5678, 12345.6, 0, None)] == [
        "0.0123", "4.57", "12\u202f346", "0", "–",
    ]  # fmt: skip
    assert [words.place(rank) for rank in (Rank(1), Rank(2, ["a"]), None)] == ["1", "2=", ""]
    assert words.told({"a": [1, True, None], "b": 0.5}) == "a: 1, yes, –, b: 0.5"
    assert words.named("memory_gb") == "Memory GB"


# --- axes ---------------------------------------------------------------------------------------


def test_round_figures() -> None:
    assert round_figures(0.03, 0.97, 5) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert round_figures(18, 37, 5) == [20, 25, 30, 35]
    assert [written(tick, [0.9, 0.95]) for tick in (0.9, 0.95)] == ["0.90", "0.95"]
    assert written(12000, [12000, 14000]) == "12\u202f000"


def test_ends_of_an_axis() -> None:
    scale = Scale(0, 10, 100, 300)
    assert [scale.at(value) for value in (0, 5, 10, -3, 12)] == [100, 200, 300, 100, 300]
    log = Scale(0.01, 1, 0, 200, log=True)
    assert log.at(0.1) == pytest.approx(100)
    assert log.ticks() == pytest.approx([0.01, 0.03, 0.1, 0.3, 1])
    assert Scale(0.04, 0.16, 0, 200, log=True).ticks() == pytest.approx([0.05, 0.1, 0.15])


@given(
    st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=6),
    st.booleans(),
)
def test_every_figure_lies_on_its_axis_and_ticks_do_too(values: list[float], log: bool) -> None:
    scale = fitting(values, 10, 200, log=log)
    assert all(10 <= scale.at(value) <= 200 for value in values)
    ticks = scale.ticks()
    assert len(ticks) <= 6
    assert all(scale.low <= tick * (1 + 1e-9) and tick <= scale.high * (1 + 1e-9) for tick in ticks)


@pytest.mark.parametrize("values", [[], [0.0], [-1.0], [None, float("nan")]])
def test_an_axis_of_next_to_nothing(values: list[Any]) -> None:
    scale = fitting(values, 0, 100)
    assert scale.high > scale.low
    assert scale.ticks()


# --- drawings -----------------------------------------------------------------------------------


def point(label: str, cost: float, quality: float | None) -> Point:
    return Point(label, cost, Interval(quality))


def test_the_frontier() -> None:
    points = [
        point("slow and good", 9, 0.9),
        point("dear", 5, 0.5),
        point("cheap", 1, 0.2),
        point("middle", 4, 0.6),
        point("as the middle", 4, 0.6),
        point("unmeasured", 0.5, None),
    ]
    names = [one.label for one in plots.frontier(points)]
    assert names == ["cheap", "middle", "as the middle", "slow and good"]


def test_a_dot_lies_where_its_figure_is() -> None:
    dots = [Dot("a", Interval(0.0, -1.0, 1.0)), Dot("b", Interval(10.0)), Dot("c", Interval(None))]
    drawn = plots.whiskers("x", "t", dots, 1)
    at = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', drawn)]
    ends = re.findall(
        r'<line x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)" y2="[\d.]+" class="whisker"', drawn
    )
    left, right = map(float, ends[0])
    assert at[0] == pytest.approx((left + right) / 2, abs=0.02)
    assert (at[1] - at[0]) / (right - left) == pytest.approx(5, abs=0.01)
    assert "a 0.0 (-1.0 to 1.0); b 10.0; c –" in drawn


def test_names_on_the_scatter_do_not_cover_each_other() -> None:
    points = [Point(f"engine {n}", 1 + n / 50, Interval(0.5 + n / 200, 0.4, 0.6)) for n in range(5)]
    drawn = plots.scatter("x", "t", points, "seconds", "score")
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="name"', drawn)
    boxes = [(float(x), float(y) - 11, float(x) + 6.6 * 8, float(y)) for x, y in places]
    assert len(boxes) == 5
    for number, a in enumerate(boxes):
        for b in boxes[number + 1 :]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


# --- samples ------------------------------------------------------------------------------------


def pictured(number: int, kind: str, badness: float) -> Pictured:
    folder = f"samples/{number}"
    return Pictured("same name", "", kind, "", "", f"{folder}/before.png", f"{folder}/mask.png",
                    None, {}, badness)  # fmt: skip


def test_the_worst_and_a_spread_choice_in_turn() -> None:
    kinds = ["a", "a", "b", "b", "a", "b", "a", "a"]
    ordered = [pictured(n, kind, 1 - n / 10) for n, kind in enumerate(kinds)]
    chosen = [one.before.split("/")[1] for one in album.choose(ordered, 6)]
    # Worst: 0, 1, 2. Spread: the best of a (7), the best of b (5), the middle of a (4).
    assert chosen == ["0", "7", "1", "5", "2", "4"]
    assert len(album.choose(ordered, 20)) == 8


@given(st.integers(0, 40))
def test_halving_is_an_order_of_all(count: int) -> None:
    assert sorted(album._halving(count)) == list(range(count))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("run")
    return folder, made_up_rows(folder, 5, ["e", "f"], 3, 64)


def test_an_album_holds_each_picture_once(run: Any) -> None:
    folder, rows = run
    summary = made_up_summary(rows, ["e", "f"])
    made = album.make(summary.pictures, rows, folder, Room(), 2)
    assert (made.full, made.small, made.bare) == (5, 0, 0)
    assert made.bytes == sum(len(image) * 3 // 4 - image.count("=") for image in [
        image.partition(",")[2] for image in made.images
    ])  # fmt: skip
    assert len(set(made.images)) == len(made.images)
    worst = made.samples[0]
    assert worst["badness"] == 1.0
    assert [shot.get("same") for shot in worst["fills"]["e"]] == [None, 0, 0]
    assert [shot.get("same") for shot in worst["fills"]["f"]] == [None] * 3
    assert rows[worst["fills"]["f"][2]["row"]]["key"] == f"{worst['name']}/f/2"


def test_the_bytes_are_kept_to(run: Any) -> None:
    folder, rows = run
    summary = made_up_summary(rows, ["e", "f"])
    all_of_it = album.make(summary.pictures, rows, folder, Room(), 1)
    room = Room(megabytes=all_of_it.bytes / 2e6)
    made = album.make(summary.pictures, rows, folder, room, 1)
    assert made.bytes <= room.megabytes * 1e6
    assert made.full < 5
    assert made.full + made.small + made.bare == 5
    assert album.make(summary.pictures, rows, folder, Room(megabytes=0), 1).bytes == 0


def test_a_missing_picture_costs_its_own_place(run: Any, tmp_path: Path) -> None:
    folder, rows = run
    rows = [dict(row) for row in rows]
    rows[0]["output"] = rows[1]["output"] = rows[2]["output"] = "fills/gone.png"
    summary = made_up_summary(rows, ["e", "f"])
    made = album.make(summary.pictures, rows, folder, Room(), 1)
    sample = next(one for one in made.samples if one["name"] == rows[0]["sample"])
    assert "gone.png" in sample["fills"]["e"][0]["problem"]
    assert "small" in sample["fills"]["f"][0]


@pytest.mark.parametrize("file", ["../secret.png", "/etc/hosts", "a/../../b.png", "C:/x.png"])
def test_nothing_outside_the_run_is_read(tmp_path: Path, file: str) -> None:
    with pytest.raises(Unreadable, match="outside"):
        encode.below(tmp_path, file)


def test_webp_is_close_to_the_picture() -> None:
    y, x = np.mgrid[:40, :60]
    pixels = np.stack([y * 4, x * 3, y + x], axis=2).astype(np.uint8)
    import io

    with Image.open(io.BytesIO(encode.webp(pixels, encode.QUALITY))) as image:
        assert image.format == "WEBP"
        back = np.asarray(image.convert("RGB"), np.float32)
    assert np.abs(back - pixels).mean() < 3


# --- outlines -----------------------------------------------------------------------------------


def test_the_outline_of_a_rectangle() -> None:
    hole = np.zeros((40, 60), bool)
    hole[10:20, 5:30] = True
    found = outline.lines(hole)
    assert found["size"] == [60, 40]
    assert not found["box"]
    corners = {tuple(map(int, pair)) for pair in re.findall(r"(\d+) (\d+)", found["d"])}
    assert corners == {(5, 10), (29, 10), (29, 19), (5, 19)}


def test_a_hole_of_fine_pieces_is_told_by_its_extent() -> None:
    hole = np.zeros((400, 400), bool)
    hole[10:390:4, 20:380:4] = True
    hole[11:391:4, 20:380:4] = True
    hole[10:390:4, 21:381:4] = True
    hole[11:391:4, 21:381:4] = True
    found = outline.lines(hole)
    assert found["box"]
    assert found["d"] == "M20 10L378 10L378 388L20 388Z"


def test_a_hole_in_a_large_photo_is_drawn_small() -> None:
    hole = np.zeros((1000, 2000), bool)
    hole[500:, 1000:] = True
    found = outline.lines(hole)
    assert found["size"] == [400, 200]
    xs = [int(x) for x, _ in re.findall(r"(\d+) (\d+)", found["d"])]
    assert (min(xs), max(xs)) == (200, 399)


# --- the summary picture ------------------------------------------------------------------------


def test_the_summary_picture_shows_samples_and_bars(run: Any) -> None:
    folder, rows = run
    summary = made_up_summary(rows, ["e", "f"])
    import io

    with Image.open(io.BytesIO(banner.draw(summary, rows, folder))) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape[1] == 1200
    blue = (np.abs(pixels - banner.BEST).sum(axis=2) < 30).sum()
    magenta = ((pixels[..., 0] > 150) & (pixels[..., 1] < 110) & (pixels[..., 2] > 120)).sum()
    assert blue > 5000
    assert magenta > 3000


def test_the_summary_picture_of_a_run_whose_pictures_are_gone(run: Any, tmp_path: Path) -> None:
    _, rows = run
    summary = made_up_summary(rows, ["e", "f"])
    assert banner.draw(summary, rows, tmp_path).startswith(b"\xff\xd8")


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_part_that_is_shown_lies_in_the_photo(height: int, width: int, draw: Any) -> None:
    hole = np.zeros((height, width), bool)
    hole[draw.draw(st.integers(0, height - 1)), draw.draw(st.integers(0, width - 1))] = True
    view = banner._around(hole)
    assert 0 <= view.top < view.bottom <= height
    assert 0 <= view.left < view.right <= width
    assert hole[view.slices].any()
