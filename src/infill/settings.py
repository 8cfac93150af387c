"""The one table of settings that the library, the command line and every server read.

Each setting has a default, an environment variable (`INFILL_` and its name in capitals) and
a line of help; `using(...)` overrides some of them for a block of code.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from typing import Any

from infill.errors import BadSetting


def _available_cores() -> int:
    """Cores this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _setting(default: Any, text: str, *, low: int = 0) -> Any:
    return field(default=default, metadata={"help": text, "low": low})


@dataclass(frozen=True)
class Settings:
    """All settings; every value is immutable, see `using` to change some for a while."""

    engine: str = _setting("exemplar", "engine used when none is named")
    threads: int = _setting(0, "threads an engine may use; 0 = every core of this process")
    max_pixels: int = _setting(
        400_000_000, "largest picture that is decoded, in pixels; checked before decoding", low=1
    )
    segmenter: str = _setting("classic", "segmenter used when none is named")
    sam_checkpoint: str = _setting(
        "facebook/sam-vit-base", "Segment Anything model: a name on the hub, or a local folder"
    )
    lpips_weights: str = _setting(
        "alex", "network of the metric lpips: alex, vgg, or a folder or file of weights"
    )
    inception_weights: str = _setting(
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
        "pt_inception-2015-12-05-6726825d.pth"
        "#sha256=6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        "network of the metrics fid and kid: a file of weights, or URL#sha256=HEX",
    )
    clip_model: str = _setting(
        "openai/clip-vit-base-patch32",
        "network of the metric clip: a name on the hub, or a local folder",
    )
    device: str = _setting("auto", "where networks run: auto, cpu, cuda, cuda:1, mps")
    offline: int = _setting(0, "1 = never touch the network; weights have to be here")
    embedding_bytes: int = _setting(
        2**30, "memory for what segmenters keep of the last photos, in bytes"
    )
    upload_bytes: int = _setting(100 * 2**20, "largest request that a server reads", low=1)
    served_pixels: int = _setting(50_000_000, "largest picture that a server decodes", low=1)
    served_steps: int = _setting(200, "most steps of a diffusion engine in one request", low=1)
    served_calls: int = _setting(
        500,
        "most runs of a diffusion engine's network for one region of a hole, resampling counted",
        low=1,
    )
    served_batch: int = _setting(8, "most candidates in one request", low=1)
    queue_jobs: int = _setting(64, "requests that wait at most; one more is refused", low=1)
    job_seconds: int = _setting(600, "longest a request may work before it is stopped", low=1)
    keep_seconds: int = _setting(3600, "how long a server keeps a result", low=1)

    @property
    def worker_threads(self) -> int:
        """`threads` with 0 resolved to the number of cores this process may use (>= 1)."""
        return self.threads or _available_cores()


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Settings with every `INFILL_<NAME>` of `environ` applied.

    Raises `BadSetting` for a value that is no number or out of range. Variables that name no
    setting are left alone: others may use the prefix (`INFILL_BENCH` names a data folder).
    """
    given = {}
    for entry in fields(Settings):
        text = environ.get(f"INFILL_{entry.name.upper()}")
        if text is not None:
            given[entry.name] = text
    return _checked(Settings(), given, lambda name: f"INFILL_{name.upper()}")


def _checked(
    base: Settings,
    given: Mapping[str, Any],
    called: Callable[[str], str] = lambda name: f"setting {name}",
) -> Settings:
    """`base` with `given` applied; `called` is what an error calls a setting."""
    table = {entry.name: entry for entry in fields(Settings)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in table:
            raise BadSetting(f"there is no setting {name!r}; there are: {', '.join(table)}")
        if isinstance(table[name].default, int):
            try:
                value = int(value)
            except ValueError:
                raise BadSetting(f"{called(name)} takes a whole number, not {value!r}") from None
            low = table[name].metadata["low"]
            if value < low:
                raise BadSetting(f"{called(name)} must be at least {low}, not {value}")
        values[name] = value
    return replace(base, **values)


_override: ContextVar[Settings | None] = ContextVar("infill_settings", default=None)


def current() -> Settings:
    """The settings in force: those of the innermost `using`, else those of the environment."""
    return _override.get() or from_environment(os.environ)


@contextmanager
def using(**changes: Any) -> Iterator[Settings]:
    """Override some settings inside a `with` block, in this thread or task alone."""
    token = _override.set(_checked(current(), changes))
    try:
        yield current()
    finally:
        _override.reset(token)
