"""The whole way through the page, in a browser, as a person goes it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import infill
from infill.examples import EXAMPLES
from infill.masks import as_mask
from infill.picture import Picture
from tests.web.conftest import Served
from tests.web.visit import Visit

COFFEE = EXAMPLES[1].photo


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of 16 bits per channel, whose low bytes are noise that 8 bits would lose."""
    pixels = infill.load(COFFEE).pixels.astype(np.uint16) * 256
    pixels += np.random.default_rng(0).integers(0, 256, pixels.shape, np.uint16)
    return Picture.from_array(pixels).save(tmp_path_factory.mktemp("photos") / "deep.png")


@pytest.fixture(scope="module")
def jpeg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG as a camera writes it, with EXIF."""
    path = tmp_path_factory.mktemp("photos") / "holiday.jpg"
    exif = Image.Exif()
    exif[0x010F] = "Some Maker"
    with Image.open(COFFEE) as image:
        image.convert("RGB").save(path, quality=92, exif=exif)
    return path


def test_the_first_screen_explains_itself(browser: Any, served: Served) -> None:
    for phone in (False, True):
        with Visit(browser, served.url, phone=phone) as visit:
            page = visit.page
            assert "click what should go" in page.inner_text(".masthead")
            assert page.locator("#fill").is_visible()
            assert page.locator("#seed").is_visible()
            visit.shoot(f"first-{'phone' if phone else 'desktop'}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert "gradio" not in page.title().lower()


def test_from_a_deep_photo_to_the_files(
    browser: Any, served: Served, deep: Path, tmp_path: Path
) -> None:
    with Visit(browser, served.url) as visit:
        page = visit.page
        visit.open(deep)
        visit.click(0.5, 0.5)
        first = visit.masked()
        visit.press("#choices button.thumbnail-item >> nth=1")
        second = visit.masked()
        assert second > first
        visit.click(0.5, 0.62, modifiers=["Shift"])
        assert visit.masked() < second
        page.click("#mask-tools button:has-text('Mask tools')")
        before = visit.masked()
        visit.press("#tool-grow")
        assert visit.masked() > before
        visit.press("#do-undo")
        assert visit.masked() == before
        visit.press("#do-redo")
        grown = visit.masked()
        assert grown > before

        visit.press("#invert input")
        assert visit.masked() == 600 * 400 - grown
        visit.press("#invert input")
        assert visit.masked() == grown

        page.click("[data-tool=eraser]")
        visit.click(0.5, 0.4)
        assert visit.masked() < grown

        visit.fill()
        slide(visit)
        visit.shoot("filled-desktop", whole=True)
        photo = visit.download("#download", tmp_path)
        mask = visit.download("#download-mask", tmp_path)
        recipe = visit.download("#download-recipe", tmp_path)

        page.click("#do-undo")
        page.wait_for_selector("#outcome", state="hidden")
        page.click("#do-redo")
        page.wait_for_selector("#slider img", state="visible")

    was, now = infill.load(deep).pixels, infill.load(photo).pixels
    hole = as_mask(mask)
    assert now.dtype == np.uint16
    assert 0 < hole.sum() < hole.size / 2
    assert np.array_equal(was[~hole], now[~hole])
    assert not np.array_equal(was[hole], now[hole])
    made = infill.replay(infill.Recipe.read(recipe), infill.load(deep))
    assert np.array_equal(made.picture.pixels, now)


def slide(visit: Visit) -> None:
    """Drag the handle between before and after to the left, and see that it went."""
    handle = visit.page.locator("#slider [role=slider], #slider .inner, #slider .handle").first
    handle.scroll_into_view_if_needed()
    start = handle.bounding_box()
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x - 120, y, steps=6)
    visit.page.mouse.up()
    assert handle.bounding_box()["x"] < start["x"] - 60


def test_a_jpeg_comes_back_exact_and_with_its_metadata(
    browser: Any, served: Served, jpeg: Path, tmp_path: Path
) -> None:
    with Visit(browser, served.url) as visit:
        visit.open(jpeg)
        visit.click(0.3, 0.5)
        visit.fill()
        exact = visit.download("#download", tmp_path)
        mask = visit.download("#download-mask", tmp_path)
        assert exact.suffix == ".png"
        visit.choose("#save-as", "JPEG")
        visit.page.wait_for_selector("#lossy p")
        again = visit.download("#download", tmp_path)
    hole = as_mask(mask)
    was, now = infill.load(jpeg), infill.load(exact)
    assert np.array_equal(was.pixels[~hole], now.pixels[~hole])
    assert again.suffix == ".jpg"
    with Image.open(again) as image:
        assert image.getexif()[0x010F] == "Some Maker"


def test_an_engine_brings_its_own_controls(browser: Any, served: Served, tmp_path: Path) -> None:
    with Visit(browser, served.url) as visit:
        page = visit.page
        page.click("#example-coffee")
        page.wait_for_selector(".stage-overlay:not([hidden])")
        assert page.locator("#option-effort-number").is_visible()
        assert not page.locator("#option-prompt-text").is_visible()
        visit.choose("#engine", "prompted")
        page.wait_for_selector("#option-guidance_scale-number", state="visible")
        assert not page.locator("#option-effort-number").is_visible()
        assert "almond biscuit" in page.input_value("#option-prompt-text textarea")
        assert page.input_value("#option-negative_prompt-text textarea") == "spoon, hands, blur"
        assert page.locator("#option-reference-picture").is_visible()
        page.fill("#option-prompt-text textarea", "something red")
        page.fill("#option-num_inference_steps-whole-number input[type=number]", "100")
        page.fill("#candidates input[type=number]", "2")
        page.keyboard.press("Tab")
        visit.fill()
        assert page.locator("#results button.thumbnail-item").count() == 2
        photo, mask = (visit.download(name, tmp_path) for name in ("#download", "#download-mask"))
        page.click("#results button.thumbnail-item >> nth=1")
        page.wait_for_function("document.querySelector('#told').innerText.includes('seed 1')")
    filled = infill.load(photo).pixels[as_mask(mask)]
    assert (filled == (255, 0, 0)).all()


def test_an_engine_that_lacks_something_says_what_to_type(browser: Any, served: Served) -> None:
    with Visit(browser, served.url) as visit:
        page = visit.page
        page.click("#example-coffee")
        page.wait_for_selector(".stage-overlay:not([hidden])")
        visit.choose("#engine", "unmet")
        page.wait_for_function("document.querySelector('#card').innerText.includes('unmet')")
        page.click("#fill")
        page.wait_for_selector("#notice-area .notice.error")
        assert "pip install 'infill[diffusion]'" in visit.notice()
        visit.choose("#engine", "flat")
        visit.fill()


def test_cancel_stops_the_work(browser: Any, served: Served) -> None:
    with Visit(browser, served.url) as visit:
        page = visit.page
        page.click("#example-rocket")
        page.wait_for_selector(".stage-overlay:not([hidden])")
        visit.choose("#engine", "paced")
        page.click("#fill")
        page.wait_for_function(
            "/pacing, .* left/.test(document.querySelector('#progress-area')?.innerText)"
        )
        assert page.locator("#progress-area progress").is_visible()
        visit.shoot("progress-desktop")
        page.click("#cancel")
        page.wait_for_function(
            "document.querySelector('#notice-area').innerText.includes('Stopped')", timeout=6000
        )
        assert not page.locator("#cancel").is_visible()
        visit.choose("#engine", "flat")
        visit.fill()  # the worker is free again


@pytest.mark.parametrize("content", [b"this is no photo", b"", b"\x89PNG\r\n\x1a\n broken"])
def test_a_broken_upload_is_a_sentence(
    browser: Any, served: Served, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with Visit(browser, served.url) as visit:
        visit.upload(path)
        visit.page.wait_for_selector("#notice-area [role=alert]")
        said = visit.notice()
        assert said.endswith(".")
        assert "Traceback" not in said
        visit.page.click("#example-coffee")  # the page still works
        visit.page.wait_for_selector(".stage-overlay:not([hidden])")


def test_two_people_see_their_own_photos(
    browser: Any, served: Served, deep: Path, jpeg: Path
) -> None:
    with Visit(browser, served.url) as one, Visit(browser, served.url) as two:
        one.open(deep)
        two.open(jpeg)
        one.click(0.5, 0.5)
        two.click(0.2, 0.2)
        shown = [
            visit.page.evaluate("document.querySelector('.stage-photo').src")
            for visit in (one, two)
        ]
        assert shown[0] != shown[1]
        assert Path(shown[0]).parents[1] != Path(shown[1]).parents[1]
        mask = two.overlay()
        one.press("#do-clear")
        one.page.click("#fill")
        one.page.wait_for_selector("#notice-area .notice.error")
        assert "nothing is selected" in one.notice().lower()
        assert two.overlay() == mask
        assert not two.page.locator("#notice-area .notice").count()


def test_everything_by_keyboard(browser: Any, served: Served) -> None:
    with Visit(browser, served.url) as visit:
        page = visit.page
        tab_to(visit, "document.activeElement.id === 'example-coffee'")
        page.keyboard.press("Enter")
        page.wait_for_selector(".stage-overlay:not([hidden])")
        before = visit.overlay()
        tab_to(visit, "document.activeElement.classList.contains('stage-frame')")
        for key in ("ArrowRight", "ArrowDown", "Enter"):
            page.keyboard.press(key)
        visit.changed(before)
        before = visit.overlay()
        tab_to(visit, "document.activeElement.innerText.includes('Mask tools')")
        page.keyboard.press("Enter")
        tab_to(visit, "!!document.activeElement.closest('#point-x')")
        page.keyboard.type("100")
        tab_to(visit, "!!document.activeElement.closest('#point-y')")
        page.keyboard.type("90")
        tab_to(visit, "document.activeElement.id === 'add-point'")
        page.keyboard.press("Enter")
        visit.changed(before)
        tab_to(visit, "document.activeElement.id === 'fill'")
        page.keyboard.press("Enter")
        page.wait_for_selector("#slider img", state="visible", timeout=60_000)
        handle = page.locator("#slider .inner").first
        start = handle.bounding_box()["x"]
        tab_to(visit, "document.activeElement.matches('#position input[type=range]')")
        page.keyboard.press("ArrowLeft")
        page.wait_for_function(
            "start => document.querySelector('#slider .inner').getBoundingClientRect().x < start",
            arg=start - 10,
        )
        unnamed = page.evaluate(
            """[...document.querySelectorAll("button, input, textarea, [tabindex='0']")]
              .filter(part => part.offsetWidth && !(part.innerText || "").trim()
                && !part.getAttribute("aria-label") && !part.title && !part.placeholder
                && !part.closest("label")?.innerText.trim()
                && !part.querySelector("img[alt], svg"))
              .map(part => part.outerHTML.slice(0, 160))"""
        )
        assert unnamed == []


def tab_to(visit: Visit, there: str) -> None:
    """Press Tab until the condition on the focused element holds."""
    for _ in range(80):
        if visit.page.evaluate(there):
            return
        visit.page.keyboard.press("Tab")
    pytest.fail(f"Tab never reaches {there}")


def test_on_a_phone_by_touch(browser: Any, served: Served) -> None:
    with Visit(browser, served.url, phone=True) as visit:
        page = visit.page
        page.tap("#example-astronaut")
        page.wait_for_selector(".stage-overlay:not([hidden])")
        before = visit.overlay()
        page.tap("[data-tool=brush]")
        page.tap(".stage-frame", position={"x": 60, "y": 200})
        visit.changed(before)
        visit.shoot("stage-phone")
        page.tap("#fill")
        page.wait_for_selector("#slider img", state="visible", timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        cut = page.evaluate(
            """[...document.querySelectorAll("button, label, p, h1, input")]
              .filter(part => part.offsetWidth)
              .filter(part => part.getBoundingClientRect().right > innerWidth + 1)
              .map(part => part.outerHTML.slice(0, 120))"""
        )
        assert cut == []
        visit.shoot("filled-phone", whole=True)


def test_the_presets(browser: Any, served: Served, jpeg: Path, tmp_path: Path) -> None:
    with Visit(browser, served.url) as visit:
        page = visit.page
        visit.open(jpeg)
        visit.click(0.5, 0.5)
        subject = visit.masked()
        page.click("#preset label:has-text('Replace background')")
        page.wait_for_function("document.querySelector('#engine input').value === 'prompted'")
        assert page.is_checked("#invert input")
        assert visit.masked() > 2 * subject
        page.click("#preset label:has-text('Extend canvas')")
        page.wait_for_selector("#margin-left", state="visible")
        visit.choose("#engine", "flat")
        page.fill("#margin-left input[type=number]", "40")
        page.fill("#margin-bottom input[type=number]", "30")
        page.keyboard.press("Tab")
        visit.fill()
        photo = visit.download("#download", tmp_path)
    was, now = infill.load(jpeg).pixels, infill.load(photo).pixels
    assert now.shape == (was.shape[0] + 30, was.shape[1] + 40, 3)
    assert np.array_equal(now[:-30, 40:], was)


def test_a_mask_goes_out_and_in_again(
    browser: Any, served: Served, jpeg: Path, tmp_path: Path
) -> None:
    with Visit(browser, served.url) as visit:
        page = visit.page
        visit.open(jpeg)
        visit.click(0.5, 0.5)
        count = visit.masked()
        page.click("#mask-tools button:has-text('Mask tools')")
        mask = visit.download("#mask-out", tmp_path)
        assert as_mask(mask).sum() == count
        visit.press("#do-clear")
        before = visit.overlay()
        with page.expect_file_chooser() as waiting:
            page.click("#mask-in")
        waiting.value.set_files(mask)
        visit.changed(before)
        assert visit.masked() == count
        page.click("#do-close")
        page.wait_for_selector("#example-coffee", state="visible")
        visit.open(jpeg)
        visit.press("#reuse")
        assert visit.masked() == count
