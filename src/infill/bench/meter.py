"""What a fill costs the machine: memory at its peak, and energy where a counter can be read."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
"""Linux's energy counters of the processor's packages (RAPL); often for root alone."""

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Reading:
    """What was read while a block ran; None = this machine does not tell.

    host_mb:   peak of this process's resident memory, 10^6 bytes. Where the peak cannot be reset
               (outside Linux) it is that of the whole process so far.
    device_mb: peak of what PyTorch held on the GPU, 10^6 bytes.
    joules:    of processor packages and GPU together, of all that ran on them meanwhile.
    """

    host_mb: float | None = None
    device_mb: float | None = None
    joules: float | None = None


@contextmanager
def metered(*, energy: bool) -> Iterator[Reading]:
    """Measure what the block costs; the reading is complete when the block has ended.

    energy: read the counters. They are the whole machine's, so it makes sense only where nothing
            else runs beside the block.
    """
    reading = Reading()
    _reset_host_peak()
    _reset_device_peak()
    before = joules() if energy else None
    try:
        yield reading
    finally:
        reading.joules = _since(before) if energy else None
        reading.host_mb, reading.device_mb = _host_peak(), _device_peak()


def joules(root: Path = POWERCAP) -> dict[str, tuple[float, float]] | None:
    """Every counter that can be read: name → (joules so far, joules at which it starts anew).

    None where there is none. GPUs count since their driver was loaded, and do not start anew.
    """
    found: dict[str, tuple[float, float]] = {}
    for zone in sorted(root.glob("intel-rapl:*")):
        if zone.name.count(":") > 1:
            continue  # a part of a package, which the package's own counter has in it
        try:
            now = int((zone / "energy_uj").read_text())
            most = int((zone / "max_energy_range_uj").read_text())
        except (OSError, ValueError):
            continue
        found[zone.name] = (now / 1e6, most / 1e6)
    found.update(_gpus())
    return found or None


def _gpus() -> dict[str, tuple[float, float]]:
    """Counters of NVIDIA's cards that this process uses through PyTorch."""
    torch = _cuda()
    if torch is None:
        return {}
    try:
        import pynvml
    except ImportError:
        return {}
    try:
        pynvml.nvmlInit()
        found = {}
        for index in range(torch.cuda.device_count()):
            card = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{_uuid(torch, index)}".encode())
            spent = pynvml.nvmlDeviceGetTotalEnergyConsumption(card) / 1e3
            found[f"gpu {index}"] = (spent, float("inf"))
        return found
    except pynvml.NVMLError:  # an older card, or no right to ask
        return {}


def _uuid(torch: Any, index: int) -> str:
    return str(torch.cuda.get_device_properties(index).uuid)


def _since(before: dict[str, tuple[float, float]] | None) -> float | None:
    now = joules()
    if before is None or now is None or before.keys() != now.keys():
        return None
    total = 0.0
    for name, (end, most) in now.items():
        spent = end - before[name][0]
        total += spent if spent >= 0 else spent + most  # the counter went round
    return total


def _reset_host_peak() -> None:
    with suppress(OSError):  # not Linux: the peak of the whole process is told
        CLEAR.write_text("5")  # of proc(5): the peak is set to what is held now


def _host_peak() -> float | None:
    try:
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except (OSError, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def _cuda() -> Any:
    """PyTorch, if an engine has loaded it and it has a CUDA card; it is never loaded for this."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_available() else None


def _reset_device_peak() -> None:
    torch = _cuda()
    if torch is not None:
        for index in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(index)


def _device_peak() -> float | None:
    torch = _cuda()
    if torch is None:
        return None
    cards = range(torch.cuda.device_count())
    return float(sum(torch.cuda.max_memory_allocated(card) for card in cards)) / 1e6
