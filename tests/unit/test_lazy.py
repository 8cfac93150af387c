"""A missing extra is an error at use that names the command."""

from pathlib import Path

import pytest

from infill.errors import MissingExtra
from infill.lazy import need


def test_returns_the_module() -> None:
    import json.decoder

    assert need("json.decoder", extra="none") is json.decoder


@pytest.mark.parametrize("module", ["no_such_library", "no_such_library.part"])
def test_names_the_command(module: str) -> None:
    with pytest.raises(MissingExtra) as caught:
        need(module, extra="torch")
    assert str(caught.value) == (
        "no_such_library is not installed; type: pip install 'infill[torch]'"
    )


def test_what_a_library_itself_lacks_is_not_called_a_missing_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_a_library.py").write_text("import its_other_half")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="its_other_half"):
        need("half_a_library", extra="torch")
