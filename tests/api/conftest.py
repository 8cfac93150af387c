"""One server for the tests that leave it as it was."""

from collections.abc import Iterator

import pytest

from tests.api.tools import Served, serving


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serving() as found:
        yield found
