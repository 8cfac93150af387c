"""A person at the page: what they do and what they see, for the browser tests."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


class Visit:
    """One browser context with the page open; nothing of it is shared with another visit.

    outside: addresses on other hosts that the page asked for. troubles: what its scripts raised.
    """

    def __init__(self, browser: Any, url: str, *, phone: bool = False) -> None:
        self.context = browser.new_context(
            viewport=PHONE if phone else DESKTOP, has_touch=phone, is_mobile=phone
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.outside: list[str] = []
        self.troubles: list[str] = []
        host = urlsplit(url).netloc

        def note(request: Any) -> None:
            parts = urlsplit(request.url)
            if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
                self.outside.append(request.url)

        self.page.on("request", note)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.goto(url)
        for last in ("#example-coffee", "#match"):
            self.page.wait_for_selector(last)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *ended: object) -> None:
        self.context.close()
        if ended[0] is None:
            assert self.outside == []
            assert self.troubles == []

    def shoot(self, name: str, *, whole: bool = False) -> None:
        """A screenshot into the folder INFILL_SCREENSHOTS, if there is one."""
        folder = os.environ.get("INFILL_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=whole)

    def upload(self, path: Path) -> None:
        self.page.set_input_files("#drop input[type=file]", str(path))

    def open(self, path: Path) -> None:
        """Upload a photo and wait until the stage shows it."""
        self.upload(path)
        self.page.wait_for_selector(".stage-frame", state="visible")
        self.page.wait_for_function("document.querySelector('.stage-photo').naturalWidth > 0")

    def click(self, across: float, down: float, **how: Any) -> None:
        """Click the photo at those fractions of it, and wait for what comes of it."""
        box = self.page.locator(".stage-frame").bounding_box()
        place = {"x": across * box["width"], "y": down * box["height"]}
        before = self.overlay()
        self.page.click(".stage-frame", position=place, **how)
        self.changed(before)

    def overlay(self) -> str:
        """What lies over the photo now: the mask as an address, "" where there is none."""
        return self.page.evaluate(
            "document.querySelector('.stage-overlay')?.getAttribute('src') || ''"
        )

    def changed(self, before: str) -> None:
        """Wait until the mask is another than `before`."""
        self.page.wait_for_function(
            "before => (document.querySelector('.stage-overlay')?.getAttribute('src') || '')"
            " !== before",
            arg=before,
        )

    def masked(self) -> int:
        """How many pixels of the shown mask are on."""
        return self.page.evaluate(
            """async () => {
              const image = document.querySelector(".stage-overlay");
              if (!image.getAttribute("src")) return 0;
              await image.decode();
              const canvas = document.createElement("canvas");
              canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
              const context = canvas.getContext("2d");
              context.drawImage(image, 0, 0);
              const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
              let on = 0;
              for (let at = 3; at < data.length; at += 4) on += data[at] > 0;
              return on;
            }"""
        )

    def press(self, selector: str) -> None:
        """Press a button that changes the mask, and wait until it has."""
        before = self.overlay()
        self.page.click(selector)
        self.changed(before)

    def fill(self) -> None:
        """Press Fill and wait for the result and its files."""
        self.page.click("#fill")
        self.page.wait_for_selector("#slider img", state="visible", timeout=60_000)
        self.page.wait_for_selector("#download:not([disabled])")

    def download(self, selector: str, folder: Path) -> Path:
        with self.page.expect_download() as waiting:
            self.page.click(selector)
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    def choose(self, selector: str, title: str) -> None:
        """Choose an entry of a drop-down list."""
        self.page.click(f"{selector} input")
        self.page.click(f"{selector} [role=option]:has-text('{title}')")

    def notice(self) -> str:
        """The sentence on the page; waits for one."""
        self.page.wait_for_selector("#notice-area .notice")
        return self.page.inner_text("#notice-area .notice")
