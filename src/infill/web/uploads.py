"""Files as a browser sent them: byte for byte, read once and deleted.

A request names its file by a path, and could name any. So an upload lies in a folder of its own
whose name nobody can guess, under a name of ours (`keep_names_off_the_disk`), and `received` takes
nothing else: no other file is ever read, or deleted.
"""

import contextlib
import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Any

import gradio as gr

from infill import settings
from infill.errors import NotAPicture, OverLimit
from infill.picture import Picture
from infill.picture.formats import SUFFIXES
from infill.web.stubs import no_stubs

NAME = "upload"
"""What every upload is called, whatever its sender calls it; an extension of ours may follow."""


def keep_names_off_the_disk() -> None:
    """Have Gradio store each upload in a folder of its own, under `NAME`.

    Its own folders are called by the content, so that two people with one photo would share the
    file, and the file by what the sender says.
    """
    from gradio import route_utils

    theirs = route_utils.GradioMultiPartParser
    if issubclass(theirs, _Private):
        return

    class Parser(_Private, theirs):  # type: ignore[misc, valid-type]
        """Gradio's own, with names of ours."""

    route_utils.GradioMultiPartParser = Parser  # type: ignore[misc]


class _Private:
    async def parse(self) -> Any:
        form = await super().parse()  # type: ignore[misc]
        for sent in form.getlist("files"):
            suffix = Path(sent.filename or "").suffix.lower()
            sent.filename = NAME + (suffix if suffix in SUFFIXES else "")
            sent.sha = hashlib.sha256(secrets.token_bytes(32))
        return form


def received(path: str | Path | None) -> Path | None:
    """The file of an upload; None for any other path, whether there is a file or not."""
    root = os.environ.get("GRADIO_TEMP_DIR")
    if not path or not root:
        return None
    try:
        file, base = Path(path).resolve(strict=True), Path(root).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    ours = file.stem == NAME and re.fullmatch("[0-9a-f]{64}", file.parent.name)
    return file if ours and file.parent.parent == base and file.is_file() else None


async def _only_local(self: Any, url_or_file_path: str | Path | None) -> str | None:
    """In place of Gradio's own, which fetches an address that a visitor names as a file."""
    if not url_or_file_path:
        return None
    file = received(url_or_file_path)
    if file is None:
        raise gr.Error("the file did not arrive; choose it again")
    return str(file)


with no_stubs():

    class Upload(gr.Image):
        """An image field whose value is the path of the very file that was uploaded.

        Gradio's own decodes and encodes the photo again, which would cost depth and metadata,
        and fails with a stack trace on a file that is none.
        """

        is_template = True
        async_move_resource_to_block_cache = _only_local

        def preprocess(self, payload: Any) -> str | None:
            return None if payload is None else payload.path

    class UploadMask(gr.UploadButton):
        """A button whose value is the path of the file that was uploaded."""

        is_template = True
        async_move_resource_to_block_cache = _only_local

        def preprocess(self, payload: Any) -> str | None:
            return None if payload is None else payload.path


def read(path: str | None, *, keep: bool = False) -> bytes:
    """The bytes of an uploaded file, which is deleted then unless it is to be read again.

    Raises `NotAPicture` where none came, `OverLimit` for more bytes than the settings allow.
    """
    file = received(path)
    if file is None:
        raise NotAPicture("the photo did not arrive; drop it again")
    limit = settings.current().upload_bytes
    try:
        if file.stat().st_size > limit:
            raise OverLimit(
                f"the file has {file.stat().st_size / 2**20:.0f} MB, and this server takes "
                f"{limit / 2**20:.0f} MB at most; set INFILL_UPLOAD_BYTES to allow more"
            )
        return file.read_bytes()
    finally:
        if not keep:
            with contextlib.suppress(OSError):
                file.unlink()


def opened(path: str | None, *, keep: bool = False) -> Picture:
    """The photo in an uploaded file, at its own depth and with its metadata.

    Raises `PictureError` for a file that is no photo, damaged, or too large for this server.
    """
    data = read(path, keep=keep)
    with settings.using(max_pixels=settings.current().served_pixels):
        return Picture.load(data)
