"""What goes wrong is told as a problem, whatever a client sends; nothing is ever a 500."""

import json
import random
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx
import numpy as np
import pytest

from infill import errors
from infill.api import inputs, problems
from infill.api.problems import STATUS, Refused
from infill.engines.base import ENGINES, EngineCard
from infill.engines.flat import Flat
from infill.errors import BadOption, InfillError, OverLimit, QueueFull
from tests.api.tools import FLAT, HOLE, MASK, PHOTO, Served, assert_problem, files, png

FULL = png(np.full(HOLE.shape, 255))
SMALL = png(np.zeros((3, 5)))


class TestTheTable:
    def test_every_error_has_a_problem(self) -> None:
        kinds = [
            value
            for value in vars(errors).values()
            if isinstance(value, type) and issubclass(value, InfillError)
        ]
        for kind in kinds:
            told = problems.problem(kind("what happened"))
            assert 400 <= told["status"] < 600
            assert told["detail"] == "what happened"
            if kind in STATUS:
                assert told["type"] == f"/problems/{problems.slug(kind)}"

    def test_what_nobody_foresaw_is_not_told(self) -> None:
        told = problems.problem(RuntimeError("secret"))
        assert told["status"] == 500
        assert "secret" not in json.dumps(told)

    def test_a_long_detail_is_cut(self) -> None:
        assert len(problems.problem(BadOption("x" * 10_000))["detail"]) <= problems.LONGEST

    def test_what_is_no_unicode_can_be_quoted(self) -> None:
        assert b"\\ud800" in problems.body(problems.problem(BadOption("\ud800")))

    def test_headers(self) -> None:
        assert problems.headers(problems.problem(QueueFull("full", 7.4))) == {"Retry-After": "7"}
        assert problems.headers(problems.problem(QueueFull("full", 0.1))) == {"Retry-After": "1"}
        assert problems.headers(problems.problem(Refused("not-found", "x"))) == {}

    def test_types_can_be_looked_up(self, served: Served) -> None:
        for kind, (status, title) in problems.every_kind().items():
            told = served.client.get(f"/problems/{kind}").json()
            assert told == {"type": f"/problems/{kind}", "title": title, "status": status}
        assert_problem(served.client.get("/problems/nonsense"), 404, "not-found")


class TestRequests:
    @pytest.mark.parametrize(
        ("given", "data", "status", "kind"),
        [
            ({"mask": MASK}, {}, 422, "invalid-request"),
            ({"photo": b"no picture", "mask": MASK}, {}, 415, "not-a-picture"),
            ({"photo": PHOTO[:-40], "mask": MASK}, {}, 422, "truncated-picture"),
            ({"photo": PHOTO, "mask": b"GIF89a" + bytes(60)}, {}, 415, "not-a-picture"),
            ({"photo": PHOTO, "mask": SMALL}, {}, 422, "mask-size-mismatch"),
            ({"photo": PHOTO, "mask": FULL}, {}, 422, "full-mask"),
            ({"photo": PHOTO}, {}, 422, "bad-mask"),
            ({"photo": PHOTO}, {"refine": "grow=3"}, 422, "bad-mask"),
            ({"photo": PHOTO, "mask": MASK}, {"engine": "magic"}, 422, "unknown-plugin"),
            ({"photo": PHOTO, "mask": MASK}, {"engine": "x" * 101}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"options": '{"x": 1}'}, 422, "bad-option"),
            ({"photo": PHOTO, "mask": MASK}, {"options": '{"effort": 99}'}, 422, "bad-option"),
            ({"photo": PHOTO, "mask": MASK}, {"options": '{"effort": NaN}'}, 422, None),
            ({"photo": PHOTO, "mask": MASK}, {"options": '{"effort": "1"}'}, 422, "bad-option"),
            ({"photo": PHOTO, "mask": MASK}, {"options": "[1]"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"options": "{"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"refine": "explode"}, 422, "bad-mask"),
            ({"photo": PHOTO, "mask": MASK}, {"refine": "invert," * 60}, 413, "over-limit"),
            ({"photo": PHOTO, "mask": MASK}, {"refine": "x" * 501}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"box": "1,2,3"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"box": "9,9,9,9"}, 422, "bad-mask"),
            ({"photo": PHOTO, "mask": MASK}, {"polygon": "1,2 3,4"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"polygon": "1,2,3"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"seed": "-1"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"seed": "1.5"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"seeds": "1,x"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"seeds": ","}, 422, "bad-option"),
            ({"photo": PHOTO, "mask": MASK}, {"blend": "nan"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"threshold": "2"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"format": "gif"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"quality": "0"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"recipe": "beside"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"colour": "red"}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK}, {"seed": ["1", "2"]}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK, "seed": b"1"}, {}, 422, "invalid-request"),
            ({"photo": PHOTO, "mask": MASK, "reference": PHOTO}, {}, 422, "bad-option"),
        ],
    )
    def test_that_cannot_be_done(
        self,
        served: Served,
        given: dict[str, bytes],
        data: dict[str, Any],
        status: int,
        kind: str | None,
    ) -> None:
        parts = {name: (f"{name}.png", content) for name, content in given.items()}
        answer = served.post(files=parts, data=data)
        if kind is not None:
            assert_problem(answer, status, kind)
        else:
            assert answer.status_code == status

    def test_sixteen_bits_in_a_jpeg_are_refused_before_the_work(self, served: Served) -> None:
        import infill

        deep = infill.Picture.from_array(np.zeros((48, 64, 3), np.uint16)).to_bytes("png")
        answer = served.post(files=files(photo=deep), data=FLAT | {"format": "jpeg"})
        assert "save as .png" in assert_problem(answer, 422, "format-cannot-hold")["detail"]

    def test_fields_at_fault_are_named(self, served: Served) -> None:
        answer = served.post(files=files(), data={"blend": "wide", "quality": "999"})
        told = assert_problem(answer, 422, "invalid-request")
        assert {one["field"] for one in told["errors"]} == {"blend", "quality"}

    @pytest.mark.parametrize(
        ("content", "kind", "status", "problem"),
        [
            (b"{", "application/json", 400, "malformed-request"),
            (b"\xff\xfe", "application/json", 400, "malformed-request"),
            (b"[" * 100_000, "application/json", 400, "malformed-request"),
            (b"[]", "application/json", 422, "invalid-request"),
            (b"null", "application/json", 422, "invalid-request"),
            (b'{"photo": 5}', "application/json", 422, "invalid-request"),
            (b'{"photo": "*"}', "application/json", 422, "invalid-request"),
            (b'{"photo": "", "seed": 1' + b"0" * 5000 + b"}", "application/json", 422, None),
            (b"", "application/json", 400, "malformed-request"),
            (b"photo=x", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
            (b"x", "text/plain", 415, "unsupported-media-type"),
            (b"x", "", 415, "unsupported-media-type"),
            (b"x", "multipart/form-data", 400, "malformed-request"),
            (b"x", "multipart/form-data; boundary=a", 400, "malformed-request"),
            (b"--a\r\n\r\nx\r\n--a--\r\n", "multipart/form-data; boundary=a", 400, None),
        ],
    )
    def test_that_cannot_be_read(
        self, served: Served, content: bytes, kind: str, status: int, problem: str | None
    ) -> None:
        for path in ("/v1/fill", "/v1/segment", "/v1/masks/refine"):
            answer = served.post(path, content=content, headers={"Content-Type": kind})
            if problem is not None:
                assert_problem(answer, status, problem)
            else:
                assert answer.status_code in (400, status)

    def test_addresses_and_methods(self, served: Served) -> None:
        assert_problem(served.client.get("/v1/nothing"), 404, "not-found")
        answer = served.client.put("/v1/fill")
        assert_problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == "POST"
        answer = served.client.get("/v1/jobs/x/result", params={"candidate": "many"})
        told = assert_problem(answer, 422, "invalid-request")
        assert told["errors"][0]["field"] == "candidate"


@dataclass(frozen=True)
class _Options:
    """Options of an engine whose author thought of no server."""

    steps: int = 20
    prompt: str = ""
    checkpoint: str = "hub/name"
    model_path: str = ""
    revision: str | None = None
    secret: str = ""
    start: float | None = None


@dataclass(frozen=True)
class _MarkedOptions:
    notes: str = ""

    def __post_init__(self) -> None:
        raise OverflowError("too much of it")


class _Careless(Flat):
    card: ClassVar[EngineCard] = EngineCard(
        **{**vars(Flat.card), "name": "careless", "extra": "nonsense"}
    )
    Options: ClassVar[type] = _Options


class _Overflowing(Flat):
    Options: ClassVar[type] = _MarkedOptions


class TestOptions:
    @pytest.mark.parametrize("name", ["checkpoint", "model_path", "revision"])
    def test_that_name_a_file_are_not_taken(self, name: str) -> None:
        with pytest.raises(BadOption, match="may set; it has: steps, prompt"):
            inputs.engine_options(_Careless(), {name: "/etc/passwd"}, 200)

    def test_that_are_marked_are_not_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from types import MappingProxyType

        entry = _Options.__dataclass_fields__["secret"]
        monkeypatch.setattr(entry, "metadata", MappingProxyType({"server": False}))
        with pytest.raises(BadOption, match="'secret' that a request may set"):
            inputs.engine_options(_Careless(), {"secret": "x"}, 200)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("steps", 1.5),
            ("steps", True),
            ("steps", None),
            ("steps", 2**70),
            ("prompt", 5),
            ("prompt", "x" * 3000),
            ("prompt", {"a": 1}),
            ("prompt", ["a"]),
            ("start", float("inf")),
            ("start", [1]),
        ],
    )
    def test_of_another_kind(self, name: str, value: object) -> None:
        with pytest.raises(BadOption, match=f"option {name} is"):
            inputs.engine_options(_Careless(), {name: value}, 200)

    def test_that_are_fine(self) -> None:
        given = {"steps": 200, "prompt": "a chair", "start": None}
        assert inputs.engine_options(_Careless(), given, 200) == given

    def test_of_too_many_steps(self) -> None:
        with pytest.raises(OverLimit, match="more than the 200"):
            inputs.engine_options(_Careless(), {"steps": 201}, 200)

    def test_that_an_engine_trips_over(self) -> None:
        with pytest.raises(BadOption, match="too much of it"):
            inputs.make_checked(_Overflowing(), {"notes": "x"})

    def test_every_engine_of_ours_lists_what_it_takes(self, served: Served) -> None:
        told = {one["name"]: one for one in served.client.get("/v1/engines").json()["engines"]}
        ours = {name for name in ENGINES.names() if not ENGINES.get(name).card.needs_model}
        assert ours <= set(told)
        assert "diffusers" not in told, "a request may name no model, so it could not be used"
        assert "download" in told["sdxl"]["install"]
        assert [name for name, one in told.items() if one["default"]] == ["exemplar"]
        effort = next(one for one in told["exemplar"]["controls"] if one["name"] == "effort")
        assert (effort["kind"], effort["low"], effort["high"]) == ("number", 0.25, 8)
        assert told["exemplar"]["available"]
        assert told["exemplar"]["install"] is None


def _bodies() -> list[tuple[str, bytes, str]]:
    """Two hundred requests that were whole once."""
    import base64

    chance = random.Random(2026)
    photo, mask = (base64.b64encode(content).decode() for content in (PHOTO, MASK))
    fill = {"photo": photo, "mask": mask, "engine": "flat", "box": [[1, 2, 9, 9]], "seed": 3}
    fill |= {"options": {"colour": "0,0,1"}, "refine": "grow=2", "blend": 1.5, "format": "webp"}
    segment = {"photo": photo, "points": [[4, 8]], "labels": [1], "box": [1, 1, 9, 9]}
    refine = {"mask": mask, "chain": "grow=2,fill-holes", "feather": "2px"}
    strange: list[Any] = [None, -1, 1e308, "", "\ud800", [], {}, [[]], True, "x" * 300, 2**64]
    found = []
    for number in range(200):
        path, whole = chance.choice(
            [("/v1/fill", fill), ("/v1/segment", segment), ("/v1/masks/refine", refine)]
        )
        if number % 4 == 0:  # a form whose bytes are changed
            parts = {
                key: ("f.png", base64.b64decode(value))
                for key, value in whole.items()
                if key in ("photo", "mask")
            }
            data = {key: str(value) for key, value in whole.items() if key not in parts}
            request = httpx.Request("POST", "http://x", files=parts, data=data)
            content, kind = _damaged(request.read(), chance), request.headers["content-type"]
        elif number % 4 == 1:  # JSON whose bytes are changed
            content, kind = _damaged(json.dumps(whole).encode(), chance), "application/json"
        else:  # JSON with other values
            changed = dict(whole)
            for _ in range(chance.randint(1, 3)):
                changed[chance.choice([*whole, "extra"])] = chance.choice(strange)
            if number % 4 == 3:
                changed["photo" if "photo" in whole else "mask"] = base64.b64encode(
                    _damaged(PHOTO, chance)
                ).decode()
            content, kind = json.dumps(changed).encode(), "application/json"
        found.append((path, content, kind))
    return found


def _damaged(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 12)):
        place = chance.randrange(len(changed) or 1)
        action = chance.randrange(4)
        if action == 0 and changed:
            changed[place] = chance.randrange(256)
        elif action == 1:
            del changed[place : place + chance.randint(1, 30)]
        elif action == 2:
            changed[place:place] = chance.randbytes(chance.randint(1, 10))
        else:
            del changed[max(1, place) :]
    return bytes(changed) or b"x"


def test_two_hundred_damaged_bodies_are_no_mistake_of_ours(served: Served) -> None:
    statuses: dict[int, int] = {}
    for path, content, kind in _bodies():
        answer = served.post(path, content=content, headers={"Content-Type": kind})
        assert answer.status_code < 500, (path, content[:300], answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    assert sum(statuses.values()) == 200
    assert statuses.get(400, 0) > 10
    assert statuses.get(422, 0) > 50
