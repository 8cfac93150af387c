"""Rating fills in a browser: blind, by mouse and by keyboard, and over the death of the server."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

pytest.importorskip("gradio", reason="the page needs the extra web")

from infill.rating.criteria import NAMES
from infill.rating.store import FILE, Store
from infill.rating.summary import rated
from tests.cli.tools import environment
from tests.rating.runs import ENGINES, make_run
from tests.web.visit import DESKTOP, PHONE

SECRETS = (*ENGINES, "scene-", "fills/", "infill-recipe")


@dataclass
class Server:
    """An `infill rate` that runs."""

    url: str
    process: "subprocess.Popen[str]"
    log: list[str]
    reader: threading.Thread

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0


def start(run: Path, *args: object, port: int = 0) -> Server:
    command = [sys.executable, "-m", "infill", "rate", str(run), "--port", str(port)]
    process = subprocess.Popen(
        [*command, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(TMPDIR=str(run.parent)),
    )
    log: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        log.append(line)
        found = re.search(r"http://\S+", line)
        if found:
            break
    else:
        pytest.fail(f"infill rate did not start: {''.join(log)}")
    reader = threading.Thread(target=lambda: log.extend(process.stdout or ()), daemon=True)
    reader.start()
    return Server(found.group(), process, log, reader)


def small_run(folder: Path) -> Path:
    return make_run(folder / "run", samples=4, trials=1, height=120, width=160)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("rated"))


@pytest.fixture(scope="module")
def server(run: Path) -> Iterator[Server]:
    """One for all who give a name of their own."""
    running = start(run, "--ballots", 8)
    yield running
    assert running.end(signal.SIGTERM) in (0, 130)
    assert not [line for line in running.log if "Traceback" in line], "".join(running.log)


class Rater:
    """A person at the page, in a browser of her own. heard: all that came over the network."""

    def __init__(self, browser: Any, url: str, *, phone: bool = False) -> None:
        self.context = browser.new_context(viewport=PHONE if phone else DESKTOP)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.heard: list[str] = []
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.heard.append(request.url))
        self.page.on("response", self._hear)
        self.page.goto(url)

    def _hear(self, response: Any) -> None:
        if "json" in response.headers.get("content-type", ""):
            self.heard.append(response.text())

    def __enter__(self) -> "Rater":
        return self

    def __exit__(self, *ended: object) -> None:
        self.context.close()
        if ended[0] is None:
            assert self.troubles == []

    def arrive(self, name: str) -> None:
        self.page.wait_for_selector("#start")
        self.page.fill("#name input, #name textarea", name)
        self.page.click("#start")
        self.ready(0)

    def ready(self, done: int) -> None:
        """Wait for the ballot after so many, whole."""
        self.page.wait_for_function(
            """done => {
              const part = (name) => document.querySelector(name);
              return part("#progress-area")?.innerText.startsWith(`${done} done`)
                && part(".ballot-picture img")?.naturalWidth > 0
                && part("#ask-realism")?.offsetParent
                && !!part("#ask-adaptability")?.offsetParent === !part(".ballot-prompt").hidden
                && !part(".ask input:checked");
            }""",
            arg=done,
        )

    def criteria(self) -> list[str]:
        """What is asked now."""
        return [name for name in NAMES if self.page.locator(f"#ask-{name}").is_visible()]

    def answer(self, letter: str) -> None:
        for name in self.criteria():
            self.page.click(f"#ask-{name} label:has(input[value='{letter}'])")
        self.page.click("#next")

    def shoot(self, name: str) -> None:
        folder = os.environ.get("INFILL_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_ballots_survive_the_death_of_the_server(browser: Any, tmp_path: Path) -> None:
    run = small_run(tmp_path)
    server = start(run, "--ballots", 8)
    with Rater(browser, server.url) as rater:
        rater.arrive("Ann")
        rater.answer("A")
        rater.ready(1)
        rater.answer("=")
        rater.ready(2)
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        assert len(Store(run / FILE).answered("Ann")) == 2

        again = start(run, port=server.port)
        try:
            rater.answer("B")  # on the page that was open all the while
            rater.ready(3)
            rater.page.reload()  # and this browser knows who she is
            rater.ready(3)
            for done in range(4, 10):
                rater.answer("C")
                if done < 9:
                    rater.ready(done)
            rater.page.wait_for_selector("#done .thanks")
            assert not rater.page.locator("#next").is_visible()
        finally:
            assert again.end(signal.SIGTERM) in (0, 130)
        assert "Traceback" not in "".join(again.log)
    found = rated(run, draws=20)
    assert found is not None
    assert (found["ballots"], found["repeats"]) == (8, 1)
    assert found["criteria"]["realism"]["self"]["units"] == 1


def test_nothing_tells_whose_fill_it_is(browser: Any, server: Server) -> None:
    with Rater(browser, server.url) as rater:
        rater.arrive("Nell")
        for done in range(4):
            rater.ready(done)
            told = rater.page.content()
            assert told.count("data:image/jpeg;base64,") == 4, "the photo and three fills"
            assert not [word for word in SECRETS if word in told]
            rater.answer("A")
        rater.ready(4)
        assert len(rater.heard) > 10
        assert any("data:image/jpeg" in text for text in rater.heard)
        for text in rater.heard:
            assert not [word for word in SECRETS if word in text]
        sizes = rater.page.evaluate(
            "[...document.querySelectorAll('.ballot-picture .ballot-frame')]"
            ".map(one => [one.offsetWidth, one.offsetHeight].join())"
        )
        assert len(sizes) == 4
        assert len(set(sizes)) == 1
    config = httpx.get(f"{server.url}config", timeout=30).text
    assert not [word for word in SECRETS if word in config]


def test_by_keyboard_alone(browser: Any, run: Path, server: Server) -> None:
    with Rater(browser, server.url) as rater:
        page = rater.page
        page.wait_for_selector("#start")
        tab_to(page, "!!document.activeElement.closest('#name')")
        page.keyboard.type("Kay")
        page.keyboard.press("Enter")
        rater.ready(0)
        page.keyboard.press("m")
        assert page.locator(".ballot-overlay").first.is_hidden()
        tab_to(page, "document.activeElement.classList.contains('ballot-picture')")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog.ballot-large[open]")
        assert page.inner_text(".ballot-name") == "The photo as it was"
        page.keyboard.press("ArrowRight")
        assert page.inner_text(".ballot-name") == "A"
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.ballot-large", state="hidden")
        count = len(rater.criteria())
        for key in "ab0c"[:count]:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        rater.ready(1)
    answers = Store(run / FILE).answers()
    places = {one.criterion: one.place for one in answers if one.rater == "Kay"}
    expected = [0, 1, None, 2]
    assert [places[name] for name in NAMES if name in places] == expected[:count]


def tab_to(page: Any, there: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(there):
            return
    pytest.fail(f"Tab never reached: {there}")


def test_a_question_without_an_answer_is_a_sentence(browser: Any, server: Server) -> None:
    with Rater(browser, server.url) as rater:
        rater.arrive("Quinn")
        rater.page.click("#ask-realism label:has(input[value='A'])")
        rater.page.click("#next")
        rater.page.wait_for_selector("#notice-area .notice.error")
        assert "no answer yet" in rater.page.inner_text("#notice-area")
        assert rater.page.locator("#ask-realism input[value='A']").is_checked()
        rater.answer("B")
        rater.ready(1)


def test_words_are_asked_about_only_where_there_are_some(browser: Any, server: Server) -> None:
    seen = set()
    with Rater(browser, server.url) as rater:
        rater.arrive("Wes")
        for done in range(6):
            rater.ready(done)
            prompted = rater.page.locator(".ballot-prompt").is_visible()
            assert ("adaptability" in rater.criteria()) == prompted
            if prompted:
                assert "a red chair" in rater.page.inner_text(".ballot-prompt")
            seen.add(prompted)
            rater.answer("A")
        rater.ready(6)
    assert seen == {True, False}


def test_two_raters_and_a_phone(browser: Any, run: Path, server: Server) -> None:
    with Rater(browser, server.url) as ann, Rater(browser, server.url, phone=True) as bob:
        ann.arrive("Ann")
        bob.arrive("")
        for done in range(3):
            ann.answer("A")
            bob.answer("B")
            ann.ready(done + 1)
            bob.ready(done + 1)
        ann.shoot("rate-desktop")
        bob.shoot("rate-phone")
        assert bob.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ann.page.click("#leave")
        ann.arrive("Eve")
    answers = Store(run / FILE).answers()
    names = {answer.rater for answer in answers}
    assert "Ann" in names
    assert "Eve" not in names
    assert any(re.fullmatch(r"rater-[0-9a-f]{8}", name) for name in names)


def test_with_a_token_strangers_see_nothing_and_nobody_uploads(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    app = start(run, "--token", "a-long-enough-token", "--rater", "Ann")
    bare = app.url.partition("?")[0]
    try:
        assert httpx.get(bare, timeout=30).status_code == 401
        with httpx.Client(follow_redirects=True, timeout=30) as client:
            page = client.get(app.url)
            assert page.status_code == 200
            assert "default-src 'self'" in page.headers["content-security-policy"]
            photo = run / "samples" / "scene-0" / "before.png"
            assert client.get(f"{bare}gradio_api/file={photo}").status_code == 403
            assert client.get(f"{bare}gradio_api/file={run / FILE}").status_code == 403
            sent = {"files": ("x.png", photo.read_bytes(), "image/png")}
            assert client.post(f"{bare}gradio_api/upload", files=sent).status_code == 413
            config = json.loads(client.get(f"{bare}config").text)
            for event in config["dependencies"]:
                body = {
                    "fn_index": event["id"],
                    "data": [{"path": str(photo)} for _ in event["inputs"]],
                    "session_hash": "stranger",
                }
                answer = client.post(f"{bare}gradio_api/run/predict", json=body)
                assert "Traceback" not in answer.text
                assert str(run) not in answer.text.replace(str(photo), "")
    finally:
        assert app.end(signal.SIGTERM) == 0
    assert Store(run / FILE).answers() == []
