"""The reader of words and picture that Qwen's edit models need, without torchvision.

The library's own processor insists on a video processor, which needs torchvision. Pictures alone
need a picture processor and a tokenizer, put together as the library does it.
"""

from pathlib import Path
from typing import Any

from infill.lazy import need

PAD = "<|image_pad|>"


def reader(model: Path) -> Any:
    """What a pipeline takes as `processor`, read from a model's folder `processor`."""
    return _reader_class()(model / "processor", model / "tokenizer")


def _reader_class() -> Any:
    """A class made when it is asked for, since it derives from one of transformers'."""
    transformers = need("transformers", extra="diffusion")
    from transformers.models.qwen2_vl import image_processing_pil_qwen2_vl as pictures

    class Reader(transformers.Qwen2VLProcessor):  # type: ignore[name-defined]
        """Text and pictures to `input_ids`, `pixel_values` and `image_grid_thw`."""

        def __init__(self, folder: Path, words: Path) -> None:
            here = folder if (folder / "tokenizer_config.json").is_file() else words
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(
                here, local_files_only=True, trust_remote_code=False
            )
            self.image_processor = pictures.Qwen2VLImageProcessorPil.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )

        def __call__(self, images: Any = None, text: Any = None, **_: Any) -> Any:
            seen = self.image_processor(images=images, return_tensors="pt")
            merged = self.image_processor.merge_size**2
            counts = iter((seen["image_grid_thw"].prod(-1) // merged).tolist())
            said = [_widened(one, counts) for one in text]
            words = self.tokenizer(said, padding=True, return_tensors="pt")
            return transformers.BatchFeature({**words, **seen})

    return Reader


def _widened(text: str, counts: Any) -> str:
    """`text` with each mark of a picture repeated as often as the picture has patches."""
    pieces = text.split(PAD)
    widened = pieces[0]
    for piece in pieces[1:]:
        widened += PAD * int(next(counts)) + piece
    return widened
