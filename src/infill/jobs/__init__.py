"""Work that a server hands to processes of its own: waiting in order, with progress, to be
stopped, and kept for a while. The web app and the HTTP API both stand on it.
"""

from infill.jobs.job import Job
from infill.jobs.pool import Pool
from infill.jobs.tasks import FillTask, RefineTask, SegmentTask, Task

__all__ = ["FillTask", "Job", "Pool", "RefineTask", "SegmentTask", "Task"]
