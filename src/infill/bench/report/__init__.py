"""The report of a run: one page that needs no network, and Markdown, CSV, JSON and a picture."""

from infill.bench.report.album import Room
from infill.bench.report.write import Written, write

__all__ = ["Room", "Written", "write"]
