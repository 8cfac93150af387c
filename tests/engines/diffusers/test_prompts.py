"""Prompts of any length: read whole, or refused with the number of tokens that fit."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from infill.engines.diffusers import loading, prompts
from infill.errors import BadOption
from tests.engines.diffusers import scenes, words

LONG = "a" * 80  # a token for each letter, so five more than CLIP reads at once


class TestWindows:
    def test_are_as_long_as_clip_reads(self) -> None:
        tokenizer = words.clip()
        assert [len(piece) for piece in prompts.windows(tokenizer, LONG)] == [75, 5]
        assert prompts.windows(tokenizer, "") == [[]]
        assert [len(piece) for piece in prompts.windows(tokenizer, "a" * 75)] == [75]

    def test_a_short_prompt_is_read_as_the_library_reads_it(
        self, model: Callable[[str], Path]
    ) -> None:
        for name, which in (("sd", "clip"), ("sdxl", "clip-two"), ("sd3", "clip-t5")):
            loaded, options = _loaded(name, model, negative_prompt="fog")
            ours, notes = prompts.read(loaded.pipe, which, options)
            theirs = _library(loaded.pipe, name, options)
            for key, value in theirs.items():
                torch.testing.assert_close(ours[key], value, msg=f"{name} {key}")
            assert not notes

    def test_what_follows_the_first_window_counts(self, model: Callable[[str], Path]) -> None:
        for name in ("sd", "sdxl", "sd3"):
            one, other = (scenes.filled(name, model, prompt=LONG + end) for end in ("b", "c"))
            assert np.abs(one - other).max() > 1e-6, name

    def test_a_long_negative_prompt_counts_too(self, model: Callable[[str], Path]) -> None:
        one, other = (
            scenes.filled("sd", model, negative_prompt=LONG + end, prompt="a") for end in ("b", "c")
        )
        assert np.abs(one - other).max() > 1e-6


class TestLimits:
    @pytest.mark.parametrize(
        ("name", "length", "fits"),
        [
            ("sd3", 600, 512),
            ("flux-fill", 600, 512),
            ("chroma", 600, 512),
            ("flux2-klein", 600, 509),
            ("qwen-image", 1100, None),
            ("z-image", 1100, 1021),
            ("kandinsky", 90, 75),
        ],
    )
    def test_beyond_them_is_an_error_that_says_what_fits(
        self, model: Callable[[str], Path], name: str, length: int, fits: int | None
    ) -> None:
        with pytest.raises(BadOption, match="tokens, but this model reads") as caught:
            scenes.filled(name, model, prompt="a" * length)
        told = int(re.findall(r"reads (\d+) at most", str(caught.value))[0])
        assert fits is None or told == fits
        assert told > 70

    def test_within_them_the_end_counts(self, model: Callable[[str], Path]) -> None:
        for name in ("flux-fill", "chroma", "z-image"):
            one, other = (scenes.filled(name, model, prompt="a" * 300 + end) for end in ("b", "c"))
            assert np.abs(one - other).max() > 1e-7, name

    def test_flux_says_what_clip_does_not_read(self, model: Callable[[str], Path]) -> None:
        made = scenes.made("flux-fill", model, prompt=LONG)
        assert "CLIP, which sets the overall tone, reads the first 75 tokens" in made.notes[0]


def _loaded(name: str, model: Callable[[str], Path], **more: object) -> tuple:
    from infill.engines.base import ENGINES, make_options

    engine = ENGINES.get(name)
    options = make_options(engine, scenes.options_for(name, model, **more))
    return engine.load(options), options


@torch.no_grad()
def _library(pipe: object, name: str, options: object) -> dict[str, torch.Tensor]:
    both = (options.prompt, options.negative_prompt)
    if name == "sd":
        made = pipe.encode_prompt(both[0], "cpu", 1, True, both[1])
        return dict(zip(("prompt_embeds", "negative_prompt_embeds"), made, strict=True))
    keys = ("prompt_embeds", "negative_prompt_embeds")
    keys += ("pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    if name == "sdxl":
        made = pipe.encode_prompt(both[0], device="cpu", negative_prompt=both[1])
    else:
        made = pipe.encode_prompt(both[0], None, None, device="cpu", negative_prompt=both[1])
    return dict(zip(keys, made, strict=True))


def test_embeddings_are_read_once(
    model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    loading.forget()
    scenes.filled("sd", model, prompt="seen once")
    reads = []
    monkeypatch.setattr(prompts, "read", lambda *given: reads.append(given))
    scenes.filled("sd", model, prompt="seen once", seed=9)
    assert not reads
