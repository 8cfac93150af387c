"""Checkpoints of every public kind into the networks, and those that do not fit or are not safe."""

import errno
import pickle
import shutil
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from infill.errors import MissingWeights, Unreadable
from infill.nets import loading
from infill.nets.deepfill import Discriminator, Generator, prepare
from infill.nets.deepfill.names import to_tf
from infill.nets.lama import Shape
from infill.nets.lama import prepare as lama_prepare
from infill.weights import kinds
from infill.weights.convert import convert
from tests.nets.files import (
    Evil,
    deepfill_file,
    lightning_file,
    rewritten,
    script_file,
    with_table,
)
from tests.nets.networks import TINY, deepfill_of, lama_of, livened, scene


def same(one: nn.Module, other: nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return list(ours) == list(theirs) and all(
        torch.equal(ours[name], theirs[name]) for name in ours
    )


class TestDeepFill:
    @pytest.mark.parametrize(("layout", "name"), [("plain", "states_pt_x"), ("tf", "states_tf_x")])
    def test_files_of_both_layouts(self, tmp_path: Path, layout: str, name: str) -> None:
        network, judge = deepfill_of(layout), livened(Discriminator(width=4, layout=layout))
        path = deepfill_file(tmp_path / f"{name}.pth", network, judge, tf=layout == "tf")
        loaded = loading.deepfill(path)
        assert loaded.layout == layout
        assert same(loaded, network)
        assert not loaded.training
        assert not any(value.requires_grad for value in loaded.parameters())
        photo, mask = scene()
        x = prepare(2 * photo - 1, mask)
        assert torch.equal(loaded(x, mask)[1], network(x, mask)[1])
        found = loading.discriminator(path)
        assert same(found, judge)
        x = torch.cat((photo, mask), 1)
        assert torch.equal(found(x), judge.eval()(x))

    def test_safetensors_with_and_without_a_prefix(self, tmp_path: Path) -> None:
        network = deepfill_of("plain")
        for number, prefix in enumerate(("", "generator.", "my.own.")):
            state = {f"{prefix}{name}": value for name, value in network.state_dict().items()}
            save_file(state, tmp_path / f"{number}.safetensors")
            assert same(loading.deepfill(tmp_path / f"{number}.safetensors"), network)

    def test_the_layout_where_names_do_not_tell(self, tmp_path: Path) -> None:
        state = deepfill_of("tf").state_dict()
        save_file(state, tmp_path / "noted.safetensors", {"layout": "tf"})
        torch.save(state, tmp_path / "ours-tf.pth")
        torch.save(state, tmp_path / "software.pth")
        torch.save(to_tf(state), tmp_path / "converted.pth")
        assert loading.deepfill(tmp_path / "noted.safetensors").layout == "tf"
        assert loading.deepfill(tmp_path / "ours-tf.pth").layout == "tf"
        assert loading.deepfill(tmp_path / "software.pth").layout == "plain"
        assert loading.deepfill(tmp_path / "software.pth", layout="tf").layout == "tf"
        assert loading.deepfill(tmp_path / "converted.pth").layout == "tf"
        assert loading.deepfill(tmp_path / "converted.pth", layout="plain").layout == "plain"

    def test_fused_scores_follow_the_layout_unless_told(self, tmp_path: Path) -> None:
        path = deepfill_file(tmp_path / "a.pth", deepfill_of("tf"), tf=True)
        assert not loading.deepfill(path).stage2.contextual_attention.fuse
        assert loading.deepfill(path, fuse=True).stage2.contextual_attention.fuse

    def test_half_precision_files_are_widened(self, tmp_path: Path) -> None:
        network = deepfill_of("plain").half()
        save_file(network.state_dict(), tmp_path / "a.safetensors")
        loaded = loading.deepfill(tmp_path / "a.safetensors")
        assert {value.dtype for value in loaded.parameters()} == {torch.float32}
        assert same(loaded, network.float())

    def test_files_of_the_older_kind(self, tmp_path: Path) -> None:
        network = deepfill_of("plain")
        held = {"G": network.state_dict()}
        torch.save(held, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
        assert same(loading.deepfill(tmp_path / "a.pth"), network)


class TestLama:
    @pytest.mark.parametrize("foreign", [True, False])
    def test_lightning(self, tmp_path: Path, foreign: bool) -> None:
        network = lama_of()
        path = lightning_file(tmp_path / "best.ckpt", network, foreign=foreign)
        if foreign:
            with pytest.raises(pickle.UnpicklingError):
                torch.load(path, weights_only=True)
        loaded = loading.lama(path)
        assert same(loaded, network)
        assert loaded.shape == TINY
        assert not loaded.training

    def test_a_checkpoint_in_the_zip_that_it_is_published_in(self, tmp_path: Path) -> None:
        network = lama_of()
        checkpoint = lightning_file(tmp_path / "best.ckpt", network)
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("big-lama/config.yaml", "generator: {}")
            zipped.write(checkpoint, "big-lama/models/best.ckpt")
        assert same(loading.lama(tmp_path / "a.zip"), network)
        torch.save({"a": Evil(tmp_path / "run")}, checkpoint)
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as zipped:
            zipped.write(checkpoint, "big-lama/models/best.ckpt")
        assert "exec, which is no part" in told(tmp_path / "b.zip", loading.lama)
        assert not (tmp_path / "run").exists()

    def test_torchscript_is_read_and_not_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        network = lama_of()
        path = script_file(tmp_path / "big-lama.pt", network)
        monkeypatch.setattr(torch.jit, "load", None)
        rewritten(path, lambda name, old: b"ruin" if "/code/" in name else old)
        loaded = loading.lama(path)
        assert same(loaded, network)
        x = lama_prepare(*scene())
        assert torch.equal(loaded(x), network(x))

    @pytest.mark.parametrize(
        "shape", [Shape(4, 2, 1, 0.3), Shape(6, 3, 3, 0.0), Shape(5, 1, 1, 0.7)]
    )
    def test_the_shape_is_read_from_the_file(self, tmp_path: Path, shape: Shape) -> None:
        network = lama_of(shape)
        torch.save(network.state_dict(), tmp_path / "a.pth")
        assert same(loading.lama(tmp_path / "a.pth"), network)

    def test_counters_may_be_missing(self, tmp_path: Path) -> None:
        network = lama_of()
        state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
        save_file(state, tmp_path / "a.safetensors")
        assert same(loading.lama(tmp_path / "a.safetensors"), network)


def quantised(weight: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8)


def told(path: Path, load: Callable[[Path], Any] = loading.deepfill) -> str:
    """The one sentence that refuses the file."""
    with pytest.raises(MissingWeights) as caught:
        load(path)
    sentence = str(caught.value)
    assert sentence.startswith(("the tensors in ", str(path)))
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    return sentence


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*given: Any, **named: Any) -> Any:
        raise error

    return fail


class TestKinds:
    """What a file is, its bytes tell."""

    def test_safetensors_under_another_name(self, tmp_path: Path) -> None:
        state = deepfill_of("tf").state_dict()
        for name in ("a.pth", "a.bin", "weights"):
            save_file(state, tmp_path / name, {"layout": "tf"})
            assert loading.deepfill(tmp_path / name).layout == "tf"

    @pytest.mark.parametrize("new", [True, False])
    def test_pytorchs_own_under_the_name_of_another(self, tmp_path: Path, new: bool) -> None:
        path = tmp_path / "a.safetensors"
        state = lama_of().state_dict()
        torch.save(state, path, _use_new_zipfile_serialization=new)
        assert "no .safetensors; give it a name that ends with .pth" in told(path, loading.lama)


FIRST = {
    "deepfill": ("stage1.conv1.conv.weight", loading.deepfill),
    "lama": ("model.1.ffc.convl2l.weight", loading.lama),
    "judge": ("conv1.conv_sn.weight", loading.discriminator),
}


class TestOddShapesAndNumbers:
    @pytest.mark.parametrize("kind", list(FIRST))
    @pytest.mark.parametrize("width", [0, 8192, 2**40, 2**61])
    def test_widths(self, tmp_path: Path, kind: str, width: int) -> None:
        name, load = FIRST[kind]
        shape = (width, 0, 5, 5) if width else (0, 4, 5, 5)
        more = {
            "model.2.ffc.convl2l.weight": torch.zeros(4, 8, 3, 3),
            "model.3.conv1.ffc.convl2l.weight": torch.zeros(1),
        }
        held = {name: torch.zeros(shape), **(more if kind == "lama" else {})}
        save_file(held, tmp_path / "a.safetensors")
        told(tmp_path / "a.safetensors", load)

    @pytest.mark.parametrize(("near", "wide"), [(0, None), (0, 5), (0, 0), (4, 2**40), (2**61, 1)])
    def test_lamas_without_local_channels_or_with_too_many(
        self, tmp_path: Path, near: int, wide: int | None
    ) -> None:
        held = {
            "model.1.ffc.convl2l.weight": torch.zeros(8, 4, 7, 7),
            "model.2.ffc.convl2l.weight": torch.zeros(near, 0, 3, 3),
            "model.3.conv1.ffc.convl2l.weight": torch.zeros(1),
        }
        if wide is not None:
            held["model.2.ffc.convl2g.weight"] = torch.zeros(wide, 0, 3, 3)
        save_file(held, tmp_path / "a.safetensors")
        assert "no LaMa whose layers" in told(tmp_path / "a.safetensors", loading.lama)

    def test_what_no_network_can_be_made_of(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        torch.save(lama_of().state_dict(), tmp_path / "a.pth")
        for error in (RuntimeError("Storage size"), ValueError("x"), ZeroDivisionError("x")):
            monkeypatch.setattr(loading.lama_nets, "Generator", raising(error))
            assert "of which no network can be made" in told(tmp_path / "a.pth", loading.lama)

    @pytest.mark.parametrize(
        "change",
        [
            lambda weight: weight.to(torch.complex64),
            lambda weight: weight.to(torch.int64),
            lambda weight: weight.to(torch.bool),
            lambda weight: weight.to(torch.float8_e4m3fn),
            lambda weight: torch.empty(weight.shape, device="meta"),
            lambda weight: weight.to_sparse(),
            quantised,
        ],
    )
    def test_weights_that_are_no_floats(
        self, tmp_path: Path, change: Callable[[Tensor], Tensor]
    ) -> None:
        state = lama_of().state_dict()
        state["model.1.ffc.convl2l.weight"] = change(state["model.1.ffc.convl2l.weight"])
        torch.save(state, tmp_path / "a.pth")
        told(tmp_path / "a.pth", loading.lama)

    @pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
    def test_floats_of_every_width(self, tmp_path: Path, kind: torch.dtype) -> None:
        network = lama_of().to(kind)
        torch.save(network.state_dict(), tmp_path / "a.pth")
        assert same(loading.lama(tmp_path / "a.pth"), network.float())

    def test_layouts_that_there_are_not(self, tmp_path: Path) -> None:
        path = deepfill_file(tmp_path / "a.pth", deepfill_of("plain"), Discriminator(width=4))
        for make in (Generator, Discriminator):
            with pytest.raises(ValueError, match="layout is one of plain, tf, not 'tensorflow'"):
                make(layout="tensorflow")
        for load in (loading.deepfill, loading.discriminator):
            with pytest.raises(ValueError, match="layout is one of"):
                load(path, layout="tensorflow")


class TestDoesNotFit:
    def change(self, path: Path, change: Callable[[dict[str, Tensor]], None]) -> str:
        state = deepfill_of("plain").state_dict()
        change(state)
        torch.save({"G": state}, path)
        return told(path)

    def test_says_what_is_missing_unexpected_and_of_another_shape(self, tmp_path: Path) -> None:
        def change(state: dict[str, Tensor]) -> None:
            for name in [name for name in state if "conv_conv_bn" in name]:
                del state[name]
            state["extra.weight"] = torch.zeros(1)
            state["stage2.conv_to_rgb.conv.bias"] = torch.zeros(4)

        sentence = self.change(tmp_path / "a.pth", change)
        assert "do not fit DeepFillv2 of width 8: 10 missing (" in sentence
        assert "stage2.conv_conv_bn1.conv.bias" in sentence
        assert "and 7 more), 1 unexpected (extra.weight), 1 of another shape (" in sentence
        assert "stage2.conv_to_rgb.conv.bias (4, not 3))" in sentence

    def test_numbers_that_are_none(self, tmp_path: Path) -> None:
        def change(state: dict[str, Tensor]) -> None:
            state["stage1.conv1.conv.bias"][2] = torch.nan

        assert "stage1.conv1.conv.bias holds NaN" in self.change(tmp_path / "a.pth", change)

    def test_scores_fused_in_another_way(self, tmp_path: Path) -> None:
        def change(state: dict[str, Tensor]) -> None:
            state["stage2.contextual_attention.fuse_weight"] = torch.ones(1, 1, 3, 3)

        assert "fuses scores in another way" in self.change(tmp_path / "a.pth", change)

    @pytest.mark.parametrize("first", [torch.zeros(7, 5, 5, 5), torch.tensor(3.0)])
    def test_widths_that_make_no_network(self, tmp_path: Path, first: Tensor) -> None:
        def change(state: dict[str, Tensor]) -> None:
            state["stage1.conv1.conv.weight"] = first

        assert "its first layer is" in self.change(tmp_path / "a.pth", change)

    def test_files_of_other_networks(self, tmp_path: Path) -> None:
        torch.save(lama_of().state_dict(), tmp_path / "lama.pth")
        torch.save(deepfill_of("plain").state_dict(), tmp_path / "deepfill.pth")
        torch.save({"step": 3}, tmp_path / "none.pth")
        assert "is no checkpoint of DeepFillv2: it holds model.1" in told(tmp_path / "lama.pth")
        sentence = told(tmp_path / "deepfill.pth", loading.lama)
        assert "is no checkpoint of LaMa: it holds stage1" in sentence
        assert "SN-PatchGAN" in told(tmp_path / "deepfill.pth", loading.discriminator)
        assert "holds no tensors by name" in told(tmp_path / "none.pth")

    def test_a_lama_that_is_cut_short(self, tmp_path: Path) -> None:
        state = {k: v for k, v in lama_of().state_dict().items() if k.startswith("model.1.")}
        torch.save(state, tmp_path / "a.pth")
        assert "no LaMa whose layers are known" in told(tmp_path / "a.pth", loading.lama)

    def test_two_networks_of_a_kind(self, tmp_path: Path) -> None:
        state = deepfill_of("plain").state_dict()
        torch.save({"one": state, "two": dict(state)}, tmp_path / "a.pth")
        assert "holds 2 networks of the kind DeepFillv2 (one., two.)" in told(tmp_path / "a.pth")


class TestUnsafeOrDamaged:
    def test_code_is_refused_and_not_run(self, tmp_path: Path) -> None:
        target = tmp_path / "run"
        held = {"G": deepfill_of("plain").state_dict(), "note": Evil(target)}
        torch.save(held, tmp_path / "zip.pth")
        torch.save(held, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
        (tmp_path / "bare.pt").write_bytes(pickle.dumps(held["note"]))
        script = script_file(tmp_path / "script.pt", lama_of())
        with_table(script, {"model": Evil(target)})
        assert "exec, which is no part of a checkpoint, and is not opened" in told(
            tmp_path / "zip.pth"
        )
        assert "could run code" in told(tmp_path / "old.pth")
        assert "could run code" in told(tmp_path / "bare.pt")
        assert "exec, which is no part" in told(script, loading.lama)
        assert not target.exists()

    def test_code_beside_what_is_known(self, tmp_path: Path) -> None:
        path = lightning_file(tmp_path / "best.ckpt", lama_of())
        with_table(path, {"state_dict": {}, "callbacks": Evil(tmp_path / "run")})
        assert "exec" in told(path, loading.lama)
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".pt", ".ckpt"])
    @pytest.mark.parametrize("content", [b"", b"no checkpoint at all", b"PK\x03\x04" + b"\0" * 90])
    def test_what_is_no_checkpoint(self, tmp_path: Path, suffix: str, content: bytes) -> None:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(content)
        told(path)
        told(path, loading.lama)

    @pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
    @pytest.mark.parametrize("kind", ["pth", "pt", "safetensors", "ckpt"])
    def test_what_is_cut_off(self, tmp_path: Path, kind: str, share: float) -> None:
        path = tmp_path / f"a.{kind}"
        if kind == "pt":
            script_file(path, lama_of())
        elif kind == "safetensors":
            save_file(lama_of().state_dict(), path)
        elif kind == "ckpt":
            lightning_file(path, lama_of())
        else:
            torch.save(lama_of().state_dict(), path)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        told(path, loading.lama)

    def test_numbers_that_are_changed_missing_or_short(self, tmp_path: Path) -> None:
        path = lightning_file(tmp_path / "a.ckpt", lama_of())
        whole = path.read_bytes()
        rewritten(path, lambda name, old: None if name.endswith("/data/3") else old)
        assert "damaged" in told(path, loading.lama)
        path.write_bytes(whole)
        rewritten(path, lambda name, old: old[:-4] if name.endswith("/data/3") else old)
        assert "in place of" in told(path, loading.lama)
        path.write_bytes(whole)
        at = whole.index(lama_of().state_dict()["model.1.bn_l.weight"].numpy().tobytes())
        path.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        assert "CRC" in told(path, loading.lama)

    def test_one_number_shown_often_is_no_weight(self, tmp_path: Path) -> None:
        network = lama_of()
        for kind in ("pth", "ckpt"):
            if kind == "ckpt":
                network.model[1].bn_l.weight.data = torch.ones(1).expand(4)
                path = lightning_file(tmp_path / "a.ckpt", network)
            else:
                state = network.state_dict()
                state["model.1.bn_l.weight"] = torch.ones(1).expand(4)
                torch.save(state, path := tmp_path / "a.pth")
            assert "numbers" in told(path, loading.lama)

    def test_packed_archives_are_refused(self, tmp_path: Path) -> None:
        path = lightning_file(tmp_path / "a.ckpt", lama_of())
        rewritten(path, lambda name, old: old, packed=True)
        assert "packed" in told(path, loading.lama)

    def test_foreign_byte_order(self, tmp_path: Path) -> None:
        path = script_file(tmp_path / "a.pt", lama_of())
        rewritten(path, lambda name, old: b"big" if name.endswith("/byteorder") else old)
        assert "big-endian" in told(path, loading.lama)

    @pytest.mark.parametrize("read", [loading.lama, convert])
    def test_a_packed_table_is_not_unpacked(
        self, tmp_path: Path, read: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch, "load", None)
        monkeypatch.setattr(zipfile.ZipFile, "read", None)
        path = tmp_path / "a.pth"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("archive/data.pkl", b"\x80\x02" + b"N0" * (1 << 20) + b"}.")
            zipped.writestr("archive/version", "3\n")
        assert "archive/data.pkl in it is packed" in told(path, read)
        monkeypatch.setattr(kinds, "LARGEST_TABLE", 1 << 20)
        assert "larger than any network's" in told(path, read)

    def test_packed_numbers_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.pth"
        torch.save(lama_of().state_dict(), path)
        rewritten(path, lambda name, old: old, packed=True)
        assert "is packed, which PyTorch never does" in told(path, loading.lama)
        assert "is packed, which PyTorch never does" in told(path, convert)

    def test_a_zip_that_may_be_read_in_two_ways(self, tmp_path: Path) -> None:
        path = tmp_path / "a.pth"
        torch.save(lama_of().state_dict(), path)
        whole = path.read_bytes()
        for name, comment in (("A/DATA/3", b""), ("a/other", b"twice")):
            path.write_bytes(whole)
            with zipfile.ZipFile(path, "a") as zipped:
                zipped.writestr(name, b"x")
                zipped.comment = comment
            assert "may be read in two ways" in told(path, loading.lama)
        path.write_bytes(whole[: whole.index(b"PK\x03\x04", 4)] + whole)
        assert "may be read in two ways" in told(path, loading.lama)
        path.write_bytes(b"\x80" + whole)
        assert "half a zip" in told(path, loading.lama)

    def test_a_zip_in_a_zip_in_a_zip(self, tmp_path: Path) -> None:
        inner = lightning_file(tmp_path / "one.ckpt", lama_of())
        for name in ("1.zip", "2.zip"):
            with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as zipped:
                zipped.write(inner, "a.ckpt")
            inner = tmp_path / name
        assert same(loading.lama(tmp_path / "1.zip"), lama_of())
        assert "data.pkl" in told(tmp_path / "2.zip", loading.lama)

    def test_a_packed_checkpoint_that_is_damaged(self, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.write(lightning_file(tmp_path / "a.ckpt", lama_of()), "a.ckpt")
        content = bytearray(path.read_bytes())
        content[100:200] = b"\xff" * 100
        path.write_bytes(content)
        assert "damaged" in told(path, loading.lama)

    def test_what_this_machine_lacks_is_no_damage(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.write(lightning_file(tmp_path / "a.ckpt", lama_of()), "a.ckpt")
        for error in (OSError(errno.ENOSPC, "No space left"), MemoryError()):
            with monkeypatch.context() as patch:
                patch.setattr(shutil, "copyfileobj", raising(error))
                sentence = told(path, loading.lama)
            assert "cannot be read on this machine now" in sentence
            assert "damaged" not in sentence
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", raising(PermissionError(errno.EACCES, "Denied")))
            assert "cannot be read on this machine now" in told(path, loading.lama)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
        with pytest.raises(MissingWeights, match=r"no room to unpack .*1.0 kB are free.*TMPDIR"):
            loading.lama(path)

    def test_control_characters_in_names(self, tmp_path: Path) -> None:
        state = deepfill_of("plain").state_dict()
        state["\nWARNING: \x1b[31m\udc80" + 999 * "x"] = torch.zeros(1)
        torch.save(state, tmp_path / "a.pth")
        sentence = told(tmp_path / "a.pth")
        assert "1 unexpected (\\nWARNING: \\x1b[31m\\udc80xxx" in sentence
        assert len(sentence) < 600
        with zipfile.ZipFile(tmp_path / "b.pt", "w") as zipped:
            zipped.writestr("a/data.pkl", b"c\x1b[31mos\nsystem\n.")
            zipped.writestr("a/constants.pkl", b").")
        assert "names \\x1b[31mos.system, which" in told(tmp_path / "b.pt")

    def test_a_zip_of_something_else(self, tmp_path: Path) -> None:
        path = script_file(tmp_path / "a.pt", lama_of())
        rewritten(path, lambda name, old: None if name.endswith("/data.pkl") else old)
        assert "data.pkl" in told(path, loading.lama)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(Unreadable, match="there is no file"):
            loading.deepfill(tmp_path / "a.pth")
