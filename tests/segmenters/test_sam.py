"""The segmenter around a network whose answers are known."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infill import segmentation, settings
from infill.errors import BadOption, BadSetting, MissingWeights
from infill.segmenters import sam as package
from infill.segmenters.base import SEGMENTERS, Prompt
from infill.segmenters.cache import EmbeddingCache
from infill.segmenters.sam import Options, Sam
from infill.segmenters.sam.networks import Answer, square, surest_first
from infill.segmenters.sam.running import inference, precision
from tests.segmenters import sam_models

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


class Known:
    """A network of 64 × 64 that answers with maps that are given to it."""

    side, cells, stretch = 64, 16, False
    colours = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    clicks, reads = True, True

    def __init__(self, *rectangles: tuple[slice, slice], scores: Any = None) -> None:
        self.maps = np.full((len(rectangles), 16, 16), -1, np.float32)
        for low, (rows, columns) in zip(self.maps, rectangles, strict=True):
            low[rows, columns] = 1
        self.scores = np.float32(scores if scores is not None else [0.5] * len(rectangles))
        self.embedded = 0
        self.prompts: list[Any] = []
        self.running = 0

    def embed(self, picture: Any) -> Any:
        self.embedded += 1
        self.running += 1
        assert self.running == 1, "two calls at once"
        assert torch.is_inference_mode_enabled()
        assert picture.shape == (1, 3, 64, 64)
        threading.Event().wait(0.005)
        self.running -= 1
        return (picture.mean((2, 3)),)

    def click(self, features: Any, prompt: Any) -> Answer:
        self.prompts.append(prompt)
        self.running += 1
        assert self.running == 1, "two calls at once"
        assert torch.is_inference_mode_enabled()
        threading.Event().wait(0.005)
        self.running -= 1
        return Answer(self.maps, self.scores)

    def read(self, features: Any, text: str) -> Answer:
        return Answer(self.maps, self.scores)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(network: Known) -> Sam:
        monkeypatch.setattr(package, "loaded", lambda options: network)
        return Sam(Options(checkpoint="known", device="cpu"))

    return use


class TestPlacement:
    def test_a_padded_photo(self, use: Any) -> None:
        """128 × 64 into 64 × 32: a cell of the map is 8 × 8 pixels of the photo."""
        known = Known((slice(4, 8), slice(None)), (slice(None), slice(2, 6)))
        sam = use(known)
        state = sam.embed(np.zeros((128, 64, 3), np.uint8))
        rows, columns = sam.segment(state, Prompt(points=((32, 48),)))
        expected = np.zeros((2, 128, 64), bool)
        expected[0, 32:64] = expected[1, :, 16:48] = True
        np.testing.assert_array_equal(rows.mask, expected[0])
        np.testing.assert_array_equal(columns.mask, expected[1])
        assert known.prompts[0].points.tolist() == [[15.5, 23.5]]

    def test_one_cell_of_a_padded_photo(self, use: Any) -> None:
        """Its corners are rounded off, as the map is bilinear; its middle lies where it should."""
        sam = use(Known((slice(5, 6), slice(3, 4))))
        state = sam.embed(np.zeros((128, 64, 3), np.uint8))
        (found,) = sam.segment(state, Prompt(points=((32, 48),)))
        rows, columns = found.mask.nonzero()
        assert rows.min() + rows.max() + 1 == 40 + 48
        assert columns.min() + columns.max() + 1 == 24 + 32
        assert 4 <= np.ptp(rows) + 1 <= 8
        assert 4 <= np.ptp(columns) + 1 <= 8

    def test_a_stretched_photo(self, use: Any) -> None:
        known = Known((slice(4, 8), slice(None)), (slice(None), slice(2, 6)))
        known.stretch = True
        sam = use(known)
        state = sam.embed(np.zeros((80, 48, 3), np.uint8))  # cells of 5 × 3 pixels
        rows, columns = sam.segment(state, Prompt(points=((12, 60),)))
        expected = np.zeros((2, 80, 48), bool)
        expected[0, 20:40] = expected[1, :, 6:18] = True
        np.testing.assert_array_equal(rows.mask, expected[0])
        np.testing.assert_array_equal(columns.mask, expected[1])
        assert known.prompts[0].points.tolist() == [[15.5, 47.5]]


class TestCandidates:
    def test_scores_are_cut_to_the_unit_interval(self, use: Any) -> None:
        everywhere = (slice(None), slice(None))
        sam = use(Known(everywhere, everywhere, everywhere, scores=[1.2, 0.25, -0.5]))
        state = sam.embed(np.zeros((9, 9, 3), np.uint8))
        found = sam.segment(state, Prompt(points=((1, 1),)))
        assert [candidate.score for candidate in found] == [1, 0.25, 0]

    def test_the_surest_comes_first_and_equals_keep_their_order(self) -> None:
        maps = torch.arange(4.0)[:, None, None].expand(4, 2, 2)
        answer = surest_first(maps, torch.tensor([0.1, 0.9, 0.5, 0.9]))
        assert answer.maps[:, 0, 0].tolist() == [1, 3, 2, 0]
        assert answer.scores.tolist() == pytest.approx([0.9, 0.9, 0.5, 0.1])

    def test_a_text_gives_three_of_those_that_the_rest_points_at(self, use: Any) -> None:
        rows = [(slice(row, row + 2), slice(None)) for row in range(0, 12, 2)]
        sam = use(Known(*rows))
        state = sam.embed(np.zeros((64, 64, 3), np.uint8))
        assert len(sam.segment(state, Prompt(text="it"))) == 3
        (one,) = sam.segment(state, Prompt(text="it", points=((5, 42),)))
        assert one.mask[42, 5]
        box = sam.segment(state, Prompt(text="it", box=(0, 0, 64, 16)))
        assert len(box) == 2


class TestCache:
    def test_the_second_click_embeds_nothing(self, use: Any) -> None:
        known = Known((slice(4, 8), slice(2, 6)))
        sam, cache = use(known), EmbeddingCache(10_000)
        photo = sam_models.photo()
        for x in range(5):
            sam.segment(cache.state(sam, photo), Prompt(points=((x, 3),)))
        assert known.embedded == 1
        cache.state(sam, photo[:, ::-1])
        assert known.embedded == 2

    def test_another_checkpoint_in_the_settings_is_another_state(self, use: Any) -> None:
        known = Known((slice(4, 8), slice(2, 6)))
        use(known)
        sam, cache = Sam(), EmbeddingCache(10_000)
        for name in ("one", "two", "one"):
            with settings.using(sam_checkpoint=name, device="cpu"):
                assert cache.state(sam, sam_models.photo()).options.checkpoint == name
        assert known.embedded == 2

    def test_through_the_front_door(self) -> None:
        """A real small network, by the setting, from `infill.segment`."""
        segmentation.states().clear()
        with settings.using(sam_checkpoint=str(sam_models.folder("sam")), device="cpu"):
            photo = sam_models.photo()
            before = segmentation.states().misses
            first = segmentation.segment(photo, points=[(28, 25)], segmenter="sam")
            again = segmentation.segment(photo, points=[(28, 25)], segmenter="sam")
            assert segmentation.states().misses == before + 1
        segmentation.states().clear()
        assert len(first) == 3
        np.testing.assert_array_equal(first[0].mask, again[0].mask)


class TestOptions:
    def test_what_is_left_to_the_settings(self) -> None:
        with settings.using(sam_checkpoint="there/it-is", device="cpu"):
            assert Sam().options == Options("there/it-is", "cpu")
            assert Sam(Options("mine", revision="v2")).options == Options(
                "mine", "cpu", revision="v2"
            )

    @pytest.mark.parametrize(
        "wrong", [{"dtype": "int8"}, {"checkpoint": " "}, {"checkpint": "typo"}]
    )
    def test_wrong_ones_are_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(BadOption, match=r"segmenter sam: .*(dtype|checkpoint|checkpint)"):
            segmentation.make("sam", **wrong)

    def test_a_device_that_is_not_there(self) -> None:
        with pytest.raises(BadSetting, match="there is no device 'gpu'"):
            Sam(Options(device="gpu")).embed(sam_models.photo())

    def test_missing_weights_through_the_front_door(self, tmp_path: Path) -> None:
        with (
            settings.using(sam_checkpoint=str(tmp_path), device="cpu"),
            pytest.raises(MissingWeights, match="does not hold"),
        ):
            segmentation.segment(sam_models.photo(), points=[(1, 1)], segmenter="sam")

    def test_precision(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert precision("auto", "cpu") == precision("auto", "mps") == "float32"
        assert precision("float16", "cpu") == "float16"
        for able, dtype in ((True, "bfloat16"), (False, "float32")):
            monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda able=able: able)
            assert precision("auto", "cuda:1") == dtype

    def test_only_squares(self) -> None:
        assert square(64) == square([64, 64]) == square((64, 64)) == 64
        with pytest.raises(ValueError, match="64×32"):
            square((64, 32))


class TestThreads:
    def test_one_call_at_a_time(self, use: Any) -> None:
        known = Known((slice(4, 8), slice(2, 6)))
        sam = use(known)
        state = sam.embed(sam_models.photo())

        def work(number: int) -> float:
            if number % 2:
                sam.embed(sam_models.photo())
            return float(sam.segment(state, Prompt(points=((number, 3),)))[0].score)

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(work, range(16))) == [0.5] * 16
        assert len(known.prompts) == 16

    def test_as_many_as_the_setting_says_and_then_as_before(self) -> None:
        before = torch.get_num_threads()
        for count in (1, 3):
            with settings.using(threads=count):
                with inference():
                    assert torch.get_num_threads() == count
                assert torch.get_num_threads() == before
                with pytest.raises(KeyError), inference():
                    raise KeyError
            assert torch.get_num_threads() == before

    def test_no_gradients_and_no_precision_left_behind(self) -> None:
        with inference("cpu", "bfloat16"):
            assert torch.is_autocast_enabled("cpu")
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
        assert not torch.is_autocast_enabled("cpu")
        assert not torch.is_inference_mode_enabled()


def test_card_and_name() -> None:
    assert SEGMENTERS.factory("sam") is Sam
    assert Sam.card.name == "sam"
    assert set(Sam.card.prompts) == {"points", "box", "brush", "text"}
    assert Sam.card.extra == "segment"


def test_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, infill.segmenters.sam as sam; sam.Sam(); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'cv2', 'PIL')))"
    )
    source = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], timeout=60, env={**os.environ, "PYTHONPATH": source}
    )
    assert done.returncode == 0


def test_a_prompt_is_checked_before_the_network_is_asked(use: Any) -> None:
    known = Known((slice(4, 8), slice(2, 6)))
    sam = use(known)
    state = SimpleNamespace(size=(9, 9), features=(), options=Options("known", "cpu"))
    with pytest.raises(Exception, match="lies outside"):
        sam.segment(state, Prompt(points=((10, 3),)))
    assert not known.prompts
