"""POST /v1/fill: what goes in, what comes out."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

import infill
from infill.picture import read_text
from infill.recipe import Recipe
from tests.api.tools import (
    FLAT,
    HOLE,
    MASK,
    PHOTO,
    PIXELS,
    Served,
    assert_problem,
    files,
    picture,
    png,
)


def recipe_of(content: bytes) -> Recipe:
    return Recipe.from_json(read_text(content)["infill"])


class TestAForm:
    def test_is_the_same_fill_as_the_librarys(self, served: Served) -> None:
        expected = infill.fill(PHOTO, MASK, seed=5)
        answer = served.post(files=files(), data={"seed": "5"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/png"
        filled = picture(answer.content)
        assert np.array_equal(filled, expected.picture.pixels)
        assert np.array_equal(filled[~HOLE], PIXELS[~HOLE])
        assert (filled[HOLE] != PIXELS[HOLE]).any()
        assert answer.headers["infill-engine"] == "exemplar"
        assert answer.headers["infill-seed"] == "5"
        assert answer.headers["infill-outside-max-diff"] == "0"
        assert answer.headers["infill-outside-pixels"] == str((~HOLE).sum())

    def test_carries_its_recipe_unless_asked_not_to(self, served: Served) -> None:
        answer = served.post(files=files(), data=FLAT | {"seed": "3"})
        recipe = recipe_of(answer.content)
        assert (recipe.engine, recipe.seed) == ("flat", 3)
        again = infill.replay(recipe, PHOTO)
        assert recipe.same_output(again.recipe)
        answer = served.post(files=files(), data=FLAT | {"recipe": "none"})
        assert "infill" not in read_text(answer.content)

    def test_with_boxes_and_polygons_and_a_chain(self, served: Served) -> None:
        answer = served.post(
            files={"photo": files()["photo"]},
            data=FLAT
            | {"box": ["2,3,8,9", "20,3,24,9;30,3,34,9"], "polygon": "40,5 60,5 60,20"}
            | {"options": '{"colour": [1, 0, 0]}', "refine": "grow=1px"},
        )
        assert answer.status_code == 200, answer.text
        filled = picture(answer.content)
        red = (filled == (255, 0, 0)).all(axis=2)
        expected = np.zeros_like(HOLE)
        for left, right in ((2, 8), (20, 24), (30, 34)):
            expected[3:9, left:right] = True
        assert red[expected].all()
        assert red[8, 58]
        assert red[2, 2]  # grown by one
        assert not red[40:].any()

    def test_of_a_cut_out_fills_what_is_transparent(self, served: Served) -> None:
        alpha = np.where(HOLE, 0, 255).astype(np.uint8)
        photo = png(np.dstack([PIXELS, alpha]))
        answer = served.post(files={"photo": ("a.png", photo)}, data=FLAT)
        assert answer.status_code == 200, answer.text
        assert (picture(answer.content)[..., 3] == 255).all()

    def test_an_empty_mask_field_counts_as_none(self, served: Served) -> None:
        for name in ("", "blob"):
            given = files() | {"mask": (name, b"", "application/octet-stream")}
            answer = served.post(files=given, data=FLAT | {"box": "2,3,8,9"})
            assert answer.status_code == 200, answer.text

    def test_inverts_and_thresholds_the_mask(self, served: Served) -> None:
        mask = png(np.where(HOLE, 100, 200))
        data = FLAT | {"invert_mask": "true", "threshold": "0.6", "options": '{"colour": "0,1,0"}'}
        answer = served.post(files=files(mask=mask), data=data)
        assert answer.status_code == 200, answer.text
        assert ((picture(answer.content) == (0, 255, 0)).all(axis=2) == HOLE).all()

    def test_blend_and_colour_reach_the_pipeline(self, served: Served) -> None:
        answer = served.post(files=files(), data=FLAT | {"blend": "2.5", "match_colour": "true"})
        recipe = recipe_of(answer.content)
        assert (recipe.blend, recipe.match_colour) == (2.5, True)
        assert int(answer.headers["infill-outside-pixels"]) < (~HOLE).sum()


class TestJson:
    def body(self, **more: object) -> dict[str, object]:
        photo, mask = (base64.b64encode(content).decode() for content in (PHOTO, MASK))
        return {"photo": photo, "mask": mask, "engine": "flat", **more}

    def test_is_answered_alike(self, served: Served) -> None:
        answer = served.post(json=self.body(seed=7))
        assert answer.headers["content-type"] == "image/png"
        form = served.post(files=files(), data=FLAT | {"seed": "7"})
        assert answer.content == form.content

    @pytest.mark.parametrize(
        "more",
        [
            {"mask": None, "box": [2, 3, 8, 9]},
            {"mask": None, "box": [[2, 3, 8, 9], [20, 3, 24, 9]]},
            {"mask": None, "polygon": [[2, 3], [8, 3], [8, 9]]},
            {"mask": None, "polygon": [[[2, 3], [8, 3], [8, 9]]]},
            {"seeds": [4, 9], "blend": 1, "options": {}, "wait": True},
        ],
    )
    def test_takes_lists(self, served: Served, more: dict[str, object]) -> None:
        answer = served.post(json=self.body(**more))
        assert answer.status_code == 200, answer.text

    def test_gives_every_candidate_where_json_is_accepted(self, served: Served) -> None:
        answer = served.post(
            json=self.body(engine="exemplar", candidates=3, seed=2),
            headers={"Accept": "application/json"},
        )
        told = answer.json()
        assert told["engine"] == "exemplar"
        assert [one["seed"] for one in told["results"]] == [2, 3, 4]
        filled = [picture(base64.b64decode(one["picture"])) for one in told["results"]]
        for seed, one, pixels in zip((2, 3, 4), told["results"], filled, strict=True):
            expected = infill.fill(PHOTO, MASK, seed=seed).picture.pixels
            assert np.array_equal(pixels, expected)
            assert (one["outside_max_diff"], one["media_type"]) == (0, "image/png")
            assert one["lossy"] is False
            assert Recipe.from_json(json.dumps(one["recipe"])).seed == seed


class TestContainers:
    @pytest.mark.parametrize("name", ["png", "jpeg", "webp", "tiff", "avif", "bmp"])
    def test_by_the_field(self, served: Served, name: str) -> None:
        answer = served.post(files=files(), data=FLAT | {"format": name})
        assert answer.headers["content-type"] == f"image/{name}"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.format == name.upper()
            assert image.size == (64, 48)

    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            ("image/webp", "image/webp"),
            ("image/jpeg;q=0.5, image/webp;q=0.9", "image/webp"),
            ("*/*", "image/png"),
            ("image/*", "image/png"),
            ("", "image/png"),
            ("image/gif, image/bmp;q=0.1", "image/bmp"),
            ("image/tiff;q=nonsense, image/bmp", "image/bmp"),
        ],
    )
    def test_by_accept(self, served: Served, accept: str, kind: str) -> None:
        answer = served.post(files=files(), data=FLAT, headers={"Accept": accept})
        assert answer.headers["content-type"] == kind

    @pytest.mark.parametrize(("name", "kind"), [("jpg", "jpeg"), ("tif", "tiff")])
    def test_by_their_short_names(self, served: Served, name: str, kind: str) -> None:
        answer = served.post(files=files(), data=FLAT | {"format": name})
        assert answer.headers["content-type"] == f"image/{kind}"
        place = f"/v1/jobs/{answer.headers['infill-job']}/result"
        again = served.client.get(place, params={"format": name})
        assert again.headers["content-type"] == f"image/{kind}"
        assert again.content == answer.content

    @pytest.mark.parametrize("accept", ["image/gif", "image/gif, image/heic;q=0.5", "*/*;q=0"])
    def test_that_cannot_be_given_are_refused(self, served: Served, accept: str) -> None:
        headers = {"Accept": accept}
        answer = served.post(files=files(), data=FLAT, headers=headers)
        told = assert_problem(answer, 406, "not-acceptable")
        assert "image/png" in told["detail"]
        answer = served.post("/v1/masks/refine", files={"mask": ("m.png", MASK)}, headers=headers)
        assert_problem(answer, 406, "not-acceptable")
        named = served.post(files=files(), data=FLAT | {"format": "webp"}, headers=headers)
        assert named.headers["content-type"] == "image/webp"

    @pytest.mark.parametrize(
        ("more", "lossy"),
        [
            ({"format": "png"}, False),
            ({"format": "tiff"}, False),
            ({"format": "bmp"}, False),
            ({"format": "webp"}, False),
            ({"format": "webp", "quality": "80"}, True),
            ({"format": "jpeg"}, True),
            ({"format": "avif"}, True),
        ],
    )
    def test_that_change_pixels_say_so(
        self, served: Served, more: dict[str, str], lossy: bool
    ) -> None:
        answer = served.post(files=files(), data=FLAT | more)
        assert answer.headers.get("infill-lossy") == ("true" if lossy else None)
        same = np.array_equal(picture(answer.content)[~HOLE], PIXELS[~HOLE])
        assert same == (not lossy)

    def test_a_lossy_photo_as_webp_says_so(self, served: Served) -> None:
        photo = infill.Picture.from_array(PIXELS).to_bytes("jpeg")
        answer = served.post(files=files(photo=photo), data=FLAT | {"format": "webp"})
        assert b"VP8L" not in answer.content[:64]
        assert answer.headers["infill-lossy"] == "true"

    def test_quality(self, served: Served) -> None:
        sizes = [
            len(served.post(files=files(), data=FLAT | {"format": "jpeg", "quality": q}).content)
            for q in ("20", "95")
        ]
        assert sizes[0] < sizes[1]

    def test_recipes_are_inside_all_but_bmp(self, served: Served) -> None:
        for name in ("png", "jpeg", "webp", "tiff", "avif"):
            answer = served.post(files=files(), data=FLAT | {"format": name})
            assert recipe_of(answer.content).engine == "flat", name

    def test_sixteen_bits_stay(self, served: Served) -> None:
        deep = infill.Picture.from_array(PIXELS.astype(np.uint16) * 257)
        answer = served.post(files=files(photo=deep.to_bytes("png")), data=FLAT)
        result = infill.Picture.load(answer.content)
        assert result.dtype == np.uint16
        assert np.array_equal(result.pixels[~HOLE], deep.pixels[~HOLE])


class TestLimits:
    """A request may not ask for more of a network than the settings allow, defaults counted."""

    @pytest.mark.parametrize(
        ("engine", "options", "words"),
        [
            ("repaint", {"schedule": "published"}, "2410 times"),
            ("repaint", {"num_inference_steps": 150, "jump_n_sample": 20}, "times"),
            ("guided", {"candidates": 9}, "9 candidates"),
            ("sd", {"prompt": "a cat", "num_inference_steps": 201}, "201"),
        ],
    )
    def test_work_is_refused(
        self, served: Served, engine: str, options: dict[str, object], words: str
    ) -> None:
        fields = {"engine": engine, "options": json.dumps(options)}
        answer = served.post(files=files(), data=fields)
        assert answer.status_code in (413, 422), answer.text
        assert words in answer.json()["detail"]

    def test_defaults_count(self) -> None:
        from infill.api.inputs import check_work
        from infill.engines.base import ENGINES, make_options
        from infill.errors import OverLimit
        from infill.settings import Settings

        engine = ENGINES.get("sd")
        chosen = make_options(engine, {"prompt": "a cat"})
        check_work(engine, chosen, 1, Settings())
        with pytest.raises(OverLimit, match="num_inference_steps 30"):
            check_work(engine, chosen, 1, Settings(served_steps=20))
