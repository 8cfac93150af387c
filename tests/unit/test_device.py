"""Which device is picked, with a PyTorch that says what is in the machine."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from infill import device, settings
from infill.errors import BadSetting, MissingExtra


def machine(monkeypatch: pytest.MonkeyPatch, *, cards: int = 0, apple: bool = False) -> None:
    """A PyTorch on a machine with so many CUDA cards."""
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cards > 0, device_count=lambda: cards),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: apple)),
    )
    monkeypatch.setattr(device, "need", lambda module, extra: torch)


@pytest.mark.parametrize(
    ("name", "there", "picked"),
    [
        ("auto", {"cards": 1, "apple": True}, "cuda"),
        ("auto", {"apple": True}, "mps"),
        ("auto", {}, "cpu"),
        ("cpu", {"cards": 1, "apple": True}, "cpu"),
        ("cuda", {"cards": 1}, "cuda"),
        ("cuda:1", {"cards": 2}, "cuda:1"),
        ("mps", {"apple": True}, "mps"),
    ],
)
def test_picks(
    monkeypatch: pytest.MonkeyPatch, name: str, there: dict[str, Any], picked: str
) -> None:
    machine(monkeypatch, **there)
    assert device.pick(name) == picked
    with settings.using(device=name):
        assert device.pick() == picked


@pytest.mark.parametrize(
    ("name", "there", "why"),
    [
        ("gpu", {"cards": 1}, "there is no device 'gpu'; there are: auto, cpu, cuda"),
        ("cuda:", {"cards": 1}, "there is no device 'cuda:'"),
        ("", {}, "there is no device ''"),
        ("cpu ", {}, "there is no device 'cpu '"),
        ("cuda", {}, "device cuda was asked for, but no CUDA device"),
        ("cuda:2", {"cards": 2}, "device cuda:2 was asked for, but 2 CUDA devices"),
        ("cuda:1", {"cards": 1}, "device cuda:1 was asked for, but 1 CUDA device can"),
        ("mps", {"cards": 1}, "Apple's GPU is not here"),
    ],
)
def test_refuses(
    monkeypatch: pytest.MonkeyPatch, name: str, there: dict[str, Any], why: str
) -> None:
    machine(monkeypatch, **there)
    with pytest.raises(BadSetting, match=why):
        device.pick(name)


def test_without_pytorch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"infill\[segment\]"):
        device.pick("auto")
    with pytest.raises(MissingExtra, match=r"infill\[diffusion\]"):
        device.pick("auto", extra="diffusion")


def test_the_module_itself_loads_no_pytorch() -> None:
    code = "import sys, infill.device; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
