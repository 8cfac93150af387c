"""From a request to a checked body, whether it came as JSON or as a form."""

from collections.abc import Callable
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from pydantic import ValidationError
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from infill.api.problems import Refused
from infill.api.schemas import Body

Model = TypeVar("Model", bound=Body)
Value = TypeVar("Value")

FILES = ("photo", "mask", "reference", "brush")
SEVERAL = ("box", "polygon", "seeds")
"""Fields of a form that may come more than once."""


class _Form(MultiPartParser):
    """Keeps what is uploaded in memory: no file is made, under any name."""

    spool_max_size = 2**62

    def close(self) -> None:
        """Forget the parts, those too that never came to their end."""
        for file in self._files_to_close_on_error:
            file.close()


async def read(request: Request, model: type[Model]) -> Model:
    """The request's body, JSON or a multipart form, as an instance of `model`.

    Raises `Refused`: "unsupported-media-type", "malformed-request", "invalid-request".
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        values = await _form(request)
        return await in_thread(lambda: _validated(lambda: model.model_validate(values)))
    if kind == "application/json":
        try:
            content = await request.body()
        except ClientDisconnect:
            raise Refused("malformed-request", "the body ended too early") from None
        return await in_thread(
            lambda: _validated(lambda: model.model_validate_json(content, strict=True))
        )
    raise Refused(
        "unsupported-media-type",
        f"the body is multipart/form-data or application/json, not {kind or 'nothing'}",
    )


async def in_thread(work: Callable[..., Value], *arguments: Any) -> Value:
    """Run `work(*arguments)` beside the event loop; a few at a time, for each may hold a
    large photo.
    """
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(4)
        _limiter.set(limiter)
    return await to_thread.run_sync(work, *arguments, limiter=limiter)


_limiter: RunVar[CapacityLimiter] = RunVar("infill_api_limiter")
"""One for each event loop."""


async def _form(request: Request) -> dict[str, Any]:
    """The fields of a form: files as bytes, texts as they are, those in SEVERAL as lists."""
    parser = _Form(request.headers, request.stream(), max_files=8, max_fields=300)
    try:
        form = await parser.parse()
        values: dict[str, Any] = {}
        for key, value in form.multi_items():
            content = value if isinstance(value, str) else await value.read()
            if content:  # else a field that was left empty
                _put(values, key, content)
    except MultiPartException as error:
        raise Refused("malformed-request", error.message) from None
    except ClientDisconnect:
        raise Refused("malformed-request", "the body ended too early") from None
    except (ValueError, LookupError, AttributeError, AssertionError) as error:
        # the parser does not say everything in its own words
        raise Refused("malformed-request", f"this is no multipart form ({error})") from None
    finally:
        parser.close()
    if "seeds" in values:
        values["seeds"] = " ".join(values["seeds"])
    return values


def _put(values: dict[str, Any], key: str, content: str | bytes) -> None:
    """Add one field. Raises `Refused` for a file in place of a text, the reverse, and a repeat."""
    if isinstance(content, str) == (key in FILES):
        wanted = "this is to be sent as a file" if key in FILES else "this is to be sent as text"
        raise _invalid(key, wanted)
    if key in SEVERAL:
        values.setdefault(key, []).append(content)
    elif key in values:
        raise _invalid(key, "this is given twice")
    else:
        values[key] = content


def _invalid(field: str, what: str) -> Refused:
    return Refused("invalid-request", f"{field}: {what}", [{"field": field, "detail": what}])


def _validated(make: Callable[[], Model]) -> Model:
    try:
        return make()
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False, include_context=False)
        if told[0]["type"] == "json_invalid":
            raise Refused("malformed-request", told[0]["msg"]) from None
        found = [
            {"field": ".".join(map(str, one["loc"])) or "body", "detail": one["msg"]}
            for one in told[:20]
        ]
        first = found[0]
        raise Refused("invalid-request", f"{first['field']}: {first['detail']}", found) from None
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise Refused("malformed-request", f"the body cannot be read ({error})") from None
