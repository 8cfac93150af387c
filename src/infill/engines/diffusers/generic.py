"""The engine `diffusers`: any model that one of the families' pipelines fills with."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import EngineCard, Filled, Progress, SizeRule
from infill.engines.checked import Checked
from infill.engines.diffusers import families, loading
from infill.engines.diffusers.engine import Latent, OnLatents, _around
from infill.engines.diffusers.families import Family
from infill.engines.diffusers.loading import Licence
from infill.errors import BadOption
from infill.geometry import Frame
from infill.weights import Source


def _all_fields() -> list[Any]:
    """Every family's options, each once, with None for "as the model's family has it"."""
    found: dict[str, Any] = {}
    for family in families.FAMILIES:
        hints = get_type_hints(family.options)
        for entry in dataclasses.fields(family.options):
            told = dict(entry.metadata)
            hint = hints[entry.name]
            default: Any = None
            if entry.name in ("dtype", "memory", "compile", "drift"):
                default = entry.default
            elif type(None) not in get_args(hint) and hint is not Any:
                hint = hint | None
            if entry.name == "prior":
                told["help"] = "For Kandinsky: the model that reads the prompt."
            made = dataclasses.field(default=default, metadata=told)
            found.setdefault(entry.name, (entry.name, hint, made))
    return list(found.values())


Options = dataclasses.make_dataclass("Options", _all_fields(), bases=(Checked,), frozen=True)
Options.__module__ = __name__  # so that it can be pickled


class Diffusers(Latent):
    """Any pipeline of diffusers, by hub name, local folder or single file.

    The family is found from the model; an option that it does not honour is an error.
    """

    source: ClassVar[str] = ""
    family: ClassVar[Family] = families.FAMILIES[0]
    Options: ClassVar[type] = Options
    card: ClassVar[EngineCard] = EngineCard(
        name="diffusers",
        family="diffusion",
        summary="any text-to-image or inpainting model of the diffusers library, by option model",
        authors="of the model; diffusers: von Platen et al. (Hugging Face)",
        published="2022-07",
        architecture="whatever the model is: "
        + ", ".join(family.name for family in families.FAMILIES),
        paper="https://github.com/huggingface/diffusers",
        licence="that of the model; its page on the hub says which",
        commercial_use=False,
        needs_prompt=True,
        extra="diffusion",
        redraws=True,
        size=SizeRule(multiple=64, minimum=512, native=1024, context_min=128),
        needs_model=True,
    )

    @property
    def licence(self) -> Licence:
        return Licence()  # the hub says

    def size_rule(self, options: Any) -> SizeRule:
        inner = self.of(options)
        side = loading.native(options.model, inner.family, self.licence)
        return self.card.size if side is None else _around(side, self.card.size)

    def localise(self, options: Any, frame: Frame, largest: bool) -> Any:
        """See `Latent.localise`; what the options leave open is as the model's family has it."""
        inner = self.of(options)
        local = inner.localise(inner.chosen(options), frame, largest)
        return dataclasses.replace(options, reference=getattr(local, "reference", None))

    def run(
        self,
        pixels: Sequence[NDArray[np.float32]],
        mask: NDArray[np.bool_],
        options: Any,
        rngs: Sequence[np.random.Generator],
        progress: Progress,
        *,
        on_latents: OnLatents | None = None,
    ) -> list[Filled]:
        """See `Latent.run`."""
        inner = self.of(options)
        chosen = inner.chosen(options)
        return inner.run(pixels, mask, chosen, rngs, progress, on_latents=on_latents)

    def sources(self, options: Any) -> list[Source]:
        """See `Latent.sources`."""
        if not options.model:
            return []
        inner = self.of(options)
        return inner.sources(inner.chosen(options))

    def encode(self, pixels: NDArray[np.float32], options: Any) -> Any:
        """See `Latent.encode`."""
        inner = self.of(options)
        return inner.encode(pixels, inner.chosen(options))

    def of(self, given: Any) -> "_Inner":
        """The engine over the family of the model that the options name."""
        if not given.model:
            raise BadOption(
                "engine diffusers needs a model: a name on the hub, a local folder or one "
                ".safetensors file (on the command line: -O model=...)"
            )
        return _Inner(loading.family_of(given.model, self.licence))


class _Inner(Latent):
    """One family, found at run time."""

    card = Diffusers.card
    source = ""

    def __init__(self, family: Family) -> None:
        self.family = family  # type: ignore[misc]

    @property
    def licence(self) -> Licence:
        return Licence()

    def chosen(self, given: Any) -> Any:
        """The family's options. Raises `BadOption` for one that it does not have."""
        usual = {entry.name: entry.default for entry in dataclasses.fields(given)}
        wanted = {
            name: getattr(given, name)
            for name, default in usual.items()
            if getattr(given, name) is not default
        }
        has = [entry.name for entry in dataclasses.fields(self.family.options)]
        for name in wanted:
            if name not in has:
                raise BadOption(
                    f"{given.model} is a model of {self.family.name}, which has no option "
                    f"{name!r}; it has: {', '.join(has)}"
                )
        try:
            return self.family.options(**wanted)
        except (TypeError, ValueError) as error:
            raise BadOption(f"{given.model} ({self.family.name}): {error}") from error
