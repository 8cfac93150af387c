"""Pickles opened without anything in them being run."""

import io
import pickle
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from infill.errors import MissingWeights
from infill.nets import loading
from infill.weights import inert
from infill.weights.convert import convert
from tests.nets.files import Evil, packages, rewritten


class Call:
    """Pickled, it asks for a call of `function` with `given`, then for a state to be set."""

    def __init__(self, function: Any, *given: Any, state: Any = None) -> None:
        self.function, self.given, self.state = function, given, state

    def __reduce__(self) -> tuple[Any, ...]:
        if self.state is None:
            return self.function, self.given
        return self.function, self.given, self.state


class WithStorages(pickle.Pickler):
    """Writes tensors as PyTorch's zips have them, their numbers left out."""

    def persistent_id(self, value: object) -> object:
        if isinstance(value, torch.UntypedStorage):
            return ("storage", torch.FloatStorage, "0", "cpu", value.nbytes() // 4)
        return None


def content(value: object, tmp_path: Path) -> bytes:
    path = tmp_path / "pickle"
    with path.open("wb") as file:
        WithStorages(file, protocol=2).dump(value)
    return path.read_bytes()


def tensor(*shape: int, offset: int = 0, strides: tuple[int, ...] | None = None) -> Call:
    real = torch.zeros(shape)
    given = (real.untyped_storage(), offset, shape, strides or real.stride(), False, {})
    return Call(torch._utils._rebuild_tensor_v2, *given)


class TestPlaces:
    def test_finds_tensors_by_name(self, tmp_path: Path) -> None:
        table = {"G": {"a.weight": tensor(2, 3), 7: tensor(4)}, "step": 9, "list": [tensor(1)]}
        found = inert.places(content(table, tmp_path))
        assert {name: place.shape for name, place in found.items()} == {
            "G.a.weight": (2, 3),
            "G.7": (4,),
        }
        assert found["G.a.weight"] == inert.Place("0", torch.float32, 6, 0, (2, 3), (3, 1))

    def test_looks_into_objects_of_known_frameworks(self, tmp_path: Path) -> None:
        with packages("omegaconf.dictconfig") as (kind,):
            thing = kind()
            thing.inner = {"weight": tensor(2)}
            raw = content({"hyper_parameters": thing}, tmp_path)
        assert list(inert.places(raw)) == ["hyper_parameters.inner.weight"]

    def test_tables_that_hold_each_other_come_to_an_end(self, tmp_path: Path) -> None:
        table: dict[str, Any] = {"weight": tensor(2)}
        table["self"] = table
        deep: dict[str, Any] = {"leaf": tensor(1)}
        for _ in range(60):
            deep = {"left": deep, "right": deep}
        found = inert.places(content({"a": table, "b": deep}, tmp_path))
        assert len(found) == 2

    @pytest.mark.parametrize(
        ("offset", "strides", "inside"),
        [
            (0, (3, 1), True),
            (1, (3, 1), False),
            (0, (3, 2), False),
            (-1, (3, 1), False),
            (0, (0, 0), True),  # six numbers, all the same, out of six
            (0, (3,), False),
            (0, (-3, 1), False),
        ],
    )
    def test_knows_what_reaches_beyond_its_numbers(
        self, tmp_path: Path, offset: int, strides: tuple[int, ...], inside: bool
    ) -> None:
        raw = content({"weight": tensor(2, 3, offset=offset, strides=strides)}, tmp_path)
        assert inert.places(raw)["weight"].inside == inside


class TestCheck:
    def script(self, path: Path, table: bytes) -> Path:
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("a/data.pkl", table)
            zipped.writestr("a/constants.pkl", b"\x80\x02).")
            zipped.writestr("a/version", "3\n")
        return path

    @pytest.mark.parametrize("step", [b"\x85", b"K\x01\x86", b"NN\x87", b"q\x00h\x000\x85"])
    def test_a_key_that_is_nested_without_end(self, tmp_path: Path, step: bytes) -> None:
        table = b"\x80\x02})" + 3_000_000 * step + b"Ns."
        with pytest.raises(pickle.UnpicklingError, match="nested deeper"):
            inert.places(table)
        script = self.script(tmp_path / "script.pt", table)
        zipped = self.script(tmp_path / "zip.pth", table)
        rewritten(zipped, lambda name, old: None if name.endswith("constants.pkl") else old)
        (tmp_path / "bare.pth").write_bytes(table)
        head = io.BytesIO()
        torch.save({}, head, _use_new_zipfile_serialization=False)
        start = head.getvalue()
        (tmp_path / "old.pth").write_bytes(start[: start.index(b"}q")] + table[2:])
        for path in (script, zipped, tmp_path / "bare.pth", tmp_path / "old.pth"):
            for read in (loading.lama, convert):
                with pytest.raises(MissingWeights, match="nested deeper"):
                    read(path)

    def test_tuples_in_marks_and_from_the_memo(self) -> None:
        # each holds the last twice, once straight and once from the memo
        deep = b"\x80\x02)q\x00" + 300 * b"(h\x00tq\x000h\x00" + b"."
        with pytest.raises(pickle.UnpicklingError, match="nested deeper"):
            inert.check(io.BytesIO(deep))
        flat = b"\x80\x02](" + 300 * b"(K\x01K\x02t" + b"e."
        inert.check(io.BytesIO(flat))

    def test_a_table_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inert, "MOST_STEPS", 1000)
        inert.check(io.BytesIO(b"\x80\x02" + 900 * b"N" + b"."))
        with pytest.raises(pickle.UnpicklingError, match="longer than"):
            inert.check(io.BytesIO(b"\x80\x02" + 1100 * b"N" + b"."))

    @pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
    def test_what_python_writes(self, protocol: int) -> None:
        held = {
            "a": [1, 2.5, None, (True, "x", b"y", ("z",)), {3, 4}, frozenset({5})],
            7: {"deep": [[[({"k": 2**70},)]]]},
            "path": [Path("x"), 1j, range(3)],
        }
        held["again"] = held["a"]
        held["self"] = [held]
        stream = io.BytesIO(pickle.dumps(held, protocol=protocol) + b"rest")
        inert.check(stream)
        assert stream.read() == b"rest", "as far as its end"

    def test_a_long_one_is_quick(self) -> None:
        state = {f"model.{n}.weight": (n, ("storage", str(n)), (3, 3)) for n in range(4000)}
        content = pickle.dumps(state, protocol=2)
        start = time.process_time()
        inert.check(io.BytesIO(content))
        assert time.process_time() - start < 2


class TestRefusal:
    @pytest.mark.parametrize(
        "name",
        [
            b"os\nsystem\n",
            b"posix\nsystem\n",
            b"subprocess\nPopen\n",
            b"builtins\neval\n",
            b"__builtin__\ngetattr\n",
            b"builtins\n__import__\n",
            b"torch\nload\n",
            b"torch.hub\nload\n",
            b"importlib\nimport_module\n",
            b"functools\npartial\n",
            b"omegaconfig\nThing\n",
        ],
    )
    def test_names_that_are_no_part_of_a_checkpoint(self, name: bytes) -> None:
        module, function, _ = name.decode().split("\n")
        with pytest.raises(inert.Refused, match=rf"^{module}\.{function}$"):
            inert.places(b"c" + name + b"(U\x04truetR.")

    def test_nothing_is_run(self, tmp_path: Path) -> None:
        target = tmp_path / "run"
        with pytest.raises(inert.Refused, match=r"exec"):
            inert.places(pickle.dumps({"a": Evil(target)}, protocol=2))
        assert not target.exists()

    def test_classes_of_known_frameworks_are_not_imported(self) -> None:
        inert.places(b"clightning.pytorch.nowhere\nThing\n(U\x04truetR.")

    def test_what_reads_cannot_be_changed(self, tmp_path: Path) -> None:
        changed = b"ctorch._utils\n_rebuild_tensor_v2\n(U\x01aU\x01bdb."
        with pytest.raises(pickle.UnpicklingError, match="change what reads it"):
            inert.places(changed)
        place = Call(torch._utils._rebuild_tensor_v2, *tensor(2).given, state={"storage": "../x"})
        with pytest.raises((AttributeError, TypeError, pickle.UnpicklingError)):
            inert.places(content({"weight": place}, tmp_path))

    def test_a_tensor_needs_a_storage_and_numbers(self, tmp_path: Path) -> None:
        for given in ((1, 0, (2,), (1,)), (torch.zeros(2).untyped_storage(), "0", (2,), (1,))):
            raw = content(Call(torch._utils._rebuild_tensor_v2, *given), tmp_path)
            with pytest.raises((pickle.UnpicklingError, TypeError)):
                inert.places(raw)
