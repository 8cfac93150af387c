"""`python -m benchmarks.large_recode IN OUT`: decode and encode alone, for its memory."""

import sys
from pathlib import Path

from benchmarks.large import recode

if __name__ == "__main__":
    recode(Path(sys.argv[1]), Path(sys.argv[2]))
