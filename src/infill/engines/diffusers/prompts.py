"""Prompts of any length as what the pipelines take: embeddings, never cut off in silence.

CLIP reads 75 tokens at a time: longer prompts are read window by window and the embeddings put
one after the other. T5 and Qwen read as many as the pipeline allows; beyond that it is an error.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from infill.errors import BadOption
from infill.lazy import need

if TYPE_CHECKING:
    import torch

Arguments = dict[str, Any]
"""Keyword arguments of a pipeline's call. Tensors hold one prompt: `spread` makes more of them."""


def read(pipe: Any, text: str, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    """Embeddings of the options' prompts for a batch of one, and notes for the user.

    text: the family's way of reading, a name in READERS. Raises `BadOption` for a prompt that
    the model can't read whole.
    """
    torch = need("torch", extra="diffusion")
    with torch.no_grad():
        return READERS[text](pipe, options)


def spread(given: Mapping[str, Any], count: int) -> Arguments:
    """The same arguments for a batch of `count` candidates."""
    return {key: _repeated(value, count) for key, value in given.items()}


def _repeated(value: Any, count: int) -> Any:
    if isinstance(value, list):
        return value * count
    if hasattr(value, "repeat_interleave"):
        return value.repeat_interleave(count, 0)
    return value


# --- CLIP -----------------------------------------------------------------------------------


def windows(tokenizer: Any, text: str) -> list[list[int]]:
    """The text's tokens in pieces as long as CLIP reads them: 75, at least one piece."""
    size = tokenizer.model_max_length - 2
    tokens = tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids
    return [tokens[start : start + size] for start in range(0, max(1, len(tokens)), size)]


def _clip(
    pipe: Any, which: str, pieces: Sequence[Sequence[int]], layer: int | None
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Embeddings (1, 77·pieces, D) by one of the pipeline's encoders, and the first piece's
    pooled one (1, D). layer: hidden layer to take, None = the last, normalised."""
    torch = need("torch", extra="diffusion")
    tokenizer, encoder = getattr(pipe, f"tokenizer{which}"), getattr(pipe, f"text_encoder{which}")
    full = tokenizer.model_max_length
    rows = []
    for piece in pieces:
        row = [tokenizer.bos_token_id, *piece, tokenizer.eos_token_id]
        rows.append(row + [tokenizer.pad_token_id] * (full - len(row)))
    device = pipe._execution_device
    tokens = torch.tensor(rows, device=device)
    mask = None
    if getattr(encoder.config, "use_attention_mask", False):
        lengths = [len(piece) + 2 for piece in pieces]
        mask = torch.tensor([[1] * n + [0] * (full - n) for n in lengths], device=device)
    made = encoder(tokens, attention_mask=mask, output_hidden_states=layer is not None)
    states = made.last_hidden_state if layer is None else made.hidden_states[layer]
    pooled = made.text_embeds if hasattr(made, "text_embeds") else made.pooler_output
    joined = states.reshape(1, -1, states.shape[-1]).to(encoder.dtype)
    return joined, pooled[:1]


def _evened(*groups: list[list[int]]) -> list[list[list[int]]]:
    """All with as many pieces as the longest; an empty piece is an empty prompt."""
    most = max(map(len, groups))
    return [group + [[]] * (most - len(group)) for group in groups]


def _read_clip(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    prompt, negative = _evened(
        windows(pipe.tokenizer, options.prompt), windows(pipe.tokenizer, options.negative_prompt)
    )
    return {
        "prompt_embeds": _clip(pipe, "", prompt, None)[0],
        "negative_prompt_embeds": _clip(pipe, "", negative, None)[0],
    }, ()


def _read_clip_two(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    made = _pair(pipe, options)
    if not options.negative_prompt and pipe.config.get("force_zeros_for_empty_prompt", True):
        for key in ("negative_prompt_embeds", "negative_pooled_prompt_embeds"):
            made[key] = made[key] * 0
    return made, ()


def _pair(pipe: Any, options: Any) -> Arguments:
    """Both CLIP encoders side by side; the pooled embedding is the second's."""
    torch = need("torch", extra="diffusion")
    made: Arguments = {}
    pieces = {}
    for which in ("", "_2"):
        tokenizer = getattr(pipe, f"tokenizer{which}")
        pieces[which] = [
            windows(tokenizer, options.prompt),
            windows(tokenizer, options.negative_prompt),
        ]
    even = _evened(*pieces[""], *pieces["_2"])
    for key, first, second in (("", even[0], even[2]), ("negative_", even[1], even[3])):
        left, pooled_left = _clip(pipe, "", first, -2)
        right, pooled = _clip(pipe, "_2", second, -2)
        made[f"{key}prompt_embeds"] = torch.cat([left, right.to(left.dtype)], -1)
        made[f"{key}pooled_prompt_embeds"] = pooled
        made[f"{key}pooled_first"] = pooled_left
    return {key: value for key, value in made.items() if not key.endswith("_first")} | {
        key: value for key, value in made.items() if key.endswith("_first") and _is_sd3(pipe)
    }


def _is_sd3(pipe: Any) -> bool:
    return hasattr(pipe, "tokenizer_3")


def _read_clip_t5(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    """Stable Diffusion 3: CLIP's embeddings, widened to T5's, and T5's after them."""
    torch = need("torch", extra="diffusion")
    clips = _pair(pipe, options)
    both = (options.prompt, options.negative_prompt)
    length = 256
    if pipe.tokenizer_3 is not None and pipe.text_encoder_3 is not None:
        longest = max(_fits(pipe.tokenizer_3, text, 512) for text in both)
        length = 256 if longest <= 256 else 512
    made: Arguments = {}
    for key, text in zip(("", "negative_"), both, strict=True):
        read = pipe._get_t5_prompt_embeds(prompt=text, max_sequence_length=length)
        clip = clips[f"{key}prompt_embeds"]
        wide = torch.nn.functional.pad(clip, (0, read.shape[-1] - clip.shape[-1]))
        made[f"{key}prompt_embeds"] = torch.cat([wide, read.to(wide.dtype)], -2)
        pooled = (clips[f"{key}pooled_first"], clips[f"{key}pooled_prompt_embeds"])
        made[f"{key}pooled_prompt_embeds"] = torch.cat(pooled, -1)
    return made, ()


# --- T5 and Qwen ------------------------------------------------------------------------------


def _fits(tokenizer: Any, text: str, limit: int, around: int = 0) -> int:
    """Tokens of `text`. Raises `BadOption` for more than `limit`, of which `around` are the
    model's own."""
    count = len(tokenizer(text, truncation=False, verbose=False).input_ids)
    if count > limit:
        raise BadOption(
            f"the prompt has {count - around} tokens, but this model reads {limit - around} at "
            "most; say it in fewer words"
        )
    return count


def _read_flux(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    made: Arguments = {}
    wanted = {"": options.prompt}
    if getattr(options, "true_cfg_scale", 1.0) > 1:
        wanted["negative_"] = options.negative_prompt
    notes: tuple[str, ...] = ()
    for key, text in wanted.items():
        length = 512
        _fits(pipe.tokenizer_2, text, length)
        whole, pooled, _ = pipe.encode_prompt(text, None, max_sequence_length=length)
        made |= {f"{key}prompt_embeds": whole, f"{key}pooled_prompt_embeds": pooled}
        if len(windows(pipe.tokenizer, text)) > 1:
            notes = (
                "of a prompt this long only T5 reads all; CLIP, which sets the overall tone, "
                f"reads the first {pipe.tokenizer.model_max_length - 2} tokens",
            )
    return made, notes


def _read_klein(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    _fits_chat(pipe, options.prompt, pipe.tokenizer_max_length, enable_thinking=False)
    made = {"prompt_embeds": pipe.encode_prompt(options.prompt)[0]}
    if not pipe.config.is_distilled:
        made["negative_prompt_embeds"] = pipe.encode_prompt("")[0]
    return made, ()


def _read_qwen(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    return _qwen(pipe, options, {}), ()


def _read_qwen_edit(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    """The edit model reads the words with the picture, so `engine` hands it over as `_seen`."""
    return _qwen(pipe, options, {"image": pipe._infill_seen}), ()


def _qwen(pipe: Any, options: Any, seen: Mapping[str, Any]) -> Arguments:
    wanted = {"": options.prompt}
    if options.true_cfg_scale > 1:
        wanted["negative_"] = options.negative_prompt or " "
    made: Arguments = {}
    for key, text in wanted.items():
        around = len(pipe.tokenizer(pipe.prompt_template_encode.format("")).input_ids)
        whole = pipe.prompt_template_encode.format(text)
        limit = pipe.tokenizer_max_length + pipe.prompt_template_encode_start_idx
        _fits(pipe.tokenizer, whole, limit, around)
        embeds, mask = pipe.encode_prompt(text, max_sequence_length=1024, **seen)
        made |= {f"{key}prompt_embeds": embeds, f"{key}prompt_embeds_mask": mask}
    return made


def _read_z_image(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    for text in (options.prompt, options.negative_prompt):
        _fits_chat(pipe, text, 1024, enable_thinking=True)
    guided = options.guidance_scale > 0
    positive, negative = pipe.encode_prompt(
        options.prompt,
        do_classifier_free_guidance=guided,
        negative_prompt=options.negative_prompt,
        max_sequence_length=1024,
    )
    return {"prompt_embeds": positive, "negative_prompt_embeds": negative}, ()


def _fits_chat(pipe: Any, text: str, limit: int, **how: bool) -> None:
    def framed(content: str) -> str:
        said: str = pipe.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=False,
            add_generation_prompt=True,
            **how,
        )
        return said

    around = len(pipe.tokenizer(framed("")).input_ids)
    _fits(pipe.tokenizer, framed(text), limit, around)


def _read_chroma(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    wanted = {"": options.prompt}
    if options.true_cfg_scale > 1:
        wanted["negative_"] = options.negative_prompt
    made: Arguments = {}
    for key, text in wanted.items():
        _fits(pipe.tokenizer, text, 512)
        embeds, mask = pipe._get_t5_prompt_embeds(text, max_sequence_length=512)
        made |= {f"{key}prompt_embeds": embeds, f"{key}prompt_attention_mask": mask}
    return made, ()


def _read_prior(pipe: Any, options: Any) -> tuple[Arguments, tuple[str, ...]]:
    """Kandinsky's prior draws noise itself, so here only the lengths are seen to."""
    tokenizer = pipe._infill_prior.tokenizer
    for text in (options.prompt, options.negative_prompt):
        _fits(tokenizer, text, tokenizer.model_max_length, 2)
    return {}, ()


READERS: dict[str, Callable[[Any, Any], tuple[Arguments, tuple[str, ...]]]] = {
    "clip": _read_clip,
    "clip-two": _read_clip_two,
    "clip-t5": _read_clip_t5,
    "flux": _read_flux,
    "klein": _read_klein,
    "qwen": _read_qwen,
    "qwen-edit": _read_qwen_edit,
    "z-image": _read_z_image,
    "chroma": _read_chroma,
    "prior": _read_prior,
}
