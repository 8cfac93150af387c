"""Gated convolution and contextual attention against their definitions in float64."""

import pytest
import torch

from infill.nets.deepfill import ContextualAttention, GatedConv, GatedUp, flow_picture
from infill.nets.deepfill.layers import same_padding, shrink
from tests.nets.networks import drawn, far, livened, table
from tests.nets.reference_attention import attention
from tests.nets.reference_convolution import doubled, gated, padded_convolution, shrunk

LAYOUTS = ("plain", "tf")


class TestGatedConvolution:
    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize(
        ("kernel", "stride", "dilation"), [(5, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 4), (5, 2, 1)]
    )
    @pytest.mark.parametrize("size", [(8, 10), (9, 7)])
    def test_is_its_definition(
        self, layout: str, kernel: int, stride: int, dilation: int, size: tuple[int, int]
    ) -> None:
        layer = GatedConv(3, 4, kernel, stride=stride, dilation=dilation, layout=layout)
        livened(layer)
        x = drawn(2, 3, *size)
        with torch.no_grad():
            made = layer(x)
        state = table(layer)
        for one, photo in zip(made, x.double().numpy(), strict=True):
            both = padded_convolution(
                photo,
                state["conv.weight"],
                state["conv.bias"],
                stride=stride,
                dilation=dilation,
                layout=layout,
            )
            assert far(one, gated(both)) < 1e-5

    def test_doubles_before_it_convolves(self) -> None:
        layer = GatedUp(3, 4)
        livened(layer)
        x = drawn(1, 3, 5, 6)
        state = table(layer)
        both = padded_convolution(
            doubled(x[0].double().numpy()), state["conv.conv.weight"], state["conv.conv.bias"]
        )
        with torch.no_grad():
            assert far(layer(x)[0], gated(both)) < 1e-5

    def test_same_padding_puts_the_odd_one_at_the_end(self) -> None:
        assert same_padding(8, 3, 2) == (0, 1)
        assert same_padding(9, 3, 2) == (1, 1)
        assert same_padding(8, 5, 2) == (1, 2)
        assert same_padding(8, 3, 1, 4) == (4, 4)

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("size", [(16, 24), (34, 8), (8, 10)])
    def test_shrinks_by_the_nearest(self, layout: str, size: tuple[int, int]) -> None:
        x = drawn(1, 2, *size)
        for factor in (2, 8):
            expected = shrunk(x[0].double().numpy(), factor, layout)
            assert far(shrink(x, factor, layout)[0], expected) == 0


class TestContextualAttention:
    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("fuse", [True, False])
    @pytest.mark.parametrize("masked", [True, False])
    def test_is_its_definition(self, layout: str, fuse: bool, masked: bool) -> None:
        layer = ContextualAttention(fuse=fuse, layout=layout)
        x = drawn(2, 5, 12, 16)
        mask = torch.zeros(2, 1, 48, 64)
        mask[0, :, 9:27, 14:40], mask[1, :, 30:, :20] = 1, 1
        made, offsets = layer(x, x, mask if masked else None, offsets=True)
        assert offsets is not None
        for number, features in enumerate(x.double().numpy()):
            hole = mask[number, 0].double().numpy() if masked else None
            expected, places = attention(features, features, hole, fuse=fuse, layout=layout)
            assert far(made[number], expected) < 1e-5
            assert far(offsets[number], places) == 0

    @pytest.mark.parametrize("fuse", [True, False])
    def test_looks_from_one_picture_into_another(self, fuse: bool) -> None:
        front, back = drawn(1, 3, 8, 12), drawn(1, 3, 10, 6, seed=5)
        mask = torch.zeros(1, 1, 10, 6)
        mask[..., 3:5, 2:4] = 1
        made, offsets = ContextualAttention(fuse=fuse)(front, back, mask, offsets=True)
        assert offsets is not None
        expected, places = attention(
            *(x[0].double().numpy() for x in (front, back, mask[:, 0])), fuse=fuse, layout="plain"
        )
        assert far(made[0], expected) < 1e-5
        assert far(offsets[0], places) == 0

    def test_nothing_masked_is_as_no_mask(self) -> None:
        x = drawn(1, 4, 12, 12)
        layer = ContextualAttention()
        plain, _ = layer(x, x)
        made, _ = layer(x, x, torch.zeros(1, 1, 48, 48))
        assert torch.equal(made, plain)

    def test_where_all_is_masked_there_is_nothing_to_paste(self) -> None:
        x = drawn(1, 4, 12, 12)
        made, offsets = ContextualAttention()(x, x, torch.ones(1, 1, 48, 48), offsets=True)
        assert offsets is not None
        assert not made.any()
        assert not offsets.any()

    def test_nothing_of_the_hole_is_pasted(self) -> None:
        x = drawn(1, 4, 16, 16)
        mask = torch.zeros(1, 1, 64, 64)
        mask[..., 16:48, 16:48] = 1
        other = x.clone()
        other[..., 6:10, 6:10] += 100 * drawn(1, 4, 4, 4, seed=9)
        layer = ContextualAttention(fuse=False)
        before, after = layer(x, x, mask)[0], layer(x, other, mask)[0]
        assert torch.allclose(before, after, atol=1e-6)

    def test_each_of_a_batch_has_its_own_mask(self) -> None:
        x, mask = drawn(2, 4, 12, 12), torch.zeros(2, 1, 48, 48)
        mask[1, :, :30] = 1
        layer = ContextualAttention()
        both = layer(x, x, mask)[0]
        for number in range(2):
            alone = layer(x[number : number + 1], x[number : number + 1], mask[number : number + 1])
            assert torch.allclose(both[number], alone[0][0], atol=1e-6)

    def test_no_weight_is_so_small_that_it_is_slow(self) -> None:
        x = 3 * drawn(1, 8, 12, 12)
        weights = ContextualAttention()._weights(x, x, torch.ones(1, 144, 1))
        some = weights[weights > 0]
        assert some.min() > 1e-20
        assert len(some) < weights.numel()
        assert torch.allclose(weights.sum(1), torch.ones(1))

    def test_patches_of_zeros_have_gradients(self) -> None:
        x = torch.zeros(1, 2, 8, 8, requires_grad=True)
        made, _ = ContextualAttention()(x + 0 * x, x)
        made.sum().backward()
        assert x.grad is not None
        assert torch.isfinite(x.grad).all()

    def test_half_precision_is_computed_in_full(self) -> None:
        x = drawn(1, 4, 12, 12).bfloat16()
        made, _ = ContextualAttention()(x, x)
        exact, _ = ContextualAttention()(x.float(), x.float())
        assert made.dtype == torch.bfloat16
        assert torch.equal(made, exact.bfloat16())


class TestFlowPicture:
    def test_hues_tell_directions(self) -> None:
        offsets = torch.zeros(1, 2, 1, 4)
        offsets[0, :, 0, 0] = torch.tensor([5, 0])  # down
        offsets[0, :, 0, 1] = torch.tensor([-5, 0])  # up
        offsets[0, :, 0, 2] = torch.tensor([0, 0])
        picture = flow_picture(offsets)
        assert picture.shape == (1, 3, 2, 8)
        corners = (255 * picture[0, :, 0]).round().int().T
        assert corners[0].tolist() == [255, 0, 0]
        # Colour 27 of 55: the third of eleven from cyan to blue.
        left = offsets.clone()
        left[0, :, 0, 0], left[0, :, 0, 1] = left[0, :, 0, 1].clone(), left[0, :, 0, 0].clone()
        turned = (255 * flow_picture(left)[0, :, 0, 0]).round().int()
        assert turned.tolist() == [0, 255 - 255 * 2 // 11, 255]

    def test_no_offset_is_white_and_far_ones_are_full(self) -> None:
        assert (flow_picture(torch.zeros(2, 2, 3, 3)) == 1).all()
        offsets = torch.tensor([[[[3, 6]], [[4, 8]]]])
        near, far_one = flow_picture(offsets)[0, :, 0, 0], flow_picture(offsets)[0, :, 0, -1]
        assert float(near.min()) == pytest.approx((1 + float(far_one.min())) / 2, abs=2 / 255)
        assert int(near.argmin()) == int(far_one.argmin())

    def test_each_picture_has_its_own_scale(self) -> None:
        one = torch.tensor([[[[3, 6]], [[4, 8]]]])
        both = flow_picture(torch.cat((one, 10 * one)))
        assert torch.equal(both[0], both[1])
