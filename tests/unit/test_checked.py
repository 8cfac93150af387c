"""Options that check themselves by what their fields state."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from infill.engines.base import option
from infill.engines.checked import Checked


@dataclass(frozen=True)
class Options(Checked):
    whole: int = option(3, low=1, high=9)
    number: float = option(1.0, low=0)
    most: float = option(1.0, high=2)
    maybe: float | None = option(None, low=0, high=1)
    word: Literal["a", "b"] = "a"
    power: Literal[1, 2, 4] = 1
    either: int | str = 0
    pair: tuple[float, float] = (0.0, 1.0)
    switch: bool = False
    text: str = ""
    thing: Any = None


@pytest.mark.parametrize(
    "given",
    [
        {"whole": np.int64(4), "number": 7, "most": -3.5, "maybe": 0.5},
        {"number": np.float32(0.5), "power": 4, "either": "x", "pair": (1.0, 2.0)},
        {"thing": object(), "switch": True, "maybe": None},
    ],
)
def test_what_fits_is_taken(given: dict[str, Any]) -> None:
    made = Options(**given)
    assert {name: getattr(made, name) for name in given} == given


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"whole": 0}, ValueError, "whole must be between 1 and 9, not 0"),
        ({"whole": 2.0}, TypeError, "whole is a whole number, not 2.0"),
        ({"whole": True}, TypeError, "whole is a whole number, not True"),
        ({"whole": None}, TypeError, "whole is a whole number, not None"),
        ({"number": -1}, ValueError, "number must be at least 0, not -1"),
        ({"number": float("nan")}, ValueError, "number must be at least 0, not nan"),
        ({"number": "3"}, TypeError, "number is a number, not '3'"),
        ({"most": 3}, ValueError, "most must be at most 2, not 3"),
        ({"maybe": 2}, ValueError, "maybe must be between 0 and 1, not 2"),
        ({"word": "c"}, ValueError, "word must be one of a, b, not 'c'"),
        ({"power": 3}, ValueError, "power must be one of 1, 2, 4, not 3"),
        ({"power": True}, ValueError, "power must be one of 1, 2, 4, not True"),
        ({"either": 0.5}, TypeError, "either is a whole number or is text, not 0.5"),
        ({"pair": 3.0}, TypeError, "pair is a tuple, not 3.0"),
        ({"switch": 1}, TypeError, "switch must be true or false, not 1"),
        ({"text": None}, TypeError, "text is text, not None"),
    ],
)
def test_what_does_not_is_told(given: dict[str, Any], kind: type, words: str) -> None:
    with pytest.raises(kind, match=f"^{words}$"):
        Options(**given)
