"""One photo filled over and over, with every combination of some options, and what came of it.

grid.py       values as they are typed, and the axes they make
plan.py       every fill of the sweep, with the key that its pixels follow from
run.py        the run itself, which may be killed at any moment and started again
figures.py    what is measured of each fill
table.py      the figures, as Markdown and CSV
sheet.py      the pictures, in one labelled sheet
"""

from infill.sweep.grid import Axis, axes, read_grid, read_options
from infill.sweep.plan import Cell, Plan, plan
from infill.sweep.run import Report, Sweep, sweep

__all__ = [
    "Axis",
    "Cell",
    "Plan",
    "Report",
    "Sweep",
    "axes",
    "plan",
    "read_grid",
    "read_options",
    "sweep",
]
