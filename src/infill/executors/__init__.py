"""Ways of running one job over many items."""

from infill.executors.base import EXECUTORS, Executor, Outcome

__all__ = ["EXECUTORS", "Executor", "Outcome"]
