"""Settings: defaults, the environment, and overriding for a while."""

import contextvars
import os

import pytest

from infill import settings
from infill.errors import BadSetting
from infill.settings import Settings, current, from_environment, using


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.fields(Settings):
        monkeypatch.delenv(f"INFILL_{name.name.upper()}", raising=False)


def test_defaults() -> None:
    assert from_environment({}) == Settings("exemplar", 0, 400_000_000)


def test_environment() -> None:
    found = from_environment({"INFILL_ENGINE": "telea", "INFILL_THREADS": "3", "HOME": "/"})
    assert found == Settings("telea", 3)


def test_other_variables_with_our_prefix_are_left_alone() -> None:
    assert from_environment({"INFILL_BENCH": "/photos"}) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("THREADS", "many", "INFILL_THREADS takes a whole number, not 'many'"),
        ("THREADS", "-1", "INFILL_THREADS must be at least 0, not -1"),
        ("MAX_PIXELS", "0", "INFILL_MAX_PIXELS must be at least 1, not 0"),
        ("MAX_PIXELS", "", "INFILL_MAX_PIXELS takes a whole number"),
    ],
)
def test_bad_values_are_named(name: str, value: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        from_environment({f"INFILL_{name}": value})


def test_current_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFILL_THREADS", "5")
    assert current().threads == 5
    monkeypatch.delenv("INFILL_THREADS")
    assert current().threads == 0


def test_using_overrides_for_a_while_and_nests() -> None:
    with using(threads=3) as outer:
        assert outer.threads == 3
        with using(engine="flat"):
            assert (current().threads, current().engine) == (3, "flat")
        assert (current().threads, current().engine) == (3, "exemplar")
    assert current().threads == 0


def test_using_ends_with_an_error_too() -> None:
    with pytest.raises(RuntimeError), using(threads=3):
        raise RuntimeError
    assert current().threads == 0


def test_using_is_of_one_task_alone() -> None:
    with using(threads=3):
        assert contextvars.Context().run(lambda: current().threads) == 0


def test_unknown_settings_are_refused() -> None:
    with (
        pytest.raises(BadSetting, match="no setting 'thread'; there are: engine, threads"),
        using(thread=1),
    ):
        raise AssertionError


def test_worker_threads() -> None:
    assert Settings(threads=7).worker_threads == 7
    assert 1 <= Settings(threads=0).worker_threads <= (os.cpu_count() or 1)


def test_every_setting_has_a_line_of_help() -> None:
    for entry in settings.fields(Settings):
        assert entry.metadata["help"]
