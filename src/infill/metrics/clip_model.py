"""CLIP as a network of two halves: a picture or a text in, a vector of length 1 out.

A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021,
through transformers. Pictures are prepared as the published program does it, by Pillow, so that no
other library for pictures is needed.
"""

import shlex
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill import settings, weights
from infill.device import pick
from infill.errors import InfillError, MissingWeights
from infill.lazy import need
from infill.metrics import networks
from infill.weights import Source, read_table
from infill.weights.transfer import first_line

Pixels = NDArray[np.float32]
Vector = NDArray[np.float64]

EXTRA = "segment"
"""The group of packages that brings transformers."""

MODEL = "openai/clip-vit-base-patch32"

WANTED = (
    *("config.json", "preprocessor_config.json", "tokenizer*.json", "special_tokens_map.json"),
    *("vocab.json", "merges.txt", "model*.safetensors", "pytorch_model.bin", "!*/*"),
)
"""What is fetched: the older kind of weights only where there is no other; it is read as tensors
and nothing in it is run."""

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that it learnt from, RGB in [0, 1], where a checkpoint does not say it."""

REMEMBERED = 1024
"""Texts whose vectors are kept."""


def source(name: str, typed: str | None = None) -> Source:
    """What is wanted of a model: a local folder, or a name on the hub. typed: what a person named
    it by on the command line, if they did."""
    return Source(
        name,
        wanted=WANTED,
        complete=complete,
        licence="MIT" if name == MODEL else None,
        extra=EXTRA,
        command="infill download clip" + (f" --model {shlex.quote(typed)}" if typed else ""),
        where="INFILL_CLIP_MODEL",
        holds="a config.json, weights and a tokenizer, as transformers' save_pretrained writes "
        "them",
    )


def complete(folder: Path) -> bool:
    """Whether the folder holds a configuration, a tokenizer and all weights."""
    words = (folder / "tokenizer.json").is_file() or (
        (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    )
    return words and (folder / "config.json").is_file() and bool(files(folder))


def files(folder: Path) -> list[Path]:
    """The files of the weights, in whatever form they are; empty if there are none or not all."""
    index = read_table(folder / "model.safetensors.index.json")
    if index is not None:
        told = index.get("weight_map")
        shards = [folder / str(name) for name in sorted(set(told.values()))] if told else []
        return shards if all(path.is_file() for path in shards) else []
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (folder / name).is_file():
            return [folder / name]
    return []


class Clip:
    """One CLIP on its device.

    side: of the square that it sees, in pixels. mean, deviation: of the colours that it learnt
    from. places: tokens of the longest text; a longer one is cut off there.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.device = device
        self.model = load(folder).to(device)
        config = self.model.config
        self.side = int(config.vision_config.image_size)
        self.places = int(config.text_config.max_position_embeddings)
        told = read_table(folder / "preprocessor_config.json") or {}
        self.mean = tuple(told.get("image_mean", MEAN))
        self.deviation = tuple(told.get("image_std", DEVIATION))
        self._words = tokenizer(folder)
        self._texts: OrderedDict[str, Vector] = OrderedDict()

    def image(self, pixels: Pixels) -> Vector:
        """The vector of a square picture (n, n, 3), float32 in [0, 1]: (d,) float64, length 1.

        It is rounded to 8 bits and made `side` × `side` by Pillow's bicubic filter.
        """
        torch = need("torch", extra=EXTRA)
        seen = torch.from_numpy(prepared(pixels, self.side, self.mean, self.deviation))
        with networks.running():
            return _unit(self.model.get_image_features(pixel_values=seen.to(self.device)))

    def text(self, text: str) -> Vector:
        """The vector of a text: (d,) float64, length 1."""
        if text not in self._texts:
            while len(self._texts) >= REMEMBERED:
                self._texts.popitem(last=False)
            tokens = self._words(
                text, truncation=True, max_length=self.places, return_tensors="pt"
            ).to(self.device)
            with networks.running():
                found = self.model.get_text_features(
                    input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
                )
                self._texts[text] = _unit(found)
        return self._texts[text]


def opened() -> Clip:
    """The CLIP that the settings name, on the device that they name, kept for the next call.

    Raises `MissingWeights`, `MissingExtra`, `BadSetting`.
    """
    device = pick(extra=EXTRA)
    folder = weights.find(source(settings.current().clip_model))
    if not folder.is_dir():
        raise MissingWeights(f"{folder} is a file; set INFILL_CLIP_MODEL to the folder it lies in")
    sums = tuple(weights.sha256_of(path) for path in files(folder))
    return networks.kept(
        ("clip", str(folder.resolve()), sums, device), lambda: Clip(folder, device)
    )


def prepared(
    pixels: Pixels, side: int, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> Pixels:
    """A square picture (n, n, 3) in [0, 1] as the network's input, (1, 3, side, side)."""
    from PIL import Image

    levels = np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    small = Image.fromarray(levels)
    if small.size != (side, side):
        small = small.resize((side, side), Image.Resampling.BICUBIC)
    unit = np.asarray(small, np.float32) / np.float32(255)
    plain = (unit - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    found: Pixels = np.ascontiguousarray(plain.transpose(2, 0, 1), np.float32)[None]
    return found


def load(folder: Path) -> Any:
    """transformers' CLIPModel with the folder's weights, in evaluation, float32, on the CPU.

    Raises `MissingWeights` where they are damaged, of another network, or do not fill it.
    """
    transformers = need("transformers", extra=EXTRA)
    torch = need("torch", extra=EXTRA)
    from infill.segmenters.sam.checkpoint import quietly
    from infill.weights.archive import opened as archive

    kind = (read_table(folder / "config.json") or {}).get("model_type")
    if kind != "clip":
        raise MissingWeights(
            f"{folder} holds a model of type {kind!r} and no CLIP; set INFILL_CLIP_MODEL to one"
        )
    state: dict[str, Any] = {}
    for path in files(folder):
        with archive(path) as held:
            state |= {name: entry.read() for name, entry in held.tensors.items()}
    try:
        with quietly():
            config = transformers.CLIPConfig.from_pretrained(folder, local_files_only=True)
            model, told = transformers.CLIPModel.from_pretrained(
                None,
                config=config,
                state_dict=state,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise MissingWeights(
            f"the weights in {folder} cannot be read ({first_line(error)}); download them again"
        ) from error
    lacking = sorted(told["missing_keys"])
    if lacking:
        raise MissingWeights(
            f"the weights in {folder} lack {len(lacking)} parts of CLIP, such as {lacking[0]}; "
            f"download them again"
        )
    return model.eval().requires_grad_(False)


def tokenizer(folder: Path) -> Any:
    """What cuts texts into tokens. Raises `MissingWeights`."""
    transformers = need("transformers", extra=EXTRA)
    from infill.segmenters.sam.checkpoint import quietly

    try:
        with quietly():
            return transformers.CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except InfillError:
        raise
    except Exception as error:  # tokenizers raises plain Exception for damaged tables
        raise MissingWeights(
            f"the tokenizer in {folder} cannot be read ({first_line(error)}); download it again"
        ) from error


def _unit(found: Any) -> Vector:
    """One vector out of what transformers gives: a tensor, or since version 5 a table that has it
    as `pooler_output`."""
    tensor = getattr(found, "pooler_output", found)
    vector: Vector = tensor[0].float().cpu().numpy().astype(np.float64)
    length = np.linalg.norm(vector)
    return vector / length if length else vector
