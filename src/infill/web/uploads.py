"""Files as a browser sent them: byte for byte, read once and deleted."""

import contextlib
from pathlib import Path
from typing import Any

import gradio as gr

from infill import settings
from infill.errors import NotAPicture, OverLimit
from infill.picture import Picture
from infill.web.stubs import no_stubs


async def _only_local(self: Any, url_or_file_path: str | Path | None) -> str | None:
    """In place of Gradio's own, which fetches an address that a visitor names as a file."""
    if url_or_file_path and not Path(url_or_file_path).is_file():
        raise gr.Error("the file did not arrive; choose it again")
    return str(url_or_file_path) if url_or_file_path else None


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
    if not path or not Path(path).is_file():
        raise NotAPicture("the photo did not arrive; drop it again")
    file = Path(path)
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
