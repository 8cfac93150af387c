"""The named tensors of a file of weights, each read when it is asked for; no code is ever run.

| file | how it is read |
|---|---|
| `.safetensors` | by its library; holds nothing but tensors |
| TorchScript (`.pt`) | the archive's table of tensors by `inert`; the script in it is left alone |
| PyTorch's zip | by `torch.load(weights_only=True)`; what it refuses, by `inert` |
| PyTorch's older kind | by `torch.load(weights_only=True)` |
| a zip with one `.ckpt` in it | that one, taken out into a temporary folder |
"""

import pickle
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from infill.errors import MissingWeights, Unreadable
from infill.weights import inert

LARGEST_TABLE = 1 << 27
"""Bytes of the pickle in an archive, which holds names and shapes; the numbers lie beside it."""


LARGEST_CHECKPOINT = 1 << 33
"""Bytes of a checkpoint that is taken out of a zip."""


class _HoldsMore(Exception):
    """PyTorch's reader for tensors alone refuses an older file; `str` says why."""


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


def _open(path: Path, stack: ExitStack) -> Archive:
    if path.suffix == ".safetensors":
        return _safe(stack.enter_context(safe_open(path, "pt")))
    if not zipfile.is_zipfile(path):
        return _plain(path)
    zipped = stack.enter_context(zipfile.ZipFile(path))
    packed = [member for member in zipped.infolist() if member.filename.endswith(".ckpt")]
    if len(packed) == 1:
        return _open(_taken_out(zipped, packed[0], stack), stack)
    return _zip(path, zipped)


def _taken_out(zipped: zipfile.ZipFile, member: zipfile.ZipInfo, stack: ExitStack) -> Path:
    """The member as a file that is there until the stack is closed."""
    if member.file_size > LARGEST_CHECKPOINT:
        raise ValueError("the checkpoint in it is larger than any of these networks'")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
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
            f"{path} names {error}, which is no part of a checkpoint, and is not opened: it could "
            f"run code; take the same weights from whoever published them first"
        ) from error
    except _HoldsMore as error:
        raise MissingWeights(
            f"{path} holds more than tensors, or is damaged ({error}), and is not opened: it could "
            f"run code; take the same weights as .safetensors"
        ) from error
    except DAMAGE as error:
        raise MissingWeights(
            f"{path} is no checkpoint, or damaged ({_line(error)}); get it anew"
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
    SafetensorError,
)
"""What bytes that are no checkpoint do to the readers. No error of ours is among them."""


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _safe(file: Any) -> Archive:
    def entry(name: str) -> Entry:
        return Entry(tuple(file.get_slice(name).get_shape()), lambda: file.get_tensor(name))

    return Archive({name: entry(name) for name in file.keys()}, file.metadata() or {})  # noqa: SIM118


def _zip(path: Path, zipped: zipfile.ZipFile) -> Archive:
    tables = [name for name in zipped.namelist() if name.count("/") == 1 and _is_table(name)]
    if len(tables) != 1:
        raise ValueError("a zip without the one data.pkl of PyTorch")
    root = tables[0].partition("/")[0]
    if f"{root}/constants.pkl" in zipped.namelist():
        return _inert(zipped, root)
    try:
        return _plain(path, mapped=True)
    except pickle.UnpicklingError:
        return _inert(zipped, root)


def _is_table(name: str) -> bool:
    return name.endswith("/data.pkl")


def _plain(path: Path, *, mapped: bool = False) -> Archive:
    """By PyTorch's reader for tensors alone; `mapped` leaves the numbers on the disk until used."""
    with warnings.catch_warnings():  # of unusual pickles, which then fail or are only tensors
        warnings.simplefilter("ignore")
        try:
            held = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
        except pickle.UnpicklingError as error:
            if mapped:
                raise
            raise _HoldsMore(_named(error)) from error
    found: dict[str, Entry] = {}
    _flatten(held, (), found, set())
    return Archive(found)


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
    if order in zipped.namelist() and _content(zipped, order).strip() != b"little":
        raise ValueError("its numbers are in big-endian order")
    size = zipped.getinfo(f"{root}/data.pkl").file_size
    if size > LARGEST_TABLE:
        raise ValueError("its table of tensors is larger than any network's")
    places = inert.places(_content(zipped, f"{root}/data.pkl"))

    def entry(place: inert.Place) -> Entry:
        return Entry(place.shape, lambda: _numbers(zipped, root, place))

    return Archive({name: entry(place) for name, place in places.items()})


def _numbers(zipped: zipfile.ZipFile, root: str, place: inert.Place) -> Tensor:
    if not place.inside:
        raise ValueError("a tensor reaches beyond its numbers")
    size = place.numbers * place.kind.itemsize
    content = bytearray(_content(zipped, f"{root}/data/{place.storage}", size))
    flat = torch.frombuffer(content, dtype=place.kind) if size else torch.empty(0, dtype=place.kind)
    return flat.as_strided(place.shape, place.strides, place.offset).clone()


def _content(zipped: zipfile.ZipFile, name: str, size: int | None = None) -> bytes:
    """A member of the archive, whole and checked by its sum; packed ones could be of any size."""
    member = zipped.getinfo(name)
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} in it is packed, which PyTorch never does")
    if size is not None and member.file_size != size:
        raise ValueError(f"{name} in it has {member.file_size} bytes in place of {size}")
    return zipped.read(member)
