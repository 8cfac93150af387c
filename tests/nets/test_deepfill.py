"""The whole of DeepFillv2, layer by layer, against the reference, and the published names."""

import numpy as np
import pytest
import torch
from torch import Tensor

from infill.errors import BadPixels
from infill.nets.deepfill import Discriminator, Generator, attention_bytes, prepare
from infill.nets.deepfill.discriminator import SpectralConv
from infill.nets.deepfill.names import FROM_TF, from_tf, to_tf
from tests.nets.networks import (
    deepfill_of,
    drawn,
    far,
    listed,
    livened,
    outputs,
    published,
    scene,
    table,
)
from tests.nets.reference_convolution import spectral
from tests.nets.reference_deepfill import Reference, discriminator

LAYOUTS = ("plain", "tf")


def given(height: int = 32, width: int = 32, count: int = 1) -> tuple[Tensor, Tensor]:
    photo, mask = scene(height, width, count)
    return prepare(2 * photo - 1, mask), mask


class TestGenerator:
    @pytest.mark.parametrize(
        ("layout", "fuse"), [("plain", None), ("tf", None), ("tf", True), ("plain", False)]
    )
    def test_every_layer_is_the_reference(self, layout: str, fuse: bool | None) -> None:
        network = deepfill_of(layout, fuse=fuse)
        x, mask = given(32, 40)
        made = outputs(network, lambda: network.look(x, mask))
        reference = Reference(table(network), layout, layout == "plain" if fuse is None else fuse)
        expected = reference.generator(x[0].double().numpy(), mask[0, 0].double().numpy())
        looked = network.look(x, mask)
        assert far(looked.coarse[0], expected.pop("stage1")) < 1e-5
        assert far(looked.refined[0], expected.pop("stage2")) < 1e-5
        assert far(looked.offsets[0], expected.pop("offsets")) == 0
        for name, value in expected.items():
            ours = made[name]
            assert far((ours[0] if isinstance(ours, tuple) else ours)[0], value) < 1e-5, name
        assert len(expected) == 40 + 1  # the gated convolutions, and the attention

    def test_forward_gives_what_look_gives(self) -> None:
        network = deepfill_of("plain")
        x, mask = given()
        looked = network.look(x, mask)
        coarse, refined = network(x, mask)
        assert torch.equal(coarse, looked.coarse)
        assert torch.equal(refined, looked.refined)
        assert refined.abs().max() <= 1

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_two_at_once_are_as_two_alone(self, layout: str) -> None:
        network = deepfill_of(layout)
        x, mask = given(count=2)
        both = network(x, mask)[1]
        for number in range(2):
            alone = network(x[number : number + 1], mask[number : number + 1])[1]
            assert torch.allclose(both[number], alone[0], atol=1e-5)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_bfloat16_stays_near(self, layout: str) -> None:
        network = deepfill_of(layout)
        x, mask = given()
        exact = network(x, mask)[1]
        with torch.autocast("cpu", torch.bfloat16):
            made = network(x, mask)[1]
        assert torch.isfinite(made).all()
        assert (made.float() - exact).abs().mean() < 0.02 < exact.std()

    @pytest.mark.parametrize("kept", [0.0, 1.0])
    def test_no_hole_and_nothing_but_a_hole(self, kept: float) -> None:
        network = deepfill_of("plain")
        photo, mask = scene()
        mask = torch.full_like(mask, 1 - kept)
        for made in network(prepare(photo, mask), mask):
            assert torch.isfinite(made).all()

    def test_nothing_of_the_hole_reaches_the_network(self) -> None:
        photo, mask = scene()
        other = torch.where(mask > 0, 1 - photo, photo)
        assert torch.equal(prepare(photo, mask), prepare(other, mask))

    def test_other_sizes_are_refused(self) -> None:
        x, mask = given(32, 36)
        with pytest.raises(BadPixels, match="multiples of 8, not 36x32"):
            deepfill_of("plain")(x, mask)

    def test_it_can_be_trained(self) -> None:
        network = deepfill_of("plain").train().requires_grad_(True)
        x, mask = given()
        coarse, refined = network(x, mask)
        (coarse.abs().mean() + refined.abs().mean()).backward()
        for name, value in network.named_parameters():
            assert value.grad is not None, name
            assert torch.isfinite(value.grad).all(), name

    def test_channels_last_changes_nothing(self) -> None:
        network = deepfill_of("plain")
        x, mask = given()
        plain = network(x, mask)[1]
        network.to(memory_format=torch.channels_last)
        made = network(x.to(memory_format=torch.channels_last), mask)[1]
        assert torch.allclose(made, plain, atol=1e-5)

    def test_the_attention_tells_its_memory(self) -> None:
        assert attention_bytes(512, 512) == 256 << 20


class TestNames:
    def test_plain_files(self) -> None:
        with torch.device("meta"):
            assert listed(Generator().state_dict()) == published("deepfill_plain")

    def test_converted_files(self) -> None:
        with torch.device("meta"):
            state = Generator(layout="tf").state_dict()
        names = dict(published("deepfill_tf"))
        assert dict(listed(to_tf(state))) == names
        state.pop("stage2.contextual_attention.fuse_weight")
        assert set(from_tf(names)) == set(state)
        assert len(FROM_TF) == 17 + 10 + 8 + 7

    def test_discriminator(self) -> None:
        with torch.device("meta"):
            assert listed(Discriminator().state_dict()) == published("deepfill_discriminator")


class TestDiscriminator:
    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("size", [(64, 64), (72, 40)])
    def test_every_layer_is_the_reference(self, layout: str, size: tuple[int, int]) -> None:
        network = Discriminator(width=4, layout=layout).eval()
        livened(network)
        x = drawn(1, 4, *size)
        expected = discriminator(table(network), x[0].double().numpy(), layout)
        with torch.no_grad():
            made = network.features(x)
        assert len(made) == len(expected) == 6
        for ours, theirs in zip(made, expected, strict=True):
            assert far(ours[0], theirs) < 1e-5
        with torch.no_grad():
            assert torch.equal(network(x), made[-1])
        assert network(x).shape == (1, 16, -(-size[0] // 64), -(-size[1] // 64))

    def test_training_follows_the_power_iteration(self) -> None:
        layer = SpectralConv(3, 5, 2)
        state = table(layer)
        left = state["weight_u"]
        for _ in range(3):
            expected, left = spectral(state["weight"], left)
            assert far(layer.normalised().detach(), expected) < 1e-5
            assert far(layer.weight_u, left) < 1e-5
        for _ in range(200):
            layer.normalised()
        values = np.linalg.svd(layer.normalised().detach().flatten(1).numpy(), compute_uv=False)
        assert values[0] == pytest.approx(1, abs=1e-3)

    def test_evaluation_changes_nothing(self) -> None:
        network = Discriminator(width=4).eval()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        x = drawn(2, 4, 64, 64)
        assert torch.equal(network(x), network(x))
        for name, value in network.state_dict().items():
            assert torch.equal(value, before[name]), name

    def test_two_passes_before_one_step_have_gradients(self) -> None:
        network = Discriminator(width=4)
        real, made = network(drawn(1, 4, 64, 64)), network(drawn(1, 4, 64, 64, seed=3))
        (torch.relu(1 - real).mean() + torch.relu(1 + made).mean()).backward()
        for name, value in network.named_parameters():
            assert value.grad is not None, name
            assert torch.isfinite(value.grad).all(), name
