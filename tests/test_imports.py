"""What a process loads: nothing heavy before it is needed. The set of modules, not a time."""

import json
import subprocess
import sys
from pathlib import Path

import infill

ALWAYS = {"infill"}
ARRAYS = ALWAYS | {"numpy"}
CLASSICAL = ARRAYS | {"cv2"}
FILES = CLASSICAL | {"PIL"}
COMPILED = FILES | {"numba", "llvmlite"}
# What Numba looks for by itself, and loads where it is installed (as it is with scikit-image).
NUMBAS_OWN = {"scipy", "_cyutility", "yaml", "charset_normalizer"}

FILL = """
import numpy as np
photo = np.full((64, 64, 3), 128, np.uint8)
photo[::2] = 90
mask = np.zeros((64, 64), bool)
mask[20:30, 20:30] = True
infill.fill(photo, mask, engine={engine!r})
"""


def third_party(code: str) -> set[str]:
    """Top names of what `import infill` and then `code` load beyond the standard library.

    numpy's random generators bring helper modules of Cython, which count as numpy.
    """
    script = (
        "import sys, json\nbefore = set(sys.modules)\nimport infill\n"
        f"{code}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    source = str(Path(infill.__file__).parents[1])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {source!r})\n{script}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    names = {name.partition(".")[0] for name in json.loads(answer.stdout.splitlines()[-1])}
    cython = {name for name in names if name.startswith(("_cython", "cython", "_sysconfigdata"))}
    return names - set(sys.stdlib_module_names) - cython


def test_import_infill() -> None:
    assert third_party("") == ALWAYS


def test_names_and_cards_of_the_engines() -> None:
    assert third_party("infill.engines.names(); infill.engines.cards()") == ARRAYS


def test_a_fill_of_arrays_by_a_classical_engine() -> None:
    for engine in ("flat", "telea", "navier-stokes"):
        assert third_party(FILL.format(engine=engine)) == CLASSICAL


def test_a_fill_of_files(tmp_path: Path) -> None:
    code = f"""
import numpy as np
path = {str(tmp_path)!r} + "/"
infill.save(np.zeros((64, 64, 3), np.uint8), path + "photo.jpg")
infill.save(np.pad([[255]], 20).astype(np.uint8), path + "mask.png")
photo = infill.load(path + "photo.jpg")
mask = infill.load(path + "mask.png").pixels[:41, :41]
infill.fill(photo.pixels[:41, :41], mask, engine="telea").save(path + "out.png")
"""
    assert third_party(code) == FILES


def test_the_engines_with_a_network_of_our_own() -> None:
    runtime = CLASSICAL | {"onnxruntime"}
    assert third_party(FILL.format(engine="pocket")) == runtime
    large = FILL.format(engine="hybrid").replace("20:30, 20:30", "10:50, 10:50")
    assert third_party(large) - NUMBAS_OWN == runtime | (COMPILED - {"PIL"})


def test_the_default_engine() -> None:
    assert third_party(FILL.format(engine=None)) - NUMBAS_OWN == COMPILED - {"PIL"}
