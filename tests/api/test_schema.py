"""The API against its own OpenAPI schema, and the reference made of it."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from infill.api import create_app, describe, reference
from infill.jobs import Pool
from tests.api.tools import LONG, Served

schemathesis = pytest.importorskip("schemathesis")

ROOT = Path(__file__).parents[2]


def schema_of_the_app() -> Any:
    with Pool() as pool:
        return schemathesis.openapi.from_dict(create_app(pool).openapi())


schema = schema_of_the_app()
EXAMPLES = 12
"""Tried of each operation, beside the schema's own examples and its boundaries."""


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_what_the_schema_says(case: Any, served: Served) -> None:
    # What the schema cannot say: that bytes are a picture, and a mask of the photo's size.
    unsaid = ["positive_data_acceptance"]
    if case.media_type == "multipart/form-data":  # where all is text, no type can be wrong
        unsaid.append("negative_data_rejection")
    excluded = [schemathesis.checks.CHECKS.get_one(name) for name in unsaid]
    case.call_and_validate(base_url=served.url, timeout=LONG, excluded_checks=excluded)


class TestExamples:
    @pytest.mark.parametrize("path", ["/v1/fill", "/v1/masks/refine", "/v1/segment"])
    def test_can_be_run_as_they_are(self, served: Served, path: str) -> None:
        document = served.client.get("/v1/openapi.json").json()
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        answer = served.post(path, json=body["example"])
        assert answer.status_code == 200, answer.text

    def test_every_operation_says_what_it_does(self, served: Served) -> None:
        document = served.client.get("/v1/openapi.json").json()
        for operations in document["paths"].values():
            for operation in operations.values():
                assert len(operation["description"]) > 20

    def test_no_page_loads_scripts_from_elsewhere(self, served: Served) -> None:
        for path in ("/docs", "/redoc"):
            assert served.client.get(path).status_code == 404

    def test_every_reference_leads_somewhere(self, served: Served) -> None:
        text = served.client.get("/v1/openapi.json").text
        known = served.client.get("/v1/openapi.json").json()["components"]["schemas"]
        for part in text.split('"#/components/schemas/')[1:]:
            assert part.partition('"')[0] in known
        assert set(describe.components()) <= set(known)


def test_the_reference_is_current() -> None:
    """If not: python -m infill.api.reference > docs/api.md"""
    written = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert written == reference.render(reference.schema())


def test_the_client_can_be_told_where_the_schema_is(served: Served) -> None:
    answer = httpx.get(f"{served.url}/v1/openapi.json", timeout=LONG)
    assert answer.json()["openapi"].startswith("3.1")
