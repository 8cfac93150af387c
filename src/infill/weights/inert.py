"""A pickle of PyTorch read for its tensors' names, places and shapes; nothing in it is run.

PyTorch's own reader for tensors alone (`weights_only`) refuses TorchScript archives, and the
checkpoints of training frameworks, which keep their configuration beside the weights. Here every
class that a pickle names becomes a `Shell`, which takes whatever is put into it and does nothing.
No module is imported, no function of another is called. What is no part of a list of names known
from such files is refused, since nobody puts it into a checkpoint in good faith.
"""

import collections
import io
import math
import pickle
import pickletools
from collections.abc import Callable
from typing import IO, Any, NamedTuple

import torch

KINDS = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}

FRAMEWORKS = {
    "__torch__",
    "lightning",
    "lightning_fabric",
    "lightning_utilities",
    "omegaconf",
    "pytorch_lightning",
    "saicinpainting",
    "torchmetrics",
}
"""Packages whose classes stand in checkpoints: emptied, whatever they are called."""

PLAIN = {
    *(("builtins", name) for name in ("bool", "dict", "float", "int", "list", "set", "str")),
    *(("builtins", name) for name in ("bytes", "complex", "frozenset", "slice", "tuple")),
    *(("__builtin__", name) for name in ("bool", "dict", "float", "int", "list", "set", "str")),
    *(("__builtin__", name) for name in ("complex", "frozenset", "long", "tuple", "unicode")),
    ("_codecs", "encode"),
    *((module, "_reconstructor") for module in ("copyreg", "copy_reg")),
    *((module, "object") for module in ("builtins", "__builtin__")),
    ("argparse", "Namespace"),
    ("collections", "Counter"),
    ("collections", "defaultdict"),
    ("collections", "deque"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    *(("numpy", name) for name in ("dtype", "ndarray", "float32", "float64", "int64")),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *(("pathlib", name) for name in ("Path", "PosixPath", "PurePosixPath", "WindowsPath")),
    *(("torch", name) for name in ("Size", "device", "dtype")),
    ("torch.optim.adam", "Adam"),
    ("torch.optim.adamw", "AdamW"),
    *(("typing", name) for name in ("Any", "Dict", "List", "Optional", "Tuple", "Union")),
}
"""Single names that stand in checkpoints beside tensors: emptied, too."""


DEEPEST = 200
"""How deep tuples may lie in each other. Python hashes a tuple that is a key by calling itself in
C for what is in it, without a limit, and a hundred thousand of them end the process."""

MOST_STEPS = 2_000_000
"""Steps of a pickle: some thirty make a tensor, and each may take memory or time."""


class Refused(pickle.UnpicklingError):
    """The pickle names something that is no part of a checkpoint; `str` is what it names."""


class Place(NamedTuple):
    """Where a tensor's numbers lie: which storage of the archive, and how they are laid out."""

    storage: str
    kind: torch.dtype
    numbers: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def inside(self) -> bool:
        """Whether the layout stays within the storage, and says no more than lies there."""
        if len(self.shape) != len(self.strides) or self.offset < 0:
            return False
        if any(side < 0 for side in self.shape) or any(step < 0 for step in self.strides):
            return False
        if math.prod(self.shape) > self.numbers:
            return False
        if 0 in self.shape:
            return True
        last = sum((side - 1) * step for side, step in zip(self.shape, self.strides, strict=True))
        return self.offset + last < self.numbers


class Shell:
    """Stands for an object of any class. It keeps what it is given and does nothing."""

    state: Any
    items: dict[Any, Any]

    def __new__(cls, *given: Any, **named: Any) -> "Shell":
        made = super().__new__(cls)  # where an unpickled object begins: `__init__` is not called
        made.state, made.items = None, {}
        return made

    def __init__(self, *given: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items[key] = value

    def append(self, value: Any) -> None:
        self.items[len(self.items)] = value

    def extend(self, values: Any) -> None:
        for value in values:
            self.append(value)

    def add(self, value: Any) -> None:
        self.append(value)


class _Call:
    """A function of ours that a pickle may call, and no more: it cannot be changed by one."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *given: Any) -> Any:
        return self.function(*given)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it tries to change what reads it")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> Place:
    kind, key, count = storage
    shape, strides = tuple(shape), tuple(strides)
    if not all(isinstance(number, int) for number in (offset, *shape, *strides)):
        raise pickle.UnpicklingError("a tensor has a size that is no number")
    return Place(key, kind, count, offset, shape, strides)


def _first(value: Any, *rest: Any) -> Any:
    return value


LISTS = ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist")
CALLED = {
    ("torch._utils", "_rebuild_tensor"): _Call(_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): _Call(_tensor),
    ("torch._utils", "_rebuild_parameter"): _Call(_first),
    **{("torch.jit._pickle", name): _Call(_first) for name in (*LISTS, "restore_type_tag")},
}
"""What a pickle calls to make a tensor or a list, and our functions that are called instead."""


class _Reader(pickle._Unpickler):
    """The unpickler in Python: a few bytes make the one in C take gigabytes for its memo."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in CALLED:
            return CALLED[module, name]
        if module == "torch" and name in KINDS:
            return KINDS[name]
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) in PLAIN or module.partition(".")[0] in FRAMEWORKS:
            return Shell
        raise Refused(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> tuple[torch.dtype, str, int]:
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage"):
            raise pickle.UnpicklingError("it refers to something that is no storage")
        _, kind, key, _, count = pid
        if not (isinstance(kind, torch.dtype) and isinstance(key, str) and isinstance(count, int)):
            raise pickle.UnpicklingError("it refers to something that is no storage")
        return kind, key, count


def check(stream: IO[bytes]) -> None:
    """Go over one pickle, as far as its end, without making anything of it.

    Raises `pickle.UnpicklingError` (or what else nonsense raises: `ValueError`, `LookupError`) for
    one that is nested deeper than `DEEPEST` or has more than `MOST_STEPS`: no reader should get it.
    """
    depths = _Depths()
    for count, (step, given, _) in enumerate(pickletools.genops(stream)):
        if count > MOST_STEPS:
            raise pickle.UnpicklingError("its table is longer than any checkpoint's")
        if depths.take(step, given) > DEEPEST:
            raise pickle.UnpicklingError("its table is nested deeper than any checkpoint's")


class _Depths:
    """The stack of an unpickler with, in place of values, how many tuples lie in each other there.

    What holds others counts as deep as the deepest of them, which is never too little: only
    tuples, which do not change once they are made, are hashed by what they hold.
    """

    def __init__(self) -> None:
        self.stack: list[int] = []
        self.below: list[list[int]] = []
        self.memo: dict[int, int] = {}

    def take(self, step: pickletools.OpcodeInfo, given: Any) -> int:
        """Do one step; the depth of what lies on top then."""
        name = step.name
        if name == "MARK":
            self.below.append(self.stack)
            self.stack = []
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[given] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[given])
        elif name == "POP" and not self.stack:
            self.stack = self.below.pop()
        else:
            deep = max(self._taken(step.stack_before), default=0) + ("TUPLE" in name)
            self.stack += [deep] * len(step.stack_after)
        return self.stack[-1] if self.stack else 0

    def _taken(self, before: list[pickletools.StackObject]) -> list[int]:
        """What a step takes off the stack."""
        if pickletools.markobject in before:
            taken, self.stack = self.stack, self.below.pop()
            before = before[: before.index(pickletools.markobject)]
        else:
            taken = []
        return taken + [self.stack.pop() for _ in before]


def places(content: bytes) -> dict[str, Place]:
    """Every tensor in a pickle by its dotted name: keys of tables and names of attributes.

    Raises `Refused` for a name that is no part of a checkpoint, and `pickle.UnpicklingError` (or
    what else `pickle` raises for nonsense) for what is damaged.
    """
    check(io.BytesIO(content))
    found: dict[str, Place] = {}
    _collect(_Reader(io.BytesIO(content)).load(), (), found, set())
    return found


def _collect(value: Any, path: tuple[str, ...], found: dict[str, Place], seen: set[int]) -> None:
    if isinstance(value, Place):
        found[".".join(path)] = value
        return
    if id(value) in seen:  # a table that lies in itself, or in many others
        return
    seen.add(id(value))
    for table in (value.state, value.items) if isinstance(value, Shell) else (value,):
        if isinstance(table, dict):
            for key, inner in table.items():
                if isinstance(key, str | int):
                    _collect(inner, (*path, str(key)), found, seen)
