"""Which boxes are filled, looking at which crops: exact cases, then properties."""

import numpy as np
import pytest
from hypothesis import given
from tests.strategies import masks, size_rules

from infill import regions
from infill.errors import FullMask
from infill.geometry import Box, SizeRule
from infill.regions import Region

NARROW = SizeRule(context=0.0, context_min=4)


def mask_of(shape: tuple[int, int], *boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(shape, np.bool_)
    for box in boxes:
        mask[Box(*box).slices] = True
    return mask


class TestPlan:
    def test_one_hole_gets_its_context(self) -> None:
        mask = mask_of((100, 200), (40, 50, 50, 60))
        assert regions.plan(mask, NARROW) == [Region(Box(40, 50, 50, 60), Box(36, 46, 54, 64))]

    def test_context_is_a_fraction_of_the_holes_size(self) -> None:
        mask = mask_of((200, 200), (80, 80, 100, 120))
        (region,) = regions.plan(mask, SizeRule(context=0.5, context_min=4))
        assert region.crop == Box(60, 60, 120, 140)

    def test_context_of_a_scratch_follows_its_pixels_not_its_length(self) -> None:
        mask = mask_of((900, 1000), (400, 0, 401, 1000))
        (region,) = regions.plan(mask, SizeRule(context=1.0, context_min=4))
        assert region.crop == Box(400 - 64, 0, 401 + 64, 1000)  # 2 × sqrt(1000) = 63.2

    def test_context_is_clipped_at_the_photo(self) -> None:
        mask = mask_of((100, 200), (0, 195, 5, 200))
        (region,) = regions.plan(mask, NARROW)
        assert region.crop == Box(0, 191, 9, 200)

    def test_context_max(self) -> None:
        mask = mask_of((300, 300), (100, 100, 200, 200))
        (region,) = regions.plan(mask, SizeRule(context=1.0, context_min=0, context_max=7))
        assert region.crop == Box(93, 93, 207, 207)

    def test_far_holes_are_looked_at_apart_from_the_top(self) -> None:
        mask = mask_of((1000, 1000), (900, 20, 910, 30), (30, 900, 40, 910))
        plan = regions.plan(mask, NARROW)
        assert [region.hole for region in plan] == [
            Box(30, 900, 40, 910),
            Box(900, 20, 910, 30),
        ]

    def test_one_region_is_the_largest(self) -> None:
        mask = mask_of((1000, 1000), (900, 20, 910, 30), (30, 900, 41, 910), (500, 500, 510, 511))
        assert [region.largest for region in regions.plan(mask, NARROW)] == [True, False, False]

    def test_near_holes_are_looked_at_together(self) -> None:
        mask = mask_of((1000, 1000), (100, 100, 110, 110), (100, 140, 110, 150))
        (region,) = regions.plan(mask, SizeRule(context=0.0, context_min=64))
        assert region.hole == Box(100, 100, 110, 150)

    def test_holes_that_lie_in_each_others_context_stay_together_though_apart_is_cheaper(
        self,
    ) -> None:
        mask = mask_of((1200, 1200), (0, 0, 10, 1000), (60, 990, 1060, 1000))
        (region,) = regions.plan(mask, SizeRule(context=0.0, context_min=64))
        assert region.hole == Box(0, 0, 1060, 1000)
        assert len(regions.plan(mask, SizeRule(context=0.0, context_min=32))) == 2

    def test_a_cable_across_a_large_photo_does_not_cost_the_whole_photo(self) -> None:
        mask = np.zeros((3000, 4000), np.bool_)
        for x in range(4000):
            mask[x * 3 // 4 : x * 3 // 4 + 3, x] = True
        plan = regions.plan(mask, SizeRule(context=1.0, context_min=64))
        assert max(region.crop.area for region in plan) <= regions.LARGE
        assert sum(region.crop.area for region in plan) < mask.size / 2
        assert len(plan) < 20

    def test_dust_all_over_is_a_few_crops(self) -> None:
        mask = np.zeros((3000, 4000), np.bool_)
        places = np.random.default_rng(1).integers(0, (2990, 3990), (600, 2))
        for y, x in places:
            mask[y : y + 5, x : x + 5] = True
        plan = regions.plan(mask, SizeRule(context=1.0, context_min=64))
        assert max(region.crop.area for region in plan) <= regions.LARGE
        assert sum(region.crop.area for region in plan) < 2 * mask.size
        assert len(plan) < 60

    def test_one_large_hole_stays_one(self) -> None:
        mask = mask_of((3000, 4000), (500, 500, 2500, 2500))
        assert len(regions.plan(mask, SizeRule())) == 1

    @given(masks(), size_rules)
    def test_hole_boxes_part_the_mask(self, mask: np.ndarray, rule: SizeRule) -> None:
        covered = np.zeros(mask.shape, np.int64)
        for region in regions.plan(mask, rule):
            covered[region.hole.slices] += 1
            assert mask[region.hole.slices].any()
            assert region.hole.meet(region.crop) == region.hole
            assert Box(0, 0, *mask.shape).meet(region.crop) == region.crop
        assert covered.max() == 1
        assert (covered[mask] == 1).all()

    @given(masks(), size_rules)
    def test_crops_have_the_size_that_the_rule_asks_unless_the_photo_is_too_small(
        self, mask: np.ndarray, rule: SizeRule
    ) -> None:
        for region in regions.plan(mask, rule):
            sides = (region.crop.height, region.crop.width)
            for side, photo in zip(sides, mask.shape, strict=True):
                fits = side >= rule.minimum and side % rule.multiple == 0
                assert fits or side == photo

    @given(masks(), size_rules)
    def test_a_crop_and_its_paste_are_inverse(self, mask: np.ndarray, rule: SizeRule) -> None:
        photo = np.arange(mask.size).reshape(mask.shape)
        again = np.zeros_like(photo)
        for region in regions.plan(mask, rule):
            crop = photo[region.crop.slices]
            again[region.hole.slices] = crop[region.hole.within(region.crop)]
        assert (again[mask] == photo[mask]).all()


class TestWider:
    def test_doubles_and_more_until_it_is_the_whole_photo(self) -> None:
        region = Region(Box(50, 50, 52, 52), Box(49, 49, 53, 53))
        wider = regions.wider(region, NARROW, (100, 100))
        assert wider == Region(Box(50, 50, 52, 52), Box(45, 45, 57, 57))
        for _ in range(4):
            wider = regions.wider(wider, NARROW, (100, 100))
            if wider.crop == Box(0, 0, 100, 100):
                break
        with pytest.raises(FullMask, match="nothing to fill from"):
            regions.wider(wider, NARROW, (100, 100))
