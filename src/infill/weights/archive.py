"""The named tensors of a file of weights, each read when it is asked for; no code is ever run.

| file | how it is read |
|---|---|
| safetensors | by its library; holds nothing but tensors |
| TorchScript (`.pt`) | the archive's table of tensors by `inert`; the script in it is left alone |
| PyTorch's zip | by `torch.load(weights_only=True)`; what it refuses, by `inert` |
| PyTorch's older kind | by `torch.load(weights_only=True)` |
| a zip with one `.ckpt` in it | that one, taken out into a temporary folder |

What a file is, its first bytes tell, not its name. No reader gets a pickle that `inert.check` has
not gone over, nor a packed one: a small file could fill the memory with it.
"""

import errno
import pickle
import re
import shutil
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from infill.errors import MissingWeights, Unreadable
from infill.weights import inert, kinds
from infill.weights.transfer import first_line, in_words

LARGEST_CHECKPOINT = 1 << 33
"""Bytes of a checkpoint that is taken out of a zip."""

HEADROOM = 1 << 26
"""Bytes that taking it out leaves free on the disk."""

OUR_SIDE = {
    *(errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOENT),
}
"""Errors that this machine makes, whatever the file."""


class _Misnamed(Exception):
    """One of PyTorch's files under a name that promises nothing but tensors."""


@dataclass(frozen=True)
class Entry:
    """One tensor: its shape is known, its numbers are read by `read()` (on the CPU)."""

    shape: tuple[int, ...]
    read: Callable[[], Tensor]


@dataclass(frozen=True)
class Archive:
    """tensors: by dotted name ("G.stage1.conv1.conv.weight"). notes: what the file says of itself
    in words (the metadata of a .safetensors)."""

    tensors: Mapping[str, Entry]
    notes: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The file's tensors, to be read inside the `with` block.

    Raises `Unreadable` if there is no such file, and `MissingWeights` for one that is damaged, no
    checkpoint, or holds something that could run code; so does an entry's `read`.
    """
    if not path.is_file():
        raise Unreadable(f"there is no file {path}; name a file of weights")
    with ExitStack() as stack:
        with _told(path):
            archive = _open(path, stack)
        yield Archive(
            {
                name: Entry(held.shape, _careful(path, held))
                for name, held in archive.tensors.items()
            },
            archive.notes,
        )


def may_be_loaded(path: Path) -> bool:
    """Whether PyTorch's reader for tensors alone may be let at the file: whether it is one of its
    own, and no TorchScript. Raises `MissingWeights` for one that no reader should get."""
    with _told(path), ExitStack() as stack:
        if kinds.is_safetensors(path):
            return False
        if not kinds.is_zip(path):
            kinds.check_older(path)
            return True
        zipped = stack.enter_context(zipfile.ZipFile(path))
        if len(kinds.checkpoints(zipped)) == 1:
            return False
        return not kinds.is_script(zipped, kinds.root_of(zipped))


def _open(path: Path, stack: ExitStack, *, taken_out: bool = False) -> Archive:
    if kinds.is_safetensors(path):
        return _safe(stack.enter_context(safe_open(path, "pt")))
    if path.suffix == ".safetensors" and kinds.starts(path, kinds.ZIP_START, b"\x80"):
        raise _Misnamed
    if not kinds.is_zip(path):
        kinds.check_older(path)
        return _plain(path)
    zipped = stack.enter_context(zipfile.ZipFile(path))
    packed = kinds.checkpoints(zipped)
    if len(packed) == 1 and not taken_out:  # a zip in a zip in a zip could go on for ever
        return _open(_taken_out(path, zipped, packed[0], stack), stack, taken_out=True)
    return _zip(path, zipped)


def _taken_out(
    path: Path, zipped: zipfile.ZipFile, member: zipfile.ZipInfo, stack: ExitStack
) -> Path:
    """The member as a file that is there until the stack is closed."""
    if member.file_size > LARGEST_CHECKPOINT:
        raise ValueError("the checkpoint in it is larger than any of these networks'")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("the checkpoint in it is packed in an unusual way")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    free = shutil.disk_usage(folder).free
    if free < member.file_size + HEADROOM:
        raise MissingWeights(
            f"there is no room to unpack the checkpoint in {path}: it has "
            f"{in_words(member.file_size)}, {in_words(free)} are free in {folder.parent}; make "
            f"room, or set TMPDIR to a folder on another disk"
        )
    with zipped.open(member) as source, (folder / "one.ckpt").open("wb") as target:
        shutil.copyfileobj(source, target)
    return folder / "one.ckpt"


def _careful(path: Path, entry: Entry) -> Callable[[], Tensor]:
    def read() -> Tensor:
        with _told(path):
            return entry.read()

    return read


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What reading may raise, as one sentence for a person."""
    try:
        yield
    except inert.Refused as error:
        raise MissingWeights(
            f"{path} names {first_line(error)}, which is no part of a checkpoint, and is not "
            f"opened: it could run code; take the same weights from whoever published them first"
        ) from error
    except _Misnamed as error:
        raise MissingWeights(
            f"{path} is a checkpoint of PyTorch and no .safetensors; give it a name that ends "
            f"with .pth"
        ) from error
    except kinds.HoldsMore as error:
        raise MissingWeights(
            f"{path} holds more than tensors, or is damaged ({first_line(error)}), and is not "
            f"opened: it could run code; take the same weights as .safetensors"
        ) from error
    except DAMAGE as error:
        if _is_ours(error):
            raise MissingWeights(
                f"{path} cannot be read on this machine now ({first_line(error)}); the file may be "
                f"whole: look at room, memory and permissions"
            ) from error
        raise MissingWeights(
            f"{path} is no checkpoint, or damaged ({first_line(error)}); get it anew"
        ) from error


DAMAGE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    SafetensorError,
)
"""What bytes that are no checkpoint do to the readers. No error of ours is among them."""


def _is_ours(error: BaseException) -> bool:
    """Whether it is this machine that lacks room, memory or a permission."""
    if isinstance(error, OSError):
        return error.errno in OUR_SIDE
    return isinstance(error, MemoryError) or "allocate memory" in str(error)


def _safe(file: Any) -> Archive:
    def entry(name: str) -> Entry:
        return Entry(tuple(file.get_slice(name).get_shape()), lambda: file.get_tensor(name))

    return Archive({name: entry(name) for name in file.keys()}, file.metadata() or {})  # noqa: SIM118


def _zip(path: Path, zipped: zipfile.ZipFile) -> Archive:
    root = kinds.root_of(zipped)
    if kinds.is_script(zipped, root):
        return _inert(zipped, root)
    try:
        return _plain(path, mapped=True)
    except pickle.UnpicklingError:
        return _inert(zipped, root)


def _plain(path: Path, *, mapped: bool = False) -> Archive:
    """By PyTorch's reader for tensors alone; `mapped` leaves the numbers on the disk until used."""
    try:
        held = tensors_alone(path, mapped=mapped)
    except pickle.UnpicklingError as error:
        if mapped:
            raise
        raise kinds.HoldsMore(_named(error)) from error
    found: dict[str, Entry] = {}
    _flatten(held, (), found, set())
    return Archive(found)


def tensors_alone(path: Path, *, mapped: bool = False) -> Any:
    """What PyTorch's reader for tensors alone makes of a file, on the CPU.

    mapped: the numbers stay on the disk until they are used. Raises whatever that reader does.
    """
    with warnings.catch_warnings():  # of unusual pickles, which then fail or are only tensors
        warnings.simplefilter("ignore")
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)


def _named(error: Exception) -> str:
    """What PyTorch's reader refused. Its own words tell how to run the file all the same."""
    found = re.search(r"GLOBAL (\S+) was not an allowed", str(error))
    return f"it names {found[1]}" if found else "its bytes make no table of tensors"


def _flatten(value: Any, path: tuple[str, ...], found: dict[str, Entry], seen: set[int]) -> None:
    if isinstance(value, Tensor):
        tensor = value.detach()
        found[".".join(path)] = Entry(tuple(tensor.shape), lambda: _copied(tensor))
    elif isinstance(value, Mapping) and id(value) not in seen:
        seen.add(id(value))  # a table may lie in itself, or in many others
        for key, inner in value.items():
            if isinstance(key, str | int):
                _flatten(inner, (*path, str(key)), found, seen)


def _copied(tensor: Tensor) -> Tensor:
    """The tensor with memory of its own. One number shown a million times is no weight."""
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise ValueError("a tensor is larger than its numbers")
    return tensor.clone(memory_format=torch.contiguous_format)


def _inert(zipped: zipfile.ZipFile, root: str) -> Archive:
    """The tensors that the archive's table names, without its code."""
    order = f"{root}/byteorder"
    if order in zipped.namelist() and kinds.content(zipped, order).strip() != b"little":
        raise ValueError("its numbers are in big-endian order")
    places = inert.places(kinds.content(zipped, f"{root}/data.pkl"))

    def entry(place: inert.Place) -> Entry:
        return Entry(place.shape, lambda: _numbers(zipped, root, place))

    return Archive({name: entry(place) for name, place in places.items()})


def _numbers(zipped: zipfile.ZipFile, root: str, place: inert.Place) -> Tensor:
    if not place.inside:
        raise ValueError("a tensor reaches beyond its numbers")
    size = place.numbers * place.kind.itemsize
    content = bytearray(kinds.content(zipped, f"{root}/data/{place.storage}", size))
    flat = torch.frombuffer(content, dtype=place.kind) if size else torch.empty(0, dtype=place.kind)
    return flat.as_strided(place.shape, place.strides, place.offset).clone()
