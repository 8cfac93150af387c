"""From a checkpoint to its network, by the `model_type` in its config.json."""

from collections.abc import Callable
from pathlib import Path

from infill.errors import BadOption, MissingWeights
from infill.lazy import need
from infill.segmenters.sam import checkpoint
from infill.segmenters.sam.networks import Network, Pyramid, Sam1, Sam3Tracker, SamHQ
from infill.segmenters.sam.reader import Sam3, Sam3Detector, tokenizer


def open_network(folder: Path, device: str) -> Network:
    """The network of a checkpoint's folder, its weights on `device`.

    Raises `BadOption` for a checkpoint of another kind, `MissingWeights` for a damaged one.
    """
    kind = checkpoint.configuration(folder).get("model_type")
    if kind not in FAMILIES:
        raise BadOption(
            f"{folder} holds a model of type {kind!r}; segmenter sam takes: {', '.join(FAMILIES)}"
        )
    network = FAMILIES[kind](folder, device)
    network.colours = checkpoint.colours(folder) or network.colours
    return network


def _sam(folder: Path, device: str) -> Network:
    return Sam1(checkpoint.load("SamModel", folder).to(device))


def _sam_hq(folder: Path, device: str) -> Network:
    return SamHQ(checkpoint.load("SamHQModel", folder).to(device))


def _sam2(folder: Path, device: str) -> Network:
    return Pyramid(checkpoint.load("Sam2Model", folder).to(device))


def _sam3_tracker(folder: Path, device: str) -> Network:
    return Sam3Tracker(checkpoint.load("Sam3TrackerModel", folder).to(device))


def _sam3_reader(folder: Path, device: str) -> Network:
    return _sam3_detector(folder, device)


def _sam3_detector(folder: Path, device: str) -> Sam3Detector:
    vocabulary = [folder / name for name in ("tokenizer.json", "vocab.json")]
    if not any(path.is_file() for path in vocabulary):
        raise MissingWeights(f"{folder} holds no tokenizer.json; download it again")
    return Sam3Detector(checkpoint.load("Sam3Model", folder).to(device), tokenizer(folder))


def _sam3(folder: Path, device: str) -> Network:
    """Both parts, out of the checkpoint of the model for films that holds them."""
    detector = _sam3_detector(folder, device)
    transformers = need("transformers", extra=checkpoint.EXTRA)
    with checkpoint.quietly():
        whole = transformers.Sam3VideoConfig.from_pretrained(folder, local_files_only=True)
    parts = ("vision_config", "prompt_encoder_config", "mask_decoder_config")
    told = whole.tracker_config.to_dict()
    model = checkpoint.load(
        "Sam3TrackerModel",
        folder,
        config=transformers.Sam3TrackerConfig(**{part: told[part] for part in parts}),
        state_dict=tracker_weights(folder),
    )
    return Sam3(Sam3Tracker(model.to(device)), detector)


TRACKER = {
    "detector_model.vision_encoder.backbone.": "vision_encoder.backbone.",
    "tracker_neck.": "vision_encoder.neck.",
    "tracker_model.": "",
}
"""How the tracker's weights are called in a checkpoint of the whole, and in the tracker."""

MEMORY = (
    "memory_",
    "mask_downsample",
    "object_pointer_proj",
    "temporal_positional_encoding_projection_layer",
    "no_memory_positional_encoding",
    "no_object_pointer",
    "occlusion_spatial_embedding_parameter",
)
"""What of it is for films alone."""


def tracker_weights(folder: Path) -> dict[str, object]:
    """The tracker's weights out of a checkpoint of the whole SAM 3, under the tracker's names.

    Renamed here because transformers (seen in 5.23) leaves those of its decoder out.
    """
    found: dict[str, object] = {}
    for name, value in checkpoint.tensors(folder).items():
        for old, new in TRACKER.items():
            short = new + name.removeprefix(old)
            if name.startswith(old) and not short.startswith(MEMORY):
                found[short] = value
    return found


FAMILIES: dict[str, Callable[[Path, str], Network]] = {
    "sam": _sam,
    "sam_hq": _sam_hq,
    "sam2": _sam2,
    "sam2_video": _sam2,
    "sam3": _sam3_reader,
    "sam3_tracker": _sam3_tracker,
    "sam3_video": _sam3,
}
"""`model_type` of a checkpoint → what opens it. Those for films hold the network for photos too:
the published SAM 2.1 are of type sam2_video, the published SAM 3 is of type sam3_video."""
