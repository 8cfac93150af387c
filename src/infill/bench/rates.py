"""What an hour of a machine costs, for the price of 1,000 photos.

These are list prices of machines rented by the hour, without tax, discounts or storage. They
change; so each has the month in which it was noted, the report prints it, and `--price-per-hour`
takes the place of them all.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rate:
    """One machine: what its processor or GPU is called (a pattern), US dollars an hour for one core
    or one GPU, what that is the price of, and when it was written down."""

    pattern: str
    per: str
    dollars: float
    of: str
    noted: str

    def in_words(self) -> str:
        """For the report."""
        return f"{self.dollars:g} $ an hour for each {self.per} ({self.of}, noted {self.noted})"


RATES: Sequence[Rate] = (
    Rate(r"H200", "GPU", 7.91, "AWS p5en.48xlarge, 1/8, on demand", "2025-06"),
    Rate(r"H100", "GPU", 6.88, "AWS p5.4xlarge, on demand", "2025-08"),
    Rate(r"A100.*80", "GPU", 3.43, "AWS p4de.24xlarge, 1/8, on demand", "2025-06"),
    Rate(r"A100", "GPU", 2.74, "AWS p4d.24xlarge, 1/8, on demand", "2025-06"),
    Rate(r"L40S", "GPU", 1.86, "AWS g6e.xlarge, on demand", "2025-06"),
    Rate(r"\bL4\b", "GPU", 0.80, "AWS g6.xlarge, on demand", "2025-06"),
    Rate(r"A10G?\b", "GPU", 1.006, "AWS g5.xlarge, on demand", "2025-06"),
    Rate(r"\bT4\b", "GPU", 0.526, "AWS g4dn.xlarge, on demand", "2025-06"),
    Rate(r"", "core", 0.0446, "AWS c7i.large, half of its two, on demand", "2025-06"),
)
"""The first whose pattern is found in the machine's name counts."""


def rate_of(machine: Mapping[str, Any], *, device: bool) -> Rate | None:
    """The rate for an engine that ran on the GPU (`device`) or on the processor; None for a GPU
    that is in no line."""
    per = "GPU" if device else "core"
    name = " ".join(machine.get("gpus") or []) if device else str(machine.get("cpu"))
    for rate in RATES:
        if rate.per == per and re.search(rate.pattern, name):
            return rate
    return None


def price(seconds: float, rate: Rate, cores: int, photos: int = 1000) -> float:
    """US dollars for so many photos of `seconds` each, one after the other.

    cores: that a fill keeps busy; they count where the rate is for one core.
    """
    units = cores if rate.per == "core" else 1
    return seconds / 3600 * rate.dollars * units * photos
