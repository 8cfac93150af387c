"""Segment Anything: SAM, SAM-HQ, SAM 2 and SAM 3 through transformers.

| module | what it does |
|---|---|
| `checkpoint` | where the weights lie, and how they are read |
| `families` | from a checkpoint to its network |
| `networks`, `reader` | the networks behind one interface; `reader` is SAM 3 |
| `frame` | how a photo lies in the network's square, and the way back |
| `prompts` | a person's prompt in the network's numbers |
| `running` | one call at a time: threads, precision |

The photo is embedded once, which takes seconds on a processor; each prompt then costs the mask
decoder alone.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from infill import device, settings
from infill.errors import BadPrompt
from infill.lazy import need
from infill.segmenters.base import Candidate, Prompt, SegmenterCard

if TYPE_CHECKING:
    from infill.segmenters.sam.networks import Features, Network
    from infill.weights import Source

MOST = 3
"""Candidates at most, for one prompt."""

LOADED = 2
"""Networks that are kept in memory at most."""

DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Options:
    """checkpoint: a name on the Hugging Face hub or a local folder; None = the setting
                 `sam_checkpoint`.
    device:      "auto", "cpu", "cuda", "cuda:1", "mps"; None = the setting `device`.
    dtype:       what the photo is embedded in: "float32", "bfloat16", "float16", or "auto".
                 Prompts and masks are float32 always: in 16 bits a click lands pixels away.
    local_files_only: never download, only use what is on this machine.
    revision:    which version of a checkpoint on the hub; None = the newest, or the one here.
    """

    checkpoint: str | None = None
    device: str | None = None
    dtype: str = "auto"
    local_files_only: bool = False
    revision: str | None = None

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype is one of {', '.join(DTYPES)}, not {self.dtype!r}")
        if self.checkpoint is not None and not str(self.checkpoint).strip():
            raise ValueError("checkpoint is a name on the hub or a folder, not empty")


Given = Options
"""The same by a name that `Sam.Options` does not hide."""


@dataclass(frozen=True, eq=False)
class State:
    """What is kept of a photo. size: (H, W); features: tensors on the device; options: of the
    network that made them, with nothing left to the settings.
    """

    size: tuple[int, int]
    features: "Features"
    options: Options

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.features)


class Sam:
    """Segment Anything. See `Options`; the network is loaded at the first photo."""

    card = SegmenterCard(
        name="sam",
        summary="Segment Anything: a network that finds the object at a click, in a box, under "
        "a brush; with a SAM 3 checkpoint also by its name",
        authors="Alexander Kirillov et al. (Meta AI)",
        published="2023-04-05",
        paper="https://arxiv.org/abs/2304.02643",
        licence="Apache-2.0 (SAM, SAM-HQ, SAM 2); SAM License (SAM 3)",
        commercial_use=True,
        prompts=("points", "box", "brush", "text"),
        extra="segment",
    )
    Options = Options

    def __init__(self, options: Given | None = None) -> None:
        self._given = options or Options()

    @property
    def options(self) -> Given:
        """What was asked for, with what was left to the settings filled in from those in force,
        so that what is kept of a photo is never taken for that of another network.
        """
        given, now = self._given, settings.current()
        return replace(
            given,
            checkpoint=given.checkpoint or now.sam_checkpoint,
            device=device.pick(given.device),
        )

    def sources(self, options: Given | None = None) -> "tuple[Source, ...]":
        """The weights that the network needs. options: in place of those that it was given."""
        from infill.segmenters.sam.checkpoint import source

        chosen = options or self._given
        checkpoint = chosen.checkpoint or settings.current().sam_checkpoint
        return (source(checkpoint, chosen.revision),)

    def embed(self, pixels: NDArray[np.uint8]) -> State:
        """What the network computes of the photo. pixels: (H, W, 3) uint8 RGB.

        Raises `MissingExtra`, `MissingWeights`, `BadOption` for a checkpoint of another kind,
        and `BadSetting` for a device that is not here.
        """
        from infill.segmenters.sam.frame import Frame
        from infill.segmenters.sam.running import inference, precision

        torch = need("torch", extra="segment")
        options = self.options
        network = loaded(options)
        where = str(options.device)
        size = pixels.shape[0], pixels.shape[1]
        frame = Frame.fit(size, network.side, stretch=network.stretch)
        picture = torch.from_numpy(frame.picture(pixels, *network.colours))[None]
        with inference(where, precision(options.dtype, where)):
            features = network.embed(picture.to(where))
        return State(size, features, options)

    def segment(self, state: State, prompt: Prompt) -> list[Candidate]:
        """Candidates by the network's own estimate of their quality, the best first.

        A single click gives three: the part, the object, the group. Anything that says more
        gives one. A text gives up to three of the objects that it names, of which those that the
        rest of the prompt points at.

        Raises `BadPrompt` also for a text where the checkpoint cannot read, or nothing answers
        to it, and for a click where it can do nothing but read.
        """
        prompt.check(self.card, state.size)
        from infill.segmenters.sam.frame import Frame
        from infill.segmenters.sam.prompts import agrees, inputs
        from infill.segmenters.sam.running import inference

        network = loaded(state.options)
        text = (prompt.text or "").strip()
        _check_kind(network, text, state.options)
        frame = Frame.fit(state.size, network.side, stretch=network.stretch)
        with inference():
            if text:
                answer = network.read(state.features, text)
            else:
                answer = network.click(state.features, inputs(prompt, frame, network.cells))
        found: list[Candidate] = []
        for low, score in zip(answer.maps, answer.scores, strict=True):
            if len(found) == MOST:
                break
            mask = frame.enlarge(low) > answer.threshold
            if not text or agrees(mask, prompt):
                found.append(Candidate(mask, float(np.clip(score, 0, 1))))
        if not found:
            raise BadPrompt(f"nothing there answers to {text!r}; try other words, or a click on it")
        return found


def _check_kind(network: "Network", text: str, options: Options) -> None:
    if text and not network.reads:
        raise BadPrompt(
            f"{options.checkpoint} takes no text; a SAM 3 checkpoint does, such as facebook/sam3"
        )
    if not text and not network.clicks:
        raise BadPrompt(
            f"{options.checkpoint} takes a text alone; for a click, a box or a brush take the "
            f"whole of SAM 3, such as facebook/sam3"
        )


_networks: "OrderedDict[Options, Network]" = OrderedDict()


def loaded(options: Options) -> "Network":
    """The network for options with nothing left to the settings, loaded if it is not kept."""
    from infill.segmenters.sam import checkpoint, running
    from infill.segmenters.sam.families import open_network

    with running.LOCK:
        if options not in _networks:
            need("torch", extra=checkpoint.EXTRA)
            need("transformers", extra=checkpoint.EXTRA)
            folder = checkpoint.locate(
                str(options.checkpoint), options.revision, offline=options.local_files_only
            )
            network = open_network(folder, str(options.device))
            while len(_networks) >= LOADED:
                _networks.popitem(last=False)
            _networks[options] = network
        _networks.move_to_end(options)
        return _networks[options]
