"""LoRA, IP-Adapter and ControlNet, read from folders and files of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

from infill.engines.base import ENGINES, make_options
from infill.engines.diffusers.scene import Brought
from infill.errors import BadOption, MissingWeights
from infill.geometry import Box, Frame
from infill.picture import as_picture
from tests.engines.diffusers import scenes, tiny


def lora(kind: Any, model: Path, target: Path, **weights: Any) -> Path:
    """A LoRA with random weights for the network `weights` names, in its own file."""
    torch.manual_seed(1)
    config = LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False)
    states = {}
    for name, network in weights.items():
        network.add_adapter(config)
        states[f"{name}_lora_layers"] = get_peft_model_state_dict(network)
    target.mkdir()
    kind.save_lora_weights(str(target), **states)
    return target


@pytest.fixture(scope="module")
def sd_lora(model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = model("sd")
    unet = diffusers.UNet2DConditionModel.from_pretrained(place, subfolder="unet")
    target = tmp_path_factory.mktemp("lora") / "sd"
    return lora(diffusers.StableDiffusionPipeline, place, target, unet=unet)


@pytest.fixture(scope="module")
def ip_adapter(model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as the authors' repository."""
    root = tmp_path_factory.mktemp("ip")
    tiny.vision().save_pretrained(root / "models" / "image_encoder")
    unet = diffusers.UNet2DConditionModel.from_pretrained(model("sd"), subfolder="unet")
    save_file(_ip_states(unet), root / "models" / "ip-adapter_sd15.safetensors")
    return root


def _ip_states(unet: Any) -> dict[str, torch.Tensor]:
    """Keys and values for each cross attention, and the projection of the picture."""
    torch.manual_seed(2)
    width = unet.config.cross_attention_dim
    states = {}
    index = 1
    for name in unet.attn_processors:
        if not name.endswith("attn2.processor"):
            continue
        layer = unet.get_submodule(name.removesuffix(".processor"))
        for part in ("k", "v"):
            states[f"ip_adapter.{index}.to_{part}_ip.weight"] = torch.randn(layer.inner_dim, width)
        index += 2
    states["image_proj.proj.weight"] = torch.randn(width * 4, 16)
    states["image_proj.proj.bias"] = torch.randn(width * 4)
    states["image_proj.norm.weight"] = torch.ones(width)
    states["image_proj.norm.bias"] = torch.zeros(width)
    return states


@pytest.fixture(scope="module")
def controlnet(model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _controlnet(model("sd-plain"), tmp_path_factory.mktemp("control") / "net")


def _controlnet(place: Path, target: Path) -> Path:
    """Made for the model at `place`, which has no channels for a mask: ControlNets have none."""
    torch.manual_seed(3)
    unet = diffusers.UNet2DConditionModel.from_pretrained(place, subfolder="unet")
    net = diffusers.ControlNetModel.from_unet(
        unet, conditioning_channels=3, conditioning_embedding_out_channels=(4, 8, 8, 8)
    )
    with torch.no_grad():  # they begin at zero, so that an untrained one changes nothing
        for part in net.controlnet_down_blocks:
            part.weight.normal_(0, 0.5)
        net.controlnet_cond_embedding.conv_out.weight.normal_(0, 0.5)
    net.save_pretrained(target)
    return target


class TestLora:
    def test_changes_the_fill_as_strongly_as_it_is_told(
        self, model: Callable[[str], Path], sd_lora: Path
    ) -> None:
        plain = scenes.filled("sd", model)
        made = scenes.made("sd", model, lora=str(sd_lora))
        none = scenes.filled("sd", model, lora=str(sd_lora), lora_scale=0.0)
        assert np.abs(made.pixels - plain).max() > 1e-4
        np.testing.assert_allclose(none, plain, atol=2e-5)
        assert str(sd_lora) in made.weights

    def test_for_a_transformer_and_as_a_file(
        self, model: Callable[[str], Path], tmp_path: Path
    ) -> None:
        place = model("flux-fill")
        network = diffusers.FluxTransformer2DModel.from_pretrained(place, subfolder="transformer")
        made = lora(diffusers.FluxPipeline, place, tmp_path / "lora", transformer=network)
        (file,) = made.glob("*.safetensors")
        plain = scenes.filled("flux-fill", model)
        changed = scenes.filled("flux-fill", model, lora=str(file))
        assert np.abs(changed - plain).max() > 1e-5

    def test_that_fits_nothing_is_refused(
        self, model: Callable[[str], Path], sd_lora: Path, tmp_path: Path
    ) -> None:
        save_file({"something.else": torch.ones(2)}, tmp_path / "odd.safetensors")
        with pytest.raises(BadOption, match=r"LoRA|lora"):
            scenes.filled("sd", model, lora=str(tmp_path / "odd.safetensors"))
        with pytest.raises(BadOption, match=r"LoRA|lora"):
            scenes.filled("flux-fill", model, lora=str(sd_lora))

    def test_that_is_a_pickle_or_is_not_there_is_refused(
        self, model: Callable[[str], Path], tmp_path: Path
    ) -> None:
        (tmp_path / "lora.bin").write_bytes(b"\x80\x04.")
        with pytest.raises(MissingWeights, match="pickle, which can run code"):
            scenes.filled("sd", model, lora=str(tmp_path / "lora.bin"))
        with pytest.raises(MissingWeights, match="some/lora"):
            scenes.filled("sd", model, lora="some/lora")


class TestIpAdapter:
    def test_goes_by_the_reference_and_its_scale(
        self, model: Callable[[str], Path], ip_adapter: Path
    ) -> None:
        plain = scenes.filled("sd", model)
        given = {"ip_adapter": str(ip_adapter), "prompt": "a red boat"}
        one, other = (
            scenes.filled("sd", model, reference=scenes.reference(seed), **given) for seed in (5, 6)
        )
        none = scenes.filled(
            "sd", model, reference=scenes.reference(), ip_adapter_scale=0.0, **given
        )
        assert np.abs(one - plain).max() > 1e-4
        assert np.abs(one - other).max() > 1e-6
        np.testing.assert_allclose(none, plain, atol=2e-5)

    def test_needs_no_prompt_and_fills_batches(
        self, model: Callable[[str], Path], ip_adapter: Path
    ) -> None:
        engine = ENGINES.get("sd")
        given = {"ip_adapter": str(ip_adapter), "prompt": "", "reference": scenes.reference()}
        options = make_options(engine, scenes.options_for("sd", model, **given))
        pixels, mask = scenes.region()
        rngs = [np.random.default_rng(seed) for seed in (1, 2)]
        made = engine.fill_batch([pixels, pixels], mask, options, rngs, lambda *_: None)
        assert np.abs(made[0].pixels - made[1].pixels).max() > 1e-3
        assert any(key.endswith("image_encoder/model.safetensors") for key in made[0].weights)

    def test_without_its_encoder_or_for_another_model_is_refused(
        self, model: Callable[[str], Path], ip_adapter: Path, tmp_path: Path
    ) -> None:
        given = {"reference": scenes.reference()}
        alone = tmp_path / "alone.safetensors"
        alone.write_bytes((ip_adapter / "models" / "ip-adapter_sd15.safetensors").read_bytes())
        with pytest.raises(MissingWeights, match="there is no folder image_encoder"):
            scenes.filled("sd", model, ip_adapter=str(alone), **given)
        file = ip_adapter / "models" / "ip-adapter_sd15.safetensors"
        with pytest.raises(BadOption, match="does not fit a model of stable-diffusion-xl"):
            scenes.filled("sdxl", model, ip_adapter=str(file), **given)


class TestControlNet:
    def test_steers_by_the_photo_and_its_scale(
        self, model: Callable[[str], Path], controlnet: Path
    ) -> None:
        plain = scenes.filled("sd", model)
        made = scenes.made("sd", model, controlnet=str(controlnet))
        none = scenes.filled("sd", model, controlnet=str(controlnet), controlnet_scale=0.0)
        assert np.abs(made.pixels - plain).max() > 1e-4
        np.testing.assert_allclose(none, plain, atol=2e-5)
        assert any(key.startswith(str(controlnet)) for key in made.weights)

    def test_steers_by_a_reference(self, model: Callable[[str], Path], controlnet: Path) -> None:
        given = {"controlnet": str(controlnet), "control": "reference"}
        one, other = (
            scenes.filled("sd", model, reference=scenes.reference(seed), **given) for seed in (5, 6)
        )
        assert np.abs(one - other).max() > 1e-6

    def test_for_sdxl_too(self, model: Callable[[str], Path], tmp_path: Path) -> None:
        net = _controlnet(model("sdxl-plain"), tmp_path / "net")
        plain = scenes.filled("sdxl", model)
        made = scenes.filled("sdxl", model, controlnet=str(net))
        assert np.abs(made - plain).max() > 1e-4

    def test_for_another_model_is_refused(
        self, model: Callable[[str], Path], controlnet: Path
    ) -> None:
        with pytest.raises(BadOption, match=r"does not fit|made for another model"):
            scenes.filled("sdxl", model, controlnet=str(controlnet))

    def test_brings_the_reference_to_the_region(self, controlnet: Path) -> None:
        engine = ENGINES.get("sd")
        photo = scenes.photo()
        given = {"controlnet": str(controlnet), "control": "reference", "reference": photo}
        options = make_options(engine, given)
        frame = Frame.of(Box(4, 8, 36, 56), scenes.SMALL)
        brought = engine.localise(options, frame, True)
        assert isinstance(brought.reference, Brought)
        wanted = frame.bring((photo / np.float32(255)).astype(np.float32))
        np.testing.assert_allclose(brought.reference.pixels, wanted, atol=1e-6)
        small = make_options(engine, given | {"reference": as_picture(photo[:20])})
        with pytest.raises(BadOption, match="of the photo's own size, 56×36, not 76×20; bring it"):
            engine.localise(small, frame, True)
