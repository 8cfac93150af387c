"""`infill app` as a process: who it lets in, what it keeps where, and how it ends."""

import json
import socket
import stat
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("gradio", reason="the app needs the extra web")

from infill.errors import BadSetting
from infill.picture import Picture
from infill.web import serve
from tests.cli.tools import call, scene
from tests.web.conftest import Served
from tests.web.conftest import serve as start
from tests.web.visit import Visit


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")


class TestTheCommand:
    def test_offers_no_public_share(self) -> None:
        answer = call("app", "--help")
        assert answer.code == 0
        assert "--open" in answer.out
        assert "share" not in answer.out

    def test_is_not_open_to_others_without_a_token(self) -> None:
        answer = call("app", "--host", "0.0.0.0")
        assert answer.code == 2
        assert "--token" in answer.err

    def test_a_taken_port_is_a_sentence(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            answer = call("app", "--port", taken.getsockname()[1])
        assert answer.code == 2
        assert "--port" in answer.err
        assert "Traceback" not in answer.err

    def test_no_such_address(self) -> None:
        with pytest.raises(BadSetting, match="cannot listen"):
            serve.run("203.0.113.7", 0, insecure=True)


def test_its_folder_is_private_and_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_TEMP_DIR", "GRADIO_EXAMPLES_CACHE", *serve.QUIET):
        monkeypatch.setenv(name, "before")
    with serve.private_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert serve.os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert serve.os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        (folder / "photo").write_bytes(b"private")
    assert not folder.exists()


class TestTheServer:
    def test_page_and_api_share_the_port(self, served: Served) -> None:
        assert get(served.url)[0] == 200
        assert get(f"{served.url}healthz")[0] == 200

    def test_the_page_names_no_other_host(self, served: Served) -> None:
        _, page = get(served.url)
        for foreign in ("fonts.googleapis", "fonts.gstatic", "cdnjs", "cdn.jsdelivr", "unpkg"):
            assert foreign not in page

    def test_it_lies_in_a_private_folder(self, served: Served) -> None:
        (folder,) = served.folder.glob("infill-*")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    @pytest.mark.parametrize(
        "path",
        ["/etc/passwd", str(Path(serve.__file__)), "http://example.org/x.png"],
    )
    def test_it_hands_out_no_other_file(self, served: Served, path: str) -> None:
        assert get(f"{served.url}gradio_api/file={path}")[0] == 403

    def test_uploads_have_names_of_ours_and_folders_of_their_own(self, served: Served) -> None:
        data = Picture.from_array(scene()).to_bytes("png")
        found = []
        for name in ("my-secret.PNG", "my-secret.PNG", "../../x.html", "a.svg"):
            sent = {"files": (name, data, "image/png")}
            answer = httpx.post(f"{served.url}gradio_api/upload", files=sent, timeout=30)
            assert answer.status_code == 200, answer.text
            found += [Path(path) for path in answer.json()]
        assert [path.name for path in found] == ["upload.png", "upload.png", "upload", "upload"]
        assert len({path.parent for path in found}) == 4, "one photo sent twice is two files"
        assert all(path.read_bytes() == data for path in found)
        assert not [*served.folder.rglob("*secret*"), *served.folder.rglob("*.html")]

    def test_a_page_that_is_closed_stops_its_fill(self, browser: Any, served: Served) -> None:
        gone = Visit(browser, served.url)
        gone.page.click("#example-rocket")
        gone.page.wait_for_selector(".stage-overlay:not([hidden])")
        gone.choose("#engine", "paced")
        gone.page.click("#fill")
        gone.page.wait_for_selector("#progress-area progress", state="visible")
        gone.context.close()
        with Visit(browser, served.url) as visit:
            visit.page.click("#example-rocket")
            visit.page.wait_for_selector(".stage-overlay:not([hidden])")
            visit.choose("#engine", "flat")
            visit.fill()  # paced would hold the worker for a minute


def test_with_a_token_strangers_see_nothing_and_photos_have_a_lifetime(
    tmp_path: Path, browser: Any
) -> None:
    app = start(tmp_path, "--token", "a-long-enough-token", INFILL_KEEP_SECONDS="4")
    try:
        assert app.url.endswith("?token=a-long-enough-token")
        bare = app.url.partition("?")[0]
        assert get(bare)[0] == 401
        with Visit(browser, app.url) as visit:
            visit.page.click("#example-coffee")
            visit.page.wait_for_selector(".stage-overlay:not([hidden])")
            shown = visit.page.evaluate("document.querySelector('.stage-photo').src")
            assert list(app.folder.rglob("photo.jpg"))
            assert get(shown)[0] == 401
            deadline = time.monotonic() + 20
            while list(app.folder.rglob("photo.jpg")) and time.monotonic() < deadline:
                time.sleep(0.2)
            assert not list(app.folder.rglob("photo.jpg"))
            visit.page.click("#do-clear")
            visit.page.wait_for_selector("#notice-area .notice.error")
            assert "deleted" in visit.notice()
    finally:
        assert app.stop() == 0
    assert not list(app.folder.glob("infill-*"))
    assert "Traceback" not in "".join(app.log)


def test_no_request_has_it_read_or_delete_a_file(tmp_path: Path) -> None:
    """Every event of the page, given the path of a file of ours for each of its inputs."""
    photo = Picture.from_array(scene()).save(tmp_path / "upload.png")
    app = start(tmp_path)
    try:
        config = json.loads(get(f"{app.url}config")[1])
        assert len(config["dependencies"]) > 20
        given = {"path": str(photo), "meta": {"_type": "gradio.FileData"}}
        for event in config["dependencies"]:
            for value in (given, [given], [{"image": given, "caption": None}], str(photo)):
                body = {
                    "fn_index": event["id"],
                    "data": [value] * len(event["inputs"]),
                    "session_hash": "stranger",
                    "event_data": None,
                }
                answer = httpx.post(f"{app.url}gradio_api/run/predict", json=body, timeout=30)
                assert "Now click the thing" not in answer.text
                assert "Traceback" not in answer.text
                assert photo.exists(), event
        assert httpx.get(f"{app.url}gradio_api/file={photo}").status_code == 403
    finally:
        assert app.stop() == 0
