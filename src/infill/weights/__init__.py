"""Where a network's weights lie: a folder or a file, on this machine before any other place.

What is named is looked for in this order: a local folder or file, which is taken as it is; the
cache of the Hugging Face hub, without a look at the network; the hub itself, unless the network
is off. The licence is shown before anything is fetched.

| module | what it does |
|---|---|
| `snapshot` | which files of a repository are wanted, and whether a folder is whole |
| `hub` | what the hub has, and fetching it into the cache |
| `url` | one file by its address and checksum |
| `transfer` | one file: resumed, checked, counted |
| `archive` | the named tensors of any file of weights, one by one (needs PyTorch) |
| `kinds` | what a file is, by its bytes, and whether a reader may be let at it (needs PyTorch) |
| `inert` | a pickle read so that nothing in it is imported or called (needs PyTorch) |
| `convert` | a pickle of tensors to safetensors, without running what may be in it |
"""

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from infill import settings
from infill.errors import MissingWeights
from infill.weights.snapshot import (
    INERT,
    PICKLES,
    SAFE,
    any_weights,
    choose,
    lacking,
    read_table,
    whole,
    whole_network,
    whole_pipeline,
)

__all__ = [
    "INERT",
    "PICKLES",
    "SAFE",
    "Progress",
    "Source",
    "any_weights",
    "check_safe",
    "choose",
    "find",
    "here",
    "lacking",
    "locate",
    "locate_file",
    "missing",
    "network_is_off",
    "one_file",
    "read_table",
    "sha256_of",
    "whole",
    "whole_network",
    "whole_pipeline",
]

Progress = Callable[[float, str], None]
"""Called with the fraction done in [0, 1] and a word; what it raises stops the download."""

RISK = "can run code when it is opened"


@dataclass(frozen=True)
class Source:
    """What is wanted of a model, and what a person is told about it.

    name:     a local folder or file, or a name on the hub ("org/name").
    wanted:   patterns of the files to fetch, as in `fnmatch` over the whole path in the
              repository ("unet/*.safetensors"; a * goes across folders); one that starts with !
              leaves out what it fits.
    complete: says of a folder whether all that is needed lies in it (`whole`, `whole_pipeline`).
    file:     the one file that is wanted, in place of a folder.
    revision: branch, tag or commit on the hub; None = the newest, or the one that is here.
    variant:  "fp16" and the like: fetched where there is one, in place of the plain weights.
    licence, commercial_use: shown before a download; None = what the hub says of it.
    extra:    the group of packages that brings the hub's library.
    command:  what to type to fetch it; None = `infill download NAME`.
    where:    what a person sets to name another place ("option model").
    holds:    what a folder of this kind holds, in words, for those that don't.
    inert:    the reader takes tensors and runs nothing (`archive`), so that kinds of files that
              can hold code are taken, too; `file` is not None, and `name` may be an address with
              a checksum (`url`).
    """

    name: str
    wanted: tuple[str, ...] = ("*.json", "*.txt", "*.jinja", "*.model", f"*{SAFE}")
    complete: Callable[[Path], bool] = whole
    file: str | None = None
    revision: str | None = None
    variant: str | None = None
    licence: str | None = None
    commercial_use: bool | None = None
    extra: str = "diffusion"
    command: str | None = None
    where: str = "option model"
    holds: str = "all that is needed"
    inert: bool = False

    @property
    def endings(self) -> tuple[str, ...]:
        """Of the one file that is wanted."""
        return INERT if self.inert else (SAFE,)

    def typed(self) -> str:
        """The command that fetches it."""
        given = self.command or f"infill download {self.name}"
        return given + (f" --revision {self.revision}" if self.revision else "")


def locate(
    name: str,
    *,
    revision: str | None = None,
    wanted: Sequence[str] = Source.wanted,
    complete: Callable[[Path], bool] = whole,
    licence: str | None = None,
    commercial_use: bool | None = None,
    extra: str = "diffusion",
    variant: str | None = None,
    command: str | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> Path:
    """The folder that holds a model's weights, or the local file that `name` is.

    Parameters: see `Source` and `find`. Raises `MissingWeights`.
    """
    source = Source(
        name,
        tuple(wanted),
        complete,
        revision=revision,
        variant=variant,
        licence=licence,
        commercial_use=commercial_use,
        extra=extra,
        command=command,
    )
    return find(source, offline=offline, progress=progress)


def locate_file(
    name: str,
    filename: str | None = None,
    *,
    revision: str | None = None,
    licence: str | None = None,
    commercial_use: bool | None = None,
    extra: str = "diffusion",
    command: str | None = None,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> Path:
    """One file of weights: a LoRA, or a whole model in a single .safetensors.

    name:     a local file; a local folder, or a name on the hub, that holds `filename`; or
              both in one, "org/name/file.safetensors".
    filename: path in it; None = the only .safetensors that lies there.
    Raises `MissingWeights`, also for a kind of file that can run code.
    """
    if filename is None:
        name, filename = one_file(name)
    source = Source(
        name,
        file=filename or "",
        revision=revision,
        licence=licence,
        commercial_use=commercial_use,
        extra=extra,
        command=command,
    )
    return find(source, offline=offline, progress=progress)


def one_file(name: str, endings: tuple[str, ...] = (SAFE,)) -> tuple[str, str]:
    """The model and the path in it of "org/name/folder/file"; of all else itself and ""."""
    parts = name.split("/")
    local = name[:1] in (".", "/", "~", "\\") or "://" in name
    if len(parts) < 3 or local or not name.endswith(endings) or Path(name).expanduser().exists():
        return name, ""
    return "/".join(parts[:2]), "/".join(parts[2:])


def find(source: Source, *, offline: bool | None = None, progress: Progress | None = None) -> Path:
    """The folder (or the file, where `source.file` is not None) of what is wanted, downloaded if
    it is not here.

    offline:  True = never touch the network; None = the settings say (`network_is_off`).
    progress: told of a download; a bar on stderr shows it too, where somebody looks.

    Raises `MissingWeights`, one sentence with what to type: nothing of that name, not all of
    it, a damaged or interrupted download, no room, a licence to accept first; and
    `MissingExtra` without the hub's library.
    """
    if source.inert:
        from infill.weights import url

        if url.is_url(source.name):
            return url.find(source, offline=offline, progress=progress)
    given = Path(source.name).expanduser()
    if given.exists():
        return _local(given, source)
    from infill.weights import hub

    if source.inert and given.suffix.lower() in INERT:
        raise MissingWeights(f"there is no file {source.name}; set {source.where} to one")
    if source.file:
        _check_kind(source.file, source)
    elif Path(source.name).suffix in PICKLES:
        raise MissingWeights(
            f"there is no file {source.name}; set {source.where} to one that is on this machine "
            f"(from the hub none of that kind is fetched: it is a pickle, which {RISK})"
        )
    if not hub.is_name(source.name, source.extra):
        what = "file" if given.suffix else "folder"
        raise MissingWeights(
            f"there is no {what} {source.name}; set {source.where} to one, or to a name on the hub"
        )
    here = hub.cached(source)
    if here is not None:
        found = _wanted_in(here, source)
        if found is not None:
            return found
    if network_is_off() if offline is None else offline:
        raise MissingWeights(
            missing(source) + (" (the network is off)" if network_is_off() else "")
        )
    folder = hub.download(source, progress)
    found = _wanted_in(folder, source)
    if found is None:
        raise MissingWeights(
            f"{source.name} on the hub does not hold {source.holds}; name another model"
        )
    return found


def here(source: Source) -> Path | None:
    """Where it lies on this machine; None if it is missing or not whole."""
    try:
        return find(source, offline=True)
    except MissingWeights:
        return None


def network_is_off() -> bool:
    """Whether the setting `offline` or HF_HUB_OFFLINE says never to touch the network."""
    words = {"1", "on", "yes", "true"}
    theirs = (os.environ.get("HF_HUB_OFFLINE", "").lower() in words) or (
        os.environ.get("TRANSFORMERS_OFFLINE", "").lower() in words
    )
    return bool(settings.current().offline) or theirs


def missing(source: Source, first: str = "") -> str:
    """The sentence about weights that are not here. first: what to do before the command."""
    what = "file" if source.inert else "folder"
    name = source.name
    if "://" in name:  # an address and its checksum fill three lines
        name = name.partition("#")[0].rpartition("/")[2] or name
    return (
        f"the weights of {name} are not on this machine; where there is a network, "
        f"type: {first}{source.typed()}; or set {source.where} to a {what} that holds them"
    )


def _local(given: Path, source: Source) -> Path:
    """A local file or folder as it is, if it is safe and whole."""
    if given.is_file():
        _check_kind(given, source)
        return given
    found = _wanted_in(given, source)
    if found is None and source.file:
        raise MissingWeights(f"{given} holds no {source.file}; set {source.where} to the file")
    if found is None and source.file is not None:
        names = sorted(path.name for path in _files_in(given, source))
        told = f"several ({', '.join(names)})" if names else "none"
        what = "one file of weights" if source.inert else f"one {SAFE} file"
        raise MissingWeights(f"{given} should hold {what} and holds {told}; name the file")
    if found is None:
        pickle = _pickle_alone(given)
        but = "" if pickle is None else f", but {pickle.name}, which {RISK}"
        mend = f"set {source.where} to a whole one"
        if pickle is not None:
            mend = f"take the same weights as {SAFE}, or type: infill download --convert {pickle}"
        raise MissingWeights(f"{given} does not hold {source.holds}{but}; {mend}")
    return found


def _wanted_in(folder: Path, source: Source) -> Path | None:
    """What is wanted in a folder, or None if it is not whole."""
    if source.file is None:
        return folder if source.complete(folder) else None
    if source.file:
        _check_kind(source.file, source)
        path = folder / source.file
        return path if path.is_file() else None
    only = _files_in(folder, source)
    return only[0] if len(only) == 1 else None


def _files_in(folder: Path, source: Source) -> list[Path]:
    """The files of the kind that is wanted; for tensors alone in whatever folder they lie."""
    inside = folder.rglob("*") if source.inert else folder.glob("*")
    return [path for path in inside if path.suffix in source.endings and path.is_file()]


def _pickle_alone(folder: Path) -> Path | None:
    """A file of weights of a folder that has them as pickles and in no safe form."""
    if any_weights(folder):
        return None
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICKLES)
    return next((path for path in found if path.is_file()), None)


# --- what is safe, what is what -----------------------------------------------------------


def _check_kind(path: str | os.PathLike[str], source: Source) -> None:
    """`check_safe`, but for those who run nothing in a file."""
    if not source.inert:
        check_safe(path)


def check_safe(path: str | os.PathLike[str]) -> None:
    """Raise `MissingWeights` for a file that can run code when it is opened (a pickle)."""
    path = Path(path)
    if path.suffix.lower() not in PICKLES:
        return
    raise MissingWeights(
        f"{path} is a pickle, which {RISK}; take the same weights as "
        f"{SAFE} (most models have them), or type: infill download --convert {path}"
    )


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file in hex; computed once for as long as its size and time stay the same.

    A file in the hub's cache is named by it, and so costs nothing.
    """
    real = Path(path).resolve()
    if real.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", real.name):
        return real.name
    told = real.stat()
    return _sha256(str(real), told.st_size, told.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256(path: str, size: int, time: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
