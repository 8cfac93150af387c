"""Checkpoints as they are found in public, written with small random networks; and hostile ones."""

import io
import pickle
import sys
import types
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from infill.nets import lama
from infill.nets.deepfill.names import to_tf
from infill.nets.lama import prepare


def deepfill_file(
    path: Path, generator: nn.Module, judge: nn.Module | None = None, *, tf: bool = False
) -> Path:
    """As a training script saves it: the networks and their optimisers."""
    state = generator.state_dict()
    optimiser = torch.optim.Adam(generator.parameters())
    held = {"G": to_tf(state) if tf else state, "G_optim": optimiser.state_dict(), "n_iter": 7}
    if judge is not None:
        held["D"] = judge.state_dict()
    torch.save(held, path)
    return path


class _Module(nn.Module):
    """What the published program trains: a generator, and things that nobody needs for filling."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator
        self.loss_resnet_pl = nn.Linear(2, 2)
        self.discriminator = nn.Conv2d(3, 3, 1)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        photo, mask = batch["image"], batch["mask"]
        made: Tensor = mask * self.generator(prepare(photo, mask)) + (1 - mask) * photo
        return made


class _Wrapped(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        made: Tensor = self.model({"image": image, "mask": mask})
        return made


def script_file(path: Path, generator: lama.Generator) -> Path:
    """A TorchScript archive, traced as the published program does it."""
    side = 2 * generator.least
    given = torch.rand(1, 3, side, side), torch.zeros(1, 1, side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(_Wrapped(_Module(generator)).eval(), given, strict=False)
        traced.save(str(path))
    return path


def lightning_file(path: Path, generator: nn.Module, *, foreign: bool = True) -> Path:
    """A checkpoint of PyTorch Lightning; `foreign`: with objects of packages that are not here."""
    held: dict[str, Any] = {
        "epoch": 3,
        "pytorch-lightning_version": "1.2.9",
        "state_dict": _Module(generator).state_dict(),
    }
    with packages("omegaconf.dictconfig", "pytorch_lightning.callbacks.model_checkpoint") as made:
        if foreign:
            config = made[0]()
            config.content = {"generator": {"kind": "ffc_resnet", "ngf": 64}}
            held["hyper_parameters"] = config
            held["callbacks"] = {made[1]: {"best": torch.zeros(2), "kept": [1, 2.5, None]}}
        torch.save(held, path)
    return path


@contextmanager
def packages(*names: str) -> Iterator[list[Callable[[], Any]]]:
    """Modules of these names, with one class each, for as long as the block lasts."""
    parts = [
        ".".join(name.split(".")[: i + 1]) for name in names for i in range(name.count(".") + 1)
    ]
    added = {part: types.ModuleType(part) for part in parts if part not in sys.modules}
    sys.modules.update(added)
    kinds = []
    for name in names:
        kind = type("Thing", (), {"__module__": name})
        sys.modules[name].Thing = kind  # type: ignore[attr-defined]
        kinds.append(kind)
    yield kinds
    for part in added:
        del sys.modules[part]


class Evil:
    """Pickled, it is an order to write a file; kept as data it does nothing."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({str(self.target)!r}, 'w').close()",)


def rewritten(
    path: Path, change: Callable[[str, bytes], bytes | None], packed: bool = False
) -> None:
    """The zip at `path` with every member passed through `change` (None: left out)."""
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w", kind) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    path.write_bytes(buffer.getvalue())


def with_table(path: Path, table: object) -> None:
    """Put another pickle in place of the archive's own."""
    content = pickle.dumps(table, protocol=2)
    rewritten(path, lambda name, old: content if name.endswith("/data.pkl") else old)
