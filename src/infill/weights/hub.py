"""Talking to the Hugging Face hub: what it has of a model, and fetching what is wanted.

Everything goes into the cache that the hub's own library keeps, so that others find it there. The
library throws half a file away when a download breaks; here it is kept beside the blobs, gone on
with by the next try, and given its name once its SHA-256 is what the hub says. A model counts as
here once all of it is: its `refs` file is written last.
"""

import errno
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from infill.errors import InfillError, MissingWeights
from infill.lazy import need
from infill.weights import INERT, SAFE, Progress, Source, choose, missing, transfer
from infill.weights.snapshot import asks_for_weights, is_pickle
from infill.weights.transfer import HEADROOM, File, in_words

COMMERCIAL = {
    **dict.fromkeys(
        ("apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause", "cc0-1.0", "cc-by-4.0", "unlicense"),
        True,
    ),
    **dict.fromkeys(
        ("openrail", "openrail++", "creativeml-openrail-m", "bigscience-openrail-m"), True
    ),
    **dict.fromkeys(("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-2.0"), False),
}
"""Licences as the hub calls them, and whether they allow commercial use. Others have to be read."""


@dataclass(frozen=True)
class Listing:
    """What the hub says of a model: its commit, its files and its licence."""

    commit: str
    files: tuple[File, ...]
    licence: str | None


def is_name(name: str, extra: str) -> bool:
    """Whether a model on the hub can be called that."""
    try:
        need("huggingface_hub.utils", extra=extra).validate_repo_id(name)
    except ValueError:
        return False
    return not name.startswith((".", "~"))


def cache(extra: str) -> Path:
    """The folder in which the hub's library keeps what was downloaded."""
    return Path(need("huggingface_hub.constants", extra=extra).HF_HUB_CACHE).expanduser()


def endpoint(source: Source) -> str:
    """The address of the hub (HF_ENDPOINT names another)."""
    return str(need("huggingface_hub.constants", extra=source.extra).ENDPOINT)


def storage(name: str, extra: str) -> Path:
    """The folder of a model in the hub's cache, whether it is there or not."""
    return cache(extra) / f"models--{name.replace('/', '--')}"


def cached(source: Source) -> Path | None:
    """The folder of what was downloaded before, whole or not; None if there is nothing."""
    root = storage(source.name, source.extra)
    revision = source.revision or "main"
    reference = root / "refs" / revision
    commit = reference.read_text().strip() if reference.is_file() else revision
    folder = root / "snapshots" / commit
    return folder if folder.is_dir() else None


def download(source: Source, progress: Progress | None = None) -> Path:
    """The folder of what is wanted, fetched. The licence is on stderr before any weights are.

    Raises `MissingWeights`, and whatever `progress` raises; what has come so far is kept.
    """
    try:
        listing = ask(source)
        return _fetch_all(source, listing, _selected(source, listing), progress)
    except InfillError:
        raise
    except Exception as error:  # the hub's library has changed its client, and so the kinds
        raise MissingWeights(_advice(source, error)) from error


def ask(source: Source) -> Listing:
    """What the hub has of a model. Raises what the hub's library raises."""
    hub = need("huggingface_hub", extra=source.extra)
    told = hub.HfApi(endpoint=endpoint(source)).model_info(
        source.name, revision=source.revision, timeout=transfer.SECONDS, files_metadata=True
    )
    if not re.fullmatch("[0-9a-f]{40}", str(told.sha)):  # it becomes the name of a folder
        raise MissingWeights(f"what answers for the hub names no commit of {source.name}")
    files = tuple(
        File(one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else one.blob_id)
        for one in told.siblings or ()
    )
    tags = [tag.partition(":")[2] for tag in told.tags or () if tag.startswith("license:")]
    return Listing(str(told.sha), files, tags[0] if tags else None)


def _selected(source: Source, listing: Listing) -> list[File]:
    """The files to fetch. Raises `MissingWeights` where there is none of that kind."""
    by_name = {file.path: file for file in listing.files}
    if source.file:
        ends = source.endings
        told = "weights" if source.inert else SAFE
        if source.file not in by_name:
            raise MissingWeights(
                f"{source.name} on the hub holds no {source.file}; it holds: "
                f"{', '.join(sorted(n for n in by_name if n.endswith(ends))) or 'no ' + told}"
            )
        return [by_name[source.file]]
    if source.file is not None:
        ends = source.endings
        only = [n for n in by_name if n.endswith(ends) and (source.inert or "/" not in n)]
        if len(only) != 1:
            told = f"several ({', '.join(sorted(only))}); name the file" if only else "none"
            what = "one file of weights" if source.inert else f"one {SAFE} file"
            raise MissingWeights(f"{source.name} should hold {what} and holds {told}")
        return [by_name[only[0]]]
    chosen = choose(list(by_name), source.wanted, source.variant)
    some = any(name.endswith(SAFE) or is_pickle(name) for name in chosen)
    if not chosen or (asks_for_weights(source.wanted) and not some):
        raise MissingWeights(
            f"{source.name} on the hub holds no {SAFE} that is wanted here; other kinds can run "
            f"code when they are opened; name a model that has them"
        )
    return [by_name[name] for name in chosen]


def _fetch_all(
    source: Source, listing: Listing, files: list[File], progress: Progress | None
) -> Path:
    for file in files:
        file.check()
    root = storage(source.name, source.extra)
    folder = root / "snapshots" / listing.commit
    todo = [file for file in files if not (folder / file.path).is_file()]
    size = sum(file.size for file in todo)
    here = sum(_already(root, file) for file in todo)
    if todo:
        _check_room(source, root, size - here)
        if any(file.path.endswith(INERT) or is_pickle(file.path) for file in todo):
            tell_licence(source, listing, size - here, root.parent)
    with transfer.metered(source.name, size, progress) as meter:
        for file in todo:
            _fetch(source, listing.commit, file, root, meter)
    reference = root / "refs" / (source.revision or "main")
    if source.revision != listing.commit:
        reference.parent.mkdir(parents=True, exist_ok=True)
        reference.write_text(listing.commit)
    return folder


def tell_licence(source: Source, listing: Listing, size: int, cache: Path) -> None:
    """One line on stderr: the licence, whether it allows commercial use, and what will come.

    The model may be another than the card was written for, so the hub's word stands beside it.
    """
    theirs = listing.licence or "none"
    licence = source.licence or theirs
    if licence.lower() != theirs.lower():
        licence += f" (the hub says: {theirs})"
    allowed = {COMMERCIAL.get(theirs.lower()), source.commercial_use}
    commercial = None if allowed == {None} else False not in allowed  # the stricter of the two
    word = {True: "yes", False: "no", None: f"read https://hf.co/{source.name}"}[commercial]
    where = endpoint(source)
    print(
        f"{source.name}: licence {licence}, commercial use: {word}; "
        f"{in_words(size)} from {where.partition('://')[2]} into {cache}",
        file=sys.stderr,
        flush=True,
    )


def _already(root: Path, file: File) -> int:
    """Bytes of a file that an earlier try has brought."""
    blob = root / "blobs" / file.blob
    for path in (blob, blob.with_name(blob.name + transfer.PARTIAL)):
        if path.is_file():
            return min(path.stat().st_size, file.size)
    return 0


def _check_room(source: Source, root: Path, size: int) -> None:
    place = next(path for path in (root, *root.parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    if free < size + HEADROOM:
        raise MissingWeights(_no_room(source, root, f"{in_words(size)} more", in_words(free)))


def _no_room(source: Source, root: Path, need_: str, free: str) -> str:
    return (
        f"there is no room for the weights of {source.name}: {need_} are to come, {free} are free "
        f"in {root.parent}; make room, or set HF_HOME to a folder on another disk, and type: "
        f"{source.typed()}"
    )


# --- one file ------------------------------------------------------------------------------


def _fetch(source: Source, commit: str, file: File, root: Path, meter: "transfer.Meter") -> None:
    """Bring one file into the cache, checked: a blob named by its sum, and a link to it in the
    snapshot. Raises what the hub's library raises.
    """
    blob = root / "blobs" / file.blob
    lock = root.parent / ".locks" / root.name / f"{file.blob}.lock"
    for folder in (blob.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with need("huggingface_hub.utils", extra=source.extra).WeakFileLock(lock):
        if blob.is_file():
            meter.add(file.size)
        else:
            # The library's own `hf_hub_download` asks for each file's sum again, and for half a
            # minute where nobody answers; the listing has told it.
            path = quote(f"{source.name}/resolve/{commit}/{file.path}")
            transfer.bring(source, f"{endpoint(source)}/{path}", file, blob, meter)
        _link(blob, root / "snapshots" / commit / file.path)


def _link(blob: Path, pointer: Path) -> None:
    """Let a snapshot have a blob: by a link, or where there are none by moving it there."""
    pointer.parent.mkdir(parents=True, exist_ok=True)
    if pointer.is_file():
        return
    pointer.unlink(missing_ok=True)
    try:
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    except OSError:
        blob.replace(pointer)


# --- what went wrong ------------------------------------------------------------------------


def _advice(source: Source, reason: Exception) -> str:
    """One sentence for an error of the hub's library, of the network or of the disk."""
    errors = need("huggingface_hub.errors", extra=source.extra)
    name, page = source.name, f"https://hf.co/{source.name}"
    if isinstance(reason, errors.GatedRepoError):
        return missing(source, f"hf auth login, once {page} lets you in, and ")
    if isinstance(reason, errors.RevisionNotFoundError):
        return f"{name} on the hub has no revision {source.revision}; see {page}/tree/main"
    if isinstance(reason, errors.RepositoryNotFoundError):
        return (
            f"the hub has no model {name}, or does not show it to you; look at the name, or type: "
            f"hf auth login, and {source.typed()}; or set {source.where} to a folder that holds it"
        )
    if isinstance(reason, OSError) and reason.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(source, storage(name, source.extra), "some", "none")
    if isinstance(reason, PermissionError):
        return f"{reason.filename} cannot be written; set HF_HOME to a folder of your own"
    root = storage(name, source.extra)
    if any(root.glob(f"blobs/*{transfer.PARTIAL}")):
        return (
            f"the download of {name} broke off ({_line(reason)}); what has come is kept, and the "
            f"next try goes on from there; type: {source.typed()}; or set {source.where} to a "
            f"folder that holds them"
        )
    return f"{missing(source)} (the hub does not answer: {_line(reason)})"


def _line(error: Exception) -> str:
    """The first line of what an error says, without what follows."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
