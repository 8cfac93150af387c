"""Names, masks and seeds of a batch: they follow from the files' names alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infill.batch.plan import BatchOptions, MaskFinder, derived_seed, output_names, plan
from infill.errors import BatchError


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def options(root: Path, **changes: object) -> BatchOptions:
    return BatchOptions(root / "photos", root / "out", **changes)  # type: ignore[arg-type]


def test_photos_are_found_in_folders_and_sorted(tmp_path: Path) -> None:
    touch(
        tmp_path / "photos", "b/x.jpg", "a/x.jpg", "x.PNG", "notes.txt", ".hidden.png", ".h/y.png"
    )
    items = plan(options(tmp_path))
    assert [item.input for item in items] == ["a/x.jpg", "b/x.jpg", "x.PNG"]
    assert [item.output for item in items] == ["a/x.jpg", "b/x.jpg", "x.PNG"]
    assert [item.mask for item in items] == [None, None, None]


def test_results_and_masks_among_the_photos_are_no_photos(tmp_path: Path) -> None:
    touch(tmp_path / "photos", "x.jpg", "x_mask.png", "out/y.jpg", "m/x.png", "kept/x.png")
    photos = tmp_path / "photos"
    beside = BatchOptions(photos, photos / "out", masks=photos, save_masks=photos / "kept")
    assert [item.input for item in plan(beside)] == ["m/x.png", "x.jpg"]
    within = BatchOptions(photos, photos / "out", masks=photos / "m", save_masks=photos / "kept")
    assert [item.input for item in plan(within)] == ["x.jpg", "x_mask.png"]
    assert plan(within)[0].mask == str(photos / "m" / "x.png")


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "photos", "notes.txt")
    with pytest.raises(BatchError, match="holds no photo"):
        plan(options(tmp_path))
    with pytest.raises(BatchError, match=r"photos folder .* is missing"):
        plan(BatchOptions(tmp_path / "nowhere", tmp_path / "out"))
    with pytest.raises(BatchError, match=r"masks folder .* is missing"):
        plan(options(tmp_path, masks=tmp_path / "nowhere"))


def test_a_run_in_which_no_photo_can_have_a_mask_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "photos", "x.jpg", "y.jpg")
    touch(tmp_path / "masks", "z.png")
    with pytest.raises(BatchError, match=r"none of the 2 photos can have a mask: x\.jpg: .*masks"):
        plan(options(tmp_path, masks=tmp_path / "masks"))
    with pytest.raises(BatchError, match=r"no transparent pixels .* give a folder of masks"):
        plan(options(tmp_path))
    touch(tmp_path / "photos", "cut-out.png")
    assert len(plan(options(tmp_path))) == 3


def test_a_folder_may_not_be_used_for_two_things(tmp_path: Path) -> None:
    touch(tmp_path / "photos", "x.jpg")
    with pytest.raises(BatchError, match="is the photos folder"):
        plan(BatchOptions(tmp_path / "photos", tmp_path / "photos" / ".." / "photos"))
    (tmp_path / "m").mkdir()
    for changes, words in (
        ({"masks": tmp_path / "out"}, "masks folder"),
        ({"masks": tmp_path / "m", "save_masks": tmp_path / "m"}, "is the masks folder"),
        ({"save_masks": tmp_path / "photos"}, "is the photos folder"),
        ({"save_masks": tmp_path / "out"}, "is the output folder"),
    ):
        with pytest.raises(BatchError, match=words):
            plan(options(tmp_path, **changes))
    with pytest.raises(BatchError, match="not both"):
        plan(options(tmp_path, masks=tmp_path / "photos", random="rectangle"))


@pytest.mark.parametrize(
    ("masks", "found"),
    [
        (["a/x.png"], "a/x.png"),
        (["a/x_mask.bmp"], "a/x_mask.bmp"),
        (["a/x.jpg"], "a/x.jpg"),
        (["a/x.jpg.png", "a/x.png"], "a/x.jpg.png"),
        (["a/x.jpg", "a/x.png"], "a/x.jpg"),
        (["a/x.png", "a/x_mask.png"], "a/x.png"),
    ],
)
def test_masks_are_matched_by_name(tmp_path: Path, masks: list[str], found: str) -> None:
    touch(tmp_path, *masks)
    assert MaskFinder(tmp_path).find("a/x.jpg") == (str(tmp_path / found), None)


def test_no_mask_and_two_masks_are_problems_of_the_photo(tmp_path: Path) -> None:
    touch(tmp_path, "b/x.png", "x.bmp", "x.png")
    mask, problem = MaskFinder(tmp_path).find("a/x.jpg")
    assert mask is None
    assert "holds no mask for it" in str(problem)
    mask, problem = MaskFinder(tmp_path).find("x.jpg")
    assert mask is None
    assert "several masks for it: x.bmp, x.png" in str(problem)


def test_beside_the_photos_only_marked_names_are_masks(tmp_path: Path) -> None:
    touch(tmp_path, "x.jpg", "x.png", "x_mask.png")
    finder = MaskFinder(tmp_path, only_marked=True)
    assert finder.find("x.jpg") == (str(tmp_path / "x_mask.png"), None)
    assert finder.find("y.jpg")[0] is None


def test_output_names_with_another_format() -> None:
    names = ["a/x.jpg", "a/x.webp", "a/y.jpg", "b/x.png", "b/x.tif"]
    assert output_names(names) == {name: name for name in names}
    assert output_names(names, "png") == {
        "a/x.jpg": "a/x.jpg.png",
        "a/x.webp": "a/x.webp.png",
        "a/y.jpg": "a/y.png",
        "b/x.png": "b/x.png",
        "b/x.tif": "b/x.tif.png",
    }
    assert output_names(["x.jpg", "x.tif", "x.jpg.png"], ".PNG")["x.jpg.png"] == "x.jpg.png"


file_names = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "a/", "A/", "a/b/"]),
    st.sampled_from(["x", "X", "x.jpg", "x-2", "x.jpg-2"]),
    st.sampled_from([".jpg", ".JPG", ".png", ".webp"]),
)


@given(st.lists(file_names, unique=True), st.sampled_from([None, "png", "jpg"]))
def test_output_names_never_collide(names: list[str], suffix: str | None) -> None:
    given_names = output_names(names, suffix)
    assert sorted(given_names) == sorted(names)
    folded = [name.casefold() for name in given_names.values()]
    assert len(set(folded)) == len(folded), "not even where letter case is not told apart"
    for name, output in given_names.items():
        assert Path(output).parent == Path(name).parent
        if suffix is not None:
            assert output.lower().endswith(f".{suffix}")
    assert output_names(reversed(names), suffix) == given_names, "whatever their order"


def test_seeds_do_not_depend_on_order_and_differ() -> None:
    # SHA-256 of "7:fill:a/x.jpg", computed with sha256sum: a seed must never change.
    assert derived_seed(7, "a/x.jpg") == int("d50bc611fa50", 16)
    seeds = {derived_seed(s, n, p) for s in (0, 1) for n in ("a", "b") for p in ("fill", "mask")}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**48 for seed in seeds)
