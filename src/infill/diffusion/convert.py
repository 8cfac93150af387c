"""Checkpoints of guided-diffusion, turned by key into diffusers' `UNet2DModel`.

Dhariwal and Nichol 2021 ("Diffusion Models Beat GANs on Image Synthesis", arXiv 2105.05233): their
network in the form that they and the authors of RePaint published for 256 × 256 pixels (CelebA-HQ,
Places2, ImageNet). A checkpoint is nothing but tensors by name; what the network looks like
follows from the names and shapes, all but the width of its attention heads, which is 64 in all of
those.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from infill.errors import MissingWeights

HEAD = 64
"""Channels of an attention head in the networks that were published at 256 × 256."""

FINEST_ATTENTION = 32
"""Side, in pixels, of the finest level that has attention, in all that were published."""

OTHERS = {
    (1, 2, 3, 4): "the 64 × 64",
    (1, 1, 2, 3, 4): "the 128 × 128",
}
"""Networks whose heads are of another kind, which names and shapes do not tell."""

State = Mapping[str, Tensor]


def is_guided_diffusion(state: Mapping[str, Any]) -> bool:
    """Whether the names are those of guided-diffusion's network."""
    return "input_blocks.0.0.weight" in state and "time_embed.0.weight" in state


def configuration(state: State, *, head: int = HEAD) -> dict[str, Any]:
    """What `UNet2DModel` is to be made with, read from names and shapes.

    head: channels of an attention head.
    Raises `MissingWeights` for a network that this conversion does not know.
    """
    try:
        told = _configuration(state, head)
    except KeyError as error:
        raise MissingWeights(
            f"the checkpoint lacks {error.args[0]}, which every guided-diffusion model has; "
            f"download it again"
        ) from error
    return told


def _configuration(state: State, head: int) -> dict[str, Any]:
    base = state["time_embed.0.weight"].shape[1]
    resizing = [name for name in state if _second_block(name)]
    if not resizing:
        raise MissingWeights(
            "this guided-diffusion model has other up- and down-sampling than those published "
            "for 256 × 256 pixels; give one of those, or a diffusers folder"
        )
    levels = len(resizing) + 1
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("output_blocks."))
    depth = blocks // levels - 1  # residual blocks a level on the way down; one more on the way up
    firsts = [1 + level * (depth + 1) for level in range(levels)]
    widths = [state[f"input_blocks.{at}.0.out_layers.3.weight"].shape[0] for at in firsts]
    attends = [f"input_blocks.{at}.1.qkv.weight" in state for at in firsts]
    _check(state, base, widths, attends, head)
    scaled = state["input_blocks.1.0.emb_layers.1.weight"].shape[0] == 2 * widths[0]
    down = ["AttnDownBlock2D" if here else "ResnetDownsampleBlock2D" for here in attends]
    up = ["AttnUpBlock2D" if here else "ResnetUpsampleBlock2D" for here in reversed(attends)]
    labels = state.get("label_emb.weight")
    return {
        "sample_size": FINEST_ATTENTION << attends.index(True),
        "in_channels": state["input_blocks.0.0.weight"].shape[1],
        "out_channels": state["out.2.weight"].shape[0],
        "time_embedding_dim": state["time_embed.0.weight"].shape[0],
        "down_block_types": tuple(down),
        "up_block_types": tuple(up),
        "block_out_channels": tuple(widths),
        "layers_per_block": depth,
        "downsample_type": "resnet",
        "upsample_type": "resnet",
        "attention_head_dim": head,
        "norm_num_groups": 32,
        "attn_norm_num_groups": 32,
        "resnet_time_scale_shift": "scale_shift" if scaled else "default",
        "num_class_embeds": None if labels is None else labels.shape[0],
    }


def _second_block(name: str) -> bool:
    """Whether it is the first tensor of a block that doubles the size: the only residual blocks
    of the way up that do not come first."""
    parts = name.split(".")
    return name.endswith("in_layers.0.weight") and parts[0] == "output_blocks" and parts[2] != "0"


def _check(state: State, base: int, widths: list[int], attends: list[bool], head: int) -> None:
    """Raise for what would convert, and give another network."""
    inputs = state["input_blocks.0.0.weight"].shape[1]
    outputs = state["out.2.weight"].shape[0]
    if inputs != 3 or outputs not in (3, 6):
        raise MissingWeights(
            f"this model takes {inputs} channels and gives {outputs}, so it does not make photos "
            f"out of noise; give one that takes 3 and gives 3 or 6"
        )
    known = OTHERS.get(tuple(width // base for width in widths))
    if known is not None or widths[0] != base:
        which = known or "the 512 × 512"
        raise MissingWeights(
            f"this looks like {which} model of guided-diffusion, whose attention is built "
            f"another way; give one made for 256 × 256 pixels"
        )
    if not any(attends) or any(width % head for width in widths[attends.index(True) :]):
        raise MissingWeights(
            f"the attention of this guided-diffusion model does not part into heads of {head} "
            f"channels, as those made for 256 × 256 pixels do; give one of those"
        )


def convert(state: State, config: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors under the names of the `UNet2DModel` that `configuration` describes.

    Every tensor of `state` is used once; a name that does not fit raises `MissingWeights`.
    """
    head, depth = config["attention_head_dim"], config["layers_per_block"]
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        place = _place(name, depth, len(config["block_out_channels"]))
        if place is None:
            raise MissingWeights(f"the checkpoint has {name}, which no 256 × 256 model has")
        if ".qkv." in name:
            for letter, part in zip("qkv", _heads(value, head), strict=True):
                found[place.replace("qkv", f"to_{letter}")] = part
        elif ".proj_out." in name:
            found[place] = value.reshape(value.shape[: 2 if value.ndim > 1 else 1])
        else:
            found[place] = value
    return found


def _heads(value: Tensor, head: int) -> tuple[Tensor, ...]:
    """Query, key and value of a joint projection whose rows go head by head, each q, then k, v.

    value: (3 C, C, 1) or (3 C,). returns: three of (C, C) or (C,), their rows head by head.
    """
    rows, rest = value.shape[0] // 3, value.shape[1:2]
    apart = value.reshape(rows // head, 3, head, *rest)
    return tuple(apart[:, part].reshape(rows, *rest) for part in range(3))


_RESIDUAL = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_ATTENTION = {"norm": "group_norm", "qkv": "qkv", "proj_out": "to_out.0"}
_ENDS = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb": "class_embedding",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}


def _place(name: str, depth: int, levels: int) -> str | None:
    """The name in `UNet2DModel` of a tensor of guided-diffusion, None if there is none."""
    stem, _, kind = name.rpartition(".")
    if stem in _ENDS:
        return f"{_ENDS[stem]}.{kind}"
    parts = stem.split(".")
    if parts[0] == "middle_block":
        index, inner = int(parts[1]), ".".join(parts[2:])
        if index == 1:
            return _inner(f"mid_block.attentions.0.{{}}.{kind}", _ATTENTION, inner)
        return _inner(f"mid_block.resnets.{index // 2}.{{}}.{kind}", _RESIDUAL, inner)
    if parts[0] not in ("input_blocks", "output_blocks") or len(parts) < 4:
        return None
    at, within, inner = int(parts[1]), int(parts[2]), ".".join(parts[3:])
    up = parts[0] == "output_blocks"
    level, index = divmod(at if up else at - 1, depth + 1)
    if level >= levels:
        return None
    home = f"{'up' if up else 'down'}_blocks.{level}"
    if inner in _ATTENTION:
        return _inner(f"{home}.attentions.{index}.{{}}.{kind}", _ATTENTION, inner)
    if up and within:
        return _inner(f"{home}.upsamplers.0.{{}}.{kind}", _RESIDUAL, inner)
    if not up and index == depth:
        return _inner(f"{home}.downsamplers.0.{{}}.{kind}", _RESIDUAL, inner)
    return _inner(f"{home}.resnets.{index}.{{}}.{kind}", _RESIDUAL, inner)


def _inner(pattern: str, table: Mapping[str, str], inner: str) -> str | None:
    found = table.get(inner)
    return None if found is None else pattern.format(found)
