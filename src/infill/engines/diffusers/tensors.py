"""Whether a network got all its weights: the libraries go on without those that a file lacks.

transformers draws them at random and only warns; diffusers leaves them without storage, on the
device "meta".
"""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infill.engines.diffusers import parts
from infill.errors import MissingWeights
from infill.lazy import need


def encoders(folder: Path, given: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, Any]:
    """The networks of transformers that a model's folder has, by part.

    Read one by one, since only then the library says what it did not find. given: parts that
    the pipeline gets from elsewhere; they are left alone. how: as `from_pretrained` takes it.
    Raises `MissingWeights`.
    """
    return {
        part: read(kind, folder / part, how, parts.variant(folder, (part,)))
        for part, kind in _kinds(folder).items()
        if part not in given
    }


def _kinds(folder: Path) -> dict[str, Any]:
    """The classes of a folder's networks that are transformers' own."""
    library = need("transformers", extra="diffusion")
    found = {}
    for part, told in parts.index(folder).items():
        if not isinstance(told, list) or len(told) != 2 or told[0] != "transformers":
            continue
        kind = getattr(library, str(told[1]), None)
        is_network = isinstance(kind, type) and issubclass(kind, library.PreTrainedModel)
        if is_network and (folder / part).is_dir():
            found[part] = kind
    return found


def read(kind: Any, folder: Path, how: Mapping[str, Any], variant: str | None = None) -> Any:
    """One network of transformers. Raises `MissingWeights` that names a tensor it lacks."""
    marked = {} if variant is None else {"variant": variant}
    network, told = kind.from_pretrained(
        folder, output_loading_info=True, trust_remote_code=False, **marked, **how
    )
    for tensor in sorted(told["missing_keys"]):  # tied ones and those it can do without are not
        raise lacking(folder, tensor)
    return network


def check(networks: Mapping[str, Any], where: object) -> None:
    """Raise `MissingWeights` for a network with a tensor that nothing was read into.

    networks: by part, as a pipeline's `components`; where: what they were read from.
    """
    torch = need("torch", extra="diffusion")
    for part, network in networks.items():
        tensor = _empty_one(network) if isinstance(network, torch.nn.Module) else None
        if tensor is not None:
            raise lacking(where, f"{part}.{tensor}")


def empty_one_behind(error: BaseException) -> str | None:
    """The tensor without storage over which a library stumbled; None if it was not that.

    The library hands out no network then, so it is looked up where the error came from.
    """
    torch = need("torch", extra="diffusion")
    for frame, _ in traceback.walk_tb(error.__traceback__):  # outermost first: whole networks
        for value in frame.f_locals.values():
            tensor = _empty_one(value) if isinstance(value, torch.nn.Module) else None
            if tensor is not None:
                return tensor
    return None


def _empty_one(network: Any) -> str | None:
    found = (name for name, value in network.state_dict().items() if _is_empty(value))
    return next(found, None)


def _is_empty(value: Any) -> bool:
    return bool(getattr(value, "is_meta", False))


def lacking(where: object, tensor: str) -> MissingWeights:
    """The error for weights that lack a tensor."""
    return MissingWeights(
        f"the weights in {where} are not whole: the tensor {tensor} is missing; fetch them again "
        "or name a whole model"
    )
