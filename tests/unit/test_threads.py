"""OpenCV's threads: set while an engine runs, put back after the last one."""

import threading

import cv2
import pytest

from infill import settings
from infill.threads import opencv_threads


@pytest.fixture(autouse=True)
def three_threads() -> object:
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    cv2.setNumThreads(before)


def test_set_and_put_back() -> None:
    with opencv_threads(1):
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 3


def test_the_setting_is_the_default() -> None:
    with settings.using(threads=2), opencv_threads() as count:
        assert count == cv2.getNumThreads() == 2


def test_put_back_after_an_error() -> None:
    with pytest.raises(RuntimeError), opencv_threads(1):
        raise RuntimeError
    assert cv2.getNumThreads() == 3


def test_put_back_when_the_last_of_several_ends() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def other() -> None:
        with opencv_threads(1):
            inside.set()
            go_on.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    with opencv_threads(2):
        pass
    assert cv2.getNumThreads() != 3, "the other one still runs"
    go_on.set()
    thread.join()
    assert cv2.getNumThreads() == 3
