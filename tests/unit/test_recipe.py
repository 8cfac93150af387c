"""Recipes: out and back through JSON, damaged ones refused, masks packed small."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from infill import recipe as module
from infill import settings
from infill.errors import BadRecipe, Unreadable
from infill.recipe import Recipe, hash_mask, hash_output, pack_mask, unpack_mask

MASK = np.zeros((30, 40), np.bool_)
MASK[5:9, 7:20] = True
NOISE = np.random.default_rng(0).random((30, 40)) < 0.5


def recipe(**changes: Any) -> Recipe:
    plain = Recipe(
        engine="telea",
        options={"radius": 3, "colour": (0.5, 1.0)},
        seed=10**20,
        blend=1.5,
        match_colour=False,
        opaque=True,
        photo=("file", "ab" * 32),
        width=MASK.shape[1],
        height=MASK.shape[0],
        mask=pack_mask(MASK),
        mask_sha256=hash_mask(MASK),
        output_sha256="cd" * 32,
        weights={"a/b.onnx": "ef" * 32},
        versions={"infill": "1", "numpy": "2"},
    )
    return replace(plain, **changes)


class TestJson:
    def test_there_and_back(self) -> None:
        text = recipe().to_json()
        assert "\n" not in text
        assert text.isascii()
        assert Recipe.from_json(text) == recipe()
        assert Recipe.from_json(text.encode()) == recipe()

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "3", '"text"', "null", "{}", "\x00", "[" * 100_000, b"\xff\xfe\x00"]
    )
    def test_what_is_no_recipe(self, text: str | bytes) -> None:
        with pytest.raises(BadRecipe, match="this is no recipe"):
            Recipe.from_json(text)

    def test_another_format(self) -> None:
        with pytest.raises(BadRecipe, match=r"format 2.*reads format 1"):
            Recipe.from_json(recipe(format=2).to_json())

    @pytest.mark.parametrize("key", [name for name in vars(recipe()) if name != "format"])
    def test_a_key_missing_or_of_the_wrong_type(self, key: str) -> None:
        table = json.loads(recipe().to_json())
        value = table.pop(key)
        with pytest.raises(BadRecipe, match=f"lacks: {key}"):
            Recipe.from_json(json.dumps(table))
        for wrong in (None, [value], {"x": 1} if isinstance(value, str) else "text", -1):
            if key == "blend" and wrong == -1:
                continue  # its range is the pipeline's to check
            with pytest.raises(BadRecipe, match=f"recipe's {key} is"):
                Recipe.from_json(json.dumps({**table, key: wrong}))

    def test_a_key_too_many(self) -> None:
        table = {**json.loads(recipe().to_json()), "colour": 3}
        with pytest.raises(BadRecipe, match="mean nothing here: colour"):
            Recipe.from_json(json.dumps(table))

    @pytest.mark.parametrize("wrong", [True, 1.0, 0, 2**25])
    def test_width_is_a_size(self, wrong: Any) -> None:
        with pytest.raises(BadRecipe, match="width"):
            Recipe.from_json(recipe(width=wrong).to_json())

    def test_a_size_beyond_the_limit_is_refused_before_memory_is_taken(self) -> None:
        huge = recipe(width=2**24, height=2**24).to_json()
        with pytest.raises(BadRecipe, match="max_pixels"):
            Recipe.from_json(huge)
        with settings.using(max_pixels=1199), pytest.raises(BadRecipe, match="max_pixels"):
            Recipe.from_json(recipe().to_json())

    @pytest.mark.parametrize(
        "mask",
        [
            "",
            "5,7:",
            "5,7,4,13:!!!",
            "5,7,4,13:AAAA",
            "-1,7,4,13:",
            "5,7,400,13:",
            "a,b,c,d:",
            "5,7,4,0:",
            "0,0,0,0:",
            pack_mask(NOISE)[:-40],
            pack_mask(~MASK),
        ],
    )
    def test_a_damaged_mask(self, mask: str) -> None:
        with pytest.raises(BadRecipe, match="mask is damaged"):
            Recipe.from_json(recipe(mask=mask).to_json())


class TestMasks:
    def test_only_the_hole_takes_room(self) -> None:
        mask = np.zeros((4000, 6000), np.bool_)
        y, x = np.ogrid[:600, :600]
        mask[1000:1600, 2000:2600] = (y - 300) ** 2 + (x - 300) ** 2 < 280**2
        text = pack_mask(mask)
        assert text.startswith("1021,2021,559,559:")
        assert len(text) < 2000

    @given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=50)))
    def test_unpack_undoes_it(self, mask: np.ndarray) -> None:
        assert (unpack_mask(pack_mask(mask), (mask.shape[0], mask.shape[1])) == mask).all()

    def test_the_hash_knows_the_shape(self) -> None:
        mask = np.zeros((2, 8), np.bool_)
        assert hash_mask(mask) != hash_mask(mask.reshape(8, 2))
        other = mask.copy()
        other[1, 3] = True
        assert hash_mask(mask) != hash_mask(other)


class TestOutputHash:
    pixels = np.arange(200 * 4 * 3, dtype=np.uint16).reshape(200, 4, 3)
    changed = np.zeros((200, 4), np.bool_)
    changed[150, 2] = True

    def test_is_of_what_may_change_and_nothing_else(self) -> None:
        before = hash_output(self.pixels, None, self.changed)
        inside, outside = self.pixels.copy(), self.pixels.copy()
        inside[150, 2, 1] += 1
        outside[150, 3, 1] += 1
        assert hash_output(inside, None, self.changed) != before
        assert hash_output(outside, None, self.changed) == before
        assert hash_output(self.pixels.astype(">u2"), None, self.changed) == before

    def test_alpha_counts(self) -> None:
        alpha = np.zeros((200, 4), np.uint16)
        before = hash_output(self.pixels, alpha, self.changed)
        assert before != hash_output(self.pixels, None, self.changed)
        alpha[150, 2] = 1
        assert hash_output(self.pixels, alpha, self.changed) != before


class TestDifferences:
    def test_none(self) -> None:
        assert recipe().differences(recipe(output_sha256="other")) == ()
        assert recipe().same_output(recipe(seed=4))
        assert not recipe().same_output(recipe(output_sha256="other"))

    def test_each_is_a_sentence(self) -> None:
        other = recipe(
            photo=("pixels", "00" * 32),
            mask_sha256="other",
            weights={},
            versions={"infill": "1", "numpy": "3"},
        )
        assert recipe().differences(other) == (
            "the photo was given as file then and as pixels now",
            "the mask is another",
            f"weights a/b.onnx was {'ef' * 32} and is none",
            "version of numpy was 2 and is 3",
        )


class TestRead:
    def test_beside_a_picture(self, tmp_path: Path) -> None:
        picture = tmp_path / "out.bmp"
        picture.write_bytes(b"BM")
        module.beside_path(picture).write_text(recipe().to_json() + "\n")
        assert Recipe.read(picture) == recipe()
        assert Recipe.read(tmp_path / "out.bmp.recipe.json") == recipe()

    def test_none_there(self, tmp_path: Path) -> None:
        picture = tmp_path / "out.bmp"
        picture.write_bytes(b"BM")
        with pytest.raises(BadRecipe, match=r"holds no recipe.*out.bmp.recipe.json"):
            Recipe.read(picture)
        with pytest.raises(Unreadable):
            Recipe.read(tmp_path / "missing.png")
        with pytest.raises(Unreadable):
            Recipe.read(tmp_path / "missing.json")


def test_versions_name_what_has_a_say_in_the_bytes() -> None:
    found = module.versions()
    assert {"infill", "python", "numpy", "opencv", "pillow", "numba", "platform"} <= {*found}
    assert found["numpy"] == np.__version__


@given(st.text())
def test_no_text_makes_it_crash(text: str) -> None:
    with pytest.raises(BadRecipe):
        Recipe.from_json(text)
