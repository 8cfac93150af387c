"""A large photo passes through in few copies."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PROGRAM = """
import sys
from infill.picture import Picture
photo = Picture.load(sys.argv[1])
changed = photo.with_pixels(photo.pixels.copy())
changed.save(sys.argv[2], text={"infill": "recipe" * 10000})
status = open("/proc/self/status").read()
print(status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_peak_memory_of_a_24_megapixel_jpeg(tmp_path):
    """Loading, one more copy of the pixels, and saving: 3 times the raw pixels and 150 MB."""
    height, width = 4000, 6000
    tile = np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)
    image = Image.fromarray(tile).resize((width, height), Image.Resampling.BILINEAR)
    source = tmp_path / "photo.jpg"
    image.save(source, quality=92)
    command = [sys.executable, "-c", PROGRAM, str(source), str(tmp_path / "out.jpg")]
    peak = int(subprocess.run(command, capture_output=True, check=True).stdout) / 1024
    assert peak < 3 * height * width * 3 / 1e6 + 150
    with Image.open(tmp_path / "out.jpg") as saved:
        assert saved.size == (width, height)
