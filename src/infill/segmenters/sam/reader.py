"""SAM 3 (Carion et al. 2025, arXiv:2511.16719): finds what words name, and what is clicked on."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from infill.errors import BadPrompt
from infill.lazy import need
from infill.segmenters.sam.checkpoint import EXTRA
from infill.segmenters.sam.networks import HALVES, Answer, Colours, Features, Sam3Tracker
from infill.segmenters.sam.prompts import Inputs

LEVELS = 3
"""How many maps of the encoder's pyramid the detector uses."""

WORDS = 32
"""Longest text in tokens, begin and end included; longer ones were not trained."""

SURE = 0.3
"""An object counts as found from this score on; the authors' own threshold for instances."""


class Sam3Detector:
    """SAM 3's part that reads: it finds every object that a few words name.

    tokenizer: turns text into `input_ids` and `attention_mask`.
    """

    clicks = False
    reads = True
    stretch = True
    cells = 0
    colours: Colours = HALVES

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.side = model.config.vision_config.image_size

    def embed(self, picture: Any) -> Features:
        return self.levels(self.model.vision_encoder(picture).fpn_hidden_states)

    def levels(self, maps: tuple[Any, ...]) -> Features:
        return tuple(level.float() for level in maps[:LEVELS])

    def click(self, features: Features, prompt: Inputs) -> Answer:
        raise NotImplementedError("SAM 3's detector takes text alone")

    def read(self, features: Features, text: str) -> Answer:
        """Objects with a score of `SURE` and above. Raises `BadPrompt` for a text too long."""
        words = self.tokenizer(text, padding="max_length", max_length=WORDS, return_tensors="pt")
        if words["input_ids"].shape[1] > WORDS:
            raise BadPrompt(f"the text is too long: a few words ({WORDS - 2} tokens) can be read")
        device = features[0].device
        told = self.model(
            vision_embeds=self._seen(features),
            input_ids=words["input_ids"].to(device),
            attention_mask=words["attention_mask"].to(device),
        )
        scores = told.pred_logits[0].sigmoid() * told.presence_logits[0].sigmoid()
        values = scores.float().cpu().numpy()
        order = np.argsort(-values, kind="stable")[: np.count_nonzero(values >= SURE)]
        maps = told.pred_masks[0][order.tolist()].float().sigmoid().cpu().numpy()
        return Answer(maps, values[order], threshold=0.5)

    def _seen(self, features: Features) -> Any:
        """What the model's encoder would have returned. Where each cell lies is computed anew:
        it is as large as the features and cheap. The model drops the last level by itself.
        """
        neck = self.model.vision_encoder.neck
        places = [
            neck.position_encoding(level.shape, level.device, level.dtype) for level in features
        ]
        return SimpleNamespace(
            fpn_hidden_states=(*features, None),
            fpn_position_encoding=(*places, None),
            hidden_states=None,
            attentions=None,
        )


class Sam3:
    """Both parts of SAM 3, which look at the photo through one encoder: it is run once."""

    clicks = True
    reads = True
    stretch = True
    colours: Colours = HALVES

    def __init__(self, tracker: Sam3Tracker, detector: Sam3Detector) -> None:
        self.tracker, self.detector = tracker, detector
        self.side, self.cells = tracker.side, tracker.cells
        shared = detector.model.vision_encoder.backbone
        tracker.model.vision_encoder.backbone = shared  # the same weights, held once

    def embed(self, picture: Any) -> Features:
        seen = self.detector.model.vision_encoder(picture)
        cells = self.side // self.detector.model.config.vision_config.backbone_config.patch_size
        plane = seen.last_hidden_state.view(1, cells, cells, -1).permute(0, 3, 1, 2)
        followed, _ = self.tracker.model.vision_encoder.neck(plane)
        return self.tracker.levels(followed) + self.detector.levels(seen.fpn_hidden_states)

    def click(self, features: Features, prompt: Inputs) -> Answer:
        return self.tracker.click(features[:-LEVELS], prompt)

    def read(self, features: Features, text: str) -> Answer:
        return self.detector.read(features[-LEVELS:], text)


def tokenizer(folder: Any) -> Any:
    """The checkpoint's own tokenizer (CLIP's byte pairs)."""
    transformers = need("transformers", extra=EXTRA)
    return transformers.CLIPTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
