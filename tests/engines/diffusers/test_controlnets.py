"""ControlNets of the families whose denoiser is a transformer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from infill.engines.base import ENGINES, make_options
from infill.engines.diffusers import canvas, families, latents
from infill.engines.diffusers.memory import Plan, needed
from infill.errors import BadOption, Cancelled, MissingWeights
from infill.geometry import Box, Frame
from tests.engines.diffusers import scenes, tiny_adapters

ENGINE = {"flux": "diffusers"}  # the family has no preset
INPAINT = ("sd3", "qwen-image", "z-image")
ALL = (*INPAINT, "flux")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of a family's tiny ControlNet: one that sees the hole, but for FLUX."""
    root = tmp_path_factory.mktemp("nets")

    def folder(name: str) -> str:
        place = root / name
        return str(place if place.exists() else tiny_adapters.save_net(name, place))

    return folder


def given(name: str, model: Callable[[str], Path], /, **more: Any) -> tuple[Any, Any]:
    """The engine of a family and its options on the tiny model."""
    engine = ENGINES.get(ENGINE.get(name, name))
    named = {"model": str(model(name))} | more
    if name == "flux" and "controlnet" in more:
        named = {"control": "reference", "reference": scenes.reference()} | named
    return engine, make_options(engine, scenes.options_for(name, model, **named))


def filled(name: str, model: Callable[[str], Path], /, seeds: tuple[int, ...] = (3,), **more: Any):
    engine, options = given(name, model, **more)
    pixels, mask = scenes.region()
    rngs = [np.random.default_rng(seed) for seed in seeds]
    made = engine.fill_batch([pixels] * len(seeds), mask, options, rngs, lambda *_: None)
    return [one.pixels for one in made]


@pytest.mark.parametrize("name", ALL)
def test_steers_the_fill_again_and_again_in_the_same_way(
    name: str, model: Callable[[str], Path], net: Callable[[str], str]
) -> None:
    _, mask = scenes.region()
    torch.manual_seed(1)
    (made,) = filled(name, model, controlnet=net(name))
    torch.manual_seed(2)  # of the process: no one's business
    (again,) = filled(name, model, controlnet=net(name))
    (none,) = filled(name, model, controlnet=net(name), controlnet_scale=0.0)
    assert np.abs(made - none)[mask].max() > 1e-4
    np.testing.assert_array_equal(made, again)


@pytest.mark.parametrize("name", ALL)
def test_keeps_what_is_known(
    name: str,
    model: Callable[[str], Path],
    net: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is decoded is the photo's own latents wherever no cell of the hole lies."""
    ended = []
    plain = latents.decoded

    def decoded(pipe: Any, made: torch.Tensor, *rest: Any) -> Any:
        ended.append(made)
        return plain(pipe, made, *rest)

    monkeypatch.setattr(latents, "decoded", decoded)
    for scale in (0.0, 2.0):
        filled(name, model, controlnet=net(name), controlnet_scale=scale)
    keep = np.ones((8, 8), np.bool_)
    keep[2:6, 2:6] = False  # the hole in whole cells of the network
    none, strong = (one[0].numpy() for one in ended)
    np.testing.assert_array_equal(none[:, keep], strong[:, keep])
    assert np.abs(none - strong)[:, ~keep].max() > 1e-3
    if name in INPAINT:
        pixels, mask = scenes.region()
        floor = canvas.smooth_floor(pixels, mask)
        engine, options = given(name, model, controlnet=net(name))
        own = engine.encode(floor, options)[0].numpy()
        np.testing.assert_allclose(strong[:, keep], own[:, keep], atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_fills_several_candidates_in_one_batch(
    name: str, model: Callable[[str], Path], net: Callable[[str], str]
) -> None:
    one, other = filled(name, model, seeds=(3, 4), controlnet=net(name))
    (alone,) = filled(name, model, seeds=(4,), controlnet=net(name))
    assert np.abs(one - other).max() > 1e-3
    np.testing.assert_allclose(other, alone, atol=2e-4)


@pytest.mark.parametrize("name", INPAINT)
def test_is_shown_nothing_of_the_hole(
    name: str, model: Callable[[str], Path], net: Callable[[str], str]
) -> None:
    engine, options = given(name, model, controlnet=net(name))
    pixels, mask = scenes.region()
    dirty = pixels.copy()
    dirty[mask] = np.random.default_rng(9).random((mask.sum(), 3), np.float32)
    made = [
        engine.fill(one, mask, options, np.random.default_rng(3), lambda *_: None).pixels
        for one in (pixels, dirty)
    ]
    np.testing.assert_array_equal(*made)


def test_is_told_where_the_hole_is(model: Callable[[str], Path], net: Callable[[str], str]) -> None:
    """1 where known, as the networks were trained; and Z-Image's sees no other picture."""
    hole = np.zeros((8, 8), np.bool_)
    hole[2:6, 2:6] = True
    for name in ("sd3", "z-image"):
        engine, options = given(name, model, controlnet=net(name))
        network = engine.load(options).pipe.controlnet
        seen: list[torch.Tensor] = []

        def look(_: Any, args: Any, named: Any, __: Any, seen: list[torch.Tensor] = seen) -> None:
            seen.append(
                named["controlnet_cond"] if "controlnet_cond" in named else args[3][:, :, 0]
            )

        hook = network.register_forward_hook(look, with_kwargs=True)
        pixels, mask = scenes.region()
        engine.fill(pixels, mask, options, np.random.default_rng(3), lambda *_: None)
        hook.remove()
        shown = seen[0][0].numpy()
        np.testing.assert_array_equal(shown[16], (~hole).astype(np.float32))
        if name == "z-image":
            assert not shown[:16].any()
            assert np.abs(shown[17:]).min() > 0
        else:
            assert np.abs(shown[:16]).min() > 0


def test_goes_with_a_lora(
    model: Callable[[str], Path], net: Callable[[str], str], tmp_path: Path
) -> None:
    """Z-Image's network has copies of parts of the transformer, which a LoRA is not for."""
    network = diffusers.ZImageTransformer2DModel.from_pretrained(
        model("z-image"), subfolder="transformer"
    )
    torch.manual_seed(1)
    network.add_adapter(LoraConfig(r=2, target_modules=["to_q"], init_lora_weights=False))
    states = get_peft_model_state_dict(network)
    diffusers.ZImagePipeline.save_lora_weights(str(tmp_path), transformer_lora_layers=states)
    told = {"controlnet": net("z-image")}
    (plain,) = filled("z-image", model, **told)
    (made,) = filled("z-image", model, lora=str(tmp_path), **told)
    (none,) = filled("z-image", model, lora=str(tmp_path), lora_scale=0.0, **told)
    assert np.abs(made - plain).max() > 1e-4
    np.testing.assert_allclose(none, plain, atol=2e-5)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("sd3", {"extra_conditioning_channels": 0}),
        ("qwen-image", {"extra_condition_channels": 0}),
        ("z-image", {"control_in_dim": 16, "add_control_noise_refiner": None}),
        ("z-image", {}),
        ("flux", {}),
        ("flux", {"num_mode": 3}),
        ("flux", {"conditioning_embedding_channels": 16, "patch_size": 2}),
    ],
)
def test_goes_by_a_reference(
    name: str, more: dict[str, Any], model: Callable[[str], Path], tmp_path: Path
) -> None:
    place = tiny_adapters.save_net(name, tmp_path / "net", **more)
    named: dict[str, Any] = {"controlnet": str(place), "control": "reference"}
    if "num_mode" in more:
        named["control_mode"] = 1
    one, other = (
        filled(name, model, seeds=(3, 4), reference=scenes.reference(seed), **named)
        for seed in (5, 6)
    )
    assert np.abs(one[0] - other[0]).max() > 1e-5
    assert np.abs(one[0] - one[1]).max() > 1e-3
    if name != "flux" and more:
        with pytest.raises(BadOption, match="set control=reference and give that picture"):
            filled(name, model, controlnet=str(place))


def test_that_sees_the_hole_takes_no_reference(
    model: Callable[[str], Path], net: Callable[[str], str]
) -> None:
    for name in ("sd3", "qwen-image"):
        with pytest.raises(BadOption, match="leave control at inpaint"):
            filled(
                name,
                model,
                controlnet=net(name),
                control="reference",
                reference=scenes.reference(),
            )


def test_asks_which_kind_of_picture_if_it_reads_several(
    model: Callable[[str], Path], net: Callable[[str], str], tmp_path: Path
) -> None:
    place = str(tiny_adapters.save_net("flux", tmp_path / "net", num_mode=3))
    with pytest.raises(BadOption, match=r"set control_mode to the number .* 0 to 2"):
        filled("flux", model, controlnet=place)
    with pytest.raises(BadOption, match=r"set control_mode to the number .* 0 to 2"):
        filled("flux", model, controlnet=place, control_mode=3)
    with pytest.raises(BadOption, match="leave control_mode out"):
        filled("flux", model, controlnet=net("flux"), control_mode=0)
    with pytest.raises(BadOption, match="control must be one of reference"):
        filled("flux", model, controlnet=place, control="inpaint")


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("sd3", {"joint_attention_dim": 48}),
        ("sd3", {"in_channels": 4}),
        ("sd3", {"extra_conditioning_channels": 3}),
        ("flux", {"num_attention_heads": 2}),
        ("qwen-image", {"in_channels": 64}),
        ("z-image", {"dim": 64}),
        ("z-image", {"control_in_dim": 20}),
        ("z-image", {"control_layers_places": [0, 5]}),
    ],
)
def test_for_another_model_is_refused(
    name: str, more: dict[str, Any], model: Callable[[str], Path], tmp_path: Path
) -> None:
    place = tiny_adapters.save_net(name, tmp_path / "net", **more)
    with pytest.raises(BadOption, match="was made for another model: "):
        filled(name, model, controlnet=str(place))


def test_of_another_family_or_not_whole_is_refused(
    model: Callable[[str], Path], net: Callable[[str], str], tmp_path: Path
) -> None:
    for name, other in (("sd3", "qwen-image"), ("qwen-image", "sd3"), ("z-image", "flux")):
        kind = f"takes a {by_name(name)}; name one made for it"
        with pytest.raises(BadOption, match=kind):
            filled(name, model, controlnet=net(other))
    place = tiny_adapters.save_net("z-image", tmp_path / "net")
    file = place / "diffusion_pytorch_model.safetensors"
    states = load_file(file)
    lost = next(iter(sorted(states)))
    save_file({key: one for key, one in states.items() if key != lost}, file)
    with pytest.raises(MissingWeights, match=f"tensor controlnet.{lost} is missing"):
        filled("z-image", model, controlnet=str(place))
    with pytest.raises(BadOption, match=r"put it into a folder with its config.json"):
        filled("z-image", model, controlnet=str(file))


def by_name(name: str) -> str:
    family = families.by_name({"sd3": "stable-diffusion-3"}.get(name, name))
    assert family.controlnet is not None
    return family.controlnet.network


def test_damaged_files_are_told_and_half_precision_alone_is_enough(
    model: Callable[[str], Path], tmp_path: Path
) -> None:
    place = tiny_adapters.save_net("sd3", tmp_path / "net")
    file = place / "diffusion_pytorch_model.safetensors"
    (whole,) = filled("sd3", model, controlnet=str(place))
    file.rename(place / "diffusion_pytorch_model.fp16.safetensors")
    (marked,) = filled("sd3", model, controlnet=str(place))
    np.testing.assert_array_equal(whole, marked)
    (place / "diffusion_pytorch_model.fp16.safetensors").unlink()
    file.write_bytes(b"abc")
    with pytest.raises(
        MissingWeights, match=r"model.safetensors is damaged \(.*\); fetch it again"
    ):
        filled("sd3", model, controlnet=str(place))


def test_a_reference_goes_with_the_photo_pixel_by_pixel(
    model: Callable[[str], Path], net: Callable[[str], str]
) -> None:
    """Through the generic engine, which has the family's options only inside."""
    photo = np.ascontiguousarray(np.tile(scenes.photo(), (3, 3, 1))[:96, :152])
    engine = ENGINES.get("diffusers")
    frame = Frame.of(Box(4, 8, 36, 56), scenes.SMALL, photo.shape[:2])
    options = make_options(
        engine,
        {"model": str(model("flux")), "controlnet": net("flux"), "reference": photo},
    )
    local = engine.localise(options, frame, True)
    wanted = frame.bring((photo / np.float32(255)).astype(np.float32))
    np.testing.assert_allclose(local.reference.pixels, wanted, atol=1e-6)
    for size in (photo[:40], np.tile(photo, (2, 2, 1))):
        other = make_options(
            engine,
            {"model": str(model("flux")), "controlnet": net("flux"), "reference": size},
        )
        with pytest.raises(BadOption, match="of the photo's own size, 152×96, not"):
            engine.localise(other, frame, True)


def test_published_settings_that_leave_out_the_hole_are_read_right(
    model: Callable[[str], Path], net: Callable[[str], str], tmp_path: Path
) -> None:
    """As those of the inpainting network for Stable Diffusion 3."""
    place = tiny_adapters.save_net("sd3", tmp_path / "net")
    text = (place / "config.json").read_text()
    (place / "config.json").write_text(text.replace('"extra_conditioning_channels": 1,', ""))
    (made,) = filled("sd3", model, controlnet=str(place))
    (expected,) = filled("sd3", model, controlnet=net("sd3"))
    np.testing.assert_array_equal(made, expected)


def test_a_file_as_its_authors_call_it_is_read_by_the_config_beside_it(
    model: Callable[[str], Path], net: Callable[[str], str], tmp_path: Path
) -> None:
    place = tiny_adapters.save_net("z-image", tmp_path / "net")
    (place / "diffusion_pytorch_model.safetensors").rename(place / "Z-Image-Fun.safetensors")
    (made,) = filled("z-image", model, controlnet=str(place))
    (expected,) = filled("z-image", model, controlnet=net("z-image"))
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("name", ["sd3", "z-image"])
def test_can_be_cancelled_watched_and_guided(
    name: str, model: Callable[[str], Path], net: Callable[[str], str]
) -> None:
    engine, options = given(name, model, controlnet=net(name))
    pixels, mask = scenes.region()
    seen = []

    def hook(step: int, steps: int, level: Any, now: torch.Tensor, scheduler: Any) -> torch.Tensor:
        seen.append((step, steps, level is None, tuple(now.shape)))
        return now

    rng = np.random.default_rng(3)
    engine.run([pixels], mask, options, [rng], lambda *_: None, on_latents=hook)
    assert seen == [(0, 2, False, (1, 16, 8, 8)), (1, 2, True, (1, 16, 8, 8))]

    def stop(fraction: float, stage: str) -> None:
        if stage.startswith("step 1"):
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.fill(pixels, mask, options, rng, stop)


@pytest.mark.parametrize("name", ALL)
def test_lies_in_memory_as_the_plan_says(
    name: str,
    model: Callable[[str], Path],
    net: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The processor plays the card; moved layer by layer or not, the picture is the same."""
    import accelerate

    from infill.engines.diffusers import engine as engines
    from infill.engines.diffusers import loading, memory

    engine, options = given(name, model, controlnet=net(name))
    pixels, mask = scenes.region()

    def made() -> np.ndarray:
        rng = np.random.default_rng(3)
        return engine.fill(pixels, mask, options, rng, lambda *_: None).pixels

    whole = made()
    real = accelerate.cpu_offload
    monkeypatch.setattr(
        accelerate,
        "cpu_offload",
        lambda network, device, **rest: real(network, torch.device("cpu"), **rest),
    )
    monkeypatch.setattr(memory, "pick_dtype", lambda device: "float32")
    monkeypatch.setattr(memory, "kind", lambda device: "cuda")
    for placement in ("offload", "sequential", "device"):
        plan = Plan("cpu", "float32", placement)  # type: ignore[arg-type]
        monkeypatch.setattr(engines, "_plan", lambda *_, plan=plan: plan)
        np.testing.assert_allclose(made(), whole, atol=1e-5)
    loading.forget()


def test_is_counted_beside_the_network_that_it_steers() -> None:
    plan = Plan("cuda", "bfloat16", "offload")
    parts = {"0.transformer": 10**9, "0.vae": 10**8}
    with_one = needed(plan, {**parts, "0.controlnet": 5 * 10**8}, 64, 1)
    assert with_one - needed(plan, parts, 64, 1) == pytest.approx(1.25 * 5 * 10**8, rel=1e-6)
