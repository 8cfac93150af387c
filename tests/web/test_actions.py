"""What each action does to a session, without a browser; jobs run in this process."""

import asyncio
import secrets
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gradio", reason="the app needs the extra web")

import infill
from infill.errors import (
    BadMask,
    BadPrompt,
    Cancelled,
    InfillError,
    MaskSizeMismatch,
    NotAPicture,
    OverLimit,
)
from infill.masks import to_image
from infill.picture import Picture
from infill.segmenters.base import Candidate
from infill.settings import using
from infill.web import actions, filling, uploads, view
from infill.web.examples import STARTS
from infill.web.session import NothingOpen, Session
from tests.cli.tools import scene


class InlineJob:
    """A job that is done as soon as it is asked for its end."""

    id = "inline"
    preview = None

    def __init__(self, task: Any) -> None:
        self.task, self.state, self.value = task, "queued", None

    @property
    def over(self) -> bool:
        return self.state in ("done", "cancelled")

    def snapshot(self) -> dict[str, Any]:
        return {"state": self.state, "fraction": 0.0, "stage": "wait", "seconds_left": None,
                "position": 2, "version": 0}  # fmt: skip

    def changes(self, timeout: float, since: int | None = None) -> dict[str, Any]:
        self.wait()
        return self.snapshot() | {"fraction": 1.0, "stage": "done", "version": 1}

    def cancel(self) -> None:
        self.state = "cancelled"

    def wait(self, timeout: float | None = None) -> bool:
        if self.state == "queued":
            self.value, self.state = self.task(lambda fraction, stage: None), "done"
        return True

    def result(self) -> Any:
        if self.state == "cancelled":
            raise Cancelled("stopped")
        return self.value


class InlinePool:
    def __init__(self) -> None:
        self.jobs: list[InlineJob] = []
        self.forgotten: list[str] = []

    def submit(self, task: Any) -> InlineJob:
        self.jobs.append(InlineJob(task))
        return self.jobs[-1]

    def forget(self, number: str) -> None:
        self.forgotten.append(number)


def squares(photo: Any, points: Any, labels: Any, **more: Any) -> list[Candidate]:
    """A square around the last point, and a smaller one."""
    height, width = photo.pixels.shape[:2]
    found = []
    for reach in (6, 3):
        mask = np.zeros((height, width), bool)
        x, y = (int(value) for value in points[-1])
        mask[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach] = True
        found.append(Candidate(mask, 0.5))
    return found


def awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What it returns; in a thread, since a browser's test may have left a loop in this one."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, coroutine).result()


def arrive(root: Path, content: Picture | bytes, suffix: str = ".png") -> Path:
    """A file as an upload leaves it."""
    folder = root / secrets.token_hex(32)
    folder.mkdir()
    path = folder / f"{uploads.NAME}{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.to_bytes(suffix))
    return path


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session with a photo of 64×48 pixels."""
    monkeypatch.setattr("infill.segmentation.segment", squares)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    made = Session.new(InlinePool(), tmp_path)  # type: ignore[arg-type]
    path = arrive(tmp_path, Picture.from_array(scene()))
    actions.open_photo(made, str(path))
    yield made
    made.close()


def selected(session: Session) -> int:
    return int(session.step.mask.sum())


class TestOpening:
    def test_the_file_is_read_as_it_is_and_deleted(self, session: Session, tmp_path: Path) -> None:
        deep = Picture.from_array(scene().astype(np.uint16) * 257)
        path = arrive(tmp_path, deep, ".tif")
        actions.open_photo(session, str(path))
        assert session.step.photo.dtype == np.uint16
        assert session.step.photo.sha256[0] == "file"
        assert session.step.name == "photo"
        assert not path.exists()

    @pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff\xe0broken"])
    def test_what_is_no_photo_is_an_error_of_ours(
        self, session: Session, tmp_path: Path, content: bytes
    ) -> None:
        before = session.step
        path = arrive(tmp_path, content, ".jpg")
        with pytest.raises(InfillError):
            actions.open_photo(session, str(path))
        assert not path.exists()
        assert session.step is before

    def test_limits_hold(self, session: Session, tmp_path: Path) -> None:
        path = arrive(tmp_path, Picture.from_array(scene()))
        with using(served_pixels=100), pytest.raises(InfillError, match="pixels"):
            actions.open_photo(session, str(path))
        path = arrive(tmp_path, Picture.from_array(scene()))
        with using(upload_bytes=10), pytest.raises(OverLimit, match="INFILL_UPLOAD_BYTES"):
            actions.open_photo(session, str(path))

    def test_nothing_arrived(self) -> None:
        with pytest.raises(NotAPicture, match="drop it again"):
            uploads.read(None)

    @pytest.mark.parametrize("field", [uploads.Upload, uploads.UploadMask])
    def test_an_address_is_no_file(self, session: Session, field: Any, tmp_path: Path) -> None:
        here, made = arrive(tmp_path, b"photo"), field()
        assert awaited(made.async_move_resource_to_block_cache(str(here))) == str(here)
        with pytest.raises(Exception, match="did not arrive"):
            awaited(made.async_move_resource_to_block_cache("http://127.0.0.1/secret.png"))

    def test_no_other_file_is_read_or_deleted(self, session: Session, tmp_path: Path) -> None:
        """Whatever path a request names: another folder's, a link's, a session's own."""
        photo = Picture.from_array(scene())
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / ("0" * 64)).mkdir()
        (tmp_path / ("1" * 64)).mkdir()
        link = tmp_path / ("1" * 64) / "upload.png"
        mine = session.file("upload.png", photo, lambda: photo.to_bytes("png"))
        others = [
            photo.save(tmp_path / "beside.png"),
            photo.save(tmp_path / "elsewhere" / "upload.png"),
            photo.save(tmp_path / ("0" * 64) / "image.png"),
            link,
            mine,
        ]
        link.symlink_to(others[0])
        twisted = arrive(tmp_path, photo).parent / ".." / "beside.png"
        for path in (*others, twisted, "/etc/hostname", "\0", "."):
            with pytest.raises(NotAPicture, match="did not arrive"):
                actions.open_photo(session, str(path))
            with pytest.raises(Exception, match="did not arrive"):
                awaited(uploads.Upload().async_move_resource_to_block_cache(str(path)))
        assert all(path.exists() for path in others)

    def test_another_photo_leaves_no_file_of_this_one(self, session: Session) -> None:
        path = session.file("result.png", object(), lambda: b"pixels")
        assert path.exists()
        actions.close_photo(session)
        assert not path.exists()
        assert not list(session.folder.iterdir())

    @pytest.mark.parametrize("start", STARTS, ids=lambda start: start.example.name)
    def test_every_example_has_its_click_and_words(self, session: Session, start: Any) -> None:
        actions.open_example(session, start)
        x, y, on = session.step.points[0]
        assert on
        assert session.step.mask[int(y), int(x)]
        assert start.prompt
        assert start.negative

    def test_without_a_photo_a_click_is_a_sentence(self, tmp_path: Path) -> None:
        empty = Session.new(InlinePool(), tmp_path)  # type: ignore[arg-type]
        with pytest.raises(NothingOpen, match="drop one first"):
            actions.click(empty, 1, 1, True)


class TestSelecting:
    def test_a_click_is_answered_by_the_first_candidate(self, session: Session) -> None:
        shown = actions.click(session, 20, 20, True)
        assert selected(session) == 144
        assert shown["stage"]["points"] == [[20, 20, True]]
        assert shown["stage"]["overlay"].startswith("data:image/png")
        actions.choose(session, 1)
        assert selected(session) == 36
        assert session.pool.forgotten  # the pool keeps no photo

    def test_the_first_point_must_be_on_it(self, session: Session) -> None:
        with pytest.raises(BadPrompt, match="thing first"):
            actions.click(session, 20, 20, False)
        with pytest.raises(BadPrompt, match="outside"):
            actions.click(session, 65, 20, True)
        assert session.step.points == ()

    def test_brush_and_eraser_outlive_the_next_click(self, session: Session) -> None:
        actions.paint(session, [(50, 40)], 3, erase=False)
        painted = session.step.mask.copy()
        assert painted[40, 50]
        actions.click(session, 20, 20, True)
        assert session.step.mask[40, 50]
        actions.paint(session, [(20, 20)], 2, erase=True)
        assert not session.step.mask[20, 20]
        actions.click(session, 21, 20, True)
        assert not session.step.mask[20, 20]

    def test_the_brush_adds_to_what_is_filled_when_inverted_too(self, session: Session) -> None:
        actions.click(session, 20, 20, True)
        actions.invert(session, True)
        assert not session.step.mask[20, 20]
        actions.paint(session, [(20, 20)], 2, erase=False)
        assert session.step.mask[20, 20]
        actions.paint(session, [(50, 40)], 2, erase=True)
        assert not session.step.mask[40, 50]

    @pytest.mark.parametrize(("tool", "more"), [("grow", True), ("shrink", False)])
    def test_tools_change_the_mask_and_undo_brings_it_back(
        self, session: Session, tool: str, more: bool
    ) -> None:
        actions.click(session, 20, 20, True)
        before = selected(session)
        actions.refine(session, tool, 2)
        assert (selected(session) > before) is more
        actions.undo(session)
        assert selected(session) == before

    def test_every_tool_runs(self, session: Session) -> None:
        actions.click(session, 20, 20, True)
        for tool in actions.TOOLS:
            actions.refine(session, tool, 1)
        assert selected(session) > 0

    def test_a_tool_leaves_something(self, session: Session) -> None:
        with pytest.raises(BadMask, match="click the thing"):
            actions.refine(session, "grow", 2)
        actions.click(session, 20, 20, True)
        with pytest.raises(BadMask, match="smaller amount"):
            actions.refine(session, "shrink", 50)

    def test_more_than_one_thing(self, session: Session) -> None:
        actions.click(session, 12, 12, True)
        actions.another(session)
        actions.click(session, 45, 35, True)
        assert selected(session) == 288
        assert len(session.step.points) == 1

    def test_clear_selects_nothing(self, session: Session) -> None:
        actions.click(session, 20, 20, True)
        actions.clear(session)
        assert selected(session) == 0 if session.step.mask is not None else True
        assert session.step.points == ()


class TestMasksInAndOut:
    def test_out_and_in_again(self, session: Session, tmp_path: Path) -> None:
        actions.click(session, 20, 20, True)
        before = session.step.mask
        data = filling.mask_file(session).read_bytes()
        path = arrive(tmp_path, data)
        actions.clear(session)
        actions.upload_mask(session, str(path))
        assert np.array_equal(session.step.mask, before)

    def test_of_another_size_it_is_a_sentence(self, session: Session, tmp_path: Path) -> None:
        path = arrive(tmp_path, Picture.from_array(to_image(np.ones((5, 5), bool))))
        with pytest.raises(MaskSizeMismatch):
            actions.upload_mask(session, str(path))

    def test_from_the_photo_before(self, session: Session, tmp_path: Path) -> None:
        with pytest.raises(BadMask, match="earlier photo"):
            actions.reuse_mask(session)
        actions.click(session, 20, 20, True)
        larger = arrive(tmp_path, Picture.from_array(scene(96, 128)))
        actions.open_photo(session, str(larger))
        actions.reuse_mask(session)
        assert session.step.mask.shape == (96, 128)
        assert abs(selected(session) - 4 * 144) < 60


class TestAdvice:
    def test_it_is_shown_and_taken(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        from infill.masks import advice, grow

        monkeypatch.setattr(
            advice,
            "advise",
            lambda pixels, mask: [advice.Advice("rim", "a <rim> is left", grow(mask, "2px"))],
        )
        actions.click(session, 20, 20, True)
        before = selected(session)
        shown = actions.advise(session)
        assert "A &lt;rim&gt; is left." in shown["advice"]
        assert shown["stage"]["proposal"]
        assert selected(session) == before
        actions.take_advice(session)
        assert selected(session) > before
        with pytest.raises(BadMask, match="changed since"):
            actions.take_advice(session)

    def test_no_advice_changes_nothing(self, session: Session) -> None:
        assert actions.advise(session) == {}


class TestFilling:
    def test_the_result_and_its_files(self, session: Session) -> None:
        actions.click(session, 20, 20, True)
        mask = session.step.mask
        views = list(filling.fill(session, filling.Order("flat", seed=7, candidates=2)))
        assert [one.recipe.seed for one in session.step.results] == [7, 8]
        assert views[-1]["outcome"]["visible"]
        assert "0%, waiting: number 2 in the queue" in views[0]["progress"]
        filling.files(session, "png")
        (saved,) = session.folder.rglob("photo-filled.png")
        assert np.array_equal(infill.load(saved).pixels[~mask], scene()[~mask])
        (recipe,) = session.folder.rglob("*.recipe.json")
        assert infill.Recipe.read(recipe).seed == 7
        actions.pick(session, 1)
        assert session.step.result.recipe.seed == 8
        actions.go_on(session)
        assert session.step.mask is None
        actions.undo(session)
        assert session.step.picked == 1

    def test_nothing_selected_is_a_sentence(self, session: Session) -> None:
        with pytest.raises(BadMask, match="click the thing"):
            list(filling.fill(session, filling.Order("flat")))

    def test_too_many_candidates(self, session: Session) -> None:
        with pytest.raises(OverLimit, match="candidates"):
            list(filling.fill(session, filling.Order("flat", candidates=99)))

    def test_a_page_that_goes_away_stops_the_work(self, session: Session) -> None:
        actions.click(session, 20, 20, True)
        running = filling.fill(session, filling.Order("flat"))
        next(running)
        running.close()
        assert session.pool.jobs[-1].state == "cancelled"

    def test_cancel(self, session: Session) -> None:
        actions.click(session, 20, 20, True)
        running = filling.fill(session, filling.Order("flat"))
        next(running)
        filling.cancel(session)
        assert "nothing was changed" in list(running)[-1]["notice"]
        assert session.step.result is None

    def test_the_canvas_grows(self, session: Session) -> None:
        with pytest.raises(InfillError, match="four sliders"):
            list(filling.fill(session, filling.Order("flat", margins=(0, 0, 0, 0))))
        list(filling.fill(session, filling.Order("flat", margins=(3, 0, 5, 2))))
        done = session.step.result.picture.pixels
        assert done.shape == (50, 72, 3)
        assert np.array_equal(done[:-2, 3:-5], scene())
        with using(served_pixels=4000), pytest.raises(OverLimit, match="extend it by less"):
            list(filling.fill(session, filling.Order("flat", margins=(0, 0, 0, 90))))

    def test_seeds(self) -> None:
        assert filling.seed_for(5, False) == 5
        assert filling.seed_for(5, True) != filling.seed_for(5, True)
        for wrong in (None, -1, 1.5):
            with pytest.raises(InfillError, match="seed"):
                filling.seed_for(wrong, False)


class TestSession:
    def test_its_folder_is_private_and_goes_with_it(self, tmp_path: Path) -> None:
        made = Session.new(InlinePool(), tmp_path)  # type: ignore[arg-type]
        assert made.folder.stat().st_mode & 0o777 == 0o700
        of = object()
        path = made.file("a.txt", of, lambda: b"one")
        assert made.file("a.txt", of, lambda: b"two") == path
        assert path.read_bytes() == b"one"
        again = made.file("a.txt", object(), lambda: b"three")
        assert again.read_bytes() == b"three"
        assert not path.exists()
        made.close()
        assert not made.folder.exists()
        assert made.history.now is None


class TestViews:
    def test_a_notice_is_escaped_and_ends(self) -> None:
        shown = view.notice("<b>no</b> such file", "error")["notice"]
        assert "&lt;b&gt;no&lt;/b&gt; such file." in shown
        assert 'role="alert"' in shown
        assert view.notice("")["notice"] == ""

    @pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (125, "2 min 5 s")])
    def test_durations(self, seconds: float, words: str) -> None:
        assert view.duration(seconds) == words

    def test_progress_tells_stage_and_time_left(self) -> None:
        shown = view.progress(
            {"state": "running", "fraction": 0.5, "stage": "a<b", "seconds_left": 3.2}, b"png"
        )["progress"]
        assert "50%, a&lt;b, 3 s left" in shown
        assert "data:image/png" in shown
