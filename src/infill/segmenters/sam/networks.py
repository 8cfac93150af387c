"""The networks of the family behind one interface: `embed` a photo, then `click` or `read`.

SAM (Kirillov et al. 2023, arXiv:2304.02643), SAM-HQ (Ke et al. 2023, arXiv:2306.01567), SAM 2
(Ravi et al. 2024, arXiv:2408.00714), and SAM 3's tracker (arXiv:2511.16719), which is SAM 2's
design. All are transformers' own; what differs is what each keeps of a photo.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from infill.lazy import need
from infill.segmenters.sam.checkpoint import EXTRA
from infill.segmenters.sam.frame import Floats
from infill.segmenters.sam.prompts import Inputs

Features = tuple[Any, ...]
"""Tensors on the device, float32: all that a network computes of a photo."""

Colours = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and standard deviation of red, green and blue."""

IMAGENET: Colours = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVES: Colours = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


@dataclass(frozen=True, eq=False)
class Answer:
    """maps: (k, n, n) float32 over the network's square, above `threshold` = object; scores:
    (k,) float32, as the network gave them. The surest first.
    """

    maps: Floats
    scores: NDArray[np.float32]
    threshold: float = 0.0


class Network(Protocol):
    """side: of the square it sees, in pixels. stretch: whether photos fill the square, or keep
    their proportions. cells: of its mask prompt. colours: mean and std of its training. clicks:
    takes points, boxes and brushes. reads: takes text.
    """

    side: int
    stretch: bool
    cells: int
    colours: Colours
    clicks: bool
    reads: bool

    def embed(self, picture: Any) -> Features:
        """picture: (1, 3, side, side) tensor, see `Frame.picture`."""
        ...

    def click(self, features: Features, prompt: Inputs) -> Answer:
        """Three answers for an ambiguous prompt, else one."""
        ...

    def read(self, features: Features, text: str) -> Answer:
        """Every object that the text names; none if there is none."""
        ...


class Clicks:
    """What SAM, SAM-HQ, SAM 2 and SAM 3's tracker have in common: prompts and masks.

    A single click may mean a part, an object or a group: there the networks were trained to give
    three masks. With a box, a brush or several points they were trained to give one, which the
    papers found better than the best of the three, so that one alone is asked for.
    """

    clicks = True
    reads = False
    stretch = False
    colours: Colours = IMAGENET

    def __init__(self, model: Any) -> None:
        self.model = model
        self.side = square(model.prompt_encoder.input_image_size)
        self.cells = 4 * square(model.prompt_encoder.image_embedding_size)

    def embed(self, picture: Any) -> Features:
        return (self.model.vision_encoder(picture).last_hidden_state.float(),)

    def given(self, features: Features) -> dict[str, Any]:
        """The features under the names that the model takes them by."""
        return {"image_embeddings": features[0]}

    def click(self, features: Features, prompt: Inputs) -> Answer:
        told = self.model(
            **self.given(features),
            **_tensors(prompt, features[0].device),
            multimask_output=prompt.ambiguous,
        )
        return surest_first(told.pred_masks[0, 0], told.iou_scores[0, 0])

    def read(self, features: Features, text: str) -> Answer:
        raise NotImplementedError(f"{type(self.model).__name__} does not read")


class Sam1(Clicks):
    """SAM keeps one map of the photo."""


class SamHQ(Clicks):
    """SAM-HQ also keeps an early map of its encoder, which its decoder takes finer edges from."""

    def embed(self, picture: Any) -> Features:
        told = self.model.vision_encoder(picture)
        return told.last_hidden_state.float(), told.intermediate_embeddings[0].float()

    def given(self, features: Features) -> dict[str, Any]:
        return {"image_embeddings": features[0], "intermediate_embeddings": [features[1]]}


class Pyramid(Clicks):
    """SAM 2 and SAM 3's tracker keep three maps, the finer two for the decoder's edges."""

    stretch = True

    def embed(self, picture: Any) -> Features:
        return self.levels(self.model.vision_encoder(picture).fpn_hidden_states)

    def levels(self, maps: tuple[Any, ...]) -> Features:
        """What the decoder takes of the encoder's pyramid, the finest first.

        The pyramid may have coarser levels than the decoder uses. The coarsest it uses gets what
        stands for "no earlier frame", as these networks follow objects through films.
        """
        model = self.model
        fine, middle, coarse = maps[: len(model.backbone_feature_sizes)]
        nothing = model.no_memory_embedding.reshape(1, -1, 1, 1)
        levels = model.mask_decoder.conv_s0(fine), model.mask_decoder.conv_s1(middle)
        return tuple(level.float() for level in (*levels, coarse + nothing))

    def given(self, features: Features) -> dict[str, Any]:
        return {"image_embeddings": list(features)}


class Sam3Tracker(Pyramid):
    """SAM 3's part that follows what is clicked on."""

    colours: Colours = HALVES


def surest_first(maps: Any, scores: Any) -> Answer:
    """An answer of tensors (k, n, n) and (k,), sorted by score; equal ones keep their order."""
    values = scores.float().cpu().numpy()
    order = np.argsort(-values, kind="stable")
    return Answer(maps.float().cpu().numpy()[order], values[order])


def square(length: Any) -> int:
    """The side of a square that a configuration gives as one number or as two equal ones."""
    if isinstance(length, int):
        return length
    height, width = length
    if height != width:
        raise ValueError(f"the network's input is {height}×{width}, not a square")
    return int(height)


def _tensors(prompt: Inputs, device: Any) -> dict[str, Any]:
    """The prompt as the models take it: one photo, one object."""
    torch = need("torch", extra=EXTRA)

    def tensor(array: NDArray[Any]) -> Any:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    given: dict[str, Any] = {}
    if len(prompt.points):
        given["input_points"] = tensor(prompt.points)[None, None]
        given["input_labels"] = tensor(prompt.labels)[None, None]
    if prompt.box is not None:
        given["input_boxes"] = tensor(prompt.box)[None, None]
    if prompt.mask is not None:
        given["input_masks"] = tensor(prompt.mask)[None, None]
    return given
