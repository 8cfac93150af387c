"""Many pages at once hold no more than the server allows; the first to come go first."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infill.picture import Picture
from infill.web.crowd import Crowd
from infill.web.history import Step
from infill.web.session import NothingOpen, Session

POOL: Any = SimpleNamespace()


def with_photo(session: Session) -> Session:
    session.history.push(Step(Picture.from_array(np.zeros((10, 10, 3), np.uint8))))
    return session


def test_too_many_pages(tmp_path: Path) -> None:
    crowd = Crowd(POOL, tmp_path, pages=3)
    first, second, third = (with_photo(crowd.enter()) for _ in range(3))
    second.close()
    fourth = with_photo(crowd.enter())
    assert first.is_open, "the one that was closed had made room"
    fifth = crowd.enter()
    assert [one.is_open for one in (first, third, fourth, fifth)] == [False, True, True, True]
    with pytest.raises(NothingOpen, match="deleted by now"):
        _ = first.step
    assert with_photo(first).file("a.png", first, lambda: b"x").read_bytes() == b"x"
    first.close()
    assert third.step.photo.width == 10
    assert {path.name for path in tmp_path.iterdir()} == {
        one.folder.name for one in (third, fourth, fifth)
    }


def test_too_many_bytes(tmp_path: Path) -> None:
    crowd = Crowd(POOL, tmp_path, nbytes=500)
    first, second = (with_photo(crowd.enter()) for _ in range(2))
    assert first.history.nbytes == 300
    third = crowd.enter()
    assert [one.is_open for one in (first, second, third)] == [False, True, True]


def test_pages_that_nobody_holds_are_not_counted(tmp_path: Path) -> None:
    crowd = Crowd(POOL, tmp_path, pages=2)
    kept = crowd.enter()
    for _ in range(5):
        crowd.enter()
    assert kept.is_open
