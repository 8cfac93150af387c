"""What a family honours changes the fill; what it does not is an error, never silence."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infill.engines.base import ENGINES, make_options
from infill.engines.diffusers import option_pieces, options
from infill.engines.diffusers.families import FAMILIES
from infill.errors import BadOption
from tests.engines.diffusers import scenes

HONOURED: dict[str, dict[str, Any]] = {  # what is set beside it, so that it counts
    "sd": {
        "prompt": "a green hill",
        "negative_prompt": "blurred",
        "guidance_scale": 3.0,
        "strength": 0.5,
        "scheduler": "euler",
        "num_inference_steps": 3,
    },
    "sd3": {"prompt": "a green hill", "negative_prompt": "blurred", "guidance_scale": 2.0},
    "flux-fill": {"prompt": "a green hill", "guidance_scale": 3.0, "strength": 0.5},
    "flux-kontext": {"guidance_scale": 9.0, "true_cfg_scale": 3.0, "strength": 0.5},
    "flux2-klein": {"prompt": "a green hill", "strength": 0.5},
    "qwen-image": {"negative_prompt": "blurred", "true_cfg_scale": 2.0, "strength": 0.5},
    "z-image": {"prompt": "a green hill", "guidance_scale": 3.0, "strength": 0.5},
    "chroma": {"negative_prompt": "blurred", "true_cfg_scale": 2.0, "strength": 0.5},
    "kandinsky": {"prompt": "a green hill", "negative_prompt": "blurred", "prior_steps": 3},
}
REFUSED = [
    ("flux-fill", "negative_prompt", "blurred"),
    ("flux-fill", "true_cfg_scale", 2.0),
    ("flux-fill", "reference", None),
    ("sd", "true_cfg_scale", 2.0),
    ("sd3", "scheduler", "ddim"),
    ("flux-fill", "controlnet", "some/net"),
    ("flux-kontext", "controlnet", "some/net"),
    ("qwen-image", "ip_adapter", "some/adapter"),
    ("qwen-image-edit", "controlnet", "some/net"),
    ("sd3", "control_mode", 1),
    ("qwen-image", "guidance_scale", 2.0),
    ("chroma", "guidance_scale", 2.0),
    ("flux2-klein", "negative_prompt", "blurred"),
    ("kandinsky", "strength", 0.5),
    ("kandinsky", "lora", "some/lora"),
    ("z-image", "ip_adapter", "some/adapter"),
]
CONTRADICTIONS = [
    ("sd", {"negative_prompt": "x", "guidance_scale": 1.0}, "negative_prompt has no effect"),
    ("z-image", {"negative_prompt": "x"}, "set guidance_scale above 0"),
    ("flux-kontext", {"negative_prompt": "x"}, "set true_cfg_scale above 1"),
    ("sd", {"lora_scale": 0.5}, "lora_scale has no effect without lora"),
    ("sd", {"ip_adapter": "a/b"}, "ip_adapter needs a reference"),
    ("sd", {"reference": scenes.photo()}, "reference has no effect by itself"),
    ("sd", {"controlnet": "a/b", "control": "reference"}, "control=reference needs a reference"),
    ("sd", {"control": "reference"}, "no effect without controlnet"),
    ("sd3", {"controlnet": "a/b", "strength": 0.5}, "leave strength at 1"),
    ("qwen-image", {"controlnet": "a/b", "strength": 0.5}, "leave strength at 1"),
    ("qwen-image", {"reference": scenes.photo()}, "name a controlnet with control=reference"),
    ("chroma", {"reference": scenes.photo()}, "name the ip_adapter that reads it$"),
    ("flux-kontext", {"ip_adapter": "a/b"}, "ip_adapter needs a reference"),
    ("sd", {"controlnet": "a/b", "reference": scenes.photo()}, "reference has no effect by itself"),
    ("sd", {"strength": 0.0}, "strength must be between 0.02 and 1"),
    ("sd", {"guidance_scale": True}, "guidance_scale is a number"),
    ("sd", {"num_inference_steps": 0}, "num_inference_steps must be between 1 and 1000"),
    ("sd", {"prompt": 3}, "prompt is text"),
]
WRONG_TYPES = [
    ({"memory": "low"}, "memory must be one of auto, full, offload, sequential, not 'low'"),
    ({"drift": "off"}, "drift must be one of correct, ignore, not 'off'"),
    ({"compile": "yes"}, "compile must be one of off, on, not 'yes'"),
    ({"dtype": "fp16"}, "dtype must be one of auto, float32, bfloat16, float16, not 'fp16'"),
    ({"scheduler": "foo"}, "scheduler must be one of model, ddim, .*, not 'foo'"),
    ({"control": "x"}, "control must be one of inpaint, reference, not 'x'"),
    ({"num_inference_steps": 2.5}, "num_inference_steps is a whole number, not 2.5"),
    ({"num_inference_steps": True}, "num_inference_steps is a whole number, not True"),
    ({"negative_prompt": (1, 2)}, r"negative_prompt is text, not \(1, 2\)"),
    ({"guidance_scale": "7"}, "guidance_scale is a number, not '7'"),
    ({"guidance_scale": float("nan")}, "guidance_scale must be between 0 and 100, not nan"),
    ({"lora": 3}, "lora is text, not 3"),
]


@pytest.mark.parametrize("name", HONOURED)
def test_what_is_honoured_changes_the_fill(name: str, model: Callable[[str], Path]) -> None:
    plain = scenes.filled(name, model)
    _, mask = scenes.region()
    for option, value in HONOURED[name].items():
        changed = scenes.filled(name, model, **{option: value})
        assert np.abs(changed - plain)[mask].max() > 1e-5, option


@pytest.mark.parametrize(("name", "option", "value"), REFUSED)
def test_what_is_not_honoured_is_refused(name: str, option: str, value: Any) -> None:
    with pytest.raises(BadOption, match=f"engine {name} has no option '{option}'; it has: prompt"):
        make_options(ENGINES.get(name), {option: value})


@pytest.mark.parametrize(("name", "given", "told"), CONTRADICTIONS)
def test_options_without_effect_are_refused(name: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(BadOption, match=told):
        make_options(ENGINES.get(name), given)


@pytest.mark.parametrize(("given", "told"), WRONG_TYPES)
@pytest.mark.parametrize("name", ["sd", "diffusers"])
def test_values_of_another_type_are_refused(name: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(BadOption, match=f"engine {name}: {told}"):
        make_options(ENGINES.get(name), given)


def test_none_is_taken_only_where_it_means_something() -> None:
    sd = ENGINES.get("sd")
    for name in ("model", "num_inference_steps", "memory"):
        with pytest.raises(BadOption, match=f"engine sd: {name} .* not None"):
            make_options(sd, {name: None})
    assert make_options(sd, {"lora": None, "config": None}) == make_options(sd, {})
    assert make_options(ENGINES.get("flux2-klein"), {"guidance_scale": None}) is not None


def test_numbers_of_numpy_are_numbers() -> None:
    given = {"num_inference_steps": np.int64(4), "guidance_scale": np.float32(2), "strength": 1}
    made = make_options(ENGINES.get("sd"), given)
    assert (made.num_inference_steps, made.guidance_scale, made.strength) == (4, 2, 1)


def test_too_few_steps_for_the_strength(model: Callable[[str], Path]) -> None:
    with pytest.raises(BadOption, match=r"strength 0.2 of 2 steps leaves none"):
        scenes.filled("sd", model, strength=0.2)


def test_a_distilled_model_takes_no_guidance(model: Callable[[str], Path]) -> None:
    with pytest.raises(BadOption, match="distilled and takes no guidance_scale"):
        scenes.filled("flux2-klein", model, guidance_scale=4.0)
    base = {"model": str(model("flux2-klein-base"))}
    weak = scenes.filled("flux2-klein", model, guidance_scale=1.5, **base)
    strong = scenes.filled("flux2-klein", model, guidance_scale=6.0, **base)
    assert np.abs(weak - strong).max() > 1e-5


def test_kontext_and_klein_go_by_a_reference(model: Callable[[str], Path]) -> None:
    for name in ("flux-kontext", "flux2-klein"):
        plain = scenes.filled(name, model)
        one, other = (
            scenes.filled(name, model, reference=scenes.reference(seed)) for seed in (5, 6)
        )
        assert np.abs(one - plain).max() > 1e-5
        assert np.abs(one - other).max() > 1e-6


def test_a_reference_stands_in_for_the_prompt(model: Callable[[str], Path]) -> None:
    made = scenes.filled("flux-kontext", model, prompt="", reference=scenes.reference())
    assert np.isfinite(made).all()


def test_every_family_says_what_it_takes() -> None:
    for family in FAMILIES:
        chosen = family.options()
        assert isinstance(chosen, option_pieces.Common)
        assert family.has("prompt")
        assert family.has("drift")
        assert family.has("lora") == (family.name != "kandinsky")
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"controlnet": "a/b"}, "control=reference needs a reference"),
        ({"control_mode": 1}, "control_mode have no effect without controlnet"),
        ({"controlnet": "a/b", "reference": 1, "true_cfg_scale": 2.0}, "set true_cfg_scale to 1"),
        ({"controlnet": "a/b", "reference": 1, "control": "inpaint"}, "control must be one of"),
        ({"controlnet": "a/b", "reference": 1, "ip_adapter": "c/d"}, "leave one of them out"),
    ],
)
def test_flux_says_what_its_controlnets_do_not_take(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        options.Flux(**given)


def test_what_counts_only_with_a_file_of_ones_own_is_not_for_a_servers_requests() -> None:
    """A request may name no file, so these would have no effect or be errors."""
    for family in FAMILIES:
        told = {one.name: one.metadata.get("server", True) for one in fields(family.options)}
        mine = {name for name, served in told.items() if not served}
        wanted = {
            "lora_scale",
            "ip_adapter_scale",
            "controlnet_scale",
            "control",
            "control_mode",
        } & set(told)
        if "reference" in told and family.name not in ("flux-kontext", "flux2-klein"):
            wanted |= {"reference"}
        assert mine == wanted, family.name
