"""Where a photo lies in the network's square, and the exact way back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infill.segmenters.sam.frame import Frame

LENGTHS = st.integers(1, 400)
PLAIN = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


class TestFit:
    @pytest.mark.parametrize(
        ("size", "inner"),
        [
            ((50, 100), (32, 64)),
            ((100, 50), (64, 32)),
            ((64, 64), (64, 64)),
            ((3, 4), (48, 64)),  # small photos are enlarged
            ((683, 1024), (43, 64)),  # 42.7
            ((1, 5000), (1, 64)),  # 0.01, and still one row
        ],
    )
    def test_keeps_proportions(self, size: tuple[int, int], inner: tuple[int, int]) -> None:
        assert Frame.fit(size, 64, stretch=False).inner == inner

    @pytest.mark.parametrize("size", [(50, 100), (1, 5000), (64, 64)])
    def test_stretches(self, size: tuple[int, int]) -> None:
        assert Frame.fit(size, 64, stretch=True).inner == (64, 64)


class TestPlaces:
    def test_padded(self) -> None:
        frame = Frame.fit((50, 100), 64, stretch=False)
        places = frame.place(np.array([[0, 0], [100, 50], [50, 25], [25, 10]]))
        assert places.tolist() == [[0, 0], [64, 32], [32, 16], [16, pytest.approx(6.4)]]
        assert places.dtype == np.float32

    def test_stretched(self) -> None:
        frame = Frame.fit((50, 100), 64, stretch=True)
        assert frame.place(np.array([[100, 50], [25, 25]])).tolist() == [[64, 64], [16, 32]]


class TestPicture:
    def test_pixels_lie_where_they_should_and_padding_is_zero(self) -> None:
        photo = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        seen = Frame.fit((2, 4), 4, stretch=False).picture(photo, *PLAIN)
        assert seen.shape == (3, 4, 4)
        assert seen.dtype == np.float32
        np.testing.assert_array_equal(seen[:, :2], photo.transpose(2, 0, 1) / np.float32(255))
        assert not seen[:, 2:].any()

    def test_normalises_each_channel(self) -> None:
        photo = np.full((2, 2, 3), 255, np.uint8)
        seen = Frame.fit((2, 2), 2, stretch=True).picture(photo, (0.5, 0.25, 0), (0.5, 0.25, 2))
        assert seen[:, 0, 0].tolist() == [1, 3, 0.5]

    def test_stretched_fills_the_square(self) -> None:
        photo = np.full((2, 8, 3), 51, np.uint8)
        seen = Frame.fit((2, 8), 4, stretch=True).picture(photo, *PLAIN)
        np.testing.assert_array_equal(seen, np.full((3, 4, 4), np.float32(51) / np.float32(255)))

    def test_the_photo_is_not_written(self) -> None:
        photo = np.full((5, 7, 3), 9, np.uint8)
        photo.flags.writeable = False
        Frame.fit((5, 7), 16, stretch=False).picture(photo, *PLAIN)
        assert (photo == 9).all()


class TestBack:
    def test_a_known_map_of_a_padded_photo(self) -> None:
        low = np.full((16, 16), -1, np.float32)
        low[4:8, 2:6] = 1  # the photo is two times as large as in the square
        mask = Frame.fit((32, 16), 16, stretch=False).enlarge(low) > 0
        expected = np.zeros((32, 16), bool)
        expected[8:16, 4:12] = True
        np.testing.assert_array_equal(mask, expected)

    def test_what_lies_in_the_padding_never_comes_back(self) -> None:
        low = np.full((16, 16), -1, np.float32)
        low[:, 9:] = 1
        frame = Frame.fit((32, 16), 16, stretch=False)
        assert frame.inner == (16, 8)
        assert not (frame.enlarge(low) > 0).any()

    def test_a_known_map_of_a_stretched_photo(self) -> None:
        frame = Frame.fit((40, 24), 64, stretch=True)
        rows, columns = np.full((2, 8, 8), -1, np.float32)
        rows[2:4] = columns[:, 4:7] = 1  # cells are five pixels high and three wide
        expected = np.zeros((2, 40, 24), bool)
        expected[0, 10:20] = expected[1, :, 12:21] = True
        np.testing.assert_array_equal(frame.enlarge(rows) > 0, expected[0])
        np.testing.assert_array_equal(frame.enlarge(columns) > 0, expected[1])

    @given(LENGTHS, LENGTHS, st.booleans())
    def test_each_pixel_is_read_where_it_was_placed(
        self, height: int, width: int, stretch: bool
    ) -> None:
        """Maps that hold x and y of their own cells come back as what `place` says of pixels."""
        frame = Frame.fit((height, width), 64, stretch=stretch)
        rows, columns = (np.mgrid[:16, :16] + 0.5) * 4
        y, x = np.mgrid[:height, :width] + 0.5
        there = frame.place(np.stack([x, y], -1))
        low, high = 4, np.array(frame.inner[::-1]) - 4  # away from the square's edge
        inside = ((there > low) & (there < high)).all(-1)
        back = np.stack([frame.enlarge(np.float32(cells)) for cells in (columns, rows)], -1)
        assert back.shape == (height, width, 2)
        np.testing.assert_allclose(back[inside], there[inside], atol=2e-3)

    @given(st.data(), st.booleans())
    def test_a_mask_goes_there_and_back(self, data: st.DataObject, stretch: bool) -> None:
        """Exact for blocks that are cells of the network's mask prompt."""
        scale = data.draw(st.sampled_from([1, 2, 3]))
        cells = data.draw(st.lists(st.booleans(), min_size=128, max_size=128))
        low = np.array(cells).reshape(8, 16)
        mask = np.kron(low, np.ones((4 * scale, 4 * scale))).astype(bool)
        frame = Frame.fit(mask.shape, 64, stretch=stretch)
        there = frame.reduce(mask, 16)
        assert there.shape == (16, 16)
        if stretch:
            low = np.repeat(low, 2, 0)
        padded = np.full((16, 16), -10, np.float32)
        padded[: low.shape[0]] = np.where(low, 10, -10)
        np.testing.assert_allclose(there, padded, atol=1e-4)

    def test_a_cell_that_is_half_covered(self) -> None:
        mask = np.zeros((64, 64), bool)
        mask[:, :2] = True
        logits = Frame.fit((64, 64), 64, stretch=True).reduce(mask, 16)
        assert logits[0, :2].tolist() == [0, -10]


class TestAgainstTransformers:
    """The same photo and maps through the library's own processor, where it runs."""

    @pytest.fixture
    def processor(self) -> Any:
        pytest.importorskip("torch")
        transformers = pytest.importorskip("transformers")
        if not hasattr(transformers, "SamImageProcessorPil"):
            pytest.skip("this transformers has no processor without torchvision")
        return transformers.SamImageProcessorPil(
            size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}
        )

    @pytest.mark.parametrize("size", [(50, 100), (211, 97), (30, 20), (64, 64)])
    def test_both_ways(self, processor: Any, size: tuple[int, int]) -> None:
        import torch

        rng = np.random.default_rng(1)
        photo = rng.integers(0, 256, (*size, 3), np.uint8)
        frame = Frame.fit(size, 64, stretch=False)
        theirs = processor(photo, return_tensors="pt")
        ours = frame.picture(photo, tuple(processor.image_mean), tuple(processor.image_std))
        np.testing.assert_allclose(ours, theirs["pixel_values"][0].numpy(), atol=1e-5)
        low = rng.normal(size=(1, 1, 1, 16, 16)).astype(np.float32)
        (enlarged,) = processor.post_process_masks(
            torch.from_numpy(low),
            theirs["original_sizes"],
            theirs["reshaped_input_sizes"],
            binarize=False,
            pad_size={"height": 64, "width": 64},
        )
        np.testing.assert_allclose(frame.enlarge(low[0, 0, 0]), enlarged[0, 0].numpy(), atol=1e-4)
