"""One seed, one result: at any number of threads, side by side, in any process; and when it is
that the loops are compiled."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

import infill
from infill.examples import EXAMPLES
from tests.engines.exemplar_scenes import box, fill

SOURCE = Path(infill.__file__).parents[1]


def example(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A photo that comes with the package, and its mask."""
    with Image.open(EXAMPLES[number].photo) as photo, Image.open(EXAMPLES[number].mask) as mask:
        pixels = np.asarray(photo.convert("RGB"), np.float32) / np.float32(255)
        return pixels, np.asarray(mask.convert("L")) > 127


class TestPhoto:
    @pytest.mark.parametrize("joined", [False, True])
    def test_threads_do_not_matter(self, joined: bool) -> None:
        photo, mask = example(0)
        one = fill(photo, mask, seed=3, threads=1, join=joined)
        for threads in (2, 3, 8):
            assert_array_equal(fill(photo, mask, seed=3, threads=threads, join=joined), one)

    def test_seeds_do(self) -> None:
        photo, mask = example(1)
        first, again, other = (fill(photo, mask, seed=seed) for seed in (0, 0, 1))
        assert_array_equal(first, again)
        assert (first != other)[mask].any(-1).mean() > 0.05
        assert_array_equal(first[~mask], photo[~mask])

    def test_a_large_hole_is_split_among_threads(self) -> None:
        """Large enough that every loop runs in 8 ranges at once."""
        photo, _ = example(2)
        mask = box(photo.shape[:2], (60, 200), (60, 200))
        one = fill(photo, mask, effort=0.25)
        for threads in (2, 8):
            assert_array_equal(fill(photo, mask, effort=0.25, threads=threads), one)

    def test_fills_side_by_side(self) -> None:
        scenes = [example(0), example(1)]
        alone = [fill(*scene, seed=1) for scene in scenes]
        jobs = [0, 1, 0, 1]
        with ThreadPoolExecutor(len(jobs)) as pool:
            both = list(pool.map(lambda job: fill(*scenes[job], seed=1, threads=2), jobs))
        for job, filled in zip(jobs, both, strict=True):
            assert_array_equal(filled, alone[job])


def answer(code: str, **environment: str) -> object:
    """What `code` prints as JSON, run in a new process."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), **environment}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


FILL = """
import json, hashlib
import numpy as np
from infill.engines.base import no_progress
from infill.engines.exemplar import Options
from infill.engines.exemplar import join, kernels
from infill.engines.exemplar.synthesis import synthesise
photo = np.random.default_rng(0).random((80, 90, 3), np.float32)
mask = np.zeros((80, 90), bool)
mask[10:60, 20:70] = True
photo[mask] = 0
filled = synthesise(photo, mask, options=Options(), seed=1, threads=2, progress=no_progress)
inlined = ("_mix", "_grey", "_clipped", "_astray", "_distance")
loops = {
    f"{module.__name__}.{name}": value.stats
    for module in (kernels, join)
    for name, value in vars(module).items()
    if hasattr(value, "stats") and name not in inlined
}
print(json.dumps({
    "bytes": hashlib.sha256(filled.tobytes()).hexdigest(),
    "hits": {name: sum(stats.cache_hits.values()) for name, stats in loops.items()},
    "misses": {name: sum(stats.cache_misses.values()) for name, stats in loops.items()},
}))
"""


class TestCompiling:
    def test_not_at_import(self) -> None:
        code = """
import json, sys
import infill.engines.exemplar
from infill.engines.base import ENGINES, make_options
make_options(ENGINES.get("exemplar"), {"effort": 2})
print(json.dumps(sorted({"numba", "llvmlite", "cv2", "scipy"} & set(sys.modules))))
"""
        assert answer(code) == []

    def test_once_and_then_read_from_the_disk(self) -> None:
        """Whatever the first process has to compile, the second compiles nothing."""
        first = answer(FILL)
        second = answer(FILL)
        assert isinstance(first, dict)
        assert isinstance(second, dict)
        assert second["bytes"] == first["bytes"]
        assert len(second["hits"]) >= 8
        assert set(second["misses"].values()) == {0}
        assert set(second["hits"].values()) == {1}
