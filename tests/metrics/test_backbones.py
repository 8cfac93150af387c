"""The networks against a statement of them in NumPy, and against names in the public files."""

import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from infill.errors import MissingWeights, Unreadable
from infill.nets import backbones
from infill.nets.alexnet import AlexNet
from infill.nets.inception import Inception, resize
from infill.nets.lpips import Heads, Lpips
from infill.nets.vgg import Vgg16
from tests.metrics import tiny
from tests.metrics.plain import (
    Map,
    convolution,
    enlarged,
    largest,
    mean_of_those_inside,
    positive,
)
from tests.nets.files import Evil, with_table

ALEX_PLAN = ("c0/4/2", "p", "c3/1/2", "p", "c6/1/1", "c8/1/1", "c10/1/1")
VGG_PLAN = (
    *("c0/1/1", "c2/1/1", "h", "c5/1/1", "c7/1/1", "h", "c10/1/1", "c12/1/1", "c14/1/1", "h"),
    *("c17/1/1", "c19/1/1", "c21/1/1", "h", "c24/1/1", "c26/1/1", "c28/1/1"),
)
SHOWN = {"alex": (0, 3, 6, 8, 10), "vgg": (2, 7, 14, 21, 28)}


def numbers(network: nn.Module) -> dict[str, Map]:
    return {name: value.double().numpy() for name, value in network.state_dict().items()}


def trunk(state: dict[str, Map], plan: tuple[str, ...], shown: tuple[int, ...], x: Map) -> list:
    """Convolutions "cNUMBER/STRIDE/PADDING", pools of 3 ("p") and of 2 ("h")."""
    found = []
    for step in plan:
        if step == "p":
            x = largest(x, 3, 2)
        elif step == "h":
            x = largest(x, 2, 2)
        else:
            number, stride, padding = (int(part) for part in step[1:].split("/"))
            weight, bias = (state[f"features.{number}.{kind}"] for kind in ("weight", "bias"))
            x = positive(convolution(x, weight, bias, stride, (padding, padding)))
            if number in shown:
                found.append(x)
    return found


def make(kind: str) -> tuple[nn.Module, tuple[str, ...]]:
    return (tiny.alexnet(), ALEX_PLAN) if kind == "alex" else (tiny.vgg16(), VGG_PLAN)


class TestTrunks:
    @pytest.mark.parametrize("kind", ["alex", "vgg"])
    @pytest.mark.parametrize("size", [(31, 31), (45, 70)])
    def test_is_what_numpy_makes_of_it(self, kind: str, size: tuple[int, int]) -> None:
        network, plan = make(kind)
        x = 2 * tiny.photo(*size).transpose(2, 0, 1).astype(np.float64) - 1
        with torch.inference_mode():
            got = network(torch.from_numpy(x)[None].float())
        expected = trunk(numbers(network), plan, SHOWN[kind], x)
        assert len(got) == len(expected) == 5
        for ours, plain in zip(got, expected, strict=True):
            assert ours[0].shape == plain.shape
            np.testing.assert_allclose(ours[0].numpy(), plain, atol=1e-4 * np.abs(plain).max())

    @pytest.mark.parametrize("kind", ["alex", "vgg"])
    def test_the_smallest_picture_is_as_it_says(self, kind: str) -> None:
        network, _ = make(kind)
        with torch.inference_mode():
            assert all(each.numel() for each in network(torch.zeros(1, 3, network.least, 90)))
            with pytest.raises(RuntimeError):
                network(torch.zeros(1, 3, network.least - 1, 90))

    @pytest.mark.parametrize(("kind", "make"), [("alexnet", AlexNet), ("vgg16", Vgg16)])
    def test_names_and_shapes_are_the_public_ones(self, kind: str, make: type) -> None:
        with torch.device("meta"):
            ours = {name: tuple(value.shape) for name, value in make().state_dict().items()}
        public = tiny.published(kind)
        assert ours == {name: s for name, s in public.items() if not name.startswith("classifier")}


class TestLpips:
    @pytest.mark.parametrize("kind", ["alex", "vgg"])
    def test_is_equation_1(self, kind: str) -> None:
        network, plan = make(kind)
        heads = tiny.heads(network.widths)
        a, b = tiny.photo(37, 50), tiny.photo(37, 50, seed=1)
        shown = []
        for one in (a, b):
            x = 2 * one.transpose(2, 0, 1).astype(np.float64) - 1
            x = (x - np.reshape([-0.030, -0.088, -0.188], (3, 1, 1))) / np.reshape(
                [0.458, 0.448, 0.450], (3, 1, 1)
            )
            shown.append(trunk(numbers(network), plan, SHOWN[kind], x))
        total, places = 0.0, np.zeros((37, 50))
        for number, (one, other) in enumerate(zip(*shown, strict=True)):
            one, other = (y / (np.sqrt((y**2).sum(0)) + 1e-10) for y in (one, other))
            weight = numbers(heads)[f"lin{number}.model.1.weight"][0]
            layer = (weight * (one - other) ** 2).sum(0)
            total += layer.mean()
            places += enlarged(layer, 37, 50)
        tensors = (torch.from_numpy(2 * one.transpose(2, 0, 1) - 1)[None] for one in (a, b))
        with torch.inference_mode():
            distance, found = Lpips(network, heads).eval()(*tensors)
        assert distance.item() == pytest.approx(total, rel=1e-4)
        np.testing.assert_allclose(found[0].numpy(), places, atol=1e-4 * places.max())

    @pytest.mark.parametrize(("kind", "trunk"), [("alex", AlexNet), ("vgg", Vgg16)])
    def test_heads_are_named_as_in_the_public_files(self, kind: str, trunk: type) -> None:
        with torch.device("meta"):
            ours = Heads(trunk().widths).state_dict()
        shapes = {name: tuple(value.shape) for name, value in ours.items()}
        assert shapes == tiny.published(f"lpips_{kind}")

    def test_the_authors_heads_where_a_package_brings_them(self) -> None:
        from infill.metrics.lpips import installed_heads

        path = installed_heads("alex")
        if path is None:
            pytest.skip("neither lpips nor torchmetrics is installed")
        network = AlexNet()
        with backbones.opened(path) as archive:
            heads = backbones._heads(path, archive, network)
        assert [float(w.min()) >= 0 for w in heads.state_dict().values()] == [True] * 5


class Written:
    """The network stated again: what each unit's padding is follows from a list of exceptions."""

    bare = (
        *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_4a_3x3"),
        *("Mixed_6a.branch3x3", "Mixed_6a.branch3x3dbl_3"),
        *("Mixed_7a.branch3x3_2", "Mixed_7a.branch7x7x3_4"),
    )

    def __init__(self, network: Inception) -> None:
        self.state = numbers(network)

    def unit(self, name: str, x: Map) -> Map:
        weight = self.state[f"{name}.conv.weight"]
        bare = name in self.bare
        stride = 2 if bare and name not in ("Conv2d_2a_3x3", "Conv2d_4a_3x3") else 1
        padding = (0, 0) if bare else (weight.shape[2] // 2, weight.shape[3] // 2)
        x = convolution(x, weight, None, stride, padding)
        gain, bias, mean, var = (
            self.state[f"{name}.bn.{kind}"][:, None, None]
            for kind in ("weight", "bias", "running_mean", "running_var")
        )
        return positive((x - mean) / np.sqrt(var + 1e-3) * gain + bias)

    def chain(self, block: str, names: str, x: Map) -> Map:
        for name in names.split():
            x = self.unit(f"{block}.{name}", x)
        return x

    def joined(self, block: str, x: Map, pooled: Map, *branches: str) -> Map:
        """Branches side by side, the pooled one last; "a | b" ends in two side by side."""
        found = []
        for branch in branches:
            stem, _, ends = branch.partition(":")
            y = self.chain(block, stem, x)
            found += [self.unit(f"{block}.{end}", y) for end in ends.split()] if ends else [y]
        if f"{block}.branch_pool.conv.weight" in self.state:
            pooled = self.unit(f"{block}.branch_pool", pooled)
        return np.concatenate([*found, pooled])

    def __call__(self, pixels: Map) -> Map:
        x = (pixels - 128) / 128
        for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"):
            x = self.unit(name, x)
        x = self.unit("Conv2d_4a_3x3", self.unit("Conv2d_3b_1x1", largest(x, 3, 2)))
        x = largest(x, 3, 2)
        double = "branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3"
        for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            branches = ("branch1x1", "branch5x5_1 branch5x5_2", double)
            x = self.joined(block, x, mean_of_those_inside(x), *branches)
        x = self.joined("Mixed_6a", x, largest(x, 3, 2), "branch3x3", double)
        sevens = " ".join(f"branch7x7dbl_{n}" for n in range(1, 6))
        for block in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            branches = ("branch1x1", "branch7x7_1 branch7x7_2 branch7x7_3", sevens)
            x = self.joined(block, x, mean_of_those_inside(x), *branches)
        mixed = " ".join(f"branch7x7x3_{n}" for n in range(1, 5))
        x = self.joined("Mixed_7a", x, largest(x, 3, 2), "branch3x3_1 branch3x3_2", mixed)
        for block, pool in (("Mixed_7b", mean_of_those_inside), ("Mixed_7c", self.around)):
            split = (
                "branch3x3_1:branch3x3_2a branch3x3_2b",
                "branch3x3dbl_1 branch3x3dbl_2:branch3x3dbl_3a branch3x3dbl_3b",
            )
            x = self.joined(block, x, pool(x), "branch1x1", *split)
        return x.mean((1, 2))

    @staticmethod
    def around(x: Map) -> Map:
        return largest(x, 3, 1, 1)


class TestInception:
    def test_is_what_numpy_makes_of_it(self) -> None:
        network = tiny.inception()
        pixels = 255 * tiny.photo(299, 299).transpose(2, 0, 1)
        with torch.inference_mode():
            got = network(torch.from_numpy(pixels)[None])[0].numpy()
        expected = Written(network)(pixels.astype(np.float64))
        assert got.shape == (2048 // tiny.SHRINK,)
        assert expected.std() > 0.01
        np.testing.assert_allclose(got, expected, atol=1e-4 * expected.max())

    def test_names_and_shapes_are_the_public_ones(self) -> None:
        with torch.device("meta"):
            ours = {name: tuple(v.shape) for name, v in Inception().state_dict().items()}
        public = tiny.published("inception")
        assert ours == {name: shape for name, shape in public.items() if name[:3] != "fc."}

    @pytest.mark.parametrize("size", [(5, 7), (1, 1), (40, 33)])
    def test_resizes_as_tensorflow_1(self, size: tuple[int, int]) -> None:
        pixels = 255 * tiny.photo(*size)
        got = resize(torch.from_numpy(pixels.transpose(2, 0, 1))[None], side=16)[0].numpy()
        height, width = size
        for row in range(16):
            for column in range(16):
                y, x = row * height / 16, column * width / 16
                top, left = math.floor(y), math.floor(x)
                below, right = min(top + 1, height - 1), min(left + 1, width - 1)
                v, u = y - top, x - left
                upper = pixels[top, left] * (1 - u) + pixels[top, right] * u
                lower = pixels[below, left] * (1 - u) + pixels[below, right] * u
                np.testing.assert_allclose(
                    got[:, row, column], upper * (1 - v) + lower * v, atol=1e-3
                )


def same(one: nn.Module, other: nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return list(ours) == list(theirs) and all(torch.equal(ours[k], theirs[k]) for k in ours)


class TestFiles:
    def test_public_layouts(self, tmp_path: Path) -> None:
        """A zip of PyTorch, its older kind, a .safetensors; with the classifier that they have."""
        network = tiny.vgg16()
        state = tiny.classified(network)
        torch.save(state, tmp_path / "new.pth")
        torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
        save_file(state, tmp_path / "safe.safetensors")
        for name in ("new.pth", "old.pth", "safe.safetensors"):
            found = backbones.vgg16(tmp_path / name)
            assert same(found, network)
            assert not found.training
            assert not any(value.requires_grad for value in found.parameters())

    def test_inception_without_its_classifier(self, tmp_path: Path) -> None:
        network = tiny.inception()
        state = {**network.state_dict(), "fc.weight": torch.zeros(8, 128), "fc.bias": torch.ones(8)}
        torch.save(state, tmp_path / "inception.pth")
        assert same(backbones.inception(tmp_path / "inception.pth"), network)

    def test_lpips_out_of_one_file_or_two(self, tmp_path: Path) -> None:
        network, heads = tiny.alexnet(), tiny.heads(tiny.ALEX)
        torch.save(tiny.classified(network), tmp_path / "alex.pth")
        torch.save(heads.state_dict(), tmp_path / "heads.pth")
        save_file({**network.state_dict(), **heads.state_dict()}, tmp_path / "both.safetensors")
        asked: list[str] = []

        def named(kind: str) -> Path:
            asked.append(kind)
            return tmp_path / "heads.pth"

        for paths in (["both.safetensors"], ["heads.pth", "alex.pth"], ["alex.pth"]):
            found = backbones.lpips([tmp_path / one for one in paths], named)
            assert same(found.trunk, network)
            assert same(found.heads, heads)
        assert asked == ["alex"]

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (lambda s: s.pop("features.10.weight"), "no VGG-16 of torchvision's"),
            (lambda s: s.pop("features.7.bias"), r"1 missing \(features.7.bias\)"),
            (lambda s: s.update({"features.31.bias": torch.zeros(2)}), "1 unexpected"),
            (lambda s: s.update({"features.2.bias": torch.zeros(9)}), "of another shape"),
            (lambda s: s["features.2.bias"].fill_(math.nan), "holds NaN or infinity"),
            (lambda s: s.clear(), "is no checkpoint of VGG-16"),
        ],
    )
    def test_what_does_not_fit_is_one_sentence(self, tmp_path, change, sentence: str) -> None:
        state = copy.deepcopy(dict(tiny.vgg16().state_dict()))
        change(state)
        torch.save(state, tmp_path / "w.pth")
        with pytest.raises(MissingWeights, match=sentence) as caught:
            backbones.vgg16(tmp_path / "w.pth")
        assert len(str(caught.value).splitlines()) == 1

    def test_inception_of_another_size(self, tmp_path: Path) -> None:
        state = {"Conv2d_1a_3x3.conv.weight": torch.zeros(30, 3, 3, 3)}
        torch.save(state, tmp_path / "w.pth")
        with pytest.raises(MissingWeights, match="no Inception of the FID: its first layer is 30×"):
            backbones.inception(tmp_path / "w.pth")

    def test_heads_of_another_trunk(self, tmp_path: Path) -> None:
        torch.save(tiny.alexnet().state_dict(), tmp_path / "alex.pth")
        torch.save(tiny.heads(tiny.VGG).state_dict(), tmp_path / "heads.pth")
        with pytest.raises(MissingWeights, match="do not fit the heads of LPIPS for AlexNet"):
            backbones.lpips([tmp_path / "alex.pth"], lambda kind: tmp_path / "heads.pth")

    def test_nothing_in_a_file_is_run(self, tmp_path: Path) -> None:
        torch.save(tiny.vgg16().state_dict(), tmp_path / "w.pth")
        with_table(tmp_path / "w.pth", {"features.0.weight": Evil(tmp_path / "ran")})
        with pytest.raises(MissingWeights, match="could run code"):
            backbones.vgg16(tmp_path / "w.pth")
        assert not (tmp_path / "ran").exists()

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(Unreadable, match="there is no file"):
            backbones.alexnet(tmp_path / "nothing.pth")
