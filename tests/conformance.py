"""One assertion for each kind of plug-in: whoever writes one tests it with a single line."""

from tests.conformance_engine import assert_engine
from tests.conformance_executor import assert_executor
from tests.conformance_metrics import assert_metric
from tests.conformance_segmenter import assert_segmenter

__all__ = ["assert_engine", "assert_executor", "assert_metric", "assert_segmenter"]
