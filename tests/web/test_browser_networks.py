"""Engines with networks on the page, over a hub's cache that holds tiny models by their names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import infill
from infill.masks import as_mask
from infill.picture import Picture
from tests.engines.guided_scenes import bottle, target, texture
from tests.web.conftest import Served, serve
from tests.web.visit import Visit

REVISION = "0" * 40


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("gradio", reason="the app needs the extra web")
    pytest.importorskip("diffusers", reason="the engines need the extra diffusion")
    from tests.engines import tiny_ddpm
    from tests.engines.diffusers import tiny

    home = tmp_path_factory.mktemp("hub")
    tiny_ddpm.save(cached(home, "google/ddpm-celebahq-256"))
    tiny.save("sd", cached(home, "stable-diffusion-v1-5/stable-diffusion-inpainting"))
    app = serve(
        tmp_path_factory.mktemp("networks"),
        HF_HUB_CACHE=str(home),
        INFILL_SERVED_CALLS="800",
        INFILL_DEVICE="cpu",
    )
    yield app
    app.stop()
    assert not [line for line in app.log if "Traceback" in line], "".join(app.log)


def cached(home: Path, name: str) -> Path:
    """The folder of a model in a hub's cache, as the hub's own library lays it out."""
    place = home / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(REVISION)
    folder = place / "snapshots" / REVISION
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "meadow.png"
    return Picture(texture((300, 400), (80, 120, 70), 2)).save(path)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red bottle."""
    path = tmp_path_factory.mktemp("photos") / "bottle.png"
    return target(bottle((90, 120), 40, 20, 54)).save(path)


def chosen(visit: Visit, photo: Path, engine: str) -> None:
    """The page with that photo, its middle masked, and that engine."""
    visit.open(photo)
    visit.click(0.5, 0.5)
    visit.choose("#engine", engine)
    visit.page.wait_for_function(f"document.querySelector('#card').innerText.includes('{engine}')")
    assert "not on this machine" not in visit.page.inner_text("#card")


def test_words_steps_and_several_candidates(
    browser: Any, networks: Served, photo: Path, tmp_path: Path
) -> None:
    with Visit(browser, networks.url) as visit:
        page = visit.page
        chosen(visit, photo, "sd")
        page.wait_for_selector("#option-num_inference_steps-whole-number", state="visible")
        assert not page.locator("#option-model-text").is_visible(), "that is not the visitor's"
        page.fill("#option-prompt-text textarea", "a red cat")
        page.fill("#option-num_inference_steps-whole-number input[type=number]", "12")
        page.fill("#candidates input[type=number]", "2")
        page.keyboard.press("Tab")
        page.click("#fill")
        page.wait_for_selector("#progress-area img.preview", timeout=60_000)
        visit.shoot("networks-preview")
        page.wait_for_selector("#slider img", state="visible", timeout=60_000)
        page.wait_for_selector("#download:not([disabled])")
        assert page.locator("#results button.thumbnail-item").count() == 2
        visit.shoot("networks-words", whole=True)
        filled, mask = (visit.download(name, tmp_path) for name in ("#download", "#download-mask"))
    was, now, hole = infill.load(photo).pixels, infill.load(filled).pixels, as_mask(mask)
    assert (was[~hole] == now[~hole]).all()
    assert (was[hole] != now[hole]).any(1).mean() > 0.9


def test_a_prompt_is_asked_for(browser: Any, networks: Served, photo: Path) -> None:
    with Visit(browser, networks.url) as visit:
        chosen(visit, photo, "sd")
        visit.page.click("#fill")
        visit.page.wait_for_selector("#notice-area .notice.error")
        assert "prompt" in visit.notice()


def test_a_picture_of_what_should_be_there(
    browser: Any, networks: Served, photo: Path, wanted: Path, tmp_path: Path
) -> None:
    with Visit(browser, networks.url) as visit:
        page = visit.page
        chosen(visit, photo, "guided")
        page.wait_for_selector("#option-reference-picture", state="visible")
        page.set_input_files("#option-reference-picture input[type=file]", str(wanted))
        page.wait_for_selector("#option-reference-picture img")
        page.click("#more-options button:has-text('More options')")
        page.fill("#option-num_inference_steps-whole-number input[type=number]", "6")
        visit.choose("#option-schedule-choice", "custom")
        page.fill("#option-candidates-whole-number input[type=number]", "2")
        page.keyboard.press("Tab")
        visit.fill()
        visit.shoot("networks-guided", whole=True)
        assert "the best of 2 candidates" in page.inner_text("#told")
        filled, mask = (visit.download(name, tmp_path) for name in ("#download", "#download-mask"))
    now, hole = infill.load(filled).pixels.astype(float), as_mask(mask)
    assert ((now[..., 0] > 1.2 * now[..., 1]) & hole).sum() > 0.05 * hole.sum(), "the bottle is red"


def test_more_than_the_server_allows_is_refused(
    browser: Any, networks: Served, photo: Path
) -> None:
    """The walk as published has 2,410 calls; this server allows 800."""
    with Visit(browser, networks.url) as visit:
        page = visit.page
        chosen(visit, photo, "repaint")
        assert not page.locator("#option-schedule-choice").is_visible(), "folded away"
        page.click("#more-options button:has-text('More options')")
        page.wait_for_selector("#option-schedule-choice", state="visible")
        visit.choose("#option-schedule-choice", "published")
        page.click("#fill")
        page.wait_for_selector("#notice-area .notice.error")
        told = visit.notice()
        assert "2410" in told.replace(",", "")
        assert "800" in told
        assert not page.locator("#download:not([disabled])").count(), "nothing was made"
