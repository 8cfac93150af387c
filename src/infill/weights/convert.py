"""A file of tensors to safetensors, opened so that nothing in it can run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infill.errors import BadOption, MissingWeights, Unreadable
from infill.files import check_writable, write_atomically
from infill.lazy import need
from infill.weights.snapshot import PICKLES, SAFE

if TYPE_CHECKING:
    import torch

NESTED = ("state_dict", "model", "params_ema", "params", "ema")
"""Names under which training scripts keep the weights, beside their own business."""

KINDS = (*PICKLES, ".zip")
"""Endings of what can be converted."""

EXTRA = "torch"

LARGEST_SHOWN = 1 << 26
"""Bytes of a tensor of which the file holds fewer: one number shown often."""


def convert(path: Path, target: Path | None = None, *, overwrite: bool = False) -> Path:
    """Write the tensors of a checkpoint to a .safetensors, under the names they have, and return
    its path; without `target` it lies beside the checkpoint.

    Also those of Lightning's checkpoints and of TorchScript's archives; see `archive` for how
    nothing in them is run. Values keep their dtype.

    Raises `MissingWeights` for a file that holds what could run code, is damaged, or has no
    tensors; `BadOption` for one of another kind; `Unreadable`, `Unwritable` and
    `WouldOverwrite`.
    """
    if path.suffix.lower() not in KINDS:
        raise BadOption(f"{path} is none of {', '.join(KINDS)}, so there is nothing to convert")
    if not path.is_file():
        raise Unreadable(f"there is no file {path}; name the file to convert")
    target = path.with_suffix(SAFE) if target is None else target
    if target.suffix != SAFE:
        raise BadOption(f"{target} should end with {SAFE}")
    check_writable(target, overwrite=overwrite, inputs=[path])
    save = need("safetensors.torch", extra=EXTRA).save_file
    found = _tensors(path)
    if not found:
        raise MissingWeights(f"{path} holds no tensors by name; take another file")
    return write_atomically(
        target, lambda file: save(found, file.name, {"format": "pt"}), overwrite=overwrite
    )


def _tensors(path: Path) -> "dict[str, torch.Tensor]":
    """The named tensors of a checkpoint, each with memory of its own."""
    need("torch", extra=EXTRA)
    from infill.weights.archive import may_be_loaded, tensors_alone

    if not may_be_loaded(path):
        return _tensors_among_others(path)
    try:
        found = tensors_alone(path)
    except Exception:  # whatever bytes can do to a reader: the other one tells
        return _tensors_among_others(path)
    return tensors(found)


def _tensors_among_others(path: Path) -> "dict[str, torch.Tensor]":
    """Those of a file that PyTorch's reader for tensors alone refuses."""
    from infill.weights.archive import opened

    with opened(path) as archive:
        table = archive.tensors
        nested = "state_dict."
        prefix = nested if any(name.startswith(nested) for name in table) else ""
        return {
            name.removeprefix(prefix): held.read()
            for name, held in table.items()
            if name.startswith(prefix)
        }


def tensors(found: Any) -> "dict[str, torch.Tensor]":
    """The named tensors in what a checkpoint holds, each with memory of its own; those of a table
    in it have its name before theirs ("image_proj.weight")."""
    if not isinstance(found, Mapping):
        return {}
    for name in NESTED:
        inner = found.get(name)
        if isinstance(inner, Mapping) and inner:
            return tensors(inner)
    is_tensor = need("torch", extra=EXTRA).is_tensor
    given: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, value in _flat(found):
        if is_tensor(value):
            _check(name, value)
            memory = value.untyped_storage().data_ptr()
            own = value.detach().contiguous()
            given[name] = own.clone() if memory in seen else own
            seen.add(memory)
    return given


def _check(name: str, tensor: "torch.Tensor") -> None:
    """Raise `MissingWeights` for a tensor that a .safetensors cannot hold, or that a small file
    shows as an endless one."""
    from infill.weights.transfer import printable

    strided = need("torch", extra=EXTRA).strided
    if tensor.layout is not strided or tensor.is_meta or tensor.is_quantized:
        raise MissingWeights(
            f"{printable(name)} in it is no plain table of numbers (sparse, quantised or empty), "
            f"which {SAFE} does not hold; take the weights in another form"
        )
    size = tensor.numel() * tensor.element_size()
    if size > max(tensor.untyped_storage().nbytes(), LARGEST_SHOWN):
        raise MissingWeights(
            f"{printable(name)} is larger than its numbers in the file; take another file"
        )


def _flat(table: Mapping[Any, Any], before: str = "", depth: int = 4) -> Iterator[tuple[str, Any]]:
    """What is in a table and in the tables in it, with dotted names."""
    for name, value in table.items():
        if isinstance(value, Mapping) and depth:
            yield from _flat(value, f"{before}{name}.", depth - 1)
        else:
            yield f"{before}{name}", value
