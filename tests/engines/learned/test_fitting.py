"""A fill within the memory there is."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import infill
from infill.engines.base import SizeRule, no_progress
from infill.engines.learned import fitting
from infill.engines.learned.deepfill import DeepFill
from infill.engines.learned.lama import Lama
from infill.errors import EngineFailed

OF_THE_CPU = "DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"
MASK = np.zeros((400, 300), np.bool_)
MASK[100:200, 50:200] = True


def photos(count: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = [rng.random((400, 300, 3), np.float32) for _ in range(count)]
    for one in made:
        one[MASK] = 0
    return made


class Network:
    """Fills with grey; more than `most` pixels at once, and memory runs out."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.shapes: list[tuple[int, int, int]] = []

    def run(self, given: Sequence[np.ndarray], mask: np.ndarray, progress: Any) -> list[np.ndarray]:
        shape = (len(given), *mask.shape)
        self.shapes.append(shape)
        if np.prod(shape) > self.most:
            raise RuntimeError(OF_THE_CPU)
        progress(1.0, "fill")
        return [np.full_like(one, 0.5) for one in given]

    def job(self, bytes_of: Callable[[int, int], int] = lambda h, w: 0) -> fitting.Job:
        return fitting.Job(self.run, bytes_of, SizeRule(multiple=8, minimum=16), "cpu")


def test_all_at_once_where_there_is_room() -> None:
    network = Network(10**9)
    made, size = fitting.fill(network.job(), photos(2), MASK, no_progress)
    assert network.shapes == [(2, 400, 304)]
    assert size is None
    for one, photo in zip(made, photos(2), strict=True):
        assert (one[MASK] == 0.5).all()
        assert (one[~MASK] == photo[~MASK]).all()
        assert (one.dtype, one.shape) == (np.float32, photo.shape)


def test_one_by_one_then_smaller() -> None:
    network = Network(400 * 304 // 2)
    made, size = fitting.fill(network.job(), photos(2), MASK, no_progress)
    assert network.shapes == [(2, 400, 304), (1, 400, 304), (1, 200, 152), (1, 200, 152)]
    assert size == (200, 152)
    for one, photo in zip(made, photos(2), strict=True):
        np.testing.assert_allclose(one[MASK], 0.5, atol=1e-6)
        assert (one[~MASK] == photo[~MASK]).all()


def test_planned_by_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "free_bytes", lambda device: 10 * 200 * 150 / fitting.SHARE)
    network = Network(10**9)
    _, size = fitting.fill(network.job(lambda h, w: 10 * h * w), photos(2), MASK, no_progress)
    assert size is not None
    assert 0.7 * 200 * 150 < size[0] * size[1] <= 200 * 150
    assert network.shapes == [(1, *size)] * 2


def test_unknown_memory_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "free_bytes", lambda device: None)
    network = Network(10**9)
    assert fitting.fill(network.job(lambda h, w: 10**15), photos(), MASK, no_progress)[1] is None


def test_no_room_at_all() -> None:
    network = Network(0)
    with pytest.raises(EngineFailed, match="the memory of cpu is too small for this model"):
        fitting.fill(network.job(), photos(), MASK, no_progress)
    assert network.shapes[-1][1] * network.shapes[-1][2] <= fitting.LEAST**2


def test_other_errors_are_not_hidden() -> None:
    def run(*given: Any) -> Any:
        raise RuntimeError("shapes do not fit")

    job = fitting.Job(run, lambda h, w: 0, SizeRule(), "cpu")
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        fitting.fill(job, photos(), MASK, no_progress)


@pytest.mark.parametrize(("engine", "kind"), [(DeepFill, "plain"), (Lama, "lama")])
@pytest.mark.parametrize("how", ["ran out", "estimated"])
def test_an_engine_steps_down_and_says_so(
    models: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    engine: Any,
    kind: str,
    how: str,
) -> None:
    inner = engine.run

    def scarce(self: Any, loaded: Any, options: Any, some: Any, mask: Any, told: Any) -> Any:
        if mask.size > 20_000:
            raise RuntimeError(OF_THE_CPU)
        return inner(self, loaded, options, some, mask, told)

    if how == "ran out":
        monkeypatch.setattr(engine, "run", scarce)
    else:
        monkeypatch.setattr(engine, "bytes_of", lambda self, loaded, options, h, w: h * w)
        monkeypatch.setattr(fitting, "free_bytes", lambda device: 20_000)
    photo = np.random.default_rng(0).integers(0, 256, (200, 160, 3), np.uint8)
    mask = np.zeros((200, 160), np.bool_)
    mask[60:130, 40:110] = True
    result = infill.fill(photo, mask, engine=engine.card.name, model=models(kind))
    assert result.proof.outside_max_diff == 0
    (note,) = result.notes
    assert note.startswith("the region of 160 × 200 pixels was filled at ")
    assert note.endswith("more does not fit into the memory of cpu")


def test_estimates_grow_as_the_networks_do(models: Callable[[str], str]) -> None:
    from infill.engines.base import make_options
    from infill.engines.learned.running import Loaded

    exact, short = (
        Loaded(None, "cpu", dtype, "", 8, 16, False) for dtype in ("float32", "bfloat16")
    )
    lama, deepfill = Lama(), DeepFill()
    plain, refined = (make_options(lama, {"refine": refine}) for refine in (False, True))
    assert lama.bytes_of(exact, plain, 1024, 1024) == pytest.approx(1.33e9, rel=0.05)
    assert lama.bytes_of(short, plain, 512, 512) < lama.bytes_of(exact, plain, 512, 512)
    assert lama.bytes_of(exact, refined, 1024, 1024) > 8e9
    assert lama.bytes_of(exact, refined, 512, 512) == lama.bytes_of(exact, plain, 512, 512)
    ratio = deepfill.bytes_of(exact, None, 2048, 2048) / deepfill.bytes_of(exact, None, 1024, 1024)
    assert 13 < ratio < 16, "the attention compares each patch with each"
