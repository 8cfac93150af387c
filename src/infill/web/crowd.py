"""All open pages of a server together: what they hold is bounded."""

import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from infill.web.session import Session

if TYPE_CHECKING:
    from infill.jobs import Pool

MOST_PAGES = 100
MOST_BYTES = 4 * 2**30


class Crowd:
    """Opens sessions. Where a new one makes too many of them, or they hold too many bytes, those
    that were opened first are closed: their pages say that the photo is deleted by now.
    """

    def __init__(
        self, pool: "Pool", root: Path, *, pages: int = MOST_PAGES, nbytes: int = MOST_BYTES
    ) -> None:
        self._pool, self._root = pool, root
        self._pages, self._nbytes = pages, nbytes
        self._open: list[weakref.ref[Session]] = []
        self._lock = threading.Lock()

    def enter(self) -> Session:
        """A new session, in a folder of its own below the root."""
        session = Session.new(self._pool, self._root)
        with self._lock:
            there = [one for ref in self._open if (one := ref()) is not None and one.is_open]
            taken = sum(one.history.nbytes for one in there)
            leaving = []
            while there and (len(there) >= self._pages or taken > self._nbytes):
                leaving.append(there.pop(0))
                taken -= leaving[-1].history.nbytes
            self._open = [weakref.ref(one) for one in (*there, session)]
        for one in leaving:
            one.close()
        return session
