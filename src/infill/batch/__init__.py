"""Many photos in one run, which may be killed at any moment and started again.

plan.py   which photo gets which mask, which name and which seed
rows.py   the line that is kept for each photo, and the options the run was started with
run.py    the run itself
"""

from infill.batch.plan import BatchOptions, Item, plan
from infill.batch.run import Batch, Summary

__all__ = ["Batch", "BatchOptions", "Item", "Summary", "plan"]
