"""Refinement of LaMa's features at rising sizes."""

import pytest
import torch
from torch.nn import functional

from infill.errors import Cancelled
from infill.nets.lama import prepare, refine
from infill.nets.lama.refinement import Plan, pyramid, scales
from tests.nets.networks import lama_of, scene

PLAN = Plan(steps=6, rate=0.02, side=32, sizes=2)


def smooth(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    photo, mask = scene(height, width)
    small = functional.avg_pool2d(photo, 8)
    return functional.interpolate(small, size=(height, width), mode="bilinear"), mask


class TestPyramid:
    @pytest.mark.parametrize(
        ("shorter", "count"),
        [(20, 1), (511, 1), (724, 1), (725, 2), (1448, 2), (1449, 3), (6000, 3)],
    )
    def test_as_many_sizes_as_the_shorter_side_tells(self, shorter: int, count: int) -> None:
        assert scales(shorter, Plan()) == count

    def test_each_size_is_half_of_the_next(self) -> None:
        photo = torch.zeros(1, 3, 131, 200)
        sizes = pyramid(photo, torch.zeros(1, 1, 131, 200), Plan(side=32))
        assert [tuple(picture.shape[2:]) for picture, _ in sizes] == [
            (32, 50),
            (65, 100),
            (131, 200),
        ]
        assert [hole.shape[2:] for _, hole in sizes] == [picture.shape[2:] for picture, _ in sizes]

    def test_smaller_masks_cover_all_that_a_hole_touches(self) -> None:
        mask = torch.zeros(1, 1, 64, 64)
        mask[..., 20, 33] = 1
        (_, small), (_, large) = pyramid(torch.zeros(1, 3, 64, 64), mask, PLAN)
        assert torch.equal(large, mask)
        assert small[0, 0, 8:13, 15:18].min() == 0 < small[0, 0, 9:12, 16:18].min()
        assert set(small.unique().tolist()) == {0, 1}


class TestRefine:
    def test_known_pixels_stay_and_weights_too(self) -> None:
        network = lama_of().requires_grad_(True)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        photo, mask = smooth(64, 72)
        made = refine(network, photo, mask, PLAN)
        assert made.shape == photo.shape
        assert not made.requires_grad
        assert torch.equal(made[(mask == 0).expand_as(made)], photo[(mask == 0).expand_as(made)])
        assert all(value.grad is None for value in network.parameters())
        for name, value in network.state_dict().items():
            assert torch.equal(value, before[name]), name

    def test_the_large_fill_comes_closer_to_the_small_one(self) -> None:
        network = lama_of()
        photo, mask = smooth(64, 64)
        (small, small_hole), _ = pyramid(photo, mask, PLAN)
        with torch.no_grad():
            goal = network(prepare(small, small_hole)) * small_hole + small * (1 - small_hole)
        inner = functional.max_pool2d(1 - mask, 9, 1, 4) == 0

        def gap(plan: Plan) -> float:
            made = refine(network, photo, mask, plan)
            finer = functional.interpolate(goal, scale_factor=2, mode="bilinear")
            return float((made - finer)[inner.expand_as(made)].abs().mean())

        assert gap(Plan(steps=20, rate=0.02, side=32, sizes=2)) < 0.9 * gap(
            Plan(steps=0, side=32, sizes=2)
        )

    def test_a_small_photo_is_filled_once(self) -> None:
        network = lama_of()
        photo, mask = smooth(32, 40)
        told: list[int] = []
        made = refine(network, photo, mask, Plan(), lambda done, total: told.append(done))
        expected = network(prepare(photo, mask)) * mask + photo * (1 - mask)
        assert torch.equal(made, expected)
        assert not told

    @pytest.mark.parametrize("size", [(65, 70), (64, 66)])
    def test_any_size_also_where_gradients_are_off(self, size: tuple[int, int]) -> None:
        network = lama_of()
        with torch.inference_mode():
            photo, mask = smooth(*size)
            made = refine(network, photo, mask, PLAN)
        assert made.shape == photo.shape
        assert torch.isfinite(made).all()

    def test_tells_each_step_and_can_be_stopped(self) -> None:
        told: list[tuple[int, int]] = []

        def step(done: int, total: int) -> None:
            told.append((done, total))
            if done == 4:
                raise Cancelled("enough")

        with pytest.raises(Cancelled):
            refine(lama_of(), *smooth(64, 64), PLAN, step)
        assert told == [(1, 6), (2, 6), (3, 6), (4, 6)]

    @pytest.mark.parametrize("covered", [0.0, 1.0])
    def test_no_hole_and_nothing_but_a_hole(self, covered: float) -> None:
        photo, mask = smooth(64, 64)
        made = refine(lama_of(), photo, torch.full_like(mask, covered), PLAN)
        assert torch.isfinite(made).all()
        assert torch.equal(made, photo) == (covered == 0)
