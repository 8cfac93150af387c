"""docs/api.md, made of the API's own OpenAPI schema: `python -m infill.api.reference`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infill.api.problems import every_kind

HEAD = """# HTTP API

`infill serve` answers at http://127.0.0.1:8765, for this machine alone; `infill app` serves the
same API beside the web page. On any other address it demands `--token`, which callers then show
as `Authorization: Bearer TOKEN`.

```
curl -F photo=@photo.jpg -F mask=@mask.png http://127.0.0.1:8765/v1/fill -o out.png
```

Bodies are multipart forms, with pictures as files, or JSON, with pictures in base64. In a form,
`box` and `polygon` are texts (`10,20,110,90`; `0,0 90,0 90,90`) and may come several times,
`seeds` is `1,2,3`, and `options`, `points` and `labels` are JSON. A field that is not listed is an
error.

The proof in `Infill-Outside-Max-Diff` and `Infill-Outside-Pixels` is of the pixels before they
are coded. A lossy container (JPEG, AVIF, and WebP with a quality or of a lossy photo) changes
them once more, everywhere; the answer then says `Infill-Lossy: true`. PNG, TIFF and BMP never do.

Pages of other origins may not call, unless the server was started with `--cors ORIGIN`. What is
uploaded is kept in memory alone, the photo until its job ends and the result for
`INFILL_KEEP_SECONDS`; `DELETE` removes it sooner. The limits are the settings
`INFILL_UPLOAD_BYTES`, `INFILL_SERVED_PIXELS`, `INFILL_SERVED_STEPS`, `INFILL_SERVED_BATCH`,
`INFILL_QUEUE_JOBS` and `INFILL_JOB_SECONDS`.

This page is made of the schema that the server gives at `/v1/openapi.json`.
"""


def render(schema: Mapping[str, Any]) -> str:
    """The document for an OpenAPI schema."""
    parts = [HEAD]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            parts.append("\n".join(_operation(schema, path, method.upper(), operation)))
    parts.append("\n".join(_problems()))
    return "\n".join(parts)


def schema() -> dict[str, Any]:
    """The OpenAPI schema of the API as it is now."""
    from infill.api import create_app
    from infill.jobs import Pool

    with Pool() as pool:  # it starts nothing
        return create_app(pool).openapi()


def _operation(
    schema: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> Iterator[str]:
    yield f"## {method} {path}\n"
    yield operation.get("description", operation.get("summary", "")).strip() + "\n"
    rows = [
        [f"`{one['name']}`", _kind(one["schema"]), _default(one["schema"]), one.get("description")]
        for one in operation.get("parameters", [])
    ]
    if rows:
        yield from _table(["parameter", "kind", "default", "what it says"], rows)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        yield from _body(body)
    yield from _answers(schema, operation["responses"])


def _body(body: Mapping[str, Any]) -> Iterator[str]:
    needed = body["schema"].get("required", [])
    rows = [
        [
            f"`{name}`",
            _kind(told),
            "needed" if name in needed else _default(told),
            told.get("description", ""),
        ]
        for name, told in body["schema"]["properties"].items()
    ]
    yield from _table(["field", "kind", "default", "what it says"], rows)
    example = json.dumps(_shortened(body["example"]), indent=2, ensure_ascii=False)
    yield f"```json\n{example}\n```\n"


def _answers(schema: Mapping[str, Any], responses: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for status, told in sorted(responses.items()):
        kinds = ", ".join(told.get("content", {})) or "—"
        rows.append([status, told["description"], kinds])
    yield from _table(["status", "when", "answer"], rows)
    fine = responses.get("200", {})
    for name, told in fine.get("headers", {}).items():
        yield f"- `{name}`: {told['description']}"
    if fine.get("headers"):
        yield ""
    answer = fine.get("content", {}).get("application/json", {}).get("schema", {})
    name = answer.get("$ref", "").rpartition("/")[2]
    if name:
        rows = [
            [f"`{key}`", _kind(told), told.get("description", "")]
            for key, told in _fields(schema, name)
        ]
        yield from _table(["in the answer", "kind", "what it says"], rows)


def _fields(schema: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The fields of a component and of the components in it, as `results[].seed`."""
    for key, told in schema["components"]["schemas"][name]["properties"].items():
        yield key, told
        inner = told.get("items", {}).get("$ref", "").rpartition("/")[2]
        if inner:
            for below, also in _fields(schema, inner):
                yield f"{key}[].{below}", also


def _problems() -> Iterator[str]:
    yield "## Problems\n"
    yield (
        "What goes wrong is told as `application/problem+json` (RFC 9457): `type`, `title`, "
        "`status`, `detail` (one sentence with the mend), and, for some, `errors` (which "
        "fields) or `retry_after`. A type is a path on the server.\n"
    )
    rows = [
        [f"`/problems/{kind}`", str(status), title]
        for kind, (status, title) in every_kind().items()
    ]
    yield from _table(["type", "status", "meaning"], rows)


def _kind(told: Mapping[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in told:
        return str(told["$ref"]).rpartition("/")[2]
    if "anyOf" in told:
        return " or ".join(dict.fromkeys(map(_kind, told["anyOf"])))
    if "enum" in told:
        return ", ".join(f"`{json.dumps(value)}`" for value in told["enum"])
    if "contentEncoding" in told:
        return "file"
    kind = str(told.get("type", "any"))
    if kind == "array":
        inner = told.get("items") or (told.get("prefixItems") or [{}])[0]
        count = told.get("minItems")
        exact = count is not None and count == told.get("maxItems")
        return f"{count} of {_kind(inner)}" if exact else f"list of {_kind(inner)}"
    low, high = told.get("minimum"), told.get("maximum")
    if low is not None and high is not None:
        return f"{kind}, {low:g} to {high:g}"
    return f"{kind}, from {low:g}" if low is not None else kind


def _default(told: Mapping[str, Any]) -> str:
    return f"`{json.dumps(told['default'])}`" if "default" in told else ""


def _shortened(example: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: f"{value[:24]}…" if isinstance(value, str) and len(value) > 60 else value
        for key, value in example.items()
    }


def _table(head: list[str], rows: Sequence[Sequence[str | None]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        cells = [(cell or "").replace("|", "\\|").replace("\n", " ") for cell in row]
        yield f"| {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    print(render(schema()), end="")
