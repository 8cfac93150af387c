"""CLIP against transformers' own forward pass and preparation, and by hand with few numbers."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from infill.errors import BadPixels, MaskSizeMismatch, MissingWeights
from infill.metrics import clip as clip_metric
from infill.metrics import clip_model
from infill.metrics.base import PROMPT_METRICS, missing
from infill.metrics.clip import ClipScore, cosine, square
from infill.settings import using
from tests.engines.diffusers import words
from tests.metrics import tiny

transformers = pytest.importorskip("transformers")

SIDE = 32
LAYERS = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """A small CLIP in a folder as save_pretrained writes it."""
    folder = tmp_path_factory.mktemp("clip")
    words.clip().save_pretrained(folder)
    marks = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    text = {"vocab_size": 600, "hidden_size": 24, "projection_dim": 16, **LAYERS, **marks}
    vision = {"image_size": SIDE, "patch_size": 8, "hidden_size": 24, "projection_dim": 16}
    config = transformers.CLIPConfig(
        text_config=text, vision_config={**vision, **LAYERS}, projection_dim=16
    )
    torch.manual_seed(0)
    transformers.CLIPModel(config).eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.25]})
    )
    return folder


@pytest.fixture
def small(saved: Path):
    with using(clip_model=str(saved)):
        yield saved


def scene(height: int = 60, width: int = 80):
    mask = np.zeros((height, width), bool)
    mask[20:40, 30:45] = True
    return tiny.photo(height, width), tiny.photo(height, width, seed=1), mask


def theirs(folder: Path, crop: np.ndarray, text: str):
    """transformers' own: its preparation by Pillow, its tokenizer and its forward pass."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    prepare = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=[0.5, 0.4, 0.3],
        image_std=[0.2, 0.3, 0.25],
    )
    levels = np.rint(255 * crop).astype(np.uint8)
    picture = prepare(Image.fromarray(levels), return_tensors="pt")["pixel_values"]
    tokens = transformers.CLIPTokenizer.from_pretrained(folder)([text], return_tensors="pt")
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        told = model(**tokens, pixel_values=picture)
        features = model.get_text_features(**tokens)
    features = getattr(features, "pooler_output", features)[0].numpy()
    cos = told.logits_per_image.item() / model.logit_scale.exp().item()
    return picture, told.image_embeds[0].numpy(), features, cos


class TestModel:
    @pytest.mark.parametrize("side", [SIDE, 20, 45, 75])
    def test_is_what_transformers_makes(self, small: Path, side: int) -> None:
        crop = tiny.photo(side, side)
        picture, image, text, cos = theirs(small, crop, "a red chair")
        network = clip_model.opened()
        ours = clip_model.prepared(crop, SIDE, network.mean, network.deviation)
        np.testing.assert_allclose(ours, picture.numpy(), atol=1e-5)
        np.testing.assert_allclose(network.image(crop), image, atol=1e-5)
        vector = network.text("a red chair")
        np.testing.assert_allclose(vector, text / np.linalg.norm(text), atol=1e-5)
        assert network.image(crop) @ vector == pytest.approx(cos, abs=1e-5)

    def test_long_texts_are_cut_off(self, small: Path) -> None:
        network = clip_model.opened()
        long = "chair " * 60
        vector = network.text(long)
        assert np.linalg.norm(vector) == pytest.approx(1)
        np.testing.assert_array_equal(vector, network.text(long + " and a table"))

    def test_is_opened_once(self, small: Path) -> None:
        assert clip_model.opened() is clip_model.opened()

    def test_the_older_kind_of_weights_is_read_as_tensors(self, small: Path, tmp_path) -> None:
        """As published models have it on the hub: a pickle, with a constant beside the weights."""
        old = tmp_path / "old"
        shutil.copytree(small, old)
        state = transformers.CLIPModel.from_pretrained(small).state_dict()
        state["text_model.embeddings.position_ids"] = torch.arange(77)[None]
        torch.save(state, old / "pytorch_model.bin")
        (old / "model.safetensors").unlink()
        crop = tiny.photo(SIDE, SIDE)
        expected = clip_model.opened().image(crop)
        with using(clip_model=str(old)):
            assert missing(ClipScore()) is None
            np.testing.assert_array_equal(clip_model.opened().image(crop), expected)


class TestMeasure:
    def test_the_score_is_the_cosine_in_percent(self, small: Path) -> None:
        before, filled, mask = scene()
        network = clip_model.opened()
        *_, cos = theirs(small, square(filled, mask, network), "a vase")
        row = ClipScore().measure(before, filled, mask, "a vase")
        assert row["clip_score"] == pytest.approx(100 * max(cos, 0), abs=1e-3)
        assert math.isnan(row["clip_direction"])

    def test_the_direction_is_that_of_the_steps(self, small: Path) -> None:
        before, filled, mask = scene()
        network = clip_model.opened()
        *_, new_image, new_text, _ = theirs(small, square(filled, mask, network), "a vase")
        *_, old_image, old_text, _ = theirs(small, square(before, mask, network), "a wall")
        a = new_image - old_image
        b = new_text / np.linalg.norm(new_text) - old_text / np.linalg.norm(old_text)
        expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        row = ClipScore().measure(before, filled, mask, "a vase", "a wall")
        assert row["clip_direction"] == pytest.approx(expected, abs=1e-4)

    def test_by_hand(self, monkeypatch) -> None:
        class Told:
            side, mean = 4, (0.5, 0.5, 0.5)

            def image(self, pixels):
                return np.array([0.6, 0.8] if pixels.mean() > 0.5 else [1.0, 0.0])

            def text(self, text):
                return np.array({"up": [0.0, 1.0], "along": [1.0, 0.0], "off": [-1.0, 0.0]}[text])

        monkeypatch.setattr(clip_metric, "opened", Told)
        dark, light = np.zeros((8, 8, 3), np.float32), np.ones((8, 8, 3), np.float32)
        mask = np.ones((8, 8), bool)
        row = ClipScore().measure(dark, light, mask, "up", "along")
        assert row["clip_score"] == pytest.approx(80)
        # steps (-0.4, 0.8) and (-1, 1): 1.2 / (sqrt(0.8) * sqrt(2))
        assert row["clip_direction"] == pytest.approx(1.2 / math.sqrt(1.6))
        assert ClipScore().measure(dark, light, mask, "off")["clip_score"] == 0
        same = ClipScore().measure(light, light, mask, "up", "along")
        assert math.isnan(same["clip_direction"])
        assert math.isnan(ClipScore().measure(dark, light, mask, "up", "up")["clip_direction"])

    def test_nothing_asked_or_nothing_filled(self, small: Path) -> None:
        before, filled, mask = scene()
        for row in (
            ClipScore().measure(before, filled, mask, " ", "a wall"),
            ClipScore().measure(before, filled, np.zeros_like(mask), "a vase", "a wall"),
        ):
            assert list(row) == list(ClipScore.card.better)
            assert all(math.isnan(value) for value in row.values())

    def test_gives_the_same_again_and_writes_nothing(self, small: Path) -> None:
        before, filled, mask = scene()
        for given in (before, filled, mask):
            given.flags.writeable = False
        rows = [ClipScore().measure(before, filled, mask, "a vase", "a wall") for _ in range(2)]
        assert rows[0] == rows[1]
        assert all(type(value) is float for value in rows[0].values())
        assert ClipScore().reduce(rows) == pytest.approx(rows[0])

    def test_bad_input(self, small: Path) -> None:
        before, filled, mask = scene()
        with pytest.raises(BadPixels):
            ClipScore().measure(before, filled[:5], mask, "a vase")
        with pytest.raises(MaskSizeMismatch):
            ClipScore().measure(before, filled, mask[:5], "a vase")


class Eye:
    side, mean = 16, (0.5, 0.25, 0.125)


def positions(height: int, width: int) -> np.ndarray:
    rows, columns = np.indices((height, width), np.float32)
    return np.stack([rows, columns, np.ones_like(rows)], -1)


class TestSquare:
    @pytest.mark.parametrize(
        ("box", "corner", "side"),
        [
            ((40, 60, 50, 90), (20, 40), 60),  # 1.5 × 40 about (50, 70)
            ((50, 54, 50, 54), (44, 44), 16),  # as large as the network's own
            ((0, 20, 0, 10), (0, 0), 30),  # moved into the photo
            ((90, 100, 190, 200), (84, 184), 16),
            ((0, 100, 0, 20), (0, 0), 150),
        ],
    )
    def test_lies_about_the_hole(self, box, corner, side) -> None:
        mask = np.zeros((160, 200) if side == 150 else (100, 200), bool)
        mask[box[0] : box[1], box[2] : box[3]] = True
        found = square(positions(*mask.shape), mask, Eye())
        assert found.shape == (side, side, 3)
        assert tuple(found[0, 0, :2]) == corner
        assert tuple(found[-1, -1, :2]) == (corner[0] + side - 1, corner[1] + side - 1)

    def test_the_rest_of_a_small_photo_is_grey(self) -> None:
        mask = np.zeros((20, 60), bool)
        mask[2:18, 5:45] = True
        found = square(positions(20, 60), mask, Eye())
        assert found.shape == (60, 60, 3)
        np.testing.assert_array_equal(found[20:40], positions(20, 60))
        for rest in (found[:20], found[40:]):
            assert (rest == np.array(Eye.mean, np.float32)).all()

    def test_cosine(self) -> None:
        assert cosine(np.array([3.0, 4.0]), np.array([4.0, 3.0])) == pytest.approx(0.96)
        assert cosine(np.array([2.0, 0.0]), np.array([-5.0, 0.0])) == -1
        assert math.isnan(cosine(np.zeros(2), np.ones(2)))


class TestWeights:
    def test_without_them_it_says_what_to_type(self) -> None:
        metric = PROMPT_METRICS.get("clip")
        told = missing(metric)
        assert told is not None
        assert "openai/clip-vit-base-patch32" in told
        assert "infill download clip" in told
        assert "INFILL_CLIP_MODEL" in told
        with pytest.raises(MissingWeights, match="infill download clip"):
            metric.measure(*scene(), "a vase")

    def test_a_folder_that_lacks_its_words(self, saved: Path, tmp_path: Path) -> None:
        folder = tmp_path / "mute"
        shutil.copytree(saved, folder)
        (folder / "tokenizer.json").unlink()
        with using(clip_model=str(folder)):
            told = missing(ClipScore())
        assert told is not None
        assert "does not hold a config.json, weights and a tokenizer" in told

    @pytest.mark.parametrize(
        ("spoil", "sentence"),
        [
            (lambda f: (f / "config.json").write_text('{"model_type": "sam"}'), "of type 'sam'"),
            (lambda f: (f / "model.safetensors").write_bytes(b"nothing"), "or is damaged"),
            (lambda f: (f / "tokenizer.json").write_text("{}"), "the tokenizer in"),
        ],
    )
    def test_damaged_folders_are_one_sentence(self, saved, tmp_path, spoil, sentence) -> None:
        folder = tmp_path / "damaged"
        shutil.copytree(saved, folder)
        spoil(folder)
        with using(clip_model=str(folder)), pytest.raises(MissingWeights, match=sentence) as told:
            ClipScore().measure(*scene(), "a vase")
        assert len(str(told.value).splitlines()) == 1

    def test_weights_that_do_not_fill_it(self, saved: Path, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        folder = tmp_path / "holes"
        shutil.copytree(saved, folder)
        state = load_file(folder / "model.safetensors")
        del state["text_projection.weight"]
        save_file(state, folder / "model.safetensors", {"format": "pt"})
        with (
            using(clip_model=str(folder)),
            pytest.raises(MissingWeights, match="lack 1 parts of CLIP, such as text_projection"),
        ):
            ClipScore().measure(*scene(), "a vase")
