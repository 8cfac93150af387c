"""A recipe makes its result again, and says where it cannot."""

import dataclasses

import pytest
from tests.unit.pipeline_scenes import cut_out, photo_and_mask

from infill import fill, replay
from infill.errors import (
    BadOption,
    BadRecipe,
)


class TestReplay:
    def test_makes_the_same_again(self) -> None:
        photo, mask = photo_and_mask()
        first = fill(photo, mask, engine="telea", radius=5, seed=4, blend=1.5, match_colour=True)
        again = replay(first.recipe, photo)
        assert (again.picture.pixels == first.picture.pixels).all()
        assert again.recipe == first.recipe
        assert first.recipe.same_output(again.recipe)
        assert again.notes == ("the pixels are equal, bit for bit",)

    def test_says_what_is_another(self) -> None:
        photo, mask = photo_and_mask()
        first = fill(photo, mask, engine="telea")
        other = photo.copy()
        other[0, 0, 0] ^= 1  # far from the hole
        assert replay(first.recipe, other).notes == (
            "the pixels are equal, bit for bit",
            "the photo is not the one that the recipe was made from",
        )
        other_mask = mask.copy()
        other_mask[30, 30] = True
        assert replay(first.recipe, photo, other_mask).notes == (
            "the pixels are not equal",
            "the mask is another",
        )

    def test_a_transparent_hole_becomes_opaque_again(self) -> None:
        photo = cut_out()
        first = fill(photo, engine="flat")
        again = replay(first.recipe, photo)
        assert again.picture.alpha is not None
        assert first.picture.alpha is not None
        assert (again.picture.alpha == first.picture.alpha).all()
        assert first.recipe.same_output(again.recipe)

    @pytest.mark.parametrize("blend", [1e9, float("nan"), -1])
    def test_a_recipe_is_checked_like_anything_else(self, blend: float) -> None:
        photo, mask = photo_and_mask()
        recipe = dataclasses.replace(fill(photo, mask, engine="flat").recipe, blend=blend)
        with pytest.raises(BadOption, match="blend"):
            replay(recipe, photo)

    def test_a_photo_of_another_size(self) -> None:
        photo, mask = photo_and_mask()
        recipe = fill(photo, mask, engine="flat").recipe
        with pytest.raises(BadRecipe, match="50×40 pixels, but this one is 49×40"):
            replay(recipe, photo[:, :-1])
