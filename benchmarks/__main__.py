"""Every benchmark, one after the other: `python -m benchmarks` (or `make bench`).

Options are passed to the comparison of fills, `benchmarks.fill`.
"""

import subprocess
import sys

TITLES = {
    "startup": "How long one small photo takes, start included",
    "large": "A 24-megapixel photo",
    "batch": "Many photos",
    "clicks": "Objects from clicks and boxes",
    "segment_cache": "The second click, with Segment Anything",
    "pocket": "The network in the package",
    "service": "Many fills at once over HTTP",
    "fill": "Speed and quality against peers",
}


def main() -> int:
    """Run all; the first failure's exit code, and the others run all the same."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__)
        return 0
    failed = 0
    for name, title in TITLES.items():
        print(f"\n=== {title}  (python -m benchmarks.{name})\n", flush=True)
        options = sys.argv[1:] if name == "fill" else []
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False)
        failed = failed or done.returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
