"""What is done with trained networks, of this project's own; `infill train` trains them.

`sheet` shows what a diffusion network has learnt; `onnx` writes the network of engine `pocket` as
the file that the package holds.
"""

import argparse
import sys
from collections.abc import Sequence
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
        options.run(options)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except InfillError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infill.train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("sheet", help="make a sheet of pictures with a trained DDPM")
    sheet.add_argument("--model", type=Path, required=True, metavar="DIR", help="its folder")
    sheet.add_argument("--out", type=Path, required=True, metavar="FILE", help="JPEG or PNG")
    sheet.add_argument("--count", type=int, default=64, help="of pictures (default: 64)")
    sheet.add_argument("--steps", type=int, default=250, help="of the walk (default: 250)")
    sheet.add_argument("--seed", type=int, default=0, help="of the noise (default: 0)")
    sheet.add_argument("--scale", type=int, default=2, help="enlargement (default: 2)")
    sheet.set_defaults(run=_sheet)
    onnx = commands.add_parser("onnx", help="write a trained pocket network as ONNX")
    onnx.add_argument("weights", type=Path, help="pocket.safetensors, as a run leaves it")
    onnx.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .onnx")
    onnx.set_defaults(run=_onnx)
    return parser


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


def _onnx(options: argparse.Namespace) -> None:
    from infill.nets.export import export
    from infill.nets.pocket import Pocket
    from infill.train.export import read_weights
    from infill.weights import sha256_of

    network = Pocket()
    read_weights(options.weights, network)
    export(network, options.out)
    _say(f"{options.out}: {options.out.stat().st_size:,} bytes, SHA-256 {sha256_of(options.out)}")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
