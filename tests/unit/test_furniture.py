"""The furniture samples: masks from arrays, and that all ten sample folders keep their word."""

import ast
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.furniture import make
from benchmarks.furniture.studio import masks
from benchmarks.furniture.studio.scene import LIGHTS, MASKS, NAMES, TASKS, About
from PIL import Image, JpegImagePlugin

SAMPLES = make.SAMPLES
SCENES = Path(make.__file__).parent / "scenes"
TASK_OF = {
    "sofa": "add",
    "dining-table": "remove",
    "shelf": "remove",
    "bed": "replace",
    "desk": "remove",
    "kitchen": "remove",
    "hallway": "add",
    "armchair": "recolour",
    "mirror": "remove",
    "terrace": "replace",
}
FILES = {"photo.jpg", "clean.jpg", "sample.json", *(f"{kind}.png" for kind in MASKS)}


def square(size, top, left, side):
    """A bool picture of `size` (H, W) with one square of True."""
    mask = np.zeros(size, bool)
    mask[top : top + side, left : left + side] = True
    return mask


class TestMasks:
    def test_a_disc_holds_the_offsets_within_its_radius(self):
        assert masks.disc(1).tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
        assert masks.disc(1.5).tolist() == [[1, 1, 1]] * 3
        assert masks.disc(2).sum() == 13

    def test_growing_one_pixel_draws_the_disc(self):
        grown = masks.grow(square((7, 7), 3, 3, 1), 2)
        assert (grown[1:6, 1:6] == masks.disc(2).astype(bool)).all()
        assert grown.sum() == 13

    def test_closing_fills_a_gap_and_keeps_the_outline(self):
        mask = np.zeros((9, 12), bool)
        mask[2:7, 2:5] = mask[2:7, 6:9] = True
        done = masks.closed(mask, 1)
        expected = mask.copy()
        expected[3:6, 5] = True  # at the two ends the disc sticks out of the gap
        assert (done == expected).all()

    def test_specks_go_and_islands_stay(self):
        mask = square((10, 10), 1, 1, 3)
        mask[8, 8] = mask[7, 7] = True  # two pixels that touch at a corner are one speck
        assert (masks.without_specks(mask, 3) == square((10, 10), 1, 1, 3)).all()
        assert (masks.without_specks(mask, 2) == mask).all()

    def test_pin_holes_are_filled_and_large_holes_are_not(self):
        ring = square((12, 12), 1, 1, 10) & ~square((12, 12), 4, 4, 2)
        assert masks.filled(ring, 4).sum() == 100
        assert masks.filled(ring, 3).sum() == 96

    def test_half_a_pixel_counts_as_object(self):
        coverage = np.array([[0.0, 0.49, 0.5, 1.0]])
        assert masks.exact(coverage).tolist() == [[False, False, True, True]]

    def test_whole_takes_in_the_shadow_but_not_what_no_eye_sees(self):
        clean = np.full((60, 80, 3), 120, np.uint8)
        photo = clean.copy()
        photo[10:30, 10:30] = 200  # the object
        photo[30:40, 10:50] = 90  # its shadow, 30 levels darker
        photo[45:55, 60:75] = 117  # 3 levels: nobody sees that
        thing = square((60, 80), 10, 10, 20)
        found = masks.whole(photo, clean, thing)
        expected = thing.copy()
        expected[30:40, 10:50] = True
        assert found[expected].all()
        assert not found[~masks.grow(expected, 3)].any()

    def test_whole_of_two_equal_pictures_is_the_object(self):
        same = np.zeros((40, 40, 3), np.uint8)
        thing = square((40, 40), 5, 5, 12)
        assert (masks.whole(same, same, thing) == thing).all()

    def test_loose_leaves_room_and_is_smooth(self):
        thing = square((768, 1024), 300, 400, 120)
        drawn = masks.loose(thing, seed=4)
        assert drawn[masks.grow(thing, 8)].all()
        assert not drawn[~masks.grow(thing, 26)].any()
        smoothed = masks.grow(~masks.grow(~drawn, 10), 10)  # an opening takes corners off
        assert (drawn & ~smoothed).sum() < 0.005 * drawn.sum()
        assert (masks.loose(thing, seed=4) == drawn).all()
        assert (masks.loose(thing, seed=5) != drawn).any()

    def test_no_shadow_is_the_object_and_about_five_pixels(self):
        thing = square((768, 1024), 300, 400, 120)
        drawn = masks.no_shadow(thing)
        assert drawn[masks.grow(thing, 3)].all()
        assert not drawn[~masks.grow(thing, 7)].any()

    def test_the_changed_part_is_a_rectangle_in_the_large_picture(self):
        before = np.zeros((48, 64, 3), np.uint8)
        after = before.copy()
        after[10:20, 20:40] = 100
        part = masks.changed_part(before, after, (480, 640), least=50, margin=0.0)
        assert part == (200, 100, 400, 200)
        wider = masks.changed_part(before, after, (480, 640), least=50, margin=0.05)
        assert wider == (168, 68, 432, 232)
        assert masks.changed_part(before, before, (480, 640)) == (0, 0, 640, 480)

    def test_a_part_is_laid_in_with_a_soft_edge(self):
        photo = np.zeros((9, 9, 3), np.uint8)
        part = np.full((9, 7, 3), 100, np.uint8)
        done = masks.laid_in(photo, part, (2, 0, 9, 9), soft=4)
        # Soft towards the left only: the other edges are the picture's own.
        assert done[4, :, 0].tolist() == [0, 0, 0, 25, 50, 75, 100, 100, 100]
        assert (done[0] == done[8]).all()
        assert (photo == 0).all()


class TestScenes:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_scene_has_its_file_with_facts_and_builder(self, name):
        tree = ast.parse((SCENES / f"{name.replace('-', '_')}.py").read_text())
        named = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        assert "ABOUT" in named
        assert "build" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

    def test_facts_carry_every_field(self):
        about = About("sofa", "T", "add", "a", "s", "d", "n", "b", "h", "soft", "c", seed=7)
        facts = about.facts("5.0.1", 16)
        assert facts["prompts"] == {"simple": "s", "detailed": "d", "negative": "n"}
        assert facts["seed"] == 7
        assert facts["samples"] == 16
        assert set(facts["masks"]) == {"object", "loose", "no-shadow", "whole"}

    def test_without_blender_the_command_says_what_to_install(self, monkeypatch, tmp_path):
        monkeypatch.setitem(sys.modules, "bpy", None)
        with pytest.raises(SystemExit, match="pip install bpy"):
            make.main(["--scene", "sofa", "--out", str(tmp_path)])
        assert not list(tmp_path.iterdir())


def mask_of(name, kind):
    return np.asarray(Image.open(SAMPLES / name / f"{kind}.png")) > 0


def pixels_of(name, kind):
    return np.asarray(Image.open(SAMPLES / name / f"{kind}.jpg")).astype(np.int16)


def test_all_ten_samples_are_there():
    assert {p.name for p in SAMPLES.iterdir() if p.is_dir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
class TestSample:
    def test_the_folder_is_complete(self, name):
        assert {p.name for p in (SAMPLES / name).iterdir()} == FILES

    @pytest.mark.parametrize("kind", ["photo", "clean"])
    def test_pictures_are_large_and_lightly_compressed(self, name, kind):
        with Image.open(SAMPLES / name / f"{kind}.jpg") as picture:
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (1024, 768))
            assert JpegImagePlugin.get_sampling(picture) == 0  # 4:4:4
            # The first step of luminance at quality 95.
            assert picture.quantization[0][0] == 2

    @pytest.mark.parametrize("kind", list(MASKS))
    def test_masks_are_black_and_white(self, name, kind):
        with Image.open(SAMPLES / name / f"{kind}.png") as mask:
            assert (mask.mode, mask.size) == ("L", (1024, 768))
            assert set(np.unique(np.asarray(mask))) == {0, 255}

    def test_masks_lie_within_one_another(self, name):
        thing, whole = mask_of(name, "object"), mask_of(name, "whole")
        loose, tight = mask_of(name, "loose"), mask_of(name, "no-shadow")
        assert thing.sum() > 1500
        assert whole[thing].all()
        assert tight[thing].all()
        assert loose[thing].mean() > 0.995
        assert loose[whole].mean() > 0.9
        assert loose.sum() > whole.sum() or loose[whole].mean() > 0.99
        assert loose.mean() < 0.75

    def test_the_mask_without_shadow_leaves_the_shadow_out(self, name):
        thing, whole = mask_of(name, "object"), mask_of(name, "whole")
        shadow = whole & ~masks.grow(thing, 9)
        assert shadow.sum() > 300
        assert not (mask_of(name, "no-shadow") & shadow).any()

    def test_photo_and_clean_differ_where_the_object_is_and_agree_elsewhere(self, name):
        apart = np.abs(pixels_of(name, "photo") - pixels_of(name, "clean")).max(axis=2)
        assert apart[mask_of(name, "object")].mean() > 12
        outside = ~masks.grow(mask_of(name, "whole"), 40)
        assert outside.any()
        assert apart[outside].mean() < 1.0
        # Glints that the object throws far off, in the mirror above all, are real.
        assert np.quantile(apart[outside], 0.999) <= 12

    def test_the_facts_are_complete(self, name):
        facts = json.loads((SAMPLES / name / "sample.json").read_text())
        assert facts["name"] == name
        assert facts["task"] == TASK_OF[name]
        assert facts["task"] in TASKS
        assert facts["light"] in LIGHTS
        assert set(facts["prompts"]) == {"simple", "detailed", "negative"}
        assert facts["masks"] == dict(MASKS)
        for text in (
            *facts["prompts"].values(),
            *facts["masks"].values(),
            *(facts[k] for k in ("title", "object", "background", "hard", "camera", "blender")),
        ):
            assert isinstance(text, str)
            assert len(text) >= 4
        assert len(facts["prompts"]["detailed"]) > len(facts["prompts"]["simple"])
        assert isinstance(facts["samples"], int)
        assert isinstance(facts["seed"], int)
