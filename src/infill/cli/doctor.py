"""`infill doctor`: what is installed here, and what is missing for what."""

import os
import platform
import sys
from pathlib import Path
from typing import Any

import typer

from infill.cli import common, flags

EXTRAS = {
    "segment": (
        ("torch", "transformers", "safetensors", "huggingface_hub"),
        "click-to-mask with Segment Anything",
    ),
    "web": (
        ("gradio", "fastapi", "uvicorn", "python-multipart", "prometheus-client"),
        "the web app (`infill app`) and the HTTP API (`infill serve`)",
    ),
    "torch": (("torch", "safetensors"), "networks; the other extras that need it bring it along"),
    "diffusion": (
        ("torch", "diffusers", "transformers", "accelerate", "safetensors", "peft"),
        "Stable Diffusion, SD-XL, FLUX and kin; RePaint and filling guided by a picture",
    ),
    "train": (("torch", "diffusers", "safetensors"), "training the small networks"),
    "metrics": (
        ("torch", "transformers", "scikit-image", "torchmetrics"),
        "FID, KID, LPIPS and CLIP in `infill bench`",
    ),
    "data": (("pycocotools",), "COCO's objects as masks in `infill bench`"),
}
"""Extra: the packages it brings, and what they add."""

BASE = (
    "numpy", "opencv-python-headless", "pillow", "numba", "onnxruntime", "typer", "rich", "tqdm",
)  # fmt: skip

EXAMPLES = """[bold]Examples[/bold]

[green]infill doctor[/green]

[green]infill doctor --json[/green]   to put in a bug report"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("doctor", epilog=EXAMPLES)(doctor)


@common.command
def doctor(json: flags.AsJson = False, verbose: flags.Verbose = 0) -> None:
    """Say what is installed, and what each missing extra would add.

    The exit code is 1 if something that Infill cannot do without is missing.
    """
    found = examine()
    if json:
        common.print_json(found)
    else:
        _tell(found)
    if not found["healthy"]:
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """What `doctor` reports, as JSON values."""
    import infill
    from infill.settings import current

    settings = current()
    packages = {name: installed(name) for name in BASE}
    return {
        "infill": infill.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "threads": settings.worker_threads,
        "engine": settings.engine,
        "packages": packages,
        "extras": {name: _extra(name) for name in EXTRAS},
        "kernels": kernel_cache(),
        "healthy": None not in packages.values(),
    }


def installed(package: str) -> str | None:
    """The version of a package, or None."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        # The other builds of OpenCV do as well.
        return installed("opencv-python") if package == "opencv-python-headless" else None


def kernel_cache() -> dict[str, Any]:
    """Where compiled kernels are kept, how many there are, and whether any are."""
    import infill

    package = Path(infill.__file__).parent
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folders = [Path(chosen)] if chosen else [package]
    writable = os.access(folders[0], os.W_OK) if folders[0].exists() else True
    if not chosen and not writable:
        folders = [_user_cache()]
    count = sum(1 for folder in folders if folder.exists() for _ in folder.rglob("*.nbc"))
    return {"folder": str(folders[0]), "kernels": count, "warm": count > 0}


def _user_cache() -> Path:
    """Where Numba keeps kernels of packages that lie in folders it may not write."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / "Numba" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "numba"


def _extra(name: str) -> dict[str, Any]:
    packages, adds = EXTRAS[name]
    missing = [package for package in packages if installed(package) is None]
    return {
        "installed": not missing,
        "adds": adds,
        "command": None if not missing else f"pip install 'infill[{name}]'",
    }


def _tell(found: dict[str, Any]) -> None:
    common.tell(f"infill {found['infill']} on Python {found['python']} ({found['executable']})")
    common.tell(f"{found['platform']}; {found['cores']} cores, {found['threads']} threads used")
    common.tell(f"default engine: {found['engine']}")
    kernels = found["kernels"]
    state = f"{kernels['kernels']} kept" if kernels["warm"] else "none yet: the first fill compiles"
    common.tell(f"compiled kernels: {state}, in {kernels['folder']}")
    packages = [[name, number or "MISSING"] for name, number in found["packages"].items()]
    common.table(["package", "version"], packages)
    extras = [
        [
            name,
            "installed" if extra["installed"] else "missing",
            extra["adds"],
            extra["command"] or "",
        ]
        for name, extra in found["extras"].items()
    ]
    common.table(["extra", "", "what it adds", "type"], extras)
    if not found["healthy"]:
        common.complain("something that Infill needs is missing; type: pip install infill")
