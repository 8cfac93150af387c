"""Every registered engine keeps the protocol; the plain ones do exactly what they say."""

import cv2
import numpy as np
import pytest

from infill import fill
from infill.engines.base import ENGINES, Filled, NoOptions, make_options, no_progress, run
from infill.engines.flat import Flat
from infill.engines.opencv import NavierStokes, Telea
from infill.errors import BadOption, Cancelled, EngineFailed
from tests.conformance import assert_engine
from tests.conformance_engine import assert_card, assert_options

RNG = np.random.default_rng


READY = [name for name in ENGINES.names() if ENGINES.get(name).card.extra is None]
"""Engines that need nothing beside; the others are held to the protocol beside their own tests."""


@pytest.mark.parametrize("name", READY)
def test_conformance(name: str) -> None:
    assert_engine(name)


@pytest.mark.parametrize("name", [name for name in ENGINES.names() if name not in READY])
def test_cards_and_options_of_the_others(name: str) -> None:
    assert_card(name)
    assert_options(ENGINES.get(name))


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_colour_stays_one_colour(name: str, dtype: type) -> None:
    top = np.iinfo(dtype).max
    photo = np.full((40, 50, 3), (top // 5, top // 2, top - top // 7), dtype)
    mask = np.zeros((40, 50), np.bool_)
    mask[10:30, 0:20] = True
    photo[mask] = 0
    filled = fill(photo, mask, engine=name).picture.pixels
    away = np.abs(filled.astype(int) - photo[0, -1].astype(int)).max()
    # OpenCV's Telea drifts by a grey level for every few steps inwards; a network alone is none
    # too exact.
    assert away <= (24 if name == "pocket" else 6) * top / 255


class TestFlat:
    def test_mean_of_the_known(self) -> None:
        pixels = np.zeros((1, 3, 3), np.float32)
        pixels[0, 0], pixels[0, 1] = 0.25, 0.75
        mask = np.array([[False, False, True]])
        filled = Flat().fill(pixels, mask, Flat.Options(), RNG(0), no_progress)
        assert filled.tolist() == [[[0.25] * 3, [0.75] * 3, [0.5] * 3]]

    @pytest.mark.parametrize("colour", [(0, 0.5, 1), [0, 0.5, 1], "0, 0.5, 1"])
    def test_given_colour(self, colour: object) -> None:
        options = make_options(Flat(), {"colour": colour})
        assert options.colour == (0.0, 0.5, 1.0)
        mask = np.array([[False, True]])
        filled = Flat().fill(np.ones((1, 2, 3), np.float32), mask, options, RNG(0), no_progress)
        assert filled[0].tolist() == [[1, 1, 1], [0, 0.5, 1]]

    @pytest.mark.parametrize("colour", [(0, 0), (0, 0, 1.5), "red", 3, (0, 0, float("nan"))])
    def test_what_is_no_colour(self, colour: object) -> None:
        with pytest.raises(BadOption, match="engine flat"):
            make_options(Flat(), {"colour": colour})


@pytest.mark.parametrize(
    ("engine", "flag"), [(Telea(), cv2.INPAINT_TELEA), (NavierStokes(), cv2.INPAINT_NS)]
)
class TestOpenCV:
    photo = RNG(3).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    mask = np.zeros((60, 80), np.bool_)
    mask[20:30, 0:25] = mask[40:43, 30:80] = True

    @pytest.mark.parametrize("radius", [1, 3, 7])
    def test_an_8_bit_photo_gets_opencvs_own_bytes(
        self, engine: Telea, flag: int, radius: int
    ) -> None:
        blanked = np.where(self.mask[..., None], np.uint8(0), self.photo)  # OpenCV peeks a little
        expected = cv2.inpaint(blanked, self.mask.astype(np.uint8), radius, flag)
        result = fill(self.photo, self.mask, engine=engine.card.name, radius=radius)
        assert (result.picture.pixels == expected).all()

    def test_a_16_bit_photo_gets_no_8_bit_steps(self, engine: Telea, flag: int) -> None:
        ramp = np.linspace(20000, 24000, 80).astype(np.uint16)
        photo = np.broadcast_to(ramp[None, :, None], (60, 80, 3)).copy()
        mask = np.zeros((60, 80), np.bool_)
        mask[20:40, 20:60] = True
        filled = fill(photo, mask, engine=engine.card.name).picture.pixels
        assert len(np.unique(filled[mask])) > 4000 // 257 * 3
        assert np.abs(filled[mask].astype(int) - photo[mask].astype(int)).max() < 1500

    def test_radius_of_numpy_fits_a_recipe(self, engine: Telea, flag: int) -> None:
        result = fill(self.photo, self.mask, engine=engine.card.name, radius=np.int64(2))
        assert '"radius":2' in result.recipe.to_json()

    @pytest.mark.parametrize("radius", [0, 101, 2.5, True, "3", None])
    def test_radius_out_of_range(self, engine: Telea, flag: int, radius: object) -> None:
        with pytest.raises(BadOption, match="radius"):
            make_options(engine, {"radius": radius})


class Wrong:
    """An engine that does whatever `answer` does."""

    card = Flat.card
    Options = NoOptions

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def fill(self, pixels, mask, options, rng, progress):  # type: ignore[no-untyped-def]
        return self.answer(pixels, mask) if callable(self.answer) else self.answer


def _writes(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    pixels[mask] = 1
    return pixels


def _writes_mask(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    mask[:] = False
    return pixels.copy()


def _raises(error: BaseException):  # type: ignore[no-untyped-def]
    def answer(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
        raise error

    return answer


class TestRun:
    mask = np.array([[True, False]])

    def run(self, answer: object) -> np.ndarray:
        pixels = np.zeros((1, 2, 3), np.float32)
        engine, mask = Wrong(answer), self.mask.copy()
        return run(engine, [pixels], mask, NoOptions(), [RNG(0)], no_progress)[0].pixels

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (None, "returned NoneType"),
            (np.zeros((2, 1, 3), np.float32), r"returned \(2, 1, 3\)"),
            (np.zeros((1, 2, 3), np.uint8), "returned uint8"),
            (np.full((1, 2, 3), np.nan, np.float32), "NaN"),
            (np.full((1, 2, 3), np.inf, np.float32), "infinite"),
            (_writes, "read-only"),
            (_writes_mask, "read-only"),
            (_raises(RuntimeError("no memory left")), "RuntimeError: no memory left"),
            (_raises(KeyError()), r"\(KeyError\)"),
        ],
    )
    def test_misbehaviour_is_named(self, answer: object, words: str) -> None:
        with pytest.raises(EngineFailed, match=words) as caught:
            self.run(answer)
        assert "flat" in str(caught.value)

    def test_our_own_errors_come_through(self) -> None:
        for error in (Cancelled("stop"), BadOption("no")):
            with pytest.raises(type(error)):
                self.run(_raises(error))
        with pytest.raises(KeyboardInterrupt):
            self.run(_raises(KeyboardInterrupt()))

    def test_nan_outside_the_hole_does_not_matter(self) -> None:
        answer = np.array([[[0.5] * 3, [np.nan] * 3]], np.float32)
        assert self.run(answer) is answer

    def test_several_at_once_are_each_checked(self) -> None:
        class Several(Wrong):
            def fill_batch(self, pixels, mask, options, rngs, progress):  # type: ignore[no-untyped-def]
                return [
                    Filled(np.ones_like(one), (f"note {rng.random():.0f}",))
                    for one, rng in zip(pixels, rngs, strict=True)
                ][: self.answer]

        pixels = [np.zeros((1, 2, 3), np.float32)] * 2
        rngs = [RNG(0), RNG(1)]
        made = run(Several(2), pixels, self.mask.copy(), NoOptions(), rngs, no_progress)
        assert [type(one) for one in made] == [Filled, Filled]
        assert made[0].notes
        assert (made[1].pixels == 1).all()
        with pytest.raises(EngineFailed, match="1 fills in place of 2"):
            run(Several(1), pixels, self.mask.copy(), NoOptions(), rngs, no_progress)
