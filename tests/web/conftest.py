"""A served app and a browser, one of each for all tests of this folder."""

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

import pytest

from tests.cli.tools import SOURCE
from tests.web import fakes

CHROMIUM = os.environ.get("INFILL_CHROMIUM", "/usr/bin/chromium")
ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass
class Served:
    """An `infill app` that runs. folder: its TMPDIR, in which its own folder lies."""

    url: str
    process: "subprocess.Popen[str]"
    folder: Path
    log: list[str]
    reader: threading.Thread

    def stop(self) -> int:
        """End it as a service manager does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
        return code


def serve(folder: Path, *args: str, **environment: str) -> Served:
    """Start `infill app` on a free port, with the fakes registered, and wait for its address."""
    plugins, temporary = fakes.install(folder / "plugins"), folder / "tmp"
    temporary.mkdir()
    path = os.pathsep.join([SOURCE, str(ROOT), str(plugins)])
    process = subprocess.Popen(
        [sys.executable, "-m", "infill", "app", "--port", "0", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ)
        | {"PYTHONPATH": path, "TMPDIR": str(temporary), "INFILL_SEGMENTER": "disc"}
        | environment,
    )
    log: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        log.append(line)
        found = re.search(r"http://\S+", line)
        if found:
            break
    else:
        pytest.fail(f"infill app did not start: {''.join(log)}")
    reader = threading.Thread(target=lambda: log.extend(process.stdout or ()), daemon=True)
    reader.start()
    return Served(found.group(), process, temporary, log, reader)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("gradio", reason="the app needs the extra web")
    app = serve(tmp_path_factory.mktemp("served"))
    yield app
    assert app.stop() in (0, 130)
    assert not list(app.folder.glob("infill-*")), "photos were left behind"
    assert not [line for line in app.log if "Traceback" in line], "".join(app.log)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no browser at {CHROMIUM}; set INFILL_CHROMIUM")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()
