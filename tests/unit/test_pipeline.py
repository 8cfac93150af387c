"""`fill` from end to end on arrays: the promise, alpha, grey, seeds, progress, bad input."""

import dataclasses
import tracemalloc
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import photos_with_masks

from infill import fill, replay
from infill import settings as infill_settings
from infill.composite import Proof
from infill.engines.base import ENGINES, NoOptions
from infill.engines.flat import Flat
from infill.errors import (
    BadMask,
    BadOption,
    BadRecipe,
    Cancelled,
    EngineFailed,
    FullMask,
    MaskSizeMismatch,
    UnknownPlugin,
)
from infill.geometry import SizeRule
from infill.picture import Picture
from infill.result import STAGES

RED = (1.0, 0.0, 0.0)


def photo_and_mask(shape: tuple[int, int] = (40, 50)) -> tuple[np.ndarray, np.ndarray]:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    mask = np.zeros(shape, np.bool_)
    mask[10:20, 15:30] = True
    return photo, mask


class TestExact:
    def test_the_hole_takes_the_fill_and_the_rest_stays(self) -> None:
        photo, mask = photo_and_mask()
        result = fill(photo, mask, engine="flat", colour=RED)
        expected = photo.copy()
        expected[mask] = (255, 0, 0)
        assert (result.picture.pixels == expected).all()
        assert (result.mask == mask).all()
        assert result.proof == Proof(0, 40 * 50 - 150)
        assert result.card is Flat.card
        assert result.notes == ()
        assert set(result.seconds) == set(STAGES)
        assert result.seconds["engine"] > 0

    def test_the_mean_of_what_is_known_around(self) -> None:
        photo = np.full((9, 9, 3), (10, 20, 30), np.uint8)
        mask = np.zeros((9, 9), np.bool_)
        mask[4, 4] = True
        photo[4, 4] = 255
        assert (fill(photo, mask, engine="flat").picture.pixels == (10, 20, 30)).all()

    def test_far_holes_are_filled_from_their_own_surroundings(self) -> None:
        photo = np.zeros((50, 600, 3), np.uint8)
        photo[:, 300:] = 200
        mask = np.zeros((50, 600), np.bool_)
        mask[20:30, 20:30] = mask[20:30, 560:570] = True
        photo[mask] = 99
        filled = fill(photo, mask, engine="flat").picture.pixels
        assert (filled[mask & (np.arange(600) < 300)] == 0).all()
        assert (filled[mask & (np.arange(600) >= 300)] == 200).all()

    def test_a_photo_given_as_path_bytes_pil_or_picture(self, tmp_path: Any) -> None:
        photo, mask = photo_and_mask()
        path, mask_path = tmp_path / "photo.png", tmp_path / "mask.png"
        picture = Picture.from_array(photo)
        picture.save(path)
        Picture.from_array(mask.astype(np.uint8) * 255).save(mask_path)
        expected = fill(photo, mask, engine="flat").picture.pixels
        for source in (path, str(path), path.read_bytes(), picture, picture.to_pil()):
            filled = fill(source, mask_path, engine="flat").picture.pixels
            assert (filled == expected).all()

    def test_crops_give_what_the_whole_photo_would(self) -> None:
        photo, _ = photo_and_mask((700, 900))
        mask = np.zeros((700, 900), np.bool_)
        mask[30:40, 50:60] = mask[600:610, 800:830] = mask[0:5, 880:900] = True
        photo[mask] = 0
        expected = cv2.inpaint(photo, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
        assert (fill(photo, mask, engine="telea").picture.pixels == expected).all()

    def test_a_cable_cut_into_regions_is_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("infill.regions.LARGE", 10_000)
        photo = np.full((600, 600, 3), 128, np.uint8)
        mask = np.eye(600, dtype=np.bool_) | np.eye(600, k=1, dtype=np.bool_)
        photo[mask] = 0
        result = fill(photo, mask, engine="navier-stokes")
        assert (result.picture.pixels == 128).all()

    def test_a_later_region_sees_what_an_earlier_one_filled(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[bool] = []

        class White(Everything):
            card = Flat.card

            def fill(self, pixels: Any, mask: Any, *rest: Any) -> Any:
                seen.append(bool((pixels[~mask] == 1).any()))
                return np.ones_like(pixels)

        monkeypatch.setattr("infill.regions.LARGE", 10_000)
        monkeypatch.setattr(ENGINES, "get", lambda name: White())
        mask = np.eye(600, dtype=np.bool_)
        fill(np.full((600, 600, 3), 128, np.uint8), mask)
        assert len(seen) > 2
        assert not seen[0]
        assert all(seen[1:])


class TestPromise:
    @given(photos_with_masks(), st.sampled_from(["flat", "telea", "navier-stokes"]))
    def test_outside_the_mask_nothing_changes(self, given: Any, engine: str) -> None:
        photo, mask = given
        photo_before, mask_before = photo.copy(), mask.copy()
        result = fill(photo, mask, engine=engine)
        filled = result.picture.pixels
        picture = Picture.from_array(photo)
        assert filled.dtype == photo.dtype
        assert (filled[~mask] == picture.pixels[~mask]).all()
        if picture.alpha is None:
            assert result.picture.alpha is None
        else:
            assert (result.picture.alpha == picture.alpha).all()
        if picture.grey:
            assert (filled[..., 0] == filled[..., 1]).all()
            assert (filled[..., 0] == filled[..., 2]).all()
        assert result.proof.outside_max_diff == 0
        assert result.proof.outside_pixels == np.count_nonzero(~mask)
        assert (photo == photo_before).all()
        assert (mask == mask_before).all()

    @given(photos_with_masks(largest=24))
    @settings(max_examples=15)
    def test_with_the_default_engine_too(self, given: Any) -> None:
        photo, mask = given
        photo_before = photo.copy()
        result = fill(photo, mask, seed=3)
        picture = Picture.from_array(photo)
        assert (result.picture.pixels[~mask] == picture.pixels[~mask]).all()
        assert (photo == photo_before).all()

    @given(photos_with_masks(), st.floats(0, 12))
    def test_with_a_blend_only_the_band_changes(self, given: Any, blend: float) -> None:
        photo, mask = given
        away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        band = away <= blend
        if not mask.any() or band.all():
            return
        picture = Picture.from_array(photo)
        try:
            result = fill(photo, mask, engine="flat", blend=blend, colour=(0, 1, 0))
        except FullMask:
            assert picture.alpha is not None
            return
        assert (result.picture.pixels[~band] == picture.pixels[~band]).all()
        assert result.proof.outside_pixels == np.count_nonzero(~band)

    def test_the_callers_arrays_are_not_the_results(self) -> None:
        photo, mask = photo_and_mask()
        result = fill(photo, mask, engine="flat")
        before = result.picture.pixels.copy()
        photo[:], mask[:] = 0, True
        assert (result.picture.pixels == before).all()
        assert np.count_nonzero(result.mask) == 150
        for array in (result.picture.pixels, result.mask):
            with pytest.raises(ValueError, match="read-only"):
                array[0, 0] = 0

    def test_an_engine_that_repaints_everything_changes_the_hole_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ENGINES, "get", lambda name: Everything())
        photo, mask = photo_and_mask()
        result = fill(photo, mask)
        assert (result.picture.pixels[mask] == 255).all()
        assert (result.picture.pixels[~mask] == photo[~mask]).all()

    def test_a_fault_of_our_own_is_found_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def careless(canvas: np.ndarray, *rest: Any, **more: Any) -> None:
            canvas[0, 0] += 1

        monkeypatch.setattr("infill.composite.paste", careless)
        photo, mask = photo_and_mask()
        with pytest.raises(EngineFailed, match="outside the mask by up to 1"):
            fill(photo, mask, engine="flat")


class Everything:
    """Returns values out of range everywhere, and wants sizes that are multiples of 64."""

    card = Flat.card.__class__(**{**vars(Flat.card), "size": SizeRule(multiple=64, minimum=128)})
    Options = NoOptions

    def fill(self, pixels: np.ndarray, mask: np.ndarray, *rest: Any) -> np.ndarray:
        assert pixels.shape == (*mask.shape, 3)
        assert min(mask.shape) >= 128
        assert mask.shape[0] % 64 == mask.shape[1] % 64 == 0
        assert (pixels[mask] == 0).all(), "what lies under the mask must not be seen"
        assert pixels.dtype == np.float32
        assert pixels.flags.c_contiguous
        assert mask.flags.c_contiguous
        return np.full_like(pixels, 7.0)


class TestAlpha:
    def photo(self) -> np.ndarray:
        photo = np.full((20, 30, 4), (50, 100, 150, 255), np.uint8)
        photo[5:10, 5:10] = (255, 0, 255, 0)  # a transparent hole that hides magenta
        photo[0, 0, 3] = 128
        return photo

    def test_no_mask_fills_what_is_transparent_and_makes_it_opaque(self) -> None:
        photo = self.photo()
        picture = fill(photo, engine="flat").picture
        assert (picture.pixels == (50, 100, 150)).all()
        expected = np.full((20, 30), 255, np.uint8)
        expected[0, 0] = 128
        assert picture.alpha is not None
        assert (picture.alpha == expected).all()

    def test_with_a_mask_alpha_stays_and_hidden_colours_are_no_source(self) -> None:
        photo = self.photo()
        mask = np.zeros((20, 30), np.bool_)
        mask[4:8, 4:8] = True
        picture = fill(photo, mask, engine="flat").picture
        assert picture.alpha is not None
        assert (picture.alpha == photo[..., 3]).all()
        assert (picture.pixels[mask] == (50, 100, 150)).all()
        assert (picture.pixels[9, 9] == (255, 0, 255)).all(), "not masked, so kept"

    def test_opaque_can_be_asked_for(self) -> None:
        photo = self.photo()
        mask = photo[..., 3] == 0
        kept = fill(photo, mask, engine="flat").picture.alpha
        made = fill(photo, mask, engine="flat", opaque=True).picture.alpha
        assert kept is not None
        assert made is not None
        assert (kept[mask] == 0).all()
        assert (made[mask] == 255).all()
        assert (made[~mask] == kept[~mask]).all()

    def test_a_hole_in_a_wide_transparent_margin_finds_its_source(self) -> None:
        photo = np.zeros((300, 300, 4), np.uint8)
        photo[:20, :20] = (10, 20, 30, 255)
        mask = np.zeros((300, 300), np.bool_)
        mask[280:290, 280:290] = True
        picture = fill(photo, mask, engine="flat").picture
        assert (picture.pixels[mask] == (10, 20, 30)).all()

    def test_nothing_opaque_is_left(self) -> None:
        photo = np.zeros((8, 8, 4), np.uint8)
        mask = np.zeros((8, 8), np.bool_)
        mask[2:4] = True
        with pytest.raises(FullMask, match="masked or fully transparent"):
            fill(photo, mask, engine="flat")
        with pytest.raises(FullMask, match="every pixel is masked"):
            fill(photo, engine="flat")

    def test_no_mask_and_no_transparency(self) -> None:
        with pytest.raises(BadMask, match="give a mask"):
            fill(photo_and_mask()[0], engine="flat")


class TestEdges:
    def test_empty_mask_returns_the_photo_and_says_so(self) -> None:
        photo, mask = photo_and_mask()
        result = fill(photo, np.zeros_like(mask), engine="telea")
        assert (result.picture.pixels == photo).all()
        assert result.proof == Proof(0, mask.size)
        assert result.notes == ("the mask is empty, so the photo is returned as it is",)
        assert replay(result.recipe, photo).notes[-1] == "the pixels are equal, bit for bit"

    def test_full_mask(self) -> None:
        photo, mask = photo_and_mask()
        with pytest.raises(FullMask, match="nothing to fill from"):
            fill(photo, np.ones_like(mask), engine="flat")

    def test_a_blend_that_leaves_nothing(self) -> None:
        photo, mask = photo_and_mask()
        with pytest.raises(FullMask):
            fill(photo, mask, engine="flat", blend=100)

    def test_mask_of_another_size(self) -> None:
        photo, mask = photo_and_mask()
        with pytest.raises(MaskSizeMismatch):
            fill(photo, mask[:-1], engine="flat")

    @pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 40), (40, 1), (2, 2), (3, 3)])
    @pytest.mark.parametrize("engine", ENGINES.names())
    def test_tiny_photos(self, engine: str, shape: tuple[int, int]) -> None:
        photo = np.full((*shape, 3), 90, np.uint8)
        mask = np.zeros(shape, np.bool_)
        mask[0, 0] = True
        photo[0, 0] = 0
        filled = fill(photo, mask, engine=engine).picture.pixels
        assert np.abs(filled.astype(int) - 90).max() <= 2

    def test_one_pixel_photo(self) -> None:
        photo = np.zeros((1, 1, 3), np.uint8)
        assert fill(photo, np.zeros((1, 1), np.bool_), engine="telea").notes
        with pytest.raises(FullMask):
            fill(photo, np.ones((1, 1), np.bool_), engine="telea")

    @pytest.mark.parametrize("step", [(slice(None, None, 2), slice(None)), np.s_[::-1, ::-1]])
    def test_photos_and_masks_that_are_views(self, step: Any) -> None:
        photo, mask = photo_and_mask()
        expected = fill(photo[step].copy(), mask[step].copy(), engine="telea").picture.pixels
        assert (fill(photo[step], mask[step], engine="telea").picture.pixels == expected).all()

    @pytest.mark.parametrize("seed", [-1, 1.5, "7", True, None])
    def test_bad_seed(self, seed: Any) -> None:
        with pytest.raises(BadOption, match="seed"):
            fill(*photo_and_mask(), engine="flat", seed=seed)

    @pytest.mark.parametrize("blend", [-0.1, float("nan"), float("inf"), 1001, "2", None, True])
    def test_bad_blend(self, blend: Any) -> None:
        with pytest.raises(BadOption, match="blend"):
            fill(*photo_and_mask(), engine="flat", blend=blend)

    def test_an_option_of_the_wrong_kind_is_named(self) -> None:
        photo, mask = np.zeros((4, 4, 3), np.uint8), np.eye(4, dtype=bool)
        with pytest.raises(BadOption, match="effort is a number, not 'much'"):
            fill(photo, mask, engine="exemplar", effort="much")

    def test_unknown_engine_and_option_are_named_before_the_photo_is_read(self) -> None:
        with pytest.raises(UnknownPlugin, match="no engine 'nope'"):
            fill("there is no such photo.jpg", engine="nope")
        with pytest.raises(BadOption, match="no option 'radus'"):
            fill("there is no such photo.jpg", engine="telea", radus=3)

    def test_the_engine_of_the_settings_is_the_default(self) -> None:
        with infill_settings.using(engine="navier-stokes"):
            assert fill(*photo_and_mask()).card.name == "navier-stokes"


class TestCost:
    def test_memory_follows_the_hole_and_not_the_photo(self) -> None:
        photo = np.zeros((2000, 3000, 3), np.uint8)
        mask = np.zeros((2000, 3000), np.bool_)
        mask[900:1100, 900:1100] = mask[100:110, 2500:2510] = True
        picture = Picture.from_array(photo)
        assert picture.sha256
        fill(picture, mask, engine="flat")  # whatever is made once is made
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        result = fill(picture, mask, engine="flat")
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        assert peak < result.picture.pixels.nbytes + result.mask.nbytes + 6_000_000

    def test_only_crops_are_shown_to_the_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[int, ...]] = []

        class Watcher(Everything):
            card = Flat.card

            def fill(self, pixels: Any, mask: Any, *rest: Any) -> Any:
                seen.append(mask.shape)
                return pixels.copy()

        monkeypatch.setattr(ENGINES, "get", lambda name: Watcher())
        mask = np.zeros((2000, 3000), np.bool_)
        mask[900:1100, 900:1100] = mask[100:110, 2500:2510] = True
        fill(np.zeros((2000, 3000, 3), np.uint8), mask)
        assert seen == [(26, 26), (300, 300)]


class TestBlendAndColour:
    def test_the_band_mixes_photo_and_fill(self) -> None:
        photo = np.zeros((21, 21, 3), np.uint8)
        mask = np.zeros((21, 21), np.bool_)
        mask[10, 10] = True
        filled = fill(photo, mask, engine="flat", colour=(1, 1, 1), blend=3).picture.pixels
        assert filled[10, 10:15, 0].tolist() == [255, 191, 128, 64, 0]

    def test_match_colour_brings_the_fill_to_the_photos_colour(self) -> None:
        photo = np.full((40, 40, 3), 80, np.uint8)
        mask = np.zeros((40, 40), np.bool_)
        mask[15:25, 15:25] = True
        plain = fill(photo, mask, engine="flat", colour=RED)
        matched = fill(photo, mask, engine="flat", colour=RED, match_colour=True)
        assert (plain.picture.pixels[mask] == (255, 0, 0)).all()
        assert (matched.picture.pixels == 80).all()


class TestSeedsAndThreads:
    @pytest.mark.parametrize("engine", ENGINES.names())
    def test_same_seed_same_bytes_at_any_number_of_threads(self, engine: str) -> None:
        photo, mask = photo_and_mask((90, 120))
        mask[60:64, 5:110] = True
        results = []
        for threads in (1, 2, 8):
            with infill_settings.using(threads=threads):
                results.append(fill(photo, mask, engine=engine, seed=11).picture.pixels.tobytes())
        assert len(set(results)) == 1

    def test_each_region_has_its_own_numbers_and_any_size_of_seed_counts(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn: list[int] = []

        class Dice(Everything):
            card = Flat.card

            def fill(self, pixels: Any, mask: Any, options: Any, rng: Any, *rest: Any) -> Any:
                drawn.append(int(rng.integers(2**62)))
                return np.zeros_like(pixels)

        monkeypatch.setattr(ENGINES, "get", lambda name: Dice())
        photo, mask = photo_and_mask((40, 800))
        mask[5:9, 700:710] = True
        for seed in (0, 1, 2**32, 2**64, 10**30):
            fill(photo, mask, seed=seed)
        assert len(drawn) == len(set(drawn)) == 10

    def test_opencv_has_the_threads_of_the_settings_and_gets_its_own_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[int] = []

        class Watcher(Everything):
            card = Flat.card

            def fill(self, pixels: Any, *rest: Any) -> Any:
                seen.append(cv2.getNumThreads())
                return pixels.copy()

        monkeypatch.setattr(ENGINES, "get", lambda name: Watcher())
        before = cv2.getNumThreads()
        with infill_settings.using(threads=before + 3):
            fill(*photo_and_mask())
        assert seen == [before + 3]
        assert cv2.getNumThreads() == before


class TestProgress:
    def test_goes_up_to_one_over_all_regions(self) -> None:
        photo, mask = photo_and_mask((40, 800))
        mask[5:9, 700:710] = True
        told: list[tuple[float, str]] = []
        fill(photo, mask, engine="flat", progress=lambda *args: told.append(args))
        fractions = [fraction for fraction, _ in told]
        assert fractions == sorted(fractions)
        assert fractions[0] == 0
        assert told[-1] == (1.0, "done")
        assert any(0 < fraction < 1 for fraction in fractions)

    def test_cancel(self) -> None:
        def stop(fraction: float, stage: str) -> None:
            raise Cancelled("stopped by the user")

        with pytest.raises(Cancelled, match="by the user"):
            fill(*photo_and_mask(), engine="telea", progress=stop)


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
        photo = TestAlpha().photo()
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
