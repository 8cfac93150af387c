"""Our own small network, and the ONNX file that is made of it."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from infill.nets.export import SMALL, export
from infill.nets.pocket import MULTIPLE, Pocket
from infill.train.__main__ import main
from infill.train.export import write_weights
from infill.weights import sha256_of
from tests.nets.networks import drawn

TINY = (8, 12, 16, 24)


def network(seed: int = 0) -> Pocket:
    """A small one with weights that all matter: the blocks begin as nothing."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = Pocket(TINY, heads=2).eval()
        for value in made.parameters():
            if not value.any():
                torch.nn.init.normal_(value, std=0.05)
    return made


def scene(height: int, width: int, count: int = 1) -> tuple[Tensor, Tensor]:
    mask = torch.zeros(count, 1, height, width)
    mask[:, :, height // 4 : height // 2, width // 4 :] = 1
    return torch.tanh(drawn(count, 3, height, width)) * (1 - mask), mask


class TestPocket:
    def test_the_one_in_the_package_is_small(self) -> None:
        assert sum(value.numel() for value in Pocket().parameters()) <= 8_000_000

    @pytest.mark.parametrize("size", [(16, 16), (32, 80), (144, 48)])
    def test_outputs(self, size: tuple[int, int]) -> None:
        with torch.no_grad():
            rough, filled = network()(*scene(*size, count=2))
        for made in (rough, filled):
            assert made.shape == (2, 3, *size)
            assert made.abs().max() <= 1

    def test_every_place_sees_the_whole_picture(self) -> None:
        picture, mask = scene(256, 256)
        other = picture.clone()
        other[:, :, :16, :16] += 0.5
        exact = network().double()
        with torch.no_grad():
            before, after = (exact(one.double(), mask.double())[1] for one in (picture, other))
        assert (before - after)[..., -16:, -16:].abs().min() > 0

    def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch(self) -> None:
        picture, mask = scene(32, 48, count=3)
        with torch.no_grad():
            together = network()(picture, mask)[1]
            alone = network()(picture[1:2], mask[1:2])[1]
        assert (together[1:2] - alone).abs().max() < 1e-5

    def test_blocks_begin_as_the_identity(self) -> None:
        features = drawn(1, 12, 8, 8)
        assert torch.equal(Pocket(TINY, heads=2).body4(features), features)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "tiny.onnx"
    export(network(), path)
    return path


class TestExport:
    @pytest.mark.parametrize(("size", "count"), [((16, 16), 1), ((48, 80), 3), ((256, 64), 2)])
    def test_equals_pytorch_at_any_size(
        self, file: Path, size: tuple[int, int], count: int
    ) -> None:
        picture, mask = scene(*size, count=count)
        halved = network()
        for value in halved.parameters():  # what the file holds
            if value.numel() > SMALL:
                value.data = value.data.half().float()
        with torch.no_grad():
            expected = halved(picture, mask)[1].numpy()
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        (made,) = session.run(None, {"picture": picture.numpy(), "mask": mask.numpy()})
        assert made.dtype == np.float32
        assert np.abs(made - expected).max() < 1e-5

    def test_weights_take_two_bytes_each(self, file: Path) -> None:
        model = onnx.load(file)
        onnx.checker.check_model(model, full_check=True)
        sizes = {
            one.name: one.data_type for one in model.graph.initializer if np.prod(one.dims) > SMALL
        }
        assert sizes
        assert set(sizes.values()) == {onnx.TensorProto.FLOAT16}

    def test_nothing_but_standard_operators(self, file: Path) -> None:
        model = onnx.load(file)
        assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
        assert [(one.domain, one.version) for one in model.opset_import if not one.domain]

    def test_it_tells_nothing_of_where_it_was_made(self, file: Path, tmp_path: Path) -> None:
        export(network(), tmp_path / "again.onnx")
        assert (tmp_path / "again.onnx").read_bytes() == file.read_bytes()
        assert b".py" not in file.read_bytes()

    def test_sizes_are_free(self, file: Path) -> None:
        given = {one.name: one for one in onnx.load(file).graph.input}
        assert set(given) == {"picture", "mask"}
        for one in given.values():
            axes = one.type.tensor_type.shape.dim
            assert [axis.HasField("dim_value") for axis in axes] == [False, True, False, False]
        assert MULTIPLE == 16


class TestCommand:
    def test_from_a_trained_file_to_onnx(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("infill.nets.pocket.Pocket", lambda: network(seed=3))
        weights, out = tmp_path / "w.safetensors", tmp_path / "w.onnx"
        write_weights(weights, network(seed=4), "float32", {"network": "pocket"})
        assert main(["onnx", str(weights), "--out", str(out)]) == 0
        assert f"SHA-256 {sha256_of(out)}" in capsys.readouterr().out
        picture, mask = scene(32, 32)
        with torch.no_grad():
            expected = network(seed=4)(picture, mask)[1].numpy()
        session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
        (made,) = session.run(None, {"picture": picture.numpy(), "mask": mask.numpy()})
        assert np.abs(made - expected).max() < 5e-3  # float16 on the disk

    def test_weights_of_another_network(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        weights = tmp_path / "w.safetensors"
        write_weights(weights, network(), "float16", {})
        assert main(["onnx", str(weights), "--out", str(tmp_path / "w.onnx")]) == 2
        assert "another network" in capsys.readouterr().err
        assert not (tmp_path / "w.onnx").exists()
