"""Pickles opened without anything in them being run."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from infill.weights import inert
from tests.nets.files import Evil, packages


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
