"""`pocket`: the file in the package, the session that runs it, and the seam."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import infill
from infill import settings
from infill.engines.base import no_progress
from infill.engines.pocket import NATIVE, Options, Pocket, network, seam
from infill.engines.pocket.about import PARAMETERS, WEIGHTS
from infill.errors import EngineFailed, MissingWeights
from infill.geometry import Box, Frame

RNG = np.random.default_rng


def scene(height: int = 96, width: int = 128) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    pixels = np.stack([x / width, y / height, 0.5 + 0.3 * np.sin(x / 9)], -1).astype(np.float32)
    mask = np.zeros((height, width), np.bool_)
    mask[height // 4 : height // 2, width // 4 : width // 2] = True
    pixels[mask] = 0
    return pixels, mask


def fill(pixels: np.ndarray, mask: np.ndarray) -> infill.engines.base.Filled:
    return Pocket().fill(pixels, mask, Options(), RNG(0), no_progress)


@pytest.fixture
def other_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Another place for the file of weights, with nothing there."""
    network._session.cache_clear()
    monkeypatch.setattr(network, "FILE", tmp_path / "pocket.onnx")
    yield tmp_path / "pocket.onnx"
    network._session.cache_clear()


@pytest.fixture
def whole() -> bytes:
    """The file of weights."""
    return network.FILE.read_bytes()


class TestFile:
    def test_is_what_the_card_says(self) -> None:
        content = network.FILE.read_bytes()
        assert len(content) == WEIGHTS.size
        assert hashlib.sha256(content).hexdigest() == WEIGHTS.sha256
        assert network.FILE.as_posix().endswith(WEIGHTS.source)

    def test_is_as_small_as_promised(self) -> None:
        assert WEIGHTS.size <= 16 * 10**6
        assert PARAMETERS <= 8 * 10**6

    def test_has_as_many_weights_as_the_card_says(self) -> None:
        onnx = pytest.importorskip("onnx", reason="needs the extra train")
        graph = onnx.load(network.FILE).graph
        numbers = sum(np.prod(one.dims, dtype=int) for one in graph.initializer)
        # The graph has some of its own beside the weights: sizes, factors, axes.
        assert PARAMETERS <= numbers < PARAMETERS + 200

    def test_missing(self, other_file: Path) -> None:
        with pytest.raises(
            MissingWeights, match=r"pocket\.onnx is missing .*; install Infill again"
        ):
            fill(*scene())

    @pytest.mark.parametrize("keep", [0, 1000, WEIGHTS.size // 2])
    def test_cut_short(self, whole: bytes, other_file: Path, keep: int) -> None:
        other_file.write_bytes(whole[:keep])
        with pytest.raises(MissingWeights, match=r"is damaged; install Infill again"):
            fill(*scene())

    def test_damaged_within(self, whole: bytes, other_file: Path) -> None:
        other_file.write_bytes(whole[:6_000_000] + bytes(4000) + whole[6_004_000:])
        with pytest.raises(MissingWeights, match=r"is damaged; install Infill again"):
            fill(*scene())


class TestFill:
    def test_pytorch_is_not_needed(self) -> None:
        code = (
            "import sys, json, numpy, infill\n"
            "photo = numpy.full((64, 80, 3), 128, numpy.uint8)\n"
            "mask = numpy.zeros((64, 80), bool); mask[20:40, 20:40] = True\n"
            "infill.fill(photo, mask, engine='pocket')\n"
            "print(json.dumps(sorted(sys.modules)))"
        )
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=300)
        loaded = json.loads(done.stdout)
        assert "onnxruntime" in loaded
        assert not {"torch", "onnx", "transformers"} & set(loaded)

    def test_what_lies_in_the_hole_is_not_looked_at(self) -> None:
        pixels, mask = scene()
        other = pixels.copy()
        other[mask] = RNG(1).random((mask.sum(), 3), np.float32)
        assert (fill(pixels, mask).pixels == fill(other, mask).pixels).all()

    @pytest.mark.parametrize("upright", [True, False])
    def test_an_edge_goes_on_through_the_hole(self, upright: bool) -> None:
        photo = np.full((128, 128, 3), 0.25, np.float32)
        photo[:, 64:] = 0.75
        photo = photo if upright else photo.transpose(1, 0, 2).copy()
        mask = np.zeros((128, 128), np.bool_)
        mask[50:78, 50:78] = True
        pixels = np.where(mask[..., None], np.float32(0), photo)
        smooth = seam.met(np.full_like(photo, 0.5), pixels, mask)  # what the rim alone tells
        away = [np.abs(one - photo)[mask].mean() for one in (fill(pixels, mask).pixels, smooth)]
        assert away[0] < 0.6 * away[1]

    def test_in_a_photo_of_any_size_nothing_else_changes(self) -> None:
        photo = RNG(0).integers(0, 256, (333, 701, 3), dtype=np.uint8)
        mask = np.zeros((333, 701), np.bool_)
        mask[100:250, 200:420] = True
        result = infill.fill(photo, mask, engine="pocket")
        assert (result.picture.pixels[~mask] == photo[~mask]).all()
        assert result.recipe.weights == {WEIGHTS.source: WEIGHTS.sha256}
        assert result.notes == ()

    @pytest.mark.parametrize("shape", [(1, 60_000), (16, 30_000), (3000, 7)])
    def test_long_narrow_photos_are_seen_small(
        self, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[tuple[int, ...]] = []
        run = network.run
        monkeypatch.setattr(
            network, "run", lambda pixels, mask: (seen.append(mask.shape), run(pixels, mask))[1]
        )
        photo = np.full((*shape, 3), 100, np.uint8)
        mask = np.zeros(shape, np.bool_)
        middle = [slice(length // 3, max(length // 3 + 1, 2 * length // 3)) for length in shape]
        mask[*middle] = True
        result = infill.fill(photo, mask, engine="pocket")
        assert (result.picture.pixels[~mask] == 100).all()
        assert seen
        assert max(height * width for height, width in seen) < 2.2 * NATIVE**2

    @pytest.mark.parametrize("side", [64, 65, 100, 1008, 1024])
    def test_the_option_is_what_it_sees(self, side: int) -> None:
        rule = Pocket().size_rule(Options(side=side))
        square = Frame.of(Box(0, 0, 2512, 2512), rule)
        assert square.shape == square.size  # nothing is mirrored
        for shape in ((512, 512), (900, 1700), (2669, 3625)):
            height, width = Frame.of(Box(0, 0, *shape), rule).shape
            assert height * width < 1.45 * max(side, 80) ** 2

    def test_values_that_are_no_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Broken:
            def run(
                self, names: None, given: dict[str, np.ndarray], how: object
            ) -> list[np.ndarray]:
                return [np.full_like(given["picture"], np.nan)]

        monkeypatch.setattr(network, "session", lambda threads: Broken())
        with pytest.raises(EngineFailed, match="no number"):
            fill(*scene())

    def test_where_memory_is_short_it_looks_at_less_and_says_so(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = network.session(1)

        class Short:
            def run(self, names: None, given: dict[str, np.ndarray], how: object) -> object:
                if given["mask"].size > 160 * 160:
                    raise RuntimeError("[ONNXRuntimeError] : Failed to allocate memory for 1 byte")
                return session.run(names, given, how)

        monkeypatch.setattr(network, "session", lambda threads: Short())
        pixels, mask = scene(256, 320)
        made = fill(pixels, mask)
        assert made.pixels.shape == pixels.shape
        assert made.notes == ("memory was short: the network saw 143 × 143 pixels in all",)

    def test_where_there_is_no_memory_at_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Full:
            def run(self, *given: object) -> None:
                raise MemoryError

        monkeypatch.setattr(network, "session", lambda threads: Full())
        with pytest.raises(EngineFailed, match="not enough memory for the network"):
            fill(*scene())

    def test_other_errors_go_through(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Odd:
            def run(self, *given: object) -> None:
                raise RuntimeError("something else")

        monkeypatch.setattr(network, "session", lambda threads: Odd())
        with pytest.raises(EngineFailed, match="something else"):
            infill.fill(np.zeros((64, 64, 3), np.uint8), np.eye(64) > 0, engine="pocket")

    def test_the_same_bytes_at_its_usual_size(self) -> None:
        pixels, mask = scene(320, 320)
        made = set()
        for threads in (1, 2, 8):
            with settings.using(threads=threads):
                made.add(fill(pixels, mask).pixels.tobytes())
        assert len(made) == 1

    def test_one_session_for_each_number_of_threads(self) -> None:
        network._session.cache_clear()
        with ThreadPoolExecutor(4) as pool:  # at once
            made = list(pool.map(network.session, (1, 2, 1, 2, 1)))
        assert network._session.cache_info().misses == 2
        assert made[0] is made[2] is made[4]
        assert made[1] is made[3] is not made[0]


class TestSeam:
    def test_a_shift_of_colour_is_taken_back(self) -> None:
        pixels, mask = scene()
        truth = np.float32(0.2) + np.float32(0.6) * pixels
        shift = np.float32([0.1, -0.05, 0.02])
        assert np.abs(seam.met(truth + shift, truth, mask) - truth).max() < 1e-5

    def test_a_shift_that_grows_across_the_hole(self) -> None:
        mask = np.zeros((64, 64), np.bool_)
        mask[16:48, 16:48] = True
        slope = np.broadcast_to(
            np.linspace(0, 0.2, 64, dtype=np.float32)[None, :, None], (64, 64, 3)
        )
        photo = np.full((64, 64, 3), 0.4, np.float32)
        met = seam.met(photo + slope, photo, mask)
        assert np.abs(met - photo)[mask].max() < 0.03  # from 0.15

    def test_what_fits_stays(self) -> None:
        pixels, mask = scene()
        made = pixels.copy()
        made[mask] = RNG(2).random((mask.sum(), 3), np.float32)
        assert np.abs(seam.met(made, pixels, mask) - made).max() < 1e-6

    @pytest.mark.parametrize("shape", [(1, 2), (16, 16), (37, 5)])
    def test_stays_in_range_with_one_known_pixel(self, shape: tuple[int, int]) -> None:
        mask = np.ones(shape, np.bool_)
        mask[0, 0] = False
        made, pixels = RNG(3).random((2, *shape, 3), np.float32)
        met = seam.met(made, pixels, mask)
        assert met.dtype == np.float32
        assert met.min() >= 0
        assert met.max() <= 1
        assert (met[0, 0] == pixels[0, 0]).all()
        # One pixel says by how much all is off.
        expected = np.clip(made + (pixels[0, 0] - made[0, 0]), 0, 1)
        assert np.abs(met - expected)[mask].max() < 1e-5
