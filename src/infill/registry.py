"""Plug-ins by name: a table of `module:attribute`, plus what other packages register.

Nothing is imported before it is asked for, so a table that names a torch engine costs nothing
to someone who never uses it.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from infill.errors import DuplicatePlugin, UnknownPlugin

Plugin = TypeVar("Plugin")


class Registry(Generic[Plugin]):
    """Names of one kind of plug-in, each mapped to the place it is imported from.

    `kind` is the word used in messages ("engine"), `group` the entry-point group in which
    other packages register theirs ("infill.engines"), `table` our own: name to
    "module:attribute". The attribute is a class or factory; `get` calls it without arguments.
    """

    def __init__(self, kind: str, group: str, table: Mapping[str, str]) -> None:
        self.kind = kind
        self.group = group
        self._places: dict[str, str] = dict(table)
        self._entry_points_read = False

    def add(self, name: str, place: str) -> None:
        """Register `place` ("module:attribute") as `name`.

        Raises `DuplicatePlugin` if the name is taken.
        """
        taken = self._all().get(name)
        if taken is not None:
            raise DuplicatePlugin(
                f"two {self.kind}s are called {name!r}: {taken} and {place}; rename one"
            )
        self._places[name] = place

    def names(self) -> list[str]:
        """Every registered name, ours first, in the order of the table."""
        return list(self._all())

    def get(self, name: str) -> Plugin:
        """A new plug-in of that name. Raises `UnknownPlugin`, naming those that exist."""
        plugin: Plugin = self.factory(name)()
        return plugin

    def factory(self, name: str) -> Callable[..., Plugin]:
        """The class or function that makes plug-ins of that name. Raises `UnknownPlugin`."""
        places = self._all()
        if name not in places:
            raise UnknownPlugin(
                f"there is no {self.kind} {name!r}; there are: {', '.join(places) or 'none'}"
            )
        module, _, attribute = places[name].partition(":")
        factory: Callable[..., Plugin] = getattr(importlib.import_module(module), attribute)
        return factory

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def _all(self) -> dict[str, str]:
        if not self._entry_points_read:
            self._entry_points_read = True
            for point in self._found_entry_points():
                self.add(point.name, point.value)
        return self._places

    def _found_entry_points(self) -> list[EntryPoint]:
        return list(entry_points(group=self.group))
