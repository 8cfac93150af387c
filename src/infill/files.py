"""Files written whole or not at all.

What is written goes to a temporary name in the same folder and is then renamed, so a process
that is killed half way leaves the old file, or none, and never half of one.
"""

import os
import secrets
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from infill.errors import Unwritable, WouldOverwrite

TEMPORARY = ".infill-*.tmp"
"""Pattern of the temporary names; a killed process may leave one beside its output."""

StrPath = str | os.PathLike[str]


def check_writable(
    path: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()
) -> None:
    """Raise now what writing to `path` would raise later, so that no work is lost.

    inputs: files that were read; `path` may be none of them, by whatever name or link it
            reaches them, unless `overwrite`.

    Raises `Unwritable` for a folder that is missing or closed, for a path that is a folder or
    a device, and `WouldOverwrite` for a file that exists.
    """
    try:
        _check(Path(path), overwrite, inputs)
    except (OSError, ValueError) as error:  # a name too long, a NUL in it, a link to itself
        raise Unwritable(f"{path} cannot be written: {_reason(error)}") from error


def _check(path: Path, overwrite: bool, inputs: Iterable[StrPath]) -> None:
    target = Path(os.path.realpath(path))
    folder = target.parent
    if not folder.is_dir():
        raise Unwritable(f"{path} cannot be written: there is no folder {folder}; make it first")
    if target.is_dir():
        raise Unwritable(f"{path} is a folder; name a file in it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Unwritable(f"{path} cannot be written: no permission in folder {folder}")
    if not os.path.lexists(target):
        return
    if not stat.S_ISREG(target.stat().st_mode):
        raise Unwritable(f"{path} is no ordinary file; name one that is")
    if overwrite:
        return
    for source in inputs:
        if Path(source).exists() and target.samefile(source):
            raise WouldOverwrite(
                f"{path} is the input {source}; name another output, or ask to overwrite it"
            )
    raise WouldOverwrite(f"{path} exists; name another output, or ask to overwrite it")


def write_atomically(
    path: StrPath, content: bytes | Callable[[BinaryIO], object], *, overwrite: bool = False
) -> Path:
    """Write `content` to `path`, whole or not at all, and return the path.

    content: the bytes, or a function that writes them to the binary file that it is given.
    A link is followed: the file that it points to is replaced, and the link stays. A file that
    is replaced hands on its permissions.

    Raises what `check_writable` raises, and `Unwritable` if writing fails (a full disk).
    Whatever `content` itself raises, other than OSError, comes through; nothing is left behind.
    """
    check_writable(path, overwrite=overwrite)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(TEMPORARY.replace("*", secrets.token_hex(8)))
    try:
        with temporary.open("xb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
        _publish(temporary, target, overwrite)
    except FileExistsError as error:
        raise WouldOverwrite(
            f"{path} exists; name another output, or ask to overwrite it"
        ) from error
    except OSError as error:
        raise Unwritable(f"{path} cannot be written: {_reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return Path(path)


def _publish(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give the finished file its name; without `overwrite` never over one that has appeared."""
    if overwrite:
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
        return
    try:
        os.link(temporary, target)  # unlike a rename, fails if the name is taken
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        temporary.replace(target)


def _reason(error: Exception) -> str:
    """The words of an error without its number and file name."""
    return (getattr(error, "strerror", None) or str(error)).lower()
