"""How a diffusion pipeline is laid out in memory, and what happens when memory runs out."""

import gc
import weakref
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import accelerate
import numpy as np
import pytest
import torch
from benchmarks import diffusion_models

from infill.engines import free
from infill.engines.diffusers import memory
from infill.engines.diffusers.memory import Plan, choose, ladder, needed
from infill.errors import Cancelled, EngineFailed

GB = 10**9
XL = {"unet": 5_134_956_928, "text_encoder_2": 1_389_319_680, "vae": 167_307_654}
ONE = 1024 * 1024
CUDA = ladder("cuda", "bfloat16")
CPU = ladder("cpu", "float32")


class TestChoosing:
    def test_the_richer_the_device_the_richer_the_plan(self) -> None:
        chosen = [
            CUDA.index(choose("cuda", XL, ONE, 1, dtype="bfloat16", free=int(giga * GB)))
            for giga in (80, 9.5, 8, 2)
        ]
        assert chosen == [0, 1, 2, 3]

    def test_what_does_not_fit_even_in_the_thriftiest_plan_still_gets_that_plan(self) -> None:
        assert choose("cuda", XL, ONE, 1, dtype="bfloat16", free=0) == CUDA[-1]
        assert choose("cpu", XL, ONE, 1, free=0) == CPU[-1]

    @pytest.mark.parametrize("plans", [CUDA, CPU, ladder("mps", "float16")])
    def test_each_plan_of_the_ladder_needs_less_than_the_one_before(
        self, plans: tuple[Plan, ...]
    ) -> None:
        bytes_of = [needed(plan, XL, 4 * ONE, 2) for plan in plans]
        assert all(before > after for before, after in pairwise(bytes_of))

    def test_a_larger_picture_or_batch_takes_a_thriftier_plan(self) -> None:
        def plan(pixels: int, batch: int) -> Plan:
            return choose("cuda", XL, pixels, batch, dtype="bfloat16", free=12 * GB)

        assert plan(ONE, 1) == CUDA[0]
        assert plan(4 * ONE, 1) == plan(ONE, 4) == CUDA[1]

    def test_weights_that_are_there_already_do_not_count_again(self) -> None:
        total = sum(XL.values())
        assert choose("cpu", XL, ONE, 1, free=6 * GB).tiles
        assert not choose("cpu", XL, ONE, 1, free=6 * GB, resident=total).tiles

    def test_a_total_is_as_good_as_parts_where_parts_are_not_known(self) -> None:
        total = sum(XL.values())
        assert needed(CUDA[0], total, ONE, 1) == needed(CUDA[0], XL, ONE, 1)
        assert needed(CUDA[2], total, ONE, 1) < needed(CUDA[1], total, ONE, 1)

    @pytest.mark.parametrize(
        ("asked", "placement"),
        [("full", "device"), ("offload", "offload"), ("sequential", "sequential")],
    )
    def test_what_is_asked_for_is_taken_whatever_is_free(self, asked: Any, placement: str) -> None:
        for free_now in (0, 80 * GB):
            plan = choose("cuda:1", XL, ONE, 1, asked, dtype="float16", free=free_now)
            assert (plan.device, plan.dtype, plan.placement) == ("cuda:1", "float16", placement)

    def test_the_processor_has_nowhere_to_offload_to_so_it_works_in_tiles(self) -> None:
        assert choose("cpu", XL, ONE, 1, "offload") == choose("cpu", XL, ONE, 1, "sequential")
        assert choose("cpu", XL, ONE, 1, "offload") == Plan("cpu", "float32", tiles=True)

    def test_where_nobody_knows_what_is_free_everything_is_taken_to_fit(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "free_bytes", lambda device: None)
        assert choose("cpu", XL, ONE, 1) == CPU[0]

    def test_it_asks_this_machine(self) -> None:
        assert choose("cpu", {"unet": 1000}, 64 * 64, 1) == CPU[0]
        assert choose("cpu", {"unet": 10**18}, 64 * 64, 1) == CPU[1]


class TestFreeMemory:
    def test_this_machine_says_how_much_it_has(self) -> None:
        told = free.free_bytes("cpu")
        assert told is not None
        assert 10**6 < told < 10**14

    def test_a_container_has_no_more_than_its_limit(self, tmp_path: Path) -> None:
        meminfo = tmp_path / "meminfo"
        meminfo.write_text("MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
        assert free.free_main_memory(meminfo, tmp_path) == 8000 * 1024
        (tmp_path / "memory.max").write_text("5000000\n")
        (tmp_path / "memory.current").write_text("3000000\n")
        (tmp_path / "memory.stat").write_text("anon 2000000\ninactive_file 500000\n")
        assert free.free_main_memory(meminfo, tmp_path) == 2500000
        (tmp_path / "memory.max").write_text("max\n")
        assert free.free_main_memory(meminfo, tmp_path) == 8000 * 1024

    def test_without_linux_files_it_counts_pages(self, tmp_path: Path) -> None:
        assert (free.free_main_memory(tmp_path / "none", tmp_path) or 0) > 10**6

    def test_on_cuda_what_pytorch_keeps_for_later_counts_as_free(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = {"mem_get_info": (5 * GB, 80 * GB), "memory_reserved": 9, "memory_allocated": 2}
        for name, value in told.items():
            monkeypatch.setattr(torch.cuda, name, {"cuda:1": value}.__getitem__)
        assert free.free_bytes("cuda:1") == 5 * GB + 7

    @pytest.mark.parametrize(("main", "left"), [(8 * GB, 4 * GB), (3 * GB, 3 * GB), (None, 4 * GB)])
    def test_apples_gpu_takes_only_a_part_of_main_memory(
        self, main: int | None, left: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 6 * GB)
        monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 2 * GB)
        monkeypatch.setattr(free, "free_main_memory", lambda: main)
        assert free.free_bytes("mps") == left


class TestDtype:
    def test_the_processor_computes_in_float32(self) -> None:
        assert memory.pick_dtype("cpu") == "float32"
        assert Plan("cpu", "float32").torch_dtype is torch.float32

    @pytest.mark.parametrize(("native", "dtype"), [(True, "bfloat16"), (False, "float16")])
    def test_a_card_takes_bfloat16_where_it_computes_in_it(
        self, native: bool, dtype: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Device:
            def __init__(self, name: str) -> None:
                assert name == "cuda:0"

            def __enter__(self) -> None: ...

            def __exit__(self, *error: object) -> None: ...

        def supported(including_emulation: bool = True) -> bool:
            return native or including_emulation

        monkeypatch.setattr(torch.cuda, "device", Device)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
        assert memory.pick_dtype("cuda:0") == dtype

    def test_apples_gpu_takes_float16(self) -> None:
        assert memory.pick_dtype("mps") == "float16"


class TestLadder:
    def test_one_step_down_helps_whether_weights_or_picture_were_too_much(self) -> None:
        assert [plan.cheaper() for plan in CUDA] == [CUDA[2], CUDA[2], CUDA[3], None]
        assert [plan.cheaper() for plan in CPU] == [CPU[1], None]

    def test_attention_is_sliced_only_where_no_fused_kernel_spares_the_memory(self) -> None:
        assert not any(plan.slices for plan in (*CUDA, *CPU))
        assert [plan.slices for plan in ladder("mps", "float16")] == [False, True, True, True]

    def test_a_plan_says_in_words_what_it_does(self) -> None:
        assert CUDA[0].words == "everything on cuda in bfloat16"
        assert CUDA[2].words == (
            "only the network at work on cuda in bfloat16, the autoencoder in tiles"
        )
        assert CPU[1].words == "everything in main memory in float32, the autoencoder in tiles"
        assert len({plan.words for plan in CUDA}) == len(CUDA)


class TestIsOutOfMemory:
    @pytest.mark.parametrize(
        "error",
        [
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
            MemoryError(),
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
            RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
            RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"),
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        ],
    )
    def test_every_devices_way_of_saying_so(self, error: Exception) -> None:
        assert memory.is_out_of_memory(error)
        wrapped = ValueError("the step failed")
        wrapped.__cause__ = error
        assert memory.is_out_of_memory(wrapped)

    def test_what_numpy_and_torch_really_raise(self) -> None:
        with pytest.raises(MemoryError) as numpys:
            np.empty(2**60, np.uint8)
        with pytest.raises(RuntimeError) as torchs:
            torch.empty(2**60, dtype=torch.uint8)
        assert memory.is_out_of_memory(numpys.value)
        assert memory.is_out_of_memory(torchs.value)

    @pytest.mark.parametrize(
        "error",
        [
            None,
            RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
            ValueError("out of memory"),
            Cancelled("asked to stop"),
        ],
    )
    def test_other_errors_are_not(self, error: Exception | None) -> None:
        assert not memory.is_out_of_memory(error)


class Stub:
    """A pipeline that runs out of memory in every plan but those it `fits`."""

    def __init__(self, fits: tuple[Plan, ...], error: Callable[[], Exception]) -> None:
        self.fits, self.error = fits, error
        self.log: list[tuple[str, Plan]] = []
        self.held: weakref.ref[np.ndarray] | None = None

    def run(self, plan: Plan) -> np.ndarray:
        rng = np.random.default_rng(7)  # made anew in each try: the same noise
        noise = rng.standard_normal(4, np.float32)
        self.log.append(("run", plan))
        if plan not in self.fits:
            self.held = weakref.ref(noise)
            raise self.error()
        return noise

    def reload(self, plan: Plan) -> None:
        assert self.held is not None
        assert self.held() is None, "what the first try held is let go before the second"
        self.log.append(("reload", plan))


def no_memory() -> Exception:
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


class TestFallback:
    def test_what_fits_runs_once_and_says_nothing(self) -> None:
        stub = Stub(CUDA, no_memory)
        done, notes = memory.with_fallback(stub.run, CUDA[0], stub.reload)
        assert notes == ()
        assert stub.log == [("run", CUDA[0])]
        assert np.array_equal(done, np.random.default_rng(7).standard_normal(4, np.float32))

    def test_it_steps_down_once_from_the_same_noise_and_says_so(self) -> None:
        stub = Stub((CUDA[2],), no_memory)
        done, (note,) = memory.with_fallback(stub.run, CUDA[0], stub.reload)
        assert stub.log == [("run", CUDA[0]), ("reload", CUDA[2]), ("run", CUDA[2])]
        assert np.array_equal(done, np.random.default_rng(7).standard_normal(4, np.float32))
        assert "ran out of memory" in note
        assert CUDA[0].words in note
        assert CUDA[2].words in note

    def test_a_second_failure_says_what_to_do(self) -> None:
        stub = Stub((CUDA[3],), no_memory)
        with pytest.raises(EngineFailed, match="does not suffice") as caught:
            memory.with_fallback(stub.run, CUDA[0], stub.reload)
        assert [what for what, _ in stub.log] == ["run", "reload", "run"]
        assert CUDA[2].words in str(caught.value)
        assert '"sequential"' in str(caught.value)
        assert stub.held is not None
        assert stub.held() is None

    def test_from_the_thriftiest_plan_there_is_no_second_try(self) -> None:
        stub = Stub((), MemoryError)
        with pytest.raises(EngineFailed, match="main memory does not suffice") as caught:
            memory.with_fallback(stub.run, CPU[-1], stub.reload)
        assert [what for what, _ in stub.log] == ["run"]
        assert "sequential" not in str(caught.value)

    def test_running_out_while_it_is_laid_out_anew_is_the_second_failure(self) -> None:
        def reload(plan: Plan) -> None:
            raise no_memory()

        stub = Stub((), no_memory)
        with pytest.raises(EngineFailed, match="does not suffice"):
            memory.with_fallback(stub.run, CUDA[0], reload)

    @pytest.mark.parametrize("error", [Cancelled("stop"), ValueError("no such prompt")])
    def test_other_errors_go_through_untouched(self, error: Exception) -> None:
        stub = Stub((), lambda: error)
        with pytest.raises(type(error)) as caught:
            memory.with_fallback(stub.run, CUDA[0], stub.reload)
        assert caught.value is error
        assert len(stub.log) == 1


SIDE = 64


def fill(pipe: Any, side: int = SIDE) -> np.ndarray:
    """One picture (side, side, 3) out of `pipe`, always from the same noise."""
    rows = torch.linspace(0, 1, side)
    picture = torch.stack([rows.expand(side, side)] * 3)[None]
    hole = torch.zeros(1, 1, side, side)
    hole[..., side // 4 : side // 2, side // 4 : side // 2] = 1
    made = pipe(
        prompt="a dog",
        image=picture,
        mask_image=hole,
        height=side,
        width=side,
        num_inference_steps=2,
        output_type="np",
        generator=torch.Generator("cpu").manual_seed(3),
    )
    return np.asarray(made.images[0])


@pytest.fixture
def movable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processor play the card: networks are moved onto it and off it by the real hooks."""
    real = accelerate.cpu_offload

    def offload(model: Any, device: torch.device, **rest: Any) -> Any:
        return real(model, torch.device(device.type), **rest)  # "cpu:0" would be another device

    monkeypatch.setattr(accelerate, "cpu_offload", offload)
    monkeypatch.setattr(memory, "kind", lambda device: "cuda")


@pytest.fixture(scope="module")
def pipe() -> Any:
    return diffusion_models.build("sd", tiny=True)


class TestOnATinyPipeline:
    def test_its_weights_are_counted_by_network(self, pipe: Any) -> None:
        parts = memory.weights_by_part(pipe)
        assert set(parts) == {"unet", "vae", "text_encoder"}
        assert parts["unet"] == 4 * sum(part.numel() for part in pipe.unet.parameters())

    def test_it_makes_the_same_picture_in_every_layout_and_back(
        self, pipe: Any, movable: None
    ) -> None:
        whole = fill(pipe)
        for placement in ("offload", "sequential", "offload", "device"):
            memory.apply(pipe, Plan("cpu", "float32", placement))  # type: ignore[arg-type]
            away = [part.device.type == "meta" for part in pipe.unet.parameters()]
            assert all(away) == any(away) == (placement == "sequential")
            assert len(pipe._all_hooks) == (3 if placement == "offload" else 0)
            assert np.abs(fill(pipe) - whole).max() < 1e-6

    def test_tiles_are_switched_on_and_off_again(self, pipe: Any) -> None:
        memory.apply(pipe, CPU[1])
        assert pipe.vae.use_tiling
        assert pipe.vae.use_slicing
        tiled = fill(pipe, 128)
        memory.apply(pipe, CPU[0])
        assert not pipe.vae.use_tiling
        assert not pipe.vae.use_slicing
        whole = fill(pipe, 128)
        assert 0 < np.abs(tiled - whole).mean() < 0.1

    def test_slices_are_switched_on_and_off_again(self, pipe: Any) -> None:
        def processors() -> set[str]:
            return {type(part).__name__ for part in pipe.unet.attn_processors.values()}

        before, whole = processors(), fill(pipe)
        memory.apply(pipe, Plan("cpu", "float32", slices=True))
        assert processors() == {"SlicedAttnProcessor"}
        assert np.abs(fill(pipe) - whole).max() < 1e-5
        memory.apply(pipe, CPU[0])
        assert processors() == before

    def test_a_step_that_runs_out_of_memory_is_done_again_in_tiles(
        self, pipe: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        memory.apply(pipe, CPU[1])
        expected = fill(pipe, 128)
        memory.apply(pipe, CPU[0])
        real = pipe.vae.decode

        def decode(*given: Any, **named: Any) -> Any:
            if not pipe.vae.use_tiling:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return real(*given, **named)

        monkeypatch.setattr(pipe.vae, "decode", decode)
        done, notes = memory.with_fallback(
            lambda plan: fill(pipe, 128), CPU[0], lambda plan: memory.apply(pipe, plan)
        )
        assert np.array_equal(done, expected)
        assert len(notes) == 1


def test_freeing_memory_lets_go_of_cycles() -> None:
    class Node:
        pass

    gc.disable()
    try:
        node: Any = Node()
        node.me = node
        seen = weakref.ref(node)
        del node
        assert seen() is not None
        memory.free_memory()
        assert seen() is None
    finally:
        gc.enable()
