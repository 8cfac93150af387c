"""The engines `deepfill` and `lama` keep the protocol of engines."""

from collections.abc import Callable

import pytest

from tests.conformance import assert_engine


@pytest.mark.parametrize(
    ("engine", "kind"), [("deepfill", "plain"), ("deepfill", "tf"), ("lama", "lama")]
)
def test_conformance(models: Callable[[str], str], engine: str, kind: str) -> None:
    assert_engine(engine, threads=[1, 2], model=models(kind))
