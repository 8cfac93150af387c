"""Engine options as fields, and fields as options again."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio", reason="the app needs the extra web")

import gradio as gr

from infill.engines.base import ENGINES
from infill.engines.controls import Control
from infill.errors import BadOption, OverLimit
from infill.picture import Picture
from infill.settings import using
from infill.web import controls, needs, page
from infill.web.uploads import Upload


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines of `tests.web.fakes` in the registry, for one test."""
    ENGINES.names()
    monkeypatch.setattr(ENGINES, "_places", dict(ENGINES._places))
    for name in ("Prompted", "Unmet"):
        ENGINES.add(name.lower(), f"tests.web.fakes:{name}")


class TestComponents:
    @pytest.mark.parametrize(
        ("control", "kind"),
        [
            (Control("prompt", "text", ""), gr.Textbox),
            (Control("guidance_scale", "number", 7.5, 1, 20), gr.Slider),
            (Control("radius", "number", 3.0), gr.Number),
            (Control("steps", "whole number", None, 1, 9), gr.Number),
            (Control("join", "switch", True), gr.Checkbox),
            (Control("mode", "choice", "a", choices=("a", "b")), gr.Dropdown),
            (Control("reference", "picture", None), Upload),
        ],
    )
    def test_each_kind_has_its_component(self, control: Control, kind: type) -> None:
        field = controls.component(control, visible=True)
        assert isinstance(field, kind)
        assert field.label == controls.label(control.name)

    def test_a_slider_has_the_bounds_and_the_default(self) -> None:
        field = controls.component(
            Control("num_inference_steps", "whole number", 20, 1, 100), visible=False
        )
        assert (field.minimum, field.maximum, field.value, field.step) == (1, 100, 20, 1)
        assert field.label == "Steps"
        assert field.visible is False

    def test_known_names_come_first_and_have_plain_words(self) -> None:
        names = [name for name, _ in controls.every(["exemplar", "prompted"])]
        assert names[:2] == ["prompt", "negative_prompt"]
        assert names.index("strength") < names.index("effort")
        assert controls.label("guidance_scale") == "Guidance (CFG)"
        assert controls.label("some_option") == "Some option"

    def test_an_engine_that_cannot_be_loaded_has_none(self) -> None:
        ENGINES.add("broken", "no.such.module:Engine")
        assert controls.of_engine("broken") == {}
        assert "broken" not in needs.cards()


class TestOptions:
    def test_only_the_engines_own_are_handed_on(self) -> None:
        values = {
            ("prompt", "text"): "a fern",
            ("num_inference_steps", "whole number"): 30.0,
            ("effort", "number"): 2.0,
        }
        found = controls.options("prompted", values)
        assert found == {"prompt": "a fern", "num_inference_steps": 30}
        assert isinstance(found["num_inference_steps"], int)
        assert controls.options("exemplar", values) == {"effort": 2.0}

    def test_a_part_of_a_step_is_refused(self) -> None:
        with pytest.raises(BadOption, match="Steps is a whole number"):
            controls.options("prompted", {("num_inference_steps", "whole number"): 2.5})

    def test_more_steps_than_the_server_makes(self) -> None:
        with using(served_steps=10), pytest.raises(OverLimit, match="10 steps"):
            controls.options("prompted", {("num_inference_steps", "whole number"): 11})

    def test_a_reference_is_read_and_kept_for_the_next_fill(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
        (tmp_path / ("a" * 64)).mkdir()
        picture = Picture.from_array(np.zeros((4, 5, 3), np.uint8))
        path = picture.save(tmp_path / ("a" * 64) / "upload.png")
        for _ in range(2):
            found = controls.options("prompted", {("reference", "picture"): str(path)})
            assert found["reference"].width == 5


class TestNeeds:
    def test_an_engine_of_the_base_install_needs_nothing(self) -> None:
        assert needs.to_type(ENGINES.get("exemplar").card) is None

    def test_a_missing_extra_is_a_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wanted = ["numpy>=2", "no-such-package>=1; extra == 'diffusion'", "pytest; extra == 'x'"]
        monkeypatch.setattr(needs.metadata, "requires", lambda name: wanted)
        needs.lacking.cache_clear()
        try:
            assert needs.lacking("diffusion") == ("no-such-package",)
            card = ENGINES.get("unmet").card
            assert needs.to_type(card) == "pip install 'infill[diffusion]'"
            assert "pip install" in page.card_text(card)
            assert page.title(card) == "unmet (not here yet)"
        finally:
            needs.lacking.cache_clear()

    def test_the_first_that_follows_a_prompt_and_can_run(self) -> None:
        assert needs.follows_prompt(needs.cards()) == "prompted"
        assert needs.follows_prompt({"exemplar": ENGINES.get("exemplar").card}) is None
