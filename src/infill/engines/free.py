"""How many bytes a device has free, without any library for it."""

import os
import sys
from pathlib import Path

from infill.lazy import need

MEMINFO = Path("/proc/meminfo")
CGROUPS = (  # limit, use and what of the use is cache that is given up; version 2, then 1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def free_bytes(device: str) -> int | None:
    """Bytes that can still be had on "cpu", "cuda", "cuda:1" or "mps"; None if nobody knows.

    On CUDA what PyTorch keeps of freed memory counts as free. Apple's GPU shares main memory
    but takes only so much of it: what is left up to that.
    """
    if device == "cpu":
        return free_main_memory()
    torch = need("torch", extra="diffusion")
    if device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info(device)
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + kept)
    if device == "mps":
        left = torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
        main = free_main_memory()
        return int(left if main is None else min(left, main))
    return None


def free_main_memory(meminfo: Path = MEMINFO, cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes of main memory that can be had without swapping; None if the system does not say.

    A container has less than its machine: the smaller of the two counts.
    """
    told = [_available(meminfo), _left_in_container(cgroup)]
    known = [value for value in told if value is not None]
    return min(known) if known else _by_pages()


def _available(meminfo: Path) -> int | None:
    """Linux's own estimate, its caches counted as free."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _left_in_container(cgroup: Path) -> int | None:
    for limit, used, cache in CGROUPS:
        try:
            most = (cgroup / limit).read_text(encoding="ascii").strip()
            taken = int((cgroup / used).read_text(encoding="ascii"))
            stat = (cgroup / limit).with_name("memory.stat").read_text(encoding="ascii")
        except (OSError, ValueError):
            continue
        if not most.isdigit():
            return None  # "max": no limit
        rows = dict(line.split()[:2] for line in stat.splitlines() if " " in line)
        return max(0, int(most) - taken + int(rows.get(cache, 0)))
    return None


def _by_pages() -> int | None:
    """What other systems than Linux tell: pages that are free, or half of all there are."""
    if sys.platform == "win32":
        return None
    names = os.sysconf_names
    if "SC_PAGE_SIZE" not in names:
        return None
    page = os.sysconf("SC_PAGE_SIZE")
    if "SC_AVPHYS_PAGES" in names:
        return page * os.sysconf("SC_AVPHYS_PAGES")
    if "SC_PHYS_PAGES" in names:
        return page * os.sysconf("SC_PHYS_PAGES") // 2
    return None
