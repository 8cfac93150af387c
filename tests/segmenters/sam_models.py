"""Small networks of every family with random weights, saved as checkpoints are published."""

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

SIDE = {"sam": 64, "sam_hq": 64, "sam2": 64, "sam2_video": 64}
"""Side of the square that a family's small network sees; 56 for those not named."""

KINDS = ("sam", "sam_hq", "sam2", "sam2_video", "sam3", "sam3_tracker", "sam3_video")
CLICKED = tuple(kind for kind in KINDS if kind != "sam3")
READING = ("sam3", "sam3_video")

PROMPTS = {"hidden_size": 32, "mask_input_channels": 8}
DECODER = {"hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 4, "iou_head_hidden_dim": 16}
VIT = {
    "hidden_size": 24,
    "output_channels": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 64,
    "patch_size": 8,
    "window_size": 4,
    "global_attn_indexes": [1],
    "num_pos_feats": 16,
    "initializer_range": 0.02,
}
HIERA = {
    "backbone_config": {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "num_attention_heads": 1,
        "image_size": [64, 64],
        "blocks_per_stage": [1, 2, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [4, 4, 4, 4],
        "global_attention_blocks": [4],
    },
    "backbone_channel_list": [64, 32, 16, 8],
    "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    "fpn_hidden_size": 32,
}
FILM = {
    "memory_attention_hidden_size": 32,
    "memory_attention_num_layers": 1,
    "memory_attention_feed_forward_hidden_size": 32,
    "memory_encoder_hidden_size": 32,
    "memory_encoder_output_channels": 16,
    "mask_downsampler_embed_dim": 32,
    "memory_fuser_embed_dim": 32,
    "memory_fuser_intermediate_dim": 32,
}
SAM3_VISION = {
    "model_type": "sam3_vision_model",
    "backbone_config": {
        "model_type": "sam3_vit_model",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 56,
        "patch_size": 14,
        "window_size": 2,
        "global_attn_indexes": [1],
        "pretrain_image_size": 28,
    },
    "fpn_hidden_size": 32,
    "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
}
LAYER = {"hidden_size": 32, "num_attention_heads": 4}
SAM3 = {
    "vision_config": SAM3_VISION,
    "text_config": {
        "model_type": "clip_text_model",
        "vocab_size": 64,
        "hidden_size": 32,
        "intermediate_size": 32,
        "projection_dim": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 32,
    },
    "geometry_encoder_config": {**LAYER, "num_layers": 1, "intermediate_size": 32},
    "detr_encoder_config": {**LAYER, "num_layers": 1, "intermediate_size": 32},
    "detr_decoder_config": {**LAYER, "num_layers": 1, "intermediate_size": 32, "num_queries": 5},
    "mask_decoder_config": LAYER,
}
TRACKER = {
    "vision_config": SAM3_VISION,
    "prompt_encoder_config": {**PROMPTS, "image_size": 56, "patch_size": 14},
    "mask_decoder_config": DECODER,
}
VOCABULARY = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz"]
VOCABULARY += [f"{letter}</w>" for letter in "abcdefghijklmnopqrstuvwxyz"]


def model(kind: str) -> Any:
    """A network of transformers of that `model_type`, the same random weights each time."""
    import torch
    import transformers as hf

    torch.manual_seed(0)
    prompts = {**PROMPTS, "image_size": 64}
    vit = {"vision_config": VIT, "prompt_encoder_config": {**prompts, "patch_size": 8}}
    hiera = {"vision_config": HIERA, "prompt_encoder_config": {**prompts, "patch_size": 16}}
    if kind == "sam":
        made = hf.SamModel(hf.SamConfig(**vit, mask_decoder_config=DECODER))
    elif kind == "sam_hq":
        made = hf.SamHQModel(hf.SamHQConfig(**vit, mask_decoder_config={**DECODER, "vit_dim": 24}))
    elif kind == "sam2":
        made = hf.Sam2Model(hf.Sam2Config(**hiera, mask_decoder_config=DECODER))
    elif kind == "sam2_video":
        config = hf.Sam2VideoConfig(**hiera, mask_decoder_config=DECODER, image_size=64, **FILM)
        made = hf.Sam2VideoModel(config)
    elif kind == "sam3":
        made = hf.Sam3Model(hf.Sam3Config(**SAM3))
    elif kind == "sam3_tracker":
        made = hf.Sam3TrackerModel(hf.Sam3TrackerConfig(**TRACKER))
    else:
        tracker = hf.Sam3TrackerVideoConfig(**TRACKER, image_size=56, **FILM)
        detector = hf.Sam3Config(**SAM3)
        made = hf.Sam3VideoModel(
            hf.Sam3VideoConfig(detector_config=detector.to_dict(), tracker_config=tracker.to_dict())
        )
    with torch.no_grad():  # fresh networks are too flat to tell one prompt from another
        for name, value in made.named_parameters():
            if value.ndim > 1 and "positional_embedding" not in name:
                value.normal_(0, (2 / value[0].numel()) ** 0.5 if value[0].numel() > 1 else 0.5)
    return made.eval()


def save(kind: str, folder: Path, **more: Any) -> Path:
    """A checkpoint of that kind in a new folder, with a tokenizer where it reads."""
    made = model(kind)
    made.save_pretrained(folder, **more)
    if kind in READING:
        from transformers import CLIPTokenizer

        vocabulary = {word: number for number, word in enumerate(VOCABULARY)}
        CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    return folder


@cache
def _root() -> Path:
    folder = tempfile.mkdtemp(prefix="infill-sam-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def folder(kind: str) -> Path:
    """The folder of a checkpoint of that kind, not to be written to."""
    return save(kind, _root() / kind)


def rewrite(path: Path, **changes: Any) -> None:
    """Change some entries of a JSON file."""
    told = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**told, **changes}), encoding="utf-8")


def photo(height: int = 50, width: int = 70) -> np.ndarray:
    """A photo of a bright ellipse on a dark ramp, (height, width, 3) uint8."""
    rows, columns = np.mgrid[:height, :width]
    inside = ((rows / height - 0.5) / 0.3) ** 2 + ((columns / width - 0.4) / 0.2) ** 2 < 1
    ramp = (columns * 100 // width + rows * 50 // height).astype(np.uint8)
    return np.where(inside[..., None], np.uint8([220, 180, 60]), ramp[..., None])
