"""Trains a network on a folder of photos, and shows what it has learnt."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from infill import device, settings
from infill.errors import InfillError
from infill.lazy import need


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        for library in ("torch", "diffusers", "safetensors"):
            need(library, extra="train")
        import torch

        torch.set_num_threads(settings.current().worker_threads)
        work = {"ddpm": _ddpm, "sheet": _sheet}[options.command]
        work(options)
    except KeyboardInterrupt:
        print("stopped; training goes on from its last checkpoint", file=sys.stderr)
        return 130
    except InfillError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infill.train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    ddpm = commands.add_parser("ddpm", help="train an unconditional DDPM of small photos")
    ddpm.add_argument("--photos", type=Path, required=True, metavar="DIR", help="learn from these")
    ddpm.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model's folder")
    ddpm.add_argument(
        "--work", type=Path, metavar="DIR", help="checkpoint and decoded photos (default: OUT.run)"
    )
    ddpm.add_argument("--minutes", type=float, default=78.0, help="of the run (default: 78)")
    ddpm.add_argument("--side", type=int, default=32, help="of the pictures (default: 32)")
    ddpm.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    ddpm.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other value of the configuration, as JSON: batch=32, channels=[32,64]",
    )
    sheet = commands.add_parser("sheet", help="make a sheet of pictures with a trained DDPM")
    sheet.add_argument("--model", type=Path, required=True, metavar="DIR", help="its folder")
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE", help="JPEG or PNG")
    sheet.add_argument("--count", type=int, default=64, help="of pictures (default: 64)")
    sheet.add_argument("--steps", type=int, default=250, help="of the walk (default: 250)")
    sheet.add_argument("--seed", type=int, default=0, help="of the noise (default: 0)")
    sheet.add_argument("--scale", type=int, default=2, help="enlargement (default: 2)")
    return parser


def _ddpm(options: argparse.Namespace) -> None:
    from infill.train.config import DdpmConfig, LoopConfig, assigned
    from infill.train.ddpm import run

    network = DdpmConfig(side=options.side, thumbnail=options.side * 5 // 4)
    loop = replace(LoopConfig(), minutes=options.minutes, seed=options.seed)
    network, loop = assigned((network, loop), options.set)
    run(
        options.photos,
        options.out,
        options.work or options.out.with_name(f"{options.out.name}.run"),
        network,
        loop,
        device=device.pick(extra="train"),
        tell=_say,
    )


def _sheet(options: argparse.Namespace) -> None:
    from infill.picture import check_output
    from infill.train.config import check
    from infill.train.sheet import sample, write_sheet

    for name in ("count", "steps", "scale"):
        value = getattr(options, name)
        check(value >= 1, f"--{name} must be at least 1, not {value}")
    check_output(options.out, overwrite=True)
    place = device.pick(extra="train")
    pictures = sample(
        options.model, options.count, options.steps, options.seed, device=place, tell=_say
    )
    write_sheet(options.out, pictures, options.scale)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
