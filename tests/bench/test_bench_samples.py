"""What is filled: found, chosen, loaded, named."""

import json

import numpy as np
import pytest

from infill.bench.job import load, squared
from infill.bench.plan import at_hand, entries_of, entry_of, items, reads_prompts
from infill.bench.samples import (
    bundled,
    choose,
    find_samples,
    join,
    kind_of,
    with_drawn_masks,
)
from infill.engines.base import ENGINES
from infill.errors import (
    BadMask,
    BadOption,
    BatchError,
    MaskSizeMismatch,
    UnknownPlugin,
    Unreadable,
)
from infill.masks.protocols import protocol
from infill.picture import Picture
from tests.bench.runs import options_of, photo, write_photos, write_room


def test_photos_with_masks_beside_them(tmp_path):
    write_photos(tmp_path, 3)
    Picture.from_array(photo()).save(tmp_path / "bare.png")
    found = find_samples(tmp_path)
    assert [one.slug for one in found] == [
        "000_box_made_0",
        "001_strokes_made_1",
        "002_box_made_2",
    ]
    assert [one.kind for one in found] == ["box", "strokes", "box"]
    assert all(one.before == one.truth for one in found)


def test_a_described_sample_to_remove_has_its_truth(tmp_path):
    write_room(tmp_path)
    one = find_samples(tmp_path)[0]
    assert (one.name, one.kind, one.title, one.hard) == ("den", "furniture", "Den", "grain")
    assert (one.before.name, one.truth.name, one.mask.name) == (
        "photo.png",
        "clean.png",
        "loose.png",
    )
    assert (one.prompt, one.before_prompt) == ("an empty wall", "a red box")


def test_photos_without_prompts_cannot_be_edited(tmp_path):
    write_photos(tmp_path, 1)
    with pytest.raises(BatchError, match="nobody knows what to put there"):
        find_samples(tmp_path, task="edit")
    with pytest.raises(BadOption, match="telea reads no prompt"):
        reads_prompts(entries_of(["sd", "telea"]))
    with pytest.raises(BadOption, match="name them with --engine"):
        reads_prompts([])
    reads_prompts(entries_of(["sd", "repaint"][:1]))


def test_a_described_sample_to_edit_has_a_prompt_and_no_truth(tmp_path):
    write_room(tmp_path)
    one = find_samples(tmp_path, task="edit")[0]
    assert one.truth is None
    assert (one.prompt, one.negative) == ("a brass lamp", "people")
    about = json.loads((tmp_path / "den" / "sample.json").read_text())
    (tmp_path / "den" / "sample.json").write_text(json.dumps(about | {"task": "add"}))
    added = find_samples(tmp_path, task="edit")[0]
    assert (added.before.name, added.before_prompt) == ("clean.png", "an empty wall")


def test_several_masks_of_a_sample_are_several_samples_of_one_group(tmp_path):
    write_room(tmp_path)
    found = find_samples(tmp_path, masks=("object", "loose"))
    assert [(one.name, one.slug, one.kind, one.group) for one in found] == [
        ("den, object", "den-object", "object", "den"),
        ("den, loose", "den-loose", "loose", "den"),
    ]
    with pytest.raises(BatchError, match="no mask 'whole'; it has: loose, object"):
        find_samples(tmp_path, masks=("whole",))


def test_folders_that_hold_no_samples_are_told(tmp_path):
    with pytest.raises(Unreadable, match="there is no folder"):
        find_samples(tmp_path / "none")
    Picture.from_array(photo()).save(tmp_path / "bare.png")
    with pytest.raises(Unreadable, match="holds no sample"):
        find_samples(tmp_path)
    write_room(tmp_path)
    (tmp_path / "den" / "clean.png").unlink()
    with pytest.raises(Unreadable, match="lacks its clean"):
        find_samples(tmp_path)
    (tmp_path / "den" / "sample.json").write_text("{")
    with pytest.raises(Unreadable, match="cannot be read"):
        find_samples(tmp_path)


def test_slugs_are_safe_and_unlike(tmp_path):
    names = ["a/b.jpg", "a b.jpg", "A/b.jpg", "ümlaut", "..", "x" * 300]
    found = with_drawn_masks([(name, tmp_path / "p.png") for name in names], "rectangle")
    slugs = [one.slug for one in found]
    assert len({slug.casefold() for slug in slugs}) == len(names)
    assert all(slug and "/" not in slug and slug.strip(".") for slug in slugs)
    assert max(map(len, slugs)) <= 84
    joined = join({"a": found, "b": found})
    assert len({one.slug.casefold() for one in joined}) == 2 * len(names)
    assert len({one.group for one in joined}) == 2 * len(names), "called alike is not the same"
    assert join({"a": found}) == found
    odd = with_drawn_masks([("con", tmp_path), ("x" * 79 + "..y", tmp_path)], "rectangle")
    assert [one.slug for one in odd] == ["_con", "x" * 79]


def test_a_count_is_spread_over_the_kinds(tmp_path):
    found = find_samples(write_photos(tmp_path, 6))
    assert [one.kind for one in choose(found, 2)] == ["box", "strokes"]
    assert choose(found, None) == found
    assert choose(found, 99) == found
    assert kind_of("x") == "photo"


def test_the_bundled_rooms_are_found_in_a_checkout():
    assert any(bundled().glob("*/sample.json"))


def test_an_engine_is_typed_with_its_options():
    one = entry_of("telea:radius=9")
    assert (one.label, one.engine, one.options) == ("telea:radius=9", "telea", {"radius": 9.0})
    with pytest.raises(BadOption, match="no option 'size'"):
        entry_of("telea:size=9")
    with pytest.raises(BadOption, match="written NAME or NAME:OPTION=VALUE"):
        entry_of("telea:radius")
    with pytest.raises(UnknownPlugin):
        entry_of("tilia")
    with pytest.raises(BadOption, match="named twice"):
        entries_of(["telea", "flat", "telea"])


def test_without_a_name_all_engines_that_need_nothing_are_compared():
    labels = [entry.label for entry in entries_of([])]
    assert labels == ["exemplar", "hybrid", "pocket", "telea", "navier-stokes"]
    assert not at_hand(ENGINES.get("sd"))


def test_every_sample_meets_every_engine_with_the_same_seeds(tmp_path):
    options = options_of(write_photos(tmp_path, 2), "telea", "flat", trials=2)
    todo = list(items(options))
    assert len({item.key for item in todo}) == 2 * 2 * 2
    assert [item.entry.label for item in todo] == ["telea"] * 4 + ["flat"] * 4
    seeds = {(item.sample.slug, item.trial, item.seed) for item in todo}
    assert len(seeds) == 4  # the engines get the same ones, the trials others


def test_a_sample_is_cut_and_brought_to_the_size_of_the_run(tmp_path):
    write_photos(tmp_path, 1)
    options = options_of(tmp_path, size=32)
    loaded = load(options.samples[0], options)
    assert loaded.before.shape == (32, 32, 3)
    assert loaded.truth is loaded.before
    assert loaded.mask.shape == (32, 32)
    # The hole covers rows 12 to 27 of 48, which become 8 to 18 of 32.
    assert np.flatnonzero(loaded.mask.any(axis=1)).tolist() == list(range(8, 19))


def test_squares_are_cut_about_the_middle():
    strip = np.arange(12, dtype=np.uint8).reshape(2, 6)
    np.testing.assert_array_equal(squared(strip, 2), [[2, 3], [8, 9]])
    np.testing.assert_array_equal(squared(strip, 1), [[6]])  # their mean, 5.5, rounded


def test_drawn_masks_follow_the_name_of_the_photo(tmp_path):
    write_photos(tmp_path, 2)
    photos = [(p.name, p) for p in sorted(tmp_path.glob("*[0-9].png"))]
    drawn = protocol("rectangle", mask_ratio=0.25)
    options = options_of(tmp_path, protocol=drawn)
    holes = [load(one, options).mask for one in with_drawn_masks(photos, "rectangle")]
    assert [hole.mean() for hole in holes] == pytest.approx([0.25, 0.25], abs=0.02)
    assert (holes[0] != holes[1]).any()
    again = load(with_drawn_masks(photos[::-1], "rectangle")[1], options).mask
    np.testing.assert_array_equal(again, holes[0])


def test_a_truth_of_another_size_is_refused(tmp_path):
    write_room(tmp_path)
    Picture.from_array(photo(0, (30, 30))).save(tmp_path / "den" / "clean.png", overwrite=True)
    options = options_of(tmp_path)
    with pytest.raises(MaskSizeMismatch, match="not of the size of"):
        load(options.samples[0], options)


def test_a_hole_that_is_cut_away_is_told(tmp_path):
    write_photos(tmp_path, 1, (48, 160))  # the hole lies left of the middle square
    options = options_of(tmp_path, size=32)
    with pytest.raises(BadMask, match="no hole is left in the middle square"):
        load(options.samples[0], options)


def test_annotations_are_not_asked_for_other_masks(tmp_path):
    """A drawn mask is of the size of the run, whether or not the set is annotated."""
    write_photos(tmp_path, 1)
    drawn = protocol("repaint-expand")
    options = options_of(tmp_path, protocol=drawn, annotated=object(), size=32)
    (path,) = tmp_path.glob("*[0-9].png")
    loaded = load(with_drawn_masks([("p", path)], "x")[0], options)
    assert loaded.mask.mean() == 0.9375
