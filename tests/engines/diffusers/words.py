"""Tokenizers made on the spot: every letter is a token, so lengths are easy to count."""

from typing import Any

from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer, Qwen2Tokenizer, T5Tokenizer

QWEN_MARKS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
CHAT = "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}<|im_start|>"


def clip(pad: str = "<|endoftext|>") -> Any:
    """CLIP's kind: 77 places, letters that end a word are tokens of their own."""
    letters = sorted(ByteLevel.alphabet())
    names = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{one}</w>" for one in letters)]
    vocab = {name: index for index, name in enumerate(names)}
    return CLIPTokenizer(vocab=vocab, merges=[], pad_token=pad, model_max_length=77)


def t5() -> Any:
    pieces = ["▁", *"abcdefghijklmnopqrstuvwxyz0123456789.,"]
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((one, -2.0) for one in pieces)]
    return T5Tokenizer(vocab=vocab, extra_ids=0, model_max_length=512)


def qwen() -> Any:
    names = [*sorted(ByteLevel.alphabet()), *QWEN_MARKS]
    vocab = {name: index for index, name in enumerate(names)}
    made = Qwen2Tokenizer(vocab=vocab, merges=[], model_max_length=4096)
    made.add_special_tokens({"additional_special_tokens": list(QWEN_MARKS[1:])})
    made.chat_template = CHAT
    return made
