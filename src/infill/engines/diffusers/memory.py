"""How a diffusion pipeline is laid out in memory: what the device can hold, and what if it can't.

A plan says in which number format the networks work, where their weights lie, and whether the
autoencoder works in tiles. In order of thrift, on a GPU:

    device       all weights on the device
    device       the same, the autoencoder in tiles
    offload      only the network at work is on the device, the others in main memory
    sequential   only the layer at work is on the device: slow, needs the least

On the processor there is one memory, so only the autoencoder's tiles are left to choose.
`choose` takes the first that fits; `with_fallback` steps down once where it did not after all.

    dtype = pick_dtype(device)                      # "bfloat16": load the pipeline in it
    plan = choose(device, weights_by_part(pipe), pixels, batch, asked)
    apply(pipe, plan)
    result, notes = with_fallback(run, plan, reload)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from infill.engines.free import free_bytes
from infill.engines.scarce import free_memory, is_out_of_memory, let_go
from infill.errors import EngineFailed
from infill.lazy import need

if TYPE_CHECKING:
    import torch

Asked = Literal["auto", "full", "offload", "sequential"]
Placement = Literal["device", "offload", "sequential"]
T = TypeVar("T")

SLICED = "_infill_sliced"  # mark on a pipeline whose attention `apply` has put into slices

BESIDE = "controlnet"  # offload leaves it on the device beside the network that it steers
AUTOENCODERS = ("vae", "movq")  # what the families call the network between pixels and latents
# Counted on the architectures themselves, tensors alive at the worst moment over pixels.
DECODING = 770  # numbers per pixel in Stable Diffusion's autoencoder; encoding takes 640
DENOISING = 130  # the same in Stable Diffusion 1.5's UNet, for one picture; SD-XL's takes 80
TILE = 512 * 512  # pixels of the picture that one tile of the autoencoder covers
HEADROOM = 1.25  # workspaces of libraries, and memory that lies in pieces too small to use
LARGEST_SHARE = 0.75  # of the weights, in the largest network, where only their sum is known


@dataclass(frozen=True)
class Plan:
    """One way of holding a pipeline in memory.

    device:    as PyTorch writes it: "cpu", "cuda", "cuda:1", "mps".
    dtype:     "float32", "bfloat16" or "float16", for weights and activations.
    placement: which weights are on the device, see the top of this file.
    tiles:     the autoencoder takes pictures one by one, and large ones in overlapping tiles.
               Where tiles meet the fill can differ by a little more than rounding.
    slices:    attention is worked off in slices of heads, without the fused kernel.
    """

    device: str
    dtype: str
    placement: Placement = "device"
    tiles: bool = False
    slices: bool = False

    @property
    def torch_dtype(self) -> "torch.dtype":
        """`dtype` as PyTorch's own object."""
        found: torch.dtype = getattr(need("torch", extra="diffusion"), self.dtype)
        return found

    @property
    def words(self) -> str:
        """The plan in plain words, to go into a note or an error."""
        if kind(self.device) == "cpu":
            where = "everything in main memory"
        elif self.placement == "device":
            where = f"everything on {self.device}"
        else:
            unit = "network" if self.placement == "offload" else "layer"
            where = f"only the {unit} at work on {self.device}"
        tiles = ", the autoencoder in tiles" if self.tiles else ""
        slices = ", attention in slices" if self.slices else ""
        return f"{where} in {self.dtype}{tiles}{slices}"

    def cheaper(self) -> "Plan | None":
        """The next plan that needs clearly less memory; None if this is the thriftiest.

        All on the device is followed by offload, with tiles or without: one step must help
        whether the weights were too much or the picture.
        """
        if kind(self.device) == "cpu":
            return None if self.tiles else replace(self, tiles=True)
        if self.placement == "sequential":
            return None
        after: Placement = "offload" if self.placement == "device" else "sequential"
        return replace(self, placement=after, tiles=True, slices=_sliced(self.device))


def kind(device: str) -> str:
    """ "cpu", "cuda" or "mps": the device's name without its number."""
    return device.partition(":")[0]


def pick_dtype(device: str) -> str:
    """The number format for networks on `device`: "float32", "bfloat16" or "float16".

    bfloat16 where the card computes in it itself: it has float32's range, so nothing overflows.
    Older cards and Apple's take float16. The processor takes float32, which is faster there.
    """
    if kind(device) == "cpu":
        return "float32"
    if kind(device) == "cuda":
        torch = need("torch", extra="diffusion")
        with torch.cuda.device(device):
            if torch.cuda.is_bf16_supported(including_emulation=False):
                return "bfloat16"
    return "float16"


def weights_by_part(pipe: Any) -> dict[str, int]:
    """Bytes of the weights of each network of a diffusers pipeline, by the network's name."""
    torch = need("torch", extra="diffusion")
    return {
        name: sum(_storages(part).values())
        for name, part in pipe.components.items()
        if isinstance(part, torch.nn.Module)
    }


def _storages(network: Any) -> dict[Any, int]:
    """Bytes by address, so that weights which share memory (ties, fused ones) count once.

    Those that sequential offload has put away have no address; each counts for itself.
    """
    found = {}
    for tensor in (*network.parameters(), *network.buffers()):
        storage = tensor.untyped_storage()
        address = storage.data_ptr() if tensor.device.type != "meta" else id(tensor)
        found[address] = storage.nbytes()
    return found


def choose(
    device: str,
    bytes_of_weights: int | Mapping[str, int],
    pixels: int,
    batch: int,
    asked: Asked = "auto",
    *,
    resident: int = 0,
    dtype: str | None = None,
    free: int | None = None,
) -> Plan:
    """The richest plan that fits into what `device` has free, or the one that was asked for.

    bytes_of_weights: of all networks, best by part (`weights_by_part`), in the plan's dtype.
    pixels:   of the picture that is made (not of its latents).
    batch:    candidates made at once.
    asked:    "full" = all on the device; "offload" and "sequential" as they say (on the
              processor, where nothing can be moved elsewhere, both = tiles); "auto" = choose.
    resident: bytes of these weights that lie on the device already, such as those of a loaded
              pipeline where the device is the processor.
    dtype:    what the pipeline was loaded in; None = `pick_dtype(device)`.
    free:     bytes that can be had on the device; None = ask the device. Where nobody knows,
              all is taken to fit.

    Where even the thriftiest plan is too large by the estimate, that plan is returned: it is
    an estimate, and `with_fallback` says what to do if it holds.
    """
    plans = ladder(device, dtype or pick_dtype(device))
    if asked == "full":
        return plans[0]
    if asked != "auto":
        return next((plan for plan in plans if plan.placement == asked), plans[-1])
    there = free_bytes(device) if free is None else free
    if there is None:
        return plans[0]
    for plan in plans:
        if needed(plan, bytes_of_weights, pixels, batch) - resident <= there:
            return plan
    return plans[-1]


def ladder(device: str, dtype: str) -> tuple[Plan, ...]:
    """All plans for `device`, the richest first."""
    rich = Plan(device, dtype)
    sliced = _sliced(device)
    tiled = replace(rich, tiles=True, slices=sliced)
    if kind(device) == "cpu":
        return rich, tiled
    return (
        rich,
        tiled,
        replace(tiled, placement="offload"),
        replace(tiled, placement="sequential"),
    )


def needed(plan: Plan, weights: int | Mapping[str, int], pixels: int, batch: int) -> int:
    """Bytes that `plan` takes on its device: an estimate, on the safe side.

    Weights on the device, and the larger of what denoiser and autoencoder hold while they
    work. Guidance doubles the denoiser's batch.
    """
    size = 4 if plan.dtype == "float32" else 2
    whole = sum(weights.values()) if isinstance(weights, Mapping) else int(weights)
    if plan.placement == "device" or kind(plan.device) == "cpu":
        held = whole
    elif plan.placement == "offload":
        held = _at_work(weights)
    else:
        held = 0
    decoding = DECODING * (min(pixels, TILE) if plan.tiles else pixels * batch)
    denoising = DENOISING * pixels * 2 * batch
    return int(HEADROOM * (held + size * max(decoding, denoising)))


def _at_work(weights: int | Mapping[str, int]) -> int:
    """Bytes that offload has on the device at the worst moment: the largest network, and a
    ControlNet, which stays beside it."""
    if not isinstance(weights, Mapping):
        return int(LARGEST_SHARE * weights)
    if len(weights) < 2:
        return int(LARGEST_SHARE * sum(weights.values()))
    beside = {name: size for name, size in weights.items() if name.endswith(BESIDE)}
    others = [size for name, size in weights.items() if name not in beside]
    return max(others, default=0) + sum(beside.values())


def apply(pipe: Any, plan: Plan) -> None:
    """Lay a diffusers pipeline out as `plan` says, from whatever layout it is in.

    `pipe` is loaded in the plan's dtype, its adapters with it; `tuning.tune` comes after. Turns
    everything off that the plan does not ask for, so it can be called again with another plan.
    """
    pipe.remove_all_hooks()
    if plan.placement == "device" or kind(plan.device) == "cpu":
        pipe.to(plan.device)
    elif plan.placement == "offload":
        pipe.enable_model_cpu_offload(device=plan.device)
    else:
        pipe.enable_sequential_cpu_offload(device=plan.device)
    for name in AUTOENCODERS:
        for what in ("slicing", "tiling"):
            switch = f"{'enable' if plan.tiles else 'disable'}_{what}"
            getattr(getattr(pipe, name, None), switch, _nothing)()
    if plan.slices != getattr(pipe, SLICED, False):  # else it would drop tuned processors
        pipe.enable_attention_slicing("auto" if plan.slices else None)
        setattr(pipe, SLICED, plan.slices)


def with_fallback(
    run: Callable[[Plan], T], plan: Plan, reload: Callable[[Plan], object]
) -> tuple[T, tuple[str, ...]]:
    """`run(plan)`; where memory runs out, once more by the next cheaper plan.

    run:     does the whole work by a plan. It makes its random generators itself, from the same
             seeds each time, so that the second try starts from the same noise.
    reload:  brings the pipeline into the plan it is given (`apply`, or load it again). Called
             before the second try, after all that the first one held has been let go.
    returns: what `run` returned, and what to tell the user: () or one note.

    Raises `EngineFailed`, saying what to do, where there is no cheaper plan or it runs out as
    well. Any other error goes through, from the first try and from the second.
    """
    try:
        return run(plan), ()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        let_go(error)
    cheaper = plan.cheaper()
    if cheaper is None:
        raise EngineFailed(_too_little(plan))
    free_memory()
    try:
        reload(cheaper)
        done = run(cheaper)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        let_go(error)
    else:
        return done, (
            f"ran out of memory with {plan.words}, so it was done with {cheaper.words}; "
            "expect it to take longer",
        )
    free_memory()
    raise EngineFailed(_too_little(cheaper))


def _too_little(plan: Plan) -> str:
    mends = ["fill fewer candidates at once", "choose a smaller model"]
    if kind(plan.device) != "cpu":
        mends.append("run it on the processor (INFILL_DEVICE=cpu)")
        if plan.placement != "sequential":
            mends.insert(0, 'set memory to "sequential"')
    mends.insert(0, "close what else uses the memory")
    place = "main memory" if kind(plan.device) == "cpu" else f"the memory of {plan.device}"
    return (
        f"{place} does not suffice, even with {plan.words}: {', '.join(mends[:-1])} or {mends[-1]}"
    )


def _sliced(device: str) -> bool:
    """Whether slicing spares memory: not where a fused kernel never holds the whole matrix.

    Slices do hold one head's rows times columns at once, which at 1024² is a gigabyte in
    float32; CUDA's and the processor's fused kernels need next to nothing. Apple's do not.
    """
    return kind(device) == "mps"


def _nothing() -> None:
    """Stands in for a switch that a network does not have."""
