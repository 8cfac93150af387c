"""POST /v1/segment and /v1/masks/refine, and the lists of what there is."""

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infill.masks import feather, from_rle, grow
from infill.masks import refine as refine_mask
from tests.api.tools import (
    HOLE,
    MASK,
    PHOTO,
    Served,
    assert_problem,
    files,
    picture,
    png,
    serving,
)

SCENE = np.full((80, 100, 3), (40, 90, 40), np.uint8)
SCENE[20:50, 30:70] = (220, 40, 40)
OBJECT = (SCENE == (220, 40, 40)).all(axis=2)


def close(mask: np.ndarray) -> bool:
    return float((mask & OBJECT).sum() / (mask | OBJECT).sum()) > 0.9


class TestSegment:
    def test_points_find_the_object(self, served: Served) -> None:
        answer = served.post(
            "/v1/segment",
            files={"photo": ("p.png", png(SCENE))},
            data={"points": "[[50, 35], [5, 5]]", "labels": "[1, 0]"},
        )
        assert answer.status_code == 200, answer.text
        candidates = answer.json()["candidates"]
        assert 1 <= len(candidates) <= 3
        mask = picture(base64.b64decode(candidates[0]["mask"])) > 127
        assert close(mask)
        assert candidates[0]["coverage"] == pytest.approx(mask.mean())
        assert 0 <= candidates[0]["score"] <= 1

    def test_in_json_a_box_and_run_lengths(self, served: Served) -> None:
        photo = base64.b64encode(png(SCENE)).decode()
        body = {"photo": photo, "box": [25, 15, 75, 55], "format": "rle"}
        answer = served.post("/v1/segment", json=body)
        assert answer.status_code == 200, answer.text
        assert close(from_rle(answer.json()["candidates"][0]["rle"]))

    def test_a_brush_and_one_png(self, served: Served) -> None:
        stroke = np.zeros((80, 100), np.uint8)
        stroke[30:40, 40:60] = 255
        answer = served.post(
            "/v1/segment",
            files={"photo": ("p.png", png(SCENE)), "brush": ("b.png", png(stroke))},
            headers={"Accept": "image/png"},
        )
        assert answer.headers["content-type"] == "image/png"
        assert 0 <= float(answer.headers["infill-score"]) <= 1
        assert close(picture(answer.content) > 127)

    def test_nothing_of_it_is_kept(self, served: Served) -> None:
        before = served.pool.kept_bytes()
        served.post("/v1/segment", files={"photo": ("p.png", png(SCENE))}, data={"points": "50,35"})
        assert served.pool.kept_bytes() <= before

    @pytest.mark.parametrize(
        ("data", "kind"),
        [
            ({}, "bad-prompt"),
            ({"points": "[[500, 5]]"}, "bad-prompt"),
            ({"points": "[[5, 5]]", "labels": "[1, 1]"}, "bad-prompt"),
            ({"labels": "[1]", "box": "1,1,9,9"}, "bad-prompt"),
            ({"points": "5,5,5"}, "invalid-request"),
            ({"points": "here"}, "invalid-request"),
            ({"points": "[[1, NaN]]"}, "invalid-request"),
            ({"points": "5,5", "labels": "perhaps"}, "invalid-request"),
            ({"box": "9,9,1,1"}, "bad-prompt"),
            ({"text": "the chair"}, "bad-prompt"),
            ({"points": "5,5", "segmenter": "magic"}, "unknown-plugin"),
            ({"points": "5,5", "checkpoint": "evil/model"}, "invalid-request"),
        ],
    )
    def test_prompts_that_say_nothing(
        self, served: Served, data: dict[str, str], kind: str
    ) -> None:
        answer = served.post("/v1/segment", files={"photo": ("p.png", png(SCENE))}, data=data)
        assert_problem(answer, 422, kind)


class TestRefine:
    def test_is_what_the_library_does(self, served: Served) -> None:
        answer = served.post(
            "/v1/masks/refine",
            files={"mask": ("m.png", MASK)},
            data={"chain": "grow=3,smooth=2px", "invert": "true"},
        )
        assert answer.headers["content-type"] == "image/png"
        expected = refine_mask(~HOLE, "grow=3,smooth=2px")
        assert np.array_equal(picture(answer.content), expected * np.uint8(255))

    def test_feathers(self, served: Served) -> None:
        answer = served.post(
            "/v1/masks/refine",
            files={"mask": ("m.png", MASK)},
            data={"chain": "grow=1", "feather": "4px"},
        )
        expected = np.rint(feather(grow(HOLE, 1), "4px") * 255)
        assert np.array_equal(picture(answer.content), expected)

    def test_in_json(self, served: Served) -> None:
        answer = served.post(
            "/v1/masks/refine",
            json={"mask": base64.b64encode(MASK).decode()},
            headers={"Accept": "application/json"},
        )
        told = answer.json()
        assert told["pixels"] == HOLE.sum()
        assert told["coverage"] == pytest.approx(HOLE.mean())
        assert np.array_equal(picture(base64.b64decode(told["mask"])) > 0, HOLE)

    @pytest.mark.parametrize(
        ("data", "status", "kind"),
        [
            ({"chain": "explode"}, 422, "bad-mask"),
            ({"chain": "grow=inf"}, 422, "bad-mask"),
            ({"feather": "a lot"}, 422, "bad-mask"),
            ({"feather": "-1"}, 422, "bad-mask"),
            ({"path": "/etc"}, 422, "invalid-request"),
        ],
    )
    def test_what_cannot_be_done(
        self, served: Served, data: dict[str, str], status: int, kind: str
    ) -> None:
        answer = served.post("/v1/masks/refine", files={"mask": ("m.png", MASK)}, data=data)
        assert_problem(answer, status, kind)

    @pytest.mark.parametrize("name", ["grow", "shrink", "smooth", "close", "fill-holes"])
    def test_enormous_amounts_are_refused(self, served: Served, name: str) -> None:
        for amount, status in (("1e9", 413), ("65", 413), ("101%", 413), ("64px", 200)):
            given = {"mask": ("m.png", MASK)}
            answer = served.post(
                "/v1/masks/refine", files=given, data={"chain": f"{name}={amount}"}
            )
            assert answer.status_code == status, answer.text
        answer = served.post("/v1/masks/refine", files=given, data={"feather": "1e9"})
        assert_problem(answer, 413, "over-limit")


def sam_of(served: Served) -> dict[str, Any]:
    listed = served.client.get("/v1/segmenters").json()["segmenters"]
    return next(one for one in listed if one["name"] == "sam")


class TestLists:
    def test_segmenters(self, served: Served) -> None:
        told = {
            one["name"]: one for one in served.client.get("/v1/segmenters").json()["segmenters"]
        }
        assert told["classic"]["available"]
        assert told["classic"]["default"]
        assert "points" in told["classic"]["prompts"]

    def test_a_segmenter_without_its_weights(self, tmp_path: Path) -> None:
        pytest.importorskip("huggingface_hub")
        with serving({"sam_checkpoint": str(tmp_path)}) as served:
            assert "config.json" in sam_of(served)["install"]
            assert not sam_of(served)["available"]
            data = {"points": "50,35", "segmenter": "sam"}
            answer = served.post("/v1/segment", files={"photo": ("p.png", png(SCENE))}, data=data)
            told = assert_problem(answer, 503, "missing-weights")
            assert "save_pretrained" in told["detail"]
            for name in ("config.json", "model.safetensors"):
                (tmp_path / name).write_bytes(b"{}")
            assert sam_of(served)["available"]
            assert sam_of(served)["install"] is None

    def test_weights_on_the_hub_are_looked_for_on_this_machine_alone(self) -> None:
        pytest.importorskip("huggingface_hub")
        code = (
            "import socket, sys; socket.socket.connect = None\n"
            "from infill.api.catalogue import to_fetch\n"
            "print(to_fetch('nobody/has-this')); assert 'torch' not in sys.modules"
        )
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        assert "type: infill download sam --model nobody/has-this" in told.stdout

    def test_metrics(self, served: Served) -> None:
        served.post(files=files(), data={"engine": "telea"})
        served.client.get("/nothing/at/all")
        text = served.client.get("/metrics")
        assert text.headers["content-type"].startswith("text/plain")
        lines = text.text.splitlines()
        wanted = 'infill_requests_total{method="POST",route="/v1/fill",status="200"}'
        assert any(line.startswith(wanted) for line in lines)
        assert any('route="other",status="404"' in line for line in lines)
        counted = 'infill_jobs_total{engine="telea",kind="fill",state="done"}'
        assert any(line.startswith(counted) for line in lines)
        assert 'infill_jobs_waiting{lane="fill"} 0.0' in lines
        assert "infill_workers 2.0" in lines

    def test_the_photo_that_was_sent_is_not_kept(self, served: Served) -> None:
        answer = served.post(files={"photo": ("p.png", PHOTO), "mask": ("m.png", MASK)})
        assert served.pool.job(answer.headers["infill-job"]).task is None
