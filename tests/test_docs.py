"""What the documents say is tried: code runs, commands and options exist, tables are complete."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import typer

import infill
from infill.cli import app
from infill.settings import Settings, using
from tests.cli.tools import hole, write_mask, write_photo

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photo(tmp_path / "photo.jpg", height=300, width=400)
    write_mask(tmp_path / "mask.png", hole(300, 400))
    monkeypatch.chdir(tmp_path)
    first, click = blocks("python")
    assert len([line for line in first.splitlines() if line.strip()]) <= 10
    with using(engine="telea"):
        exec(compile(first + click, "README.md", "exec"), {})
    for name in ("photo.filled.jpg", "telea.png", "clean.png"):
        assert (tmp_path / name).exists(), name


def _command_lines() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("infill ")]


def test_every_command_of_the_readme_exists_with_its_options() -> None:
    group = typer.main.get_command(app)
    used = set()
    for words in _command_lines():
        command = group
        while hasattr(command, "commands") and words and words[0] in command.commands:
            used.add(words[0])
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands"), f"no such command: {words}"
        known = {name for parameter in command.params for name in parameter.opts}
        given = {word for word in words if re.fullmatch(r"--?[a-z-]+", word)}
        assert given <= known, f"no such option: {sorted(given - known)}"
    assert used >= {"fill", "segment", "mask", "batch", "compare", "replay", "engines", "doctor"}


def test_the_table_of_settings_is_complete() -> None:
    for entry in fields(Settings):
        row = f"| `INFILL_{entry.name.upper()}` | {entry.metadata['help']} | `{entry.default}` |"
        assert row in README, f"README.md lacks: {row}"


def test_the_changelog_knows_this_version_or_what_is_to_come() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text or f"## [{infill.__version__}]" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_files_that_the_architecture_names_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "infill"
    for name in re.findall(r"`((?:tests|engines|metrics|executors)/[\w/]+\.py)`", text):
        assert (ROOT / name).exists() or (package / name).exists(), name
