"""What a file of weights is, told by its bytes, and whether a reader may be let at it.

A small file could fill the memory with a packed table, or end the process with a deep one: such are
turned away here, before PyTorch's reader or ours sees them.
"""

import io
import tarfile
import zipfile
from pathlib import Path

from infill.weights import inert

LARGEST_TABLE = 1 << 27
"""Bytes of the pickle in an archive, which holds names and shapes; the numbers lie beside it."""

ZIP_START = b"PK\x03\x04"
OLDER_PICKLES = 5
"""How many stand at the beginning of PyTorch's older kind of file, before the numbers."""


class HoldsMore(Exception):
    """PyTorch's reader for tensors alone refuses an older file; `str` says why."""


def starts(path: Path, *ways: bytes) -> bool:
    """Whether a file begins in one of these ways."""
    with path.open("rb") as file:
        return file.read(max(map(len, ways))).startswith(ways)


def is_safetensors(path: Path) -> bool:
    """Whether the file begins with the length of a table that fits into it, and the table."""
    with path.open("rb") as file:
        head = file.read(9)
    length = int.from_bytes(head[:8], "little")
    return head[8:] == b"{" and 8 + length <= path.stat().st_size


def is_zip(path: Path) -> bool:
    """PyTorch goes by the beginning, Python by the end: both, or it is no file of either."""
    begins, ends = starts(path, ZIP_START), zipfile.is_zipfile(path)
    if begins != ends:
        raise ValueError("it is half a zip")
    return ends


def checkpoints(zipped: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The checkpoints that lie in a zip as files of their own."""
    return [member for member in zipped.infolist() if member.filename.endswith(".ckpt")]


def root_of(zipped: zipfile.ZipFile) -> str:
    """The folder in an archive of PyTorch that holds everything.

    Raises `ValueError` and what `inert.check` does for an archive that no reader should get.
    """
    tables = [name for name in zipped.namelist() if name.count("/") == 1 and _is_table(name)]
    if len(tables) != 1:
        raise ValueError("a zip without the one data.pkl of PyTorch")
    root = tables[0].partition("/")[0]
    size = zipped.getinfo(tables[0]).file_size
    if size > LARGEST_TABLE:
        raise ValueError("its table of tensors is larger than any network's")
    if not is_script(zipped, root):
        _check_members(zipped)
    inert.check(io.BytesIO(content(zipped, tables[0])))
    return root


def _is_table(name: str) -> bool:
    return name.lower().endswith("/data.pkl")


def is_script(zipped: zipfile.ZipFile, root: str) -> bool:
    """Whether it is TorchScript, of which only a few members are read, and by us."""
    return f"{root}/constants.pkl" in zipped.namelist()


def _check_members(zipped: zipfile.ZipFile) -> None:
    """Whether PyTorch's own reader of zips will find what Python's does, and nothing packed."""
    members = zipped.infolist()
    names = {member.filename.lower() for member in members}  # it looks them up in any case
    first = min(member.header_offset for member in members)  # else Python has moved the list
    if len(names) < len(members) or first or zipped.comment:
        raise ValueError("a zip that may be read in two ways")
    for member in members:
        _check_stored(member)


def _check_stored(member: zipfile.ZipInfo) -> None:
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise ValueError(f"{member.filename} in it is packed, which PyTorch never does")


def check_older(path: Path) -> None:
    """`inert.check` of every pickle in a file of PyTorch's older kind."""
    if tarfile.is_tarfile(path):
        raise ValueError("a tar file")
    with path.open("rb") as file:
        for _ in range(OLDER_PICKLES):
            if not file.peek(1):
                break
            try:
                inert.check(file)
            except (ValueError, LookupError) as error:
                raise HoldsMore("its bytes make no table of tensors") from error


def content(zipped: zipfile.ZipFile, name: str, size: int | None = None) -> bytes:
    """A member of the archive, whole and checked by its sum; packed ones could be of any size."""
    member = zipped.getinfo(name)
    _check_stored(member)
    if size is not None and member.file_size != size:
        raise ValueError(f"{name} in it has {member.file_size} bytes in place of {size}")
    return zipped.read(member)
