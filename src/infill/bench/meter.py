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

    host_mb, device_mb: peak of this process's resident memory, and of what PyTorch held on GPUs,
               10^6 bytes. Where the host's peak cannot be reset (outside Linux) it is that of the
               whole process so far.
    host_before, device_before, host_after, device_after: what was held when the block began, and
               when it ended.
    joules:    of processor packages and GPUs together, of all that ran on them meanwhile.
    """

    host_mb: float | None = None
    device_mb: float | None = None
    host_before: float | None = None
    device_before: float | None = None
    host_after: float | None = None
    device_after: float | None = None
    joules: float | None = None


@contextmanager
def metered(*, energy: bool) -> Iterator[Reading]:
    """Measure what the block costs; the reading is complete when the block has ended.

    energy: read the counters. They are the whole machine's, so it makes sense only where nothing
            else runs beside the block.
    """
    reading = Reading(host_before=_host_now(), device_before=_device(peak=False))
    _reset_host_peak()
    _reset_device_peak()
    before = joules() if energy else None
    try:
        yield reading
    finally:
        reading.joules = _since(before) if energy else None
        reading.host_mb, reading.device_mb = _host_peak(), _device(peak=True)
        reading.host_after, reading.device_after = _host_now(), _device(peak=False)


class Need:
    """What an engine needs of a process that also measures: its own memory, not the metrics'.

    What it held after its first fill, before anything was measured, is its own for good. On top
    comes what each later fill took while it ran.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, float]] = {}

    def of(self, label: str, reading: Reading) -> tuple[float | None, float | None]:
        """Host and device memory of one fill, 10^6 bytes; None where it is not known."""
        if label not in self._held:
            self._held[label] = (reading.host_after or 0.0, reading.device_after or 0.0)
            return reading.host_mb, reading.device_mb
        host, device = self._held[label]
        return (
            _beyond(reading.host_mb, reading.host_before, host),
            _beyond(reading.device_mb, reading.device_before, device),
        )


def _beyond(peak: float | None, before: float | None, held: float) -> float | None:
    return None if peak is None or before is None else held + max(0.0, peak - before)


def joules(root: Path = POWERCAP) -> dict[str, tuple[float, float]] | None:
    """Every counter that can be read: name → (joules so far, joules at which it starts anew).

    None where there is none. GPUs count since their driver was loaded, and do not start anew.
    """
    found: dict[str, tuple[float, float]] = {}
    for zone in sorted(root.glob("intel-rapl:*")):
        if zone.name.count(":") > 1:
            continue  # a part of a package, which the package's own counter has in it
        try:
            if (zone / "name").read_text().strip() == "psys":
                continue  # of the whole platform: the packages are in it
            now = int((zone / "energy_uj").read_text())
            most = int((zone / "max_energy_range_uj").read_text())
        except (OSError, ValueError):
            continue
        found[zone.name] = (now / 1e6, most / 1e6)
    cards = _gpus()
    if cards is None:
        return None
    return found | cards or None


def _gpus() -> dict[str, tuple[float, float]] | None:
    """Counters of NVIDIA's cards that this process uses through PyTorch; None where it uses some
    and they cannot be read (`pip install nvidia-ml-py` brings what reads them)."""
    torch = _cuda()
    if torch is None:
        return {}
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        found = {}
        for index in range(torch.cuda.device_count()):
            card = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{_uuid(torch, index)}".encode())
            spent = pynvml.nvmlDeviceGetTotalEnergyConsumption(card) / 1e3
            found[f"gpu {index}"] = (spent, float("inf"))
        return found
    except pynvml.NVMLError:  # an older card, or no right to ask
        return None


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
    told = _status("VmHWM:")
    if told is not None:
        return told
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def _host_now() -> float | None:
    return _status("VmRSS:")


def _status(name: str) -> float | None:
    """A line of what Linux tells of this process, in 10^6 bytes."""
    with suppress(OSError, ValueError):
        for line in STATUS.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024 / 1e6
    return None


def _cuda() -> Any:
    """PyTorch, if an engine has loaded it and it has a CUDA card; it is never loaded for this."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_available() else None


def _reset_device_peak() -> None:
    torch = _cuda()
    if torch is not None:
        for index in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(index)


def _device(*, peak: bool) -> float | None:
    torch = _cuda()
    if torch is None:
        return None
    ask = torch.cuda.max_memory_allocated if peak else torch.cuda.memory_allocated
    return float(sum(ask(card) for card in range(torch.cuda.device_count()))) / 1e6
