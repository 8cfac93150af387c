"""LPIPS: how different two photos look to a network that learnt to name things.

R. Zhang, P. Isola, A. A. Efros, E. Shechtman and O. Wang, "The Unreasonable Effectiveness of Deep
Features as a Perceptual Metric", CVPR 2018, in version 0.1 of the authors' program. Figures of
AlexNet and of VGG-16 are two scales: only those of one network can be compared.
"""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from infill import settings, weights
from infill.device import pick
from infill.errors import InfillError, MissingWeights
from infill.lazy import need
from infill.metrics import networks
from infill.metrics.base import MetricCard, OverPhotos, check
from infill.weights import INERT, Source

if TYPE_CHECKING:
    from infill.nets.lpips import Lpips as Network

WHERE = "INFILL_LPIPS_WEIGHTS"

TORCHVISION = "https://download.pytorch.org/models"
AUTHORS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/"
    "082bb24f84c091ea94de2867d34c4544f68e0963/lpips/weights/v0.1"
)


@dataclass(frozen=True)
class Published:
    """Where the files of one trunk are published: the trunk, and the SHA-256 of its heads."""

    trunk: str
    heads: str


PUBLISHED: dict[str, Published] = {
    "alex": Published(
        f"{TORCHVISION}/alexnet-owt-7be5be79.pth"
        "#sha256=7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    ),
    "vgg": Published(
        f"{TORCHVISION}/vgg16-397923af.pth"
        "#sha256=397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    ),
}

INSTALLED = (("lpips", "weights/v0.1"), ("torchmetrics", "functional/image/lpips_models"))
"""Packages that bring the heads, and the folder in each. Nothing of them is imported."""


class Lpips(OverPhotos):
    """LPIPS of the whole photo and in the hole; 0 = alike."""

    card: ClassVar[MetricCard] = MetricCard(
        name="lpips",
        summary="distance as a network sees it, whole photo and inside the hole; needs weights",
        labels={"lpips": "LPIPS", "masked_lpips": "LPIPS in the hole"},
        better={"lpips": "lower", "masked_lpips": "lower"},
        digits={"lpips": 4, "masked_lpips": 4},
        paper="Zhang, Isola, Efros, Shechtman and Wang 2018",
        criterion="consistency",
    )

    def sources(self, model: str | None = None) -> list[Source]:
        """The weights to fetch. model: "alex", "vgg", a path or an address; None = the setting."""
        name = model or settings.current().lpips_weights
        given = f" --model {shlex.quote(name)}" if model else ""
        command = f"infill download lpips{given}"
        if name in PUBLISHED:
            trunk = networks.file_source(
                PUBLISHED[name].trunk,
                command=command,
                where=WHERE,
                licence="BSD-3-Clause; trained on ImageNet, whose photos are for research",
            )
            return [trunk] if installed_heads(name) else [trunk, heads_source(name, command)]
        if Path(name).expanduser().is_dir():
            return []
        return [networks.file_source(name, command=command, where=WHERE)]

    def missing(self) -> str | None:
        """See `Metric.missing`."""
        lacking = networks.lacks(("torch", "safetensors"), "torch")
        if lacking:
            return lacking
        if settings.current().lpips_weights in PUBLISHED:
            return networks.absent(self.sources())
        try:
            kind = _without_heads(_files(offline=True))
        except InfillError as error:
            return str(error)
        if kind is None or installed_heads(kind) is not None:
            return None
        return networks.absent([heads_source(kind)])

    def measure(
        self,
        truth: NDArray[np.float32],
        filled: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> dict[str, float]:
        """`lpips` of the whole photo; `masked_lpips`, the mean over hole pixels of the map of the
        distance, in which each layer is made as large as the photo.

        Both are NaN for photos too small for the network (a side below 31 pixels for AlexNet, below
        16 for VGG-16), `masked_lpips` also for an empty mask. At the peak VGG-16 takes about 2 kB a
        pixel, AlexNet a tenth of it.
        Raises `MissingWeights`, `MissingExtra`, and as `Metric.measure`.
        """
        check(truth, filled, mask)
        device = pick(extra="torch")
        network = _network(device)
        if min(mask.shape) < network.least:
            return {"lpips": math.nan, "masked_lpips": math.nan}
        with networks.running():
            a, b = (2 * networks.to_tensor(one, device) - 1 for one in (truth, filled))
            distance, places = network(a, b)
            whole, inside = float(distance[0].cpu()), places[0].cpu().numpy()[mask]
        return {
            "lpips": whole,
            "masked_lpips": float(inside.mean(dtype=np.float64)) if inside.size else math.nan,
        }


def heads_source(kind: str, command: str = "infill download lpips") -> Source:
    """The authors' file of heads."""
    return networks.file_source(
        f"{AUTHORS}/{kind}.pth#sha256={PUBLISHED[kind].heads}",
        command=command,
        where=WHERE,
        licence="BSD-2-Clause",
    )


def installed_heads(kind: str) -> Path | None:
    """The authors' file of heads in a package that is installed, if it is that file to the byte."""
    for package, folder in INSTALLED:
        spec = find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            path = Path(root) / folder / f"{kind}.pth"
            if path.is_file() and weights.sha256_of(path) == PUBLISHED[kind].heads:
                return path
    return None


def _heads(kind: Literal["alex", "vgg"]) -> Path:
    return installed_heads(kind) or weights.find(heads_source(kind), offline=True)


def _without_heads(paths: Sequence[Path]) -> Literal["alex", "vgg"] | None:
    """Which trunk the files hold, if they hold no heads. Raises `MissingWeights` if neither."""
    from infill.nets import backbones

    return backbones.without_heads(paths)


def _network(device: str) -> "Network":
    """The network that the settings name, on the device."""
    paths = _files()
    key = ("lpips", device, *((str(path.resolve()), weights.sha256_of(path)) for path in paths))

    def make() -> Any:
        from infill.nets import backbones

        return backbones.lpips(paths, _heads).to(device)

    network: Network = networks.kept(key, make)
    return network


def _files(*, offline: bool | None = None) -> list[Path]:
    """The files that hold the trunk and perhaps the heads. offline: touch no network; None = as
    the setting says."""
    name = settings.current().lpips_weights
    folder = Path(name).expanduser()
    if name not in PUBLISHED and folder.is_dir():
        found = _files_in(folder)
        if not found:
            raise MissingWeights(_nothing_in(folder))
        return found
    for module in ("torch", "safetensors"):
        need(module, extra="torch")
    return [weights.find(Lpips().sources()[0], offline=offline)]


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in INERT and path.is_file())


def _nothing_in(folder: Path) -> str:
    return (
        f"{folder} holds no file of weights; put AlexNet or VGG-16 of torchvision there, and the "
        f"heads of LPIPS beside it, or set {WHERE} to alex or vgg"
    )
