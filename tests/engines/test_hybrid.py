"""`hybrid`: patch synthesis with a guide from the network, where the hole asks for one."""

import numpy as np
import pytest

from infill import fill
from infill.engines.hybrid import structure
from infill.engines.pocket import network, seam
from tests.engines.exemplar_scenes import box, two_textures

SHAPE = (96, 128)
HOLE = box(SHAPE, (32, 64), (44, 84))


class TestHybrid:
    photo = (two_textures(SHAPE) * 255).astype(np.uint8)

    def test_without_structure_it_is_exemplar(self) -> None:
        bare = fill(self.photo, HOLE, engine="hybrid", structure=0).picture.pixels
        assert (bare == fill(self.photo, HOLE, engine="exemplar").picture.pixels).all()

    def test_a_scratch_is_left_to_exemplar(self, monkeypatch: pytest.MonkeyPatch) -> None:
        scratch = np.zeros(SHAPE, np.bool_)
        scratch[20:28, 10:110] = True
        expected = fill(self.photo, scratch, engine="exemplar").picture.pixels
        monkeypatch.delattr(structure, "looks")
        assert (fill(self.photo, scratch, engine="hybrid").picture.pixels == expected).all()

    @pytest.mark.parametrize("shown", [0.75, 0.3])
    def test_the_network_says_which_texture_it_is(
        self, shown: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def run(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
            assert not pixels[mask].any()
            return np.full_like(pixels, shown)

        monkeypatch.setattr(network, "run", run)
        monkeypatch.setattr(seam, "met", lambda made, pixels, mask: made)
        filled = fill(self.photo, HOLE, engine="hybrid").picture.pixels[HOLE] / 255
        assert abs(np.median(filled) - shown) < 0.1

    def test_the_deeper_the_hole_the_more_it_counts(self) -> None:
        amounts = []
        for half in (2, 5, 8, 12, 19, 30):
            hole = np.zeros((100, 100), np.bool_)
            hole[50 - half : 50 + half, 20:80] = True
            amounts.append(structure.how_much(hole))
        assert amounts[:2] == [0, 0]
        assert amounts == sorted(amounts)
        assert 0 < amounts[2] < amounts[3] < 1
        assert amounts[-1] == 1

    def test_too_little_structure_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = fill(self.photo, HOLE, engine="exemplar").picture.pixels
        monkeypatch.delattr(structure, "looks")
        made = fill(self.photo, HOLE, engine="hybrid", structure=0.04).picture.pixels
        assert (made == expected).all()

    def test_a_note_of_the_network_is_passed_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run = network.run

        def short(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
            if mask.size > 100 * 100:
                raise network.NoRoom
            return run(pixels, mask)

        monkeypatch.setattr(network, "run", short)
        notes = fill(self.photo, HOLE, engine="hybrid").notes
        assert any("memory was short" in note for note in notes)

    def test_a_hole_with_no_whole_patch_around(self) -> None:
        hole = np.ones(SHAPE, np.bool_)
        hole[0, :3] = False
        result = fill(self.photo, hole, engine="hybrid")
        assert (result.picture.pixels[~hole] == self.photo[~hole]).all()
