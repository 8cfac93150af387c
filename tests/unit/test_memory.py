"""What was freed goes back to the system, where the C library can be asked to."""

import subprocess
import sys
from pathlib import Path

import pytest

from infill import memory

PROGRAM = """
import numpy as np
from infill.memory import give_back

def resident():
    status = open("/proc/self/status").read()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024

np.ones(30_000_000, np.uint8)  # once freed, blocks of this size are kept for later
many = [np.ones(1_000_000, np.uint8) for _ in range(200)]
last = np.ones(1000, np.uint8)
full = resident()
del many
give_back()
print(full - resident())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_freed_memory_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert int(done.stdout) > 150


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_trim", lambda: None)
    memory.give_back()
