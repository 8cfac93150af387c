"""The page of techniques says what the cards say."""

import json
import re
from pathlib import Path

import pytest

from infill.bench.techniques import KEYS, markdown, page, techniques
from infill.engines.base import ENGINES
from infill.errors import UnknownPlugin

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    """If not: python -m infill.bench.techniques > docs/techniques.md"""
    assert (ROOT / "docs" / "techniques.md").read_text(encoding="utf-8") == page()


def test_every_row_has_every_key_and_is_plain_json() -> None:
    rows = techniques()
    assert json.loads(json.dumps(rows)) == rows
    for row in rows:
        assert tuple(row) == KEYS
        for key in ("name", "family", "published", "authors", "licence", "guidance", "needs"):
            assert row[key], f"{row['name']} says nothing of {key}"


def test_all_engines_but_the_fake_ones() -> None:
    names = {row["name"] for row in techniques()}
    assert "flat" not in names
    assert names == {name for name in ENGINES if ENGINES.get(name).card.family != "fake"}


def test_those_of_a_run_in_its_order_each_once() -> None:
    rows = techniques(["telea", "flat", "exemplar:effort=0.5", "exemplar"])
    assert [row["name"] for row in rows] == ["telea", "flat", "exemplar"]
    with pytest.raises(UnknownPlugin, match="nonesuch"):
        techniques(["nonesuch"])


def test_what_the_cards_come_to() -> None:
    rows = {row["name"]: row for row in techniques()}
    assert rows["telea"]["guidance"] == "nothing"
    assert rows["sd"]["guidance"] == "text, picture (optional)"
    assert rows["guided"]["guidance"] == "text (optional), picture"
    assert rows["repaint"]["resolution"] == "256 × 256 alone"
    assert rows["pocket"]["weights"].endswith("MB, in the package")
    assert rows["exemplar"]["parameters"] is None
    assert "infill[diffusion]" in rows["sdxl"]["needs"]


def test_markdown_keeps_cells_apart() -> None:
    row = dict.fromkeys(KEYS, "a | b") | {"parameters": 1_500_000, "commercial_use": False}
    head, _, first, *_ = markdown([row]).splitlines()
    cells = re.split(r"(?<!\\)\|", first)
    assert len(cells) == len(head.split("|")) == 9
    assert cells[1].strip() == "a \\| b"
    assert cells[6].strip() == "1.5 million"
