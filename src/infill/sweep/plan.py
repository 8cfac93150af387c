"""Every fill of a sweep: which options it has, and the key that stands for its pixels.

The key is a hash of all that decides them, so nothing else need be compared to know whether a
fill is there already: another photo, mask, engine, option, reference, seed or version has other
keys, and a grid that grows keeps what it has.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infill.engines.base import ENGINES, Engine, make_options
from infill.errors import BadMask, BadOption, FullMask
from infill.loading import load_both
from infill.picture import Picture
from infill.recipe import hash_mask, versions
from infill.settings import current
from infill.sweep.grid import SEED, Axis, Value, axes, resolved, value

LIMIT = 100
"""Fills that a sweep has at most unless more are asked for."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One fill of the sweep.

    key:     of its row and its file: the first 16 hex digits of a SHA-256.
    values:  each axis's value as a person reads it, by the axis's name.
    options: for `infill.fill`, the swept and the fixed ones.
    seed:    for `infill.fill`.
    identity: every option with its value, as the row keeps it.
    """

    key: str
    values: Mapping[str, str]
    options: Mapping[str, Any]
    seed: int
    identity: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep that was checked and can start.

    hole:    (H, W) bool, True = to be filled; not to be written.
    opaque:  the filled hole is made opaque (the photo's own transparency was the mask).
    axes:    the swept options in the order given, then the seeds.
    columns: the name of the axis that runs across the sheet.
    cells:   one for each combination, the last axis turning fastest.
    """

    photo: Picture
    hole: NDArray[np.bool_]
    engine: str
    fixed: Mapping[str, str]
    blend: float
    match_colour: bool
    opaque: bool
    axes: tuple[Axis, ...]
    columns: str
    cells: tuple[Cell, ...]

    @property
    def reference(self) -> Picture | None:
        """The picture that every fill is guided by, if there is one and it is no axis."""
        found = [cell.options.get("reference") for cell in self.cells]
        return found[0] if all(one is found[0] for one in found) else None


def plan(
    photo: Any,
    mask: Any = None,
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    engine: str | None = None,
    options: Mapping[str, Any] | None = None,
    reference: Any = None,
    seeds: Sequence[int] = (0,),
    columns: str | None = None,
    limit: int = LIMIT,
    blend: float = 0.0,
    match_colour: bool = False,
    threshold: float = 0.5,
    invert: bool = False,
    refine: str = "",
) -> Plan:
    """Every combination of the grid's values and the seeds, checked as far as can be.

    photo, mask, engine, blend, match_colour: as `infill.fill` takes them.
    grid:      values by the name of an option; text is read as the option's kind of value.
    options:   what is the same for all fills; text is read likewise.
    reference: short for the option of that name.
    columns:   name of the axis across the sheet; None = the grid's first.
    limit:     fills at most.
    threshold, invert, refine: how the mask is read, and what is done to it then.

    Raises `BadOption` for an option that there is not, a value that the engine refuses, too many
    fills; `UnknownPlugin`; `BadMask` for an empty mask, `FullMask` for one that leaves nothing;
    and what `infill.load` raises.
    """
    name = engine or current().engine
    maker = ENGINES.get(name)
    given = dict(options or {})
    if reference is not None:
        if "reference" in given:
            raise BadOption("the reference is given twice; give it once")
        given["reference"] = reference
    found = axes(maker, grid or {}, seeds)
    _check_size(found, limit)
    fixed = {key: value(maker, key, one) for key, one in given.items()}
    combinations = list(_combinations(found, fixed))
    made = [_resolved(maker, found, combination, fixed) for combination in combinations]
    across = _columns(columns, found)
    picture, hole = _load(photo, mask, threshold, invert, refine)
    shared = {
        "photo": picture.sha256,
        "mask": hash_mask(hole),
        "engine": name,
        "blend": blend,
        "match_colour": match_colour,
        "opaque": mask is None,
        "device": current().device,
        "versions": dict(versions(maker.card.extra)),
    }
    return Plan(
        photo=picture,
        hole=hole,
        engine=name,
        fixed={key: one.shown for key, one in fixed.items()},
        blend=blend,
        match_colour=match_colour,
        opaque=mask is None,
        axes=found,
        columns=across,
        cells=tuple(
            _cell(found, combination, fixed, identity, shared)
            for combination, identity in zip(combinations, made, strict=True)
        ),
    )


Combination = tuple[Value, ...]
"""One value for each axis, in their order; the last is the seed."""


def _combinations(found: Sequence[Axis], fixed: Mapping[str, Value]) -> Iterator[Combination]:
    """Every combination, the last axis turning fastest."""
    for axis in found:
        if axis.name in fixed:
            raise BadOption(f"{axis.name} is both in the grid and fixed; give it in one place")
    yield from itertools.product(*(axis.values for axis in found))


def _given(
    found: Sequence[Axis], combination: Combination, fixed: Mapping[str, Value]
) -> dict[str, Any]:
    """The options of one fill, for `infill.fill`."""
    swept = {axis.name: one for axis, one in zip(found, combination, strict=True)}
    del swept[SEED]
    return {name: one.given for name, one in ({**fixed, **swept}).items()}


def _resolved(
    maker: Engine, found: Sequence[Axis], combination: Combination, fixed: Mapping[str, Value]
) -> dict[str, Any]:
    """Every option of one fill as the engine takes it. Raises `BadOption` if it does not."""
    try:
        return resolved(maker, make_options(maker, _given(found, combination, fixed)))
    except BadOption as error:
        swept = zip(found[:-1], combination[:-1], strict=True)
        where = ", ".join(f"{axis.name} = {one.shown}" for axis, one in swept)
        raise BadOption(f"{error} (at {where})" if where else str(error)) from error


def _cell(
    found: Sequence[Axis],
    combination: Combination,
    fixed: Mapping[str, Value],
    identity: Mapping[str, Any],
    shared: Mapping[str, Any],
) -> Cell:
    seed = combination[-1].given
    whole = {**shared, "options": identity, "seed": seed}
    text = json.dumps(whole, sort_keys=True, default=repr)
    return Cell(
        key=hashlib.sha256(text.encode()).hexdigest()[:16],
        values={axis.name: one.shown for axis, one in zip(found, combination, strict=True)},
        options=_given(found, combination, fixed),
        seed=seed,
        identity=identity,
    )


def _check_size(found: Sequence[Axis], limit: int) -> None:
    count = math.prod(len(axis.values) for axis in found)
    if count > limit:
        sizes = " × ".join(f"{len(axis.values)} of {axis.name}" for axis in found)
        raise BadOption(
            f"the grid has {count} fills ({sizes}), and the limit is {limit}; give fewer values, "
            f"or a limit of {count}"
        )


def _columns(name: str | None, found: Sequence[Axis]) -> str:
    """The axis across the sheet: the one named, or the first."""
    names = [axis.name for axis in found]
    if name is None:
        return names[0]
    name = name.replace("-", "_")
    if name not in names:
        raise BadOption(f"{name} cannot be the columns: the grid has {', '.join(names)}")
    return name


def _load(
    photo: Any, mask: Any, threshold: float, invert: bool, refine: str
) -> tuple[Picture, NDArray[np.bool_]]:
    picture, hole = load_both(photo, mask, threshold=threshold, invert=invert)
    if refine:
        from infill.masks import refine as refined

        hole = refined(hole, refine)
    if not hole.any():
        raise BadMask("the mask is empty, so there is nothing to fill; mark a hole in it")
    if hole.all():
        raise FullMask("every pixel is masked, so there is nothing to fill from; mask less of it")
    hole.flags.writeable = False  # so that it need not be copied for each fill
    return picture, hole
