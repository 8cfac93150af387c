"""Checkpoints of guided-diffusion, converted: the same numbers come out."""

from pathlib import Path
from typing import Any

import pytest
import torch

from infill.diffusion import convert, model
from infill.errors import BadOption, MissingWeights
from tests.parity.guided_unet import GuidedUNet, random_unet

SHAPES: list[dict[str, Any]] = [
    {"base": 32, "multiples": (1, 2), "depth": 1, "attention": [1], "head": 32},
    {"base": 32, "multiples": (1, 1, 2), "depth": 2, "attention": [1, 2], "head": 32},
    {"base": 32, "multiples": (2, 2), "depth": 1, "attention": [0, 1], "head": 64},
    {"base": 32, "multiples": (1, 2), "depth": 3, "attention": [1], "head": 16, "classes": 5},
    {"base": 32, "multiples": (1, 2), "depth": 1, "attention": [1], "head": 32, "scaled": False,
     "outputs": 3},
]  # fmt: skip
SMALL = SHAPES[0]


def both(shape: dict[str, Any]) -> tuple[GuidedUNet, torch.nn.Module]:
    ours = random_unet(**shape)
    state = ours.state_dict()
    config = convert.configuration(state, head=shape["head"])
    return ours, model._network(config, convert.convert(state, config), Path("checkpoint"))


@pytest.mark.parametrize("shape", [SHAPES[0], SHAPES[1], SHAPES[3], SHAPES[4]])
def test_same_output(shape: dict[str, Any]) -> None:
    stated, converted = both(shape)
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    t = torch.tensor([3, 777])
    label = torch.tensor([1, 4]) if "classes" in shape else None
    wanted = stated(x, t, label)
    found = converted(x, t, class_labels=label, return_dict=False)[0]
    assert wanted.abs().mean() > 0.1, "nothing to compare"
    assert (found - wanted).abs().max() < 1e-4


def test_the_order_of_heads_is_told_apart() -> None:
    """Were the joint projection cut in three without a look at the heads, it would show."""
    stated, _ = both(shape := {**SMALL, "head": 16})
    state = stated.state_dict()
    config = convert.configuration(state, head=16)
    wrong = convert.convert(state, {**config, "attention_head_dim": 32})
    network = model._network(config, wrong, Path("checkpoint"))
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    t = torch.tensor([500])
    assert shape["head"] == 16
    assert (network(x, t, return_dict=False)[0] - stated(x, t)).abs().max() > 1e-2


def test_every_tensor_has_its_place_in_the_networks_of_256_pixels() -> None:
    for classes in (None, 1000):
        with torch.device("meta"):
            stated = GuidedUNet(256, (1, 1, 2, 2, 4, 4), 2, [3, 4, 5], 64, classes=classes)
            state = stated.state_dict()
            config = convert.configuration(state)
            from diffusers import UNet2DModel

            wanted = UNet2DModel(**config).state_dict()
            found = convert.convert(state, config)
        assert config["sample_size"] == 256
        assert config["num_class_embeds"] == classes
        assert {name: value.shape for name, value in found.items()} == {
            name: value.shape for name, value in wanted.items()
        }


def save(path: Path, shape: dict[str, Any], **more: Any) -> Path:
    torch.save({**random_unet(**shape).state_dict(), **more}, path)
    return path


FILE_SHAPE = {"base": 64, "multiples": (1, 1), "depth": 1, "attention": [1], "head": 64}


def test_a_checkpoint_is_loaded(tmp_path: Path) -> None:
    path = save(tmp_path / "places.pt", FILE_SHAPE)
    found = model.load(str(path))
    assert (found.side, found.channels, len(found.schedule)) == (64, 3, 1000)
    assert found.schedule.variance == "learned_range"
    assert list(found.sha256) == ["places.pt"]
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    t = torch.tensor([40])
    eps, value = found(x, t)
    wanted = random_unet(**FILE_SHAPE)(x, t)
    assert value is not None
    assert (torch.cat([eps, value], 1) - wanted).abs().max() < 1e-4
    assert model.side_of(str(path)) == 64


def test_the_same_as_safetensors(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "places.safetensors"
    save_file(random_unet(**FILE_SHAPE).state_dict(), path)
    assert model.load(str(path)).side == 64


def test_classes_must_be_named(tmp_path: Path) -> None:
    path = str(save(tmp_path / "imagenet.pt", {**FILE_SHAPE, "classes": 7}))
    with pytest.raises(BadOption, match="class_label"):
        model.load(path)
    with pytest.raises(BadOption, match="0 to 6"):
        model.load(path, label=7)
    x, t = torch.zeros(2, 3, 16, 16), torch.tensor([40, 40])
    eps, _ = model.load(path, label=3)(x, t)
    stated = random_unet(**{**FILE_SHAPE, "classes": 7})
    wanted = stated(x, t, torch.tensor([3, 3]))[:, :3]
    assert (eps - wanted).abs().max() < 1e-4
    other, _ = model.load(path, label=4)(x, t)
    assert (eps - other).abs().max() > 1e-3
    plain = str(save(tmp_path / "plain.pt", FILE_SHAPE))
    with pytest.raises(BadOption, match="classes"):
        model.load(plain, label=3)


def test_what_is_another_network_is_refused() -> None:
    state = random_unet(**SMALL).state_dict()
    with pytest.raises(MissingWeights, match="heads of 64"):
        convert.configuration(random_unet(**{**SMALL, "multiples": (1, 1)}).state_dict())
    with pytest.raises(MissingWeights, match="lacks"):
        convert.configuration({k: v for k, v in state.items() if k != "out.2.weight"}, head=32)
    wide = {**state, "input_blocks.0.0.weight": torch.zeros(32, 6, 3, 3)}
    with pytest.raises(MissingWeights, match="photos"):
        convert.configuration(wide, head=32)
    with pytest.raises(MissingWeights, match="no 256"):
        convert.convert(
            {**state, "extra.weight": torch.zeros(1)}, convert.configuration(state, head=32)
        )
    with torch.device("meta"):
        for multiples in ((1, 2, 3, 4), (1, 1, 2, 3, 4)):
            other = GuidedUNet(64, multiples, 1, [2, 3], 64).state_dict()
            with pytest.raises(MissingWeights, match="another way"):
                convert.configuration(other)
    conv = {name: value for name, value in state.items() if not convert._second_block(name)}
    with pytest.raises(MissingWeights, match="sampling"):
        convert.configuration(conv, head=32)
