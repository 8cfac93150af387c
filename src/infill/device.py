"""Which device a network runs on, out of the setting `device`."""

import re

from infill import settings
from infill.errors import BadSetting
from infill.lazy import need

KNOWN = re.compile(r"cpu|mps|cuda(:\d+)?")


def pick(name: str | None = None, *, extra: str = "segment") -> str:
    """The device to use, as PyTorch writes it: "cpu", "cuda", "cuda:1" or "mps".

    name:  one of these or "auto", the fastest that is here: CUDA, then Apple's GPU, then the
           processor; None = the setting `device`.
    extra: the optional dependency group that brings PyTorch, for the error if it is missing.

    Raises `BadSetting` for a device that does not exist or is not in this machine, and
    `MissingExtra`.
    """
    name = settings.current().device if name is None else name
    if name != "auto" and not KNOWN.fullmatch(name):
        raise BadSetting(f"there is no device {name!r}; there are: auto, cpu, cuda, cuda:1, mps")
    torch = need("torch", extra=extra)
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    apple = torch.backends.mps.is_available()
    if name == "auto":
        return "cuda" if cards else "mps" if apple else "cpu"
    if name.startswith("cuda") and int(name.partition(":")[2] or 0) >= cards:
        here = f"{cards} CUDA device{'s' if cards > 1 else ''}" if cards else "no CUDA device"
        raise BadSetting(f"device {name} was asked for, but {here} can be used here; try auto")
    if name == "mps" and not apple:
        raise BadSetting("device mps was asked for, but Apple's GPU is not here; try auto")
    return name
