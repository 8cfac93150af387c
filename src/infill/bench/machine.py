"""What machine a run had, in words and numbers, as far as it tells."""

import os
import platform
import re
from pathlib import Path
from typing import Any

CPU_FACTS = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """`cpu` (its name), `cores` (this process may use), `memory_gb` (10^9 bytes), `gpus` (names),
    `system`, `python`. What is not told is None, or no GPU."""
    from infill.settings import Settings

    return {
        "cpu": _cpu(),
        "cores": Settings().worker_threads,
        "memory_gb": _memory(),
        "gpus": _gpus(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def in_short(facts: dict[str, Any]) -> str:
    """The processor and the GPUs, as each row keeps them."""
    return ", ".join([str(facts.get("cpu") or "unknown processor"), *(facts.get("gpus") or [])])


def in_words(facts: dict[str, Any]) -> str:
    """One line for a person."""
    parts = [str(facts.get("cpu") or "unknown processor"), f"{facts.get('cores')} cores"]
    if facts.get("memory_gb"):
        parts.append(f"{facts['memory_gb']:.0f} GB")
    parts += facts.get("gpus") or ["no GPU"]
    if facts.get("processes"):
        parts.append(
            f"{_many(facts['processes'], 'process')} of {_many(facts['threads'], 'thread')}"
        )
    return ", ".join(parts)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}{'es' if what[-1] == 's' else 's'}"


def _cpu() -> str | None:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", CPU_FACTS.read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or None


def _memory() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def _gpus() -> list[str]:
    """Names of CUDA cards, asked of the driver's own files: PyTorch is not loaded for it."""
    names = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        try:
            found = re.search(r"^Model:\s*(.+)$", path.read_text(), re.MULTILINE)
        except OSError:
            continue
        if found:
            names.append(found.group(1).strip())
    return names
