"""`fill` from end to end on arrays: the promise, alpha, grey, seeds, progress, bad input."""

import tracemalloc
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import photos_with_masks
from tests.unit.pipeline_scenes import READY, RED, Everything, photo_and_mask

from infill import fill, replay
from infill import settings as infill_settings
from infill.composite import Proof
from infill.engines.base import ENGINES
from infill.engines.flat import Flat
from infill.errors import (
    BadOption,
    Cancelled,
    EngineFailed,
    FullMask,
    MaskSizeMismatch,
    UnknownPlugin,
)
from infill.picture import Picture
from infill.result import STAGES


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
    @pytest.mark.parametrize("engine", READY)
    def test_tiny_photos(self, engine: str, shape: tuple[int, int]) -> None:
        photo = np.full((*shape, 3), 90, np.uint8)
        mask = np.zeros(shape, np.bool_)
        mask[0, 0] = True
        photo[0, 0] = 0
        filled = fill(photo, mask, engine=engine).picture.pixels
        # A network sees such a photo blown up to its least size, and is no exact engine.
        assert np.abs(filled.astype(int) - 90).max() <= (64 if engine == "pocket" else 2)

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
