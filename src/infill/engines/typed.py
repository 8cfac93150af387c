"""An engine's options as a person types them: NAME=VALUE, and text as the option's own kind."""

from typing import Any, get_args, get_origin, get_type_hints

from infill.engines.base import Engine
from infill.engines.controls import Control, controls
from infill.errors import BadOption

_WORDS = {"true": True, "yes": True, "on": True, "1": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False}


def parted(pair: str, how: str = "an option is written NAME=VALUE") -> tuple[str, str]:
    """Name and text of NAME=VALUE; hyphens in the name stand for underscores.

    Raises `BadOption`, which says `how` it is written, for anything else.
    """
    name, equals, text = pair.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not name:
        raise BadOption(f"{how}, not {pair!r}")
    return name, text.strip()


def control_of(engine: Engine, name: str) -> Control:
    """What is known of one option. Raises `BadOption` if there is none, naming those there are."""
    table = {control.name: control for control in controls(engine)}
    if name not in table:
        raise BadOption(
            f"engine {engine.card.name} has no option {name!r}; it has: "
            f"{', '.join(table) or 'none'}"
        )
    return table[name]


def typed(engine: Engine, name: str, text: str) -> Any:
    """`text` as a value of the option `name`: a number, true or false, one of the choices, text.

    "none" is None where the option may be that. A picture stays the text that names it.
    Raises `BadOption` for an option that there is not, and for text that it cannot be.
    """
    control = control_of(engine, name)
    hint = get_type_hints(engine.Options)[name]
    kinds = get_args(hint) or (hint,)
    if text.lower() == "none" and (control.default is None or type(None) in kinds):
        return None
    if control.kind == "choice":
        choices = {str(choice): choice for choice in _choices(hint)}
        if text not in choices:
            raise BadOption(f"option {name} is one of {', '.join(choices)}, not {text!r}")
        return choices[text]
    if control.kind == "switch":
        if text.lower() not in _WORDS:
            raise BadOption(f"option {name} is true or false, not {text!r}")
        return _WORDS[text.lower()]
    try:
        if control.kind == "whole number":
            return int(text)
        return float(text) if control.kind == "number" else text
    except ValueError:
        raise BadOption(f"option {name} is a {control.kind}, not {text!r}") from None


def _choices(hint: Any) -> tuple[Any, ...]:
    """What a `Literal` allows, also where it stands in a union."""
    if get_origin(hint) is None or all(not get_args(part) for part in get_args(hint)):
        return get_args(hint)
    return tuple(choice for part in get_args(hint) for choice in get_args(part))
