"""Fast Fourier convolution and LaMa against sums of sines and cosines, and the published names."""

import pytest
import torch
from torch import Tensor

from infill.errors import BadPixels
from infill.nets.lama import FourierUnit, Generator, Shape, SpectralTransform, prepare
from infill.nets.lama.fourier import FFC
from tests.nets import reference_lama as reference
from tests.nets.networks import (
    TINY,
    drawn,
    far,
    lama_of,
    listed,
    livened,
    outputs,
    published,
    scene,
    table,
)


class TestFourier:
    @pytest.mark.parametrize("size", [(4, 6), (5, 7), (6, 3)])
    def test_unit(self, size: tuple[int, int]) -> None:
        unit = FourierUnit(3, 2).eval()
        livened(unit)
        x = drawn(2, 3, *size)
        with torch.no_grad():
            made = unit(x)
        state = {f"unit.{name}": value for name, value in table(unit).items()}
        for one, features in zip(made, x.double().numpy(), strict=True):
            assert far(one, reference.fourier_unit(state, "unit", features)) < 1e-5

    @pytest.mark.parametrize(("stride", "local"), [(1, False), (2, False), (1, True)])
    def test_spectral_transform(self, stride: int, local: bool) -> None:
        transform = SpectralTransform(3, 8, stride=stride, local=local).eval()
        livened(transform)
        x = drawn(1, 3, 8, 8)
        state = {f"st.{name}": value for name, value in table(transform).items()}
        expected = reference.spectral_transform(
            state, "st", x[0].double().numpy(), stride=stride, local=local
        )
        with torch.no_grad():
            assert far(transform(x)[0], expected) < 1e-5

    @pytest.mark.parametrize(
        ("before", "after", "stride"), [(0.5, 0.5, 1), (0, 0.5, 2), (0.5, 0, 1), (0.75, 0.5, 2)]
    )
    def test_convolution(self, before: float, after: float, stride: int) -> None:
        layer = FFC(8, 8, 3, before, after, stride=stride, padding=1).eval()
        livened(layer)
        wide_in = int(8 * before)
        near = drawn(1, 8 - wide_in, 6, 8)
        wide = drawn(1, wide_in, 6, 8, seed=4) if wide_in else None
        with torch.no_grad():
            made = layer((near, wide))
        state = {f"ffc.{name}": value for name, value in table(layer).items()}
        expected = reference.ffc(
            state,
            "ffc",
            near[0].double().numpy(),
            None if wide is None else wide[0].double().numpy(),
            stride=stride,
            edge=1,
        )
        for ours, theirs in zip(made, expected, strict=True):
            assert (ours is None) == (theirs is None)
            if ours is not None and theirs is not None:
                assert far(ours[0], theirs) < 1e-5

    def test_some_channels_must_be_local(self) -> None:
        with pytest.raises(ValueError, match="some channels must be local"):
            FFC(8, 8, 3, 0.5, 1)

    @pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
    def test_transforms_are_done_in_full_precision(self, kind: torch.dtype) -> None:
        unit = FourierUnit(3, 2).eval()
        livened(unit)
        x = drawn(1, 3, 6, 10)
        with torch.no_grad():
            exact = unit(x)
            with torch.autocast("cpu", kind):
                assert (unit(x.to(kind)).float() - exact).abs().max() < 0.1
            made = unit.to(kind)(x.to(kind))  # cuFFT could not do this size in half precision
        assert made.dtype == kind
        assert (made.float() - exact).abs().max() < 0.1 < exact.std()


def given(height: int = 32, width: int = 32, count: int = 1) -> Tensor:
    return prepare(*scene(height, width, count))


class TestGenerator:
    @pytest.mark.parametrize(
        "shape", [TINY, Shape(4, 2, 1, 0.5), Shape(4, 2, 1, 0.0)], ids=["tiny", "flat", "local"]
    )
    def test_every_layer_is_the_reference(self, shape: Shape) -> None:
        network = lama_of(shape)
        x = given(32, 40)
        made = outputs(network, lambda: network(x))
        expected = reference.generator(
            table(network), x[0].double().numpy(), shape.halvings, shape.blocks
        )
        steps = [f"model.{1 + number}" for number in range(1 + shape.halvings + shape.blocks)]
        after = 3 + shape.halvings + shape.blocks
        steps += [f"model.{after + 3 * number + 2}" for number in range(shape.halvings)]
        steps.append(f"model.{len(network.model) - 1}")
        for name, (near, wide) in zip(steps, expected, strict=True):
            ours = made[name]
            pair = ours if isinstance(ours, tuple) else (ours, None)
            assert far(pair[0][0], near) < 1e-5, name
            assert (pair[1] is None) == (wide is None), name
            if wide is not None:
                assert far(pair[1][0], wide) < 1e-5, name
        assert far(network(x)[0], expected[-1][0]) < 1e-5

    def test_names_are_the_published_ones(self) -> None:
        with torch.device("meta"):
            state = Generator().state_dict()
        ours = [(f"generator.{name}", shape) for name, shape in listed(state)]
        assert ours == published("big_lama")

    def test_two_at_once_are_as_two_alone(self) -> None:
        network, x = lama_of(), given(count=2)
        both = network(x)
        for number in range(2):
            assert torch.allclose(both[number], network(x[number : number + 1])[0], atol=1e-5)

    def test_bfloat16_stays_near(self) -> None:
        network, x = lama_of(), given()
        exact = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            made = network(x)
        assert (made.float() - exact).abs().mean() < 0.02 < exact.std()

    def test_front_and_rear_are_the_whole(self) -> None:
        network, x = lama_of(), given()
        assert torch.equal(network.rear(network.front(x)), network(x))

    @pytest.mark.parametrize("covered", [0.0, 1.0])
    def test_no_hole_and_nothing_but_a_hole(self, covered: float) -> None:
        photo, mask = scene()
        made = lama_of()(prepare(photo, torch.full_like(mask, covered)))
        assert torch.isfinite(made).all()

    def test_nothing_of_the_hole_reaches_the_network(self) -> None:
        photo, mask = scene()
        other = torch.where(mask > 0, 1 - photo, photo)
        assert torch.equal(prepare(photo, mask), prepare(other, mask))

    @pytest.mark.parametrize("size", [(32, 36), (8, 32)])
    def test_other_sizes_are_refused(self, size: tuple[int, int]) -> None:
        with pytest.raises(BadPixels, match="multiples of 8 and at least 16"):
            lama_of()(given(*size))
