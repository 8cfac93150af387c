"""Imports of heavy or optional libraries, made where they are used and not before."""

import importlib
from types import ModuleType

from infill.errors import MissingExtra


def need(module: str, *, extra: str) -> ModuleType:
    """Import and return `module`, or say which extra brings it.

    `module` is a dotted module name ("torch.nn"), `extra` the name of the optional
    dependency group in pyproject.toml that installs it.

    Raises `MissingExtra`, whose message is the command to type.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        root = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != root:
            raise  # the library is there; something that it needs itself is not
        raise MissingExtra(
            f"{root} is not installed; type: pip install 'infill[{extra}]'"
        ) from error
