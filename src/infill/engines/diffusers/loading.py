"""Finding, reading and keeping a pipeline. One is kept per process: they are large.

Files are found by `infill.weights` (local, cached or downloaded) and read with the network off,
safetensors alone. What is not there is said by name before anything is read.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infill import weights
from infill.engines.base import Progress
from infill.engines.diffusers import adapters, families, parts, single, tensors
from infill.engines.diffusers.families import Family
from infill.engines.diffusers.tuning import EmbeddingCache
from infill.errors import BadOption
from infill.lazy import need

NEVER = ("safety_checker", "feature_extractor", "image_encoder")  # read only if asked for
PRIOR = ("image_encoder", "image_processor", "prior", "scheduler", "text_encoder", "tokenizer")


@dataclass(frozen=True)
class Licence:
    """What is shown before a download, and who is told how far it is.

    of: the models that `name` and `commercial_use` speak of; of any other the hub's word counts.
    """

    name: str | None = None
    commercial_use: bool | None = None
    progress: Progress | None = None
    of: tuple[str, ...] = ()


@dataclass
class Loaded:
    """A pipeline in memory.

    pipe:    of the family's class. prior: a second pipeline, for families that have one.
    weights: SHA-256 of each file of weights, by where it came from.
    texts:   embeddings of the last prompts.
    plan:    the memory plan that was applied last; None = none yet.
    scheduler: the model's own, as it was loaded.
    """

    pipe: Any
    family: Family
    weights: dict[str, str]
    prior: Any = None
    texts: EmbeddingCache = field(default_factory=EmbeddingCache)
    plan: Any = None
    scheduler: Any = None


_kept: dict[Any, Loaded] = {}


def load(options: Any, family: Family, dtype: str, device: str, licence: Licence) -> Loaded:
    """The pipeline that the options name, kept from the last time if they name the same.

    dtype: "float32", "bfloat16" or "float16". device: part of the key only; `memory.apply`
    puts the pipeline there. Raises `MissingWeights` and `BadOption`.
    """
    key = (
        family.name,
        options.model,
        options.config,
        getattr(options, "prior", None),
        dtype,
        device,
        adapters.key(options),
        _stamp(options),
    )
    if key not in _kept:
        forget()
        place = find(options.model, family, licence)
        with quiet():
            _kept[key] = _load(place, options, family, dtype, licence)
    return _kept[key]


def _stamp(options: Any) -> tuple[Any, ...]:
    """Paths, times and sizes of the local files that the options name, so that what was
    rewritten is read again. What comes from the hub never changes under its name here."""
    named = [getattr(options, name, None) for name in ("model", "config", "prior")]
    places = [Path(name).expanduser() for name in named if name] + adapters.places(options)
    files = set()
    for place in places:
        if place.is_dir():
            files |= {one for kind in parts.KINDS for one in place.glob(kind)}
            files |= {one for kind in parts.KINDS for one in place.glob(f"*/{kind}")}
        else:
            files.add(place)
    told = [(str(one.resolve()), one.stat()) for one in sorted(files) if one.is_file()]
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in told)


def forget() -> None:
    """Let go of the pipeline that is kept."""
    from infill.engines.scarce import free_memory

    if _kept:
        _kept.clear()
        free_memory()


def _load(place: Path, options: Any, family: Family, dtype: str, licence: Licence) -> Loaded:
    if place.is_file():
        loaded = _from_file(place, options, family, dtype, licence)
    else:
        loaded = _from_folder(place, options.model, family, dtype)
    if family.text == "prior":
        loaded.prior = _prior(options.prior, dtype, loaded, licence)
        loaded.pipe._infill_prior = loaded.prior
    tensors.check(loaded.pipe.components, options.model)
    adapters.add(loaded, options)
    loaded.scheduler = loaded.pipe.scheduler
    loaded.pipe.set_progress_bar_config(disable=True)
    network = getattr(loaded.pipe, family.network)
    if family.name == "chroma" and "guidance_embeds" not in network.config:
        network.register_to_config(guidance_embeds=False)  # the pipeline asks, the model has none
    return loaded


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, the libraries print neither bars nor warnings; what matters we say ourselves."""
    kinds = ("diffusers.utils.logging", "transformers.utils.logging")
    talkers = [need(name, extra="diffusion") for name in kinds]
    before = [(one, one.get_verbosity(), one.is_progress_bar_enabled()) for one in talkers]
    for one in talkers:
        one.set_verbosity_error()
        one.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            for kind in (FutureWarning, DeprecationWarning):  # of what they do among themselves
                warnings.simplefilter("ignore", kind)
            yield
    finally:
        for one, verbosity, bars in before:
            one.set_verbosity(verbosity)
            if bars:
                one.enable_progress_bar()


# --- where, and of which family ---------------------------------------------------------------


def find(name: str, family: Family | None, licence: Licence, *, small: bool = False) -> Path:
    """The folder or file of a model, downloaded if need be (`small`: its texts alone).

    A local folder comes back as it is: what it lacks is said by name when it is read.
    """
    local = Path(name).expanduser()
    if local.is_dir():
        return local
    inside = None if small or family is None else family.parts
    return weights.find(_source(name, inside, licence), progress=licence.progress)


def sources(options: Any, family: Family, licence: Licence) -> list[weights.Source]:
    """All that a fill with these options needs to have on this machine."""
    made = [_source(options.model, family.parts, licence)]
    if family.text == "prior":
        made.append(_source(options.prior, PRIOR, licence))
    return made + adapters.sources(options, family)


def _source(name: str, inside: tuple[str, ...] | None, licence: Licence) -> weights.Source:
    """What is wanted of a model: those parts, or (None) its texts alone."""
    known = name in licence.of
    return weights.Source(
        name,
        wanted=parts.SMALL if inside is None else parts.wanted(inside),
        complete=parts.indexed if inside is None else _has(inside),
        licence=licence.name if known else None,
        commercial_use=licence.commercial_use if known else None,
        extra="diffusion",
        holds="a whole model of diffusers",
    )


def _has(inside: tuple[str, ...]) -> Callable[[Path], bool]:
    return lambda folder: parts.whole(folder, inside)


def family_of(name: str, licence: Licence) -> Family:
    """The family of a model, from its `model_index.json` or the single file's keys.

    Raises `BadOption` for a model of a family that no pipeline here fills with.
    """
    place = find(name, None, licence, small=True)
    if place.is_file():
        return single.family(place)
    called = parts.index(place).get("_class_name", "")
    found = families.by_class(called)
    if found is None:
        raise BadOption(
            f"{name} is made for {called or 'no pipeline that it names'}, which fills no holes "
            f"here; families that do: {', '.join(one.name for one in families.FAMILIES)}"
        )
    return found


def native(name: str, family: Family, licence: Licence) -> int | None:
    """The side in pixels that a model was made for, where its configuration says so."""
    place = find(name, family, licence, small=True)
    if place.is_file() or family.network != "unet":
        return None
    unet, vae = (parts.config(place / part) for part in ("unet", "vae"))
    side, blocks = unet.get("sample_size"), vae.get("block_out_channels")
    return side * 2 ** (len(blocks) - 1) if isinstance(side, int) and blocks else None


# --- reading ------------------------------------------------------------------------------------


def _from_folder(place: Path, name: str, family: Family, dtype: str) -> Loaded:
    _check_class(place, name, family)
    parts.check_whole(place, family.parts)
    index = parts.index(place)
    given: dict[str, Any] = {part: None for part in NEVER if part in index}
    if "safety_checker" in given:
        given["requires_safety_checker"] = False
    if "processor" in family.parts:
        from infill.engines.diffusers.vision import reader

        given["processor"] = reader(place)
    given |= tensors.encoders(place, given, _how(dtype))
    given["variant"] = parts.variant(place, family.parts)
    pipe = _class(family).from_pretrained(place, trust_remote_code=False, **given, **_how(dtype))
    return Loaded(pipe, family, parts.hashes(place, family.parts, name))


def _check_class(place: Path, name: str, family: Family) -> None:
    called = parts.index(place).get("_class_name", "")
    found = families.by_class(called)
    if found is None:
        raise BadOption(
            f"{name} is made for {called or 'no pipeline that it names'}, not for {family.name}"
        )
    if found.name != family.name:
        raise BadOption(
            f"{name} is a model of the family {found.name} ({called}), not {family.name}; "
            "use the engine diffusers, or the preset of that family"
        )


def _class(family: Family) -> Any:
    library = need("diffusers", extra="diffusion")
    try:
        return getattr(library, family.pipeline)
    except (AttributeError, RuntimeError) as error:  # an older library, or a part of it missing
        raise BadOption(
            f"the installed diffusers {library.__version__} has no {family.pipeline}; "
            "type: pip install -U 'infill[diffusion]'"
        ) from error


def _how(dtype: str) -> dict[str, Any]:
    torch = need("torch", extra="diffusion")
    return {
        "dtype": getattr(torch, dtype),
        "local_files_only": True,
        "use_safetensors": True,
    }


def _from_file(place: Path, options: Any, family: Family, dtype: str, licence: Licence) -> Loaded:
    found = single.family(place)
    if not single.fits(found, family):
        raise BadOption(
            f"{place} holds a model of the family {found.name}, not {family.name}; use the "
            "engine diffusers, or the preset of that family"
        )
    whole = single.is_whole(place)
    base = find(options.config or family.base, family, licence, small=whole)
    if base.is_file():
        raise BadOption(f"config is a folder or a name on the hub, not the file {base}")
    return single.load(place, base, family, _class(family), _how(dtype), whole)


def _prior(name: str, dtype: str, loaded: Loaded, licence: Licence) -> Any:
    """The first of a family's two models, with its hashes added to `loaded`."""
    local = Path(name).expanduser()
    source = _source(name, PRIOR, licence)
    folder = local if local.is_dir() else weights.find(source, progress=licence.progress)
    parts.check_whole(folder, PRIOR, "prior")
    library = need("diffusers", extra="diffusion")
    given = tensors.encoders(folder, {}, _how(dtype))
    pipe = library.KandinskyV22PriorPipeline.from_pretrained(
        folder, trust_remote_code=False, **given, **_how(dtype)
    )
    tensors.check(pipe.components, name)
    pipe.set_progress_bar_config(disable=True)
    loaded.weights |= parts.hashes(folder, PRIOR, name)
    return pipe
