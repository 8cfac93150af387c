"""What makes a diffusion pipeline quicker and leaves its picture as it is, up to rounding.

Convolutions in channels-last order, which is how the fast kernels read them; queries, keys and
values by one matrix product; attention by the fused kernel (the library's default, which nothing
here takes away); an autoencoder in bfloat16 left in it; the denoiser and the autoencoder's decoder
compiled; prompts read once. Guidance's two pictures, and all candidates, are one batch already.
The first two are for CUDA alone: on a processor they made Stable Diffusion's UNet 8 % slower each.

    tuned = tune(pipe, device, compile=options.compile, size=(height, width, batch))
    ...                                                  # fill
    notes += tuned.notes

Call it before each fill, after `memory.apply` and after adapters were loaded or taken out: it
looks at what it finds, and undoes what no longer holds.
"""

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Literal

from infill.engines.diffusers.memory import is_out_of_memory, kind
from infill.lazy import need

Compile = Literal["off", "on"]

MOST_SIZES = 6  # PyTorch keeps eight kinds of compiled code of one function, then gives up
MODE: str | None = None  # of torch.compile; None = its default
TUNED = "_infill_tuned"  # where a pipeline keeps its `Tuned`
CONVOLUTIONAL = ("unet", "vae", "movq", "controlnet")
DENOISERS = ("unet", "transformer")


@dataclass
class Tuned:
    """What has been done to one pipeline.

    compiling: whether the fill under way goes through compiled networks.
    notes:     what the user ought to know of this fill; filled while it runs.
    """

    compiled: set[Hashable] = field(default_factory=set)
    compiling: bool = False
    broken: str = ""
    notes: list[str] = field(default_factory=list)


def tune(pipe: Any, device: str, *, compile: Compile = "off", size: Hashable = None) -> Tuned:
    """Make `pipe` quick for the fill that comes next. It lies on `device` already.

    compile: "on" = compile denoiser and decoder for this size, which takes about a minute, once;
             "off" = don't use compiled ones. Nothing chooses by itself: compiled code rounds
             otherwise, and a seed is to give the same bytes whatever was filled before.
    size:    whatever makes shapes differ: (height, width, batch), and whether there is guidance.

    Nothing is compiled while weights move between memories (offload); where compiling fails,
    as without a C compiler, the fill goes on without. Either is said in the notes.
    """
    tuned: Tuned = getattr(pipe, TUNED, None) or Tuned()
    setattr(pipe, TUNED, tuned)
    tuned.notes = []
    _keep_half(pipe)
    if kind(device) == "cuda":
        _channels_last(pipe)
        fuse_projections(pipe, at_rest=not _moves(pipe))
    tuned.compiling = wants_compiled(tuned, compile, size, moves=_moves(pipe))
    if tuned.compiling:
        tuned.compiled.add(size)
        for network, idle in _targets(pipe):
            through_compiled(network, tuned, idle)
    return tuned


def _channels_last(pipe: Any) -> None:
    torch = need("torch", extra="diffusion")
    for name in CONVOLUTIONAL:
        network = getattr(pipe, name, None)
        if not isinstance(network, torch.nn.Module) or _on_meta(network):
            continue
        if all(part.dim() != 5 for part in network.parameters()):  # not those made for video
            network.to(memory_format=torch.channels_last)


def _keep_half(pipe: Any) -> None:
    """SD-XL's pipeline widens its autoencoder to float32 because float16 overflows there;
    bfloat16 has float32's range.
    """
    torch = need("torch", extra="diffusion")
    vae = getattr(pipe, "vae", None)
    if vae is not None and vae.dtype == torch.bfloat16 and vae.config.get("force_upcast"):
        vae.register_to_config(force_upcast=False)


def fuse_projections(pipe: Any, *, at_rest: bool = True) -> int:
    """One matrix product for queries, keys and values in UNet and autoencoder; how many layers.

    Only plain layers are fused. One with a LoRA or an IP-Adapter on it is left, or put back,
    as it was: fused it would leave the adapter out. at_rest=False puts all back: weights that
    move would have to move twice.
    """
    processors = need("diffusers.models.attention_processor", extra="diffusion")
    fused = 0
    for layer in _attention_layers(pipe, processors.Attention):
        plain = at_rest and _is_plain(layer)
        is_fused = type(layer.processor) is processors.FusedAttnProcessor2_0
        if plain and type(layer.processor) is processors.AttnProcessor2_0:
            layer.fuse_projections(fuse=True)
            _share(layer)
            layer.set_processor(processors.FusedAttnProcessor2_0())
            is_fused = True
        elif not plain and is_fused:
            layer.set_processor(processors.AttnProcessor2_0())
            is_fused = False
        if not is_fused:
            _drop_fused(layer)
        fused += is_fused
    return fused


def _attention_layers(pipe: Any, kind_of: type) -> Iterator[Any]:
    torch = need("torch", extra="diffusion")
    for name in ("unet", "vae"):
        network = getattr(pipe, name, None)
        if isinstance(network, torch.nn.Module):
            yield from (layer for layer in network.modules() if isinstance(layer, kind_of))


def _is_plain(layer: Any) -> bool:
    """Whether the projections are bare linear layers; a LoRA wraps them into another class."""
    torch = need("torch", extra="diffusion")
    parts = [layer.to_q, layer.to_k, layer.to_v]
    return all(type(part) is torch.nn.Linear for part in parts) and layer.added_kv_proj_dim is None


def _share(layer: Any) -> None:
    """Let the single projections be views of the fused one, so that none is held twice."""
    joint = getattr(layer, "to_kv" if layer.is_cross_attention else "to_qkv")
    joint.requires_grad_(False)
    parts = [layer.to_k, layer.to_v]
    if not layer.is_cross_attention:
        parts.insert(0, layer.to_q)
    rows = [part.weight.shape[0] for part in parts]
    for part, weight in zip(parts, joint.weight.data.split(rows), strict=True):
        part.weight.data = weight
    if joint.bias is not None:
        for part, bias in zip(parts, joint.bias.data.split(rows), strict=True):
            part.bias.data = bias


def _drop_fused(layer: Any) -> None:
    for name in ("to_qkv", "to_kv"):
        if hasattr(layer, name):
            delattr(layer, name)
            layer.fused_projections = False


def _moves(pipe: Any) -> bool:
    """Whether hooks move the pipeline's weights while it works."""
    return any(hasattr(part, "_hf_hook") for part in pipe.components.values())


def _on_meta(network: Any) -> bool:
    return any(part.device.type == "meta" for part in network.parameters())


# --- compiling ----------------------------------------------------------------------------------


def wants_compiled(tuned: Tuned, compile: Compile, size: Hashable, *, moves: bool = False) -> bool:
    """Whether to compile for this size; if it was asked for and can't be, a note says why.

    moves: whether weights move between memories while the model works.
    """
    if compile == "off":
        return False
    why_not = tuned.broken
    if moves:
        why_not = "to spare memory the model's weights move while it works"
    elif len(tuned.compiled | {size}) > MOST_SIZES:
        why_not = f"it has been compiled for {MOST_SIZES} other sizes, which is the most"
    if why_not:
        tuned.notes.append(f"the model ran without being compiled: {why_not}")
    return not why_not


def _targets(pipe: Any) -> Iterator[tuple[Any, Callable[[], bool]]]:
    """The networks to compile, each with when not to use it so.

    The whole UNet, or a transformer's repeated blocks, which hold nearly all of its work and
    are compiled once for all; and the autoencoder's decoder, but for tiles: those at the
    borders are of sizes of their own, and each would be compiled.
    """
    torch = need("torch", extra="diffusion")
    for name in DENOISERS:
        network = getattr(pipe, name, None)
        if not isinstance(network, torch.nn.Module):
            continue
        blocks = getattr(network, "_repeated_blocks", None) or ()
        parts = [part for part in network.modules() if type(part).__name__ in blocks]
        for part in parts if parts and name != "unet" else [network]:
            yield part, lambda: False
    for name in ("vae", "movq"):
        whole = getattr(pipe, name, None)
        decoder = getattr(whole, "decoder", None)
        if isinstance(decoder, torch.nn.Module):
            yield decoder, functools.partial(getattr, whole, "use_tiling", False)


def through_compiled(network: Any, tuned: Tuned, idle: Callable[[], bool]) -> None:
    """Let `network` go through compiled code while `tuned.compiling`, unless `idle()`."""
    if hasattr(network.forward, "_infill_plain"):
        return
    torch = need("torch", extra="diffusion")
    dynamo = need("torch._dynamo.exc", extra="diffusion")
    plain = network.forward
    # dynamic=False: a size is compiled because it comes often, and kernels for one size are faster
    quick = torch.compile(plain, dynamic=False, mode=MODE)

    @functools.wraps(plain)
    def forward(*given: Any, **named: Any) -> Any:
        if not tuned.compiling or idle():
            return plain(*given, **named)
        try:
            return quick(*given, **named)
        except dynamo.TorchDynamoException as error:
            if is_out_of_memory(error):
                raise
            tuned.compiling = False
            first = str(error).strip().partition("\n")[0]
            tuned.broken = f"compiling failed ({first})"
            tuned.notes.append(f"the model ran without being compiled: {tuned.broken}")
            return plain(*given, **named)

    forward._infill_plain = plain  # type: ignore[attr-defined]
    network.forward = forward


# --- prompts --------------------------------------------------------------------------------------


class EmbeddingCache:
    """What text encoders made of the last prompts, least recently used out first.

    Keys are whatever the embeddings depend on: model, its revision or hash, dtype, adapters and
    their scales, prompt, negative prompt and whether there is guidance. Values are tensors, or
    tuples, lists and mappings with tensors in them; take care not to write to them.
    """

    def __init__(self, limit_bytes: int = 256 * 2**20) -> None:
        self.limit_bytes = limit_bytes
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = RLock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` returned when `key` was last asked for; else what it returns now.

        Nothing is kept if it raises, nor what alone is larger than the limit.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        made = make()
        size = _bytes_of(made)
        with self._lock:
            if size <= self.limit_bytes:
                self._kept[key] = (made, size)
                self._kept.move_to_end(key)
            while self.bytes_held > self.limit_bytes:
                self._kept.popitem(last=False)
        return made

    @property
    def bytes_held(self) -> int:
        """Bytes of all tensors that are kept."""
        with self._lock:
            return sum(size for _, size in self._kept.values())

    def clear(self) -> None:
        """Forget all, as before memory is needed for something else."""
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)


def _bytes_of(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_bytes_of, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(_bytes_of, value))
    return int(getattr(value, "nbytes", 0))
