"""What a caller may choose: alpha, blending, colour, seeds, threads."""

from typing import Any

import cv2
import numpy as np
import pytest
from tests.unit.pipeline_scenes import READY, RED, Everything, cut_out, photo_and_mask

from infill import fill
from infill import settings as infill_settings
from infill.engines.base import ENGINES
from infill.engines.flat import Flat
from infill.errors import (
    BadMask,
    FullMask,
)


class TestAlpha:
    def test_no_mask_fills_what_is_transparent_and_makes_it_opaque(self) -> None:
        photo = cut_out()
        picture = fill(photo, engine="flat").picture
        assert (picture.pixels == (50, 100, 150)).all()
        expected = np.full((20, 30), 255, np.uint8)
        expected[0, 0] = 128
        assert picture.alpha is not None
        assert (picture.alpha == expected).all()

    def test_with_a_mask_alpha_stays_and_hidden_colours_are_no_source(self) -> None:
        photo = cut_out()
        mask = np.zeros((20, 30), np.bool_)
        mask[4:8, 4:8] = True
        picture = fill(photo, mask, engine="flat").picture
        assert picture.alpha is not None
        assert (picture.alpha == photo[..., 3]).all()
        assert (picture.pixels[mask] == (50, 100, 150)).all()
        assert (picture.pixels[9, 9] == (255, 0, 255)).all(), "not masked, so kept"

    def test_opaque_can_be_asked_for(self) -> None:
        photo = cut_out()
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
    @pytest.mark.parametrize("engine", READY)
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
