"""The report's page as a person uses it, from disk, in a browser."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.report_speed import made_up_rows, made_up_summary

from infill.bench.report import Room, write
from tests.bench.test_report import EVIL, spoiled

CHROMIUM = os.environ.get("INFILL_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
ENGINES = ["exemplar", "an engine with a long name", "telea"]

CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const part = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255, 255];
  };
  const low = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, style, title, desc, noscript, :disabled, .side, option")) continue;
    const style = getComputedStyle(element);
    const ink = colour(element.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen += 1;
    if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${element.tagName} ${walker.currentNode.data.slice(0, 30)}`);
  }
  return [seen, low];
}"""  # noqa: E501
"""How many texts are seen, and those whose contrast with what is behind them is below 4.5."""


class Opened:
    """The page in a tab. asked: addresses beside its own; troubles: what its scripts raised."""

    def __init__(
        self, browser: Any, path: Path, *, phone: bool = False, dark: bool = False
    ) -> None:
        self.context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.asked: list[str] = []
        self.troubles: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda told: self.troubles.append(told.text))
        self.page.on("dialog", lambda told: self.troubles.append(f"alert: {told.message}"))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *ended: object) -> None:
        self.context.close()
        if ended[0] is None:
            others = [url for url in self.asked[1:] if not url.startswith("data:")]
            assert others == []
            assert self.troubles == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no browser at {CHROMIUM}; set INFILL_CHROMIUM")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Twelve samples, three engines, two trials; the last engine failed on the first sample."""
    folder = tmp_path_factory.mktemp("run")
    rows = made_up_rows(folder, 12, ENGINES, 2, 64)
    for row in rows:
        if row["sample"] == "sample-0000" and row["engine"] == "telea":
            row.update(output=None, error="the hole is too large", scores={}, recipe=None)
    return folder, rows


@pytest.fixture(scope="module")
def page_file(run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rows = run
    rated = {
        "raters": 2,
        "answers": 9,
        "agreement": {"alpha": 0.5},
        "criteria": {"seam": {"engines": {"telea": {"score": 1.0, "low": 0.5, "high": 1.5}}}},
    }
    summary = replace(made_up_summary(rows, ENGINES), rated=rated)  # fmt: skip
    out = tmp_path_factory.mktemp("report")
    written = write(summary, rows, folder, out, room=Room(full=10, small=1))
    assert written.page is not None
    return written.page


def keys(page: Any, *names: str) -> None:
    for name in names:
        page.keyboard.press(name)


def edge(page: Any) -> str:
    """Where the line between the two pictures is."""
    found = page.locator(".stage").evaluate("(e) => getComputedStyle(e).getPropertyValue('--at')")
    return str(found)


def title(page: Any) -> str:
    return str(page.inner_text("#viewer-title"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_it_fits_the_screen_and_can_be_read(
    browser: Any, page_file: Path, phone: bool, dark: bool
) -> None:
    with Opened(browser, page_file, phone=phone, dark=dark) as page:
        page.wait_for_selector("#cases .case")
        page.wait_for_selector("#fills tbody tr")
        for block in page.locator("details").all():
            block.evaluate("(e) => { e.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        seen, low = page.evaluate(CONTRAST)
        assert seen > 300
        assert low == []
        page.locator("#cases button.shot").first.click()
        assert page.evaluate("document.querySelector('dialog').scrollWidth <= innerWidth")
        seen, low = page.evaluate(CONTRAST)
        assert low == []


def test_the_first_screen_says_what_came_out(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        for text in ("No engine is surely the best.", "12 samples", "Some CPU, 2 cores"):
            box = page.get_by_text(text).first.bounding_box()
            assert box["y"] + box["height"] < DESKTOP["height"]
        bars = page.locator("#overall .bar i")
        widths = [bar.bounding_box()["width"] for bar in bars.all()]
        assert widths == sorted(widths, reverse=True)
        assert bars.first.bounding_box()["y"] < DESKTOP["height"]


def test_pictures_are_decoded_and_the_hole_is_drawn(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        page.wait_for_selector("#cases .case")
        widths = page.evaluate(
            """Promise.all([...document.querySelectorAll("#cases img")].map(
                async (image) => { await image.decode(); return image.naturalWidth; }))"""
        )
        assert set(widths) == {64}
        lines = page.locator("#cases .lines >> visible=true")
        assert lines.count() == page.locator("#cases .case").count()  # on what came in alone
        page.check("#case-outline")
        assert lines.count() == page.locator("#cases img").count()


def test_enlarge_leaf_and_slide_by_keyboard(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        first = page.locator("#cases button.shot").first
        first.focus()
        keys(page, "Enter")
        page.wait_for_selector("#viewer[open]")
        started = title(page)
        keys(page, "ArrowRight")
        assert title(page) != started
        keys(page, "ArrowLeft")
        assert title(page) == started
        keys(page, "ArrowDown")
        assert title(page).partition(":")[0] != started.partition(":")[0]
        assert title(page).partition(":")[2] == started.partition(":")[2]
        keys(page, "ArrowUp", "o")
        assert title(page) == started
        assert page.locator(".stage .lines").is_visible()

        page.locator(".stage input").focus()
        assert edge(page) == "50%"
        keys(page, "ArrowRight", "ArrowRight")
        assert edge(page) == "51%"
        keys(page, "Home")
        assert edge(page) == "0%"
        assert title(page) == started
        keys(page, "Escape")
        assert not page.locator("#viewer").is_visible()
        assert first.evaluate("(e) => e === document.activeElement")


def test_enlarge_and_slide_by_mouse(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        page.locator("#cases button.shot").nth(1).click()
        stage = page.locator(".stage").bounding_box()
        y = stage["y"] + stage["height"] / 2
        page.mouse.move(stage["x"] + stage["width"] / 2, y)
        page.mouse.down()
        page.mouse.move(stage["x"] + stage["width"] * 0.25, y, steps=5)
        page.mouse.up()
        assert float(edge(page).rstrip("%")) == pytest.approx(25, abs=1.5)
        clip = page.locator(".stage .over").evaluate("(e) => getComputedStyle(e).clipPath")
        hidden = re.fullmatch(r"inset\(0px ([\d.]+)% 0px 0px\)", clip)
        assert hidden is not None
        assert float(hidden[1]) + float(edge(page).rstrip("%")) == pytest.approx(100)

        right = page.locator(".stage .over").get_attribute("src")
        page.select_option("[data-part=against]", "truth")
        assert page.locator(".stage .over").get_attribute("src") != right
        assert page.inner_text(".side.left") == "truth"
        page.click("#viewer summary")
        assert '"engine": "' in page.inner_text("[data-part=recipe]")
        page.click("text=Close")
        assert not page.locator("#viewer").is_visible()


def test_slide_by_touch(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file, phone=True) as page:
        page.locator("#cases button.shot").first.tap()
        stage = page.locator(".stage").bounding_box()
        page.touchscreen.tap(stage["x"] + stage["width"] * 0.75, stage["y"] + stage["height"] / 2)
        assert float(edge(page).rstrip("%")) == pytest.approx(75, abs=2)


def test_filters_orders_and_pages(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        names = "#cases .case h3"
        worst = page.locator(names).all_inner_texts()
        assert len(worst) == 8
        assert page.inner_text("#case-pager span") == "1 to 8 of 12"
        page.click("#case-pager >> text=Next")
        assert page.locator("#cases .case").count() == 4
        page.select_option("#case-order", "best")
        assert page.locator(names).first.inner_text() != worst[0]
        page.select_option("#case-kind", "strokes")
        shown = page.locator(names).all_inner_texts()
        assert len(shown) == 4
        assert all(name.endswith("strokes") for name in shown)
        page.uncheck("#case-engines >> text=exemplar")
        assert page.locator("#cases [data-engine=exemplar]").count() == 0
        assert page.locator("#cases [data-engine=telea]").count() == 4


def test_one_that_failed_and_those_without_pictures_are_told(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        page.select_option("#case-order", "name")
        case = page.locator("#cases .case").first
        assert "Failed: the hole is too large" in case.inner_text()
        page.click("#case-pager >> text=Next")
        told = page.locator("#cases").inner_text() + page.locator("#pictures > p").inner_text()
        assert "10 samples can be enlarged" in told
        assert "1 more are shown small, and 1 with their figures only" in told


def test_the_table_of_fills(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        lines = page.locator("#fills tbody tr")
        assert lines.count() == 25
        assert page.inner_text("#fill-pager span") == "1 to 25 of 72"
        page.click("#fills th button:text-is('PSNR')")
        lowest = float(lines.nth(0).locator("td").nth(8).inner_text())
        page.click("#fills th button:text-is('PSNR')")
        highest = float(lines.nth(0).locator("td").nth(8).inner_text())
        assert lowest < highest
        page.check("#fill-failed")
        assert lines.count() == 2
        assert "the hole is too large" in lines.first.inner_text()
        page.uncheck("#fill-failed")
        page.fill("#fill-search", "sample-0003/")
        assert lines.count() == 6
        lines.first.locator("button").click()
        assert re.search(r'"seed": \d+', page.inner_text("#fills pre"))


def test_drawings_are_told_to_who_cannot_see_them(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        plots = page.locator("main svg[role=img]")
        assert plots.count() > 10
        for plot in plots.all():
            named = plot.get_attribute("aria-labelledby").split()
            texts = [page.locator(f"[id='{ident}']").text_content() for ident in named]
            assert all(texts)


def test_no_text_from_a_run_acts(browser: Any, run: Any, tmp_path: Path) -> None:
    folder, rows = run
    rows = [
        {**row, "sample": EVIL, "kind": EVIL, "prompt": EVIL, "notes": [EVIL], "seed": EVIL,
         "error": row["error"] and EVIL, "recipe": row["recipe"] and {"engine": EVIL}}
        for row in rows
    ]  # fmt: skip
    out = write(spoiled(made_up_summary(run[1], ENGINES)), rows, folder, tmp_path / "r").page
    assert out is not None
    with Opened(browser, out) as page:
        page.locator("#cases button.shot").first.click()
        page.click("#viewer summary")
        keys(page, "Escape")
        page.locator("#fills tbody button").first.click()
        assert page.locator("img[src=x]").count() == 0
        assert EVIL in page.inner_text("#fills pre").replace('\\"', '"')
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
