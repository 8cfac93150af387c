"""The engine `diffusers`: the family is found, and what it does not honour is refused."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import infill
from infill.engines.base import ENGINES, make_options
from infill.engines.diffusers import families
from infill.engines.diffusers.generic import Diffusers, Options
from infill.errors import BadOption, MissingWeights
from tests.engines.diffusers import scenes

FOUND = {
    "sd": "stable-diffusion",
    "sd-plain": "stable-diffusion",
    "sdxl-plain": "stable-diffusion-xl",
    "sd3": "stable-diffusion-3",
    "flux": "flux",
    "flux-fill": "flux-fill",
    "flux-kontext": "flux-kontext",
    "flux2-klein": "flux2-klein",
    "qwen-image": "qwen-image",
    "qwen-image-edit": "qwen-image-edit",
    "z-image": "z-image",
    "chroma": "chroma",
    "kandinsky": "kandinsky",
}


def given(model: Callable[[str], Path], name: str, **more: Any) -> dict[str, Any]:
    told = {"model": str(model(name)), "prompt": "a boat", "num_inference_steps": 2}
    return {"engine": "diffusers", "drift": "ignore", **told, **more}


@pytest.mark.parametrize(("name", "family"), FOUND.items())
def test_finds_the_family(name: str, family: str, model: Callable[[str], Path]) -> None:
    options = make_options(Diffusers(), {"model": str(model(name)), "prompt": "x"})
    inner = Diffusers().of(options)
    assert inner.family.name == family
    chosen = inner.chosen(options)
    assert type(chosen) is inner.family.options
    assert chosen.prompt == "x"
    assert chosen.num_inference_steps == inner.family.options().num_inference_steps


@pytest.mark.parametrize("name", ["sd-plain", "sdxl-plain", "flux", "flux-schnell", "chroma"])
def test_text_to_image_models_fill(
    name: str, model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Diffusers, "size_rule", lambda self, options: scenes.SMALL)
    photo, mask = scenes.photo(), scenes.hole()
    told = given(model, name, strength=1.0)
    result = infill.fill(photo, mask, seed=1, **told)
    assert result.proof.outside_max_diff == 0
    assert (result.picture.pixels[mask] != photo[mask]).mean() > 0.5
    assert result.recipe.same_output(infill.fill(photo, mask, seed=1, **told).recipe)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("flux-fill", "negative_prompt", "x"),
        ("flux2-klein", "ip_adapter", "a/b"),
        ("chroma", "guidance_scale", 2.0),
        ("sd", "true_cfg_scale", 2.0),
        ("kandinsky", "lora", "a/b"),
        ("sd", "prior", "a/b"),
    ],
)
def test_what_the_found_family_lacks_is_refused(
    name: str, option: str, value: Any, model: Callable[[str], Path]
) -> None:
    with pytest.raises(BadOption, match=f"has no option '{option}'; it has: prompt"):
        infill.fill(scenes.photo(), scenes.hole(), **given(model, name, **{option: value}))


def test_what_contradicts_itself_is_refused(model: Callable[[str], Path]) -> None:
    told = given(model, "sd", negative_prompt="x", guidance_scale=1.0)
    with pytest.raises(BadOption, match="negative_prompt has no effect"):
        infill.fill(scenes.photo(), scenes.hole(), **told)
    options = make_options(Diffusers(), _options(given(model, "flux-schnell", guidance_scale=9.0)))
    pixels, mask = scenes.region()
    with pytest.raises(BadOption, match="this model takes no guidance_scale"):
        Diffusers().fill(pixels, mask, options, np.random.default_rng(1), lambda *_: None)


def _options(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != "engine"}


def test_needs_a_model_of_a_family_it_knows(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="engine diffusers needs a model"):
        infill.fill(scenes.photo(), scenes.hole(), engine="diffusers", prompt="x")
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "AudioLDMPipeline"}))
    with pytest.raises(BadOption, match="is made for AudioLDMPipeline, which fills no holes here"):
        Diffusers().of(Options(model=str(tmp_path)))
    with pytest.raises(MissingWeights, match=r"no readable model_index.json"):
        Diffusers().of(Options(model=str(tmp_path.parent)))
    with pytest.raises(MissingWeights, match="some/model"):
        Diffusers().of(Options(model="some/model"))


def test_takes_the_size_that_the_model_was_made_for(model: Callable[[str], Path]) -> None:
    rule = Diffusers().size_rule(Options(model=str(model("sd"))))
    assert (rule.native, rule.minimum) == (64, 64)
    assert Diffusers().size_rule(Options(model=str(model("flux")))).native == 1024
    preset = ENGINES.get("sd")
    own = preset.size_rule(make_options(preset, {"model": str(model("sd"))}))
    assert (own.native, own.minimum) == (64, 64)


def test_offers_every_familys_options_once() -> None:
    names = set(Options.__dataclass_fields__)
    for family in families.FAMILIES:
        assert set(family.options.__dataclass_fields__) <= names
    assert pickle.loads(pickle.dumps(Options(prompt="x"))) == Options(prompt="x")


def test_classes_that_fill_no_holes_are_no_family() -> None:
    assert families.by_class("QwenImageEditPlusPipeline") is None
    assert families.by_class("StableDiffusionUpscalePipeline") is None
    assert families.by_class("FluxControlPipeline") is None
