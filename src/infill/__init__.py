"""Infill fills the masked part of a photo.

import infill

infill.fill("photo.jpg", mask="mask.png").save("out.png")
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from infill import engines as engines
    from infill import errors as errors
    from infill.composite import Proof as Proof
    from infill.engines.base import EngineCard as EngineCard
    from infill.errors import InfillError as InfillError
    from infill.loading import load as load
    from infill.loading import save as save
    from infill.picture import Picture as Picture
    from infill.pipeline import candidates as candidates
    from infill.pipeline import fill as fill
    from infill.pipeline import replay as replay
    from infill.recipe import Recipe as Recipe
    from infill.result import Result as Result
    from infill.segmentation import segment as segment

_PLACES = {  # where each public name comes from; imported when it is first asked for
    "EngineCard": "infill.engines.base",
    "InfillError": "infill.errors",
    "Picture": "infill.picture",
    "Proof": "infill.composite",
    "Recipe": "infill.recipe",
    "Result": "infill.result",
    "candidates": "infill.pipeline",
    "engines": "infill.engines",
    "errors": "infill.errors",
    "fill": "infill.pipeline",
    "load": "infill.loading",
    "replay": "infill.pipeline",
    "save": "infill.loading",
    "segment": "infill.segmentation",
}

__all__ = sorted([*_PLACES, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'infill' has no attribute {name!r}")
    module = importlib.import_module(_PLACES[name])
    value = module if module.__name__ == f"infill.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
