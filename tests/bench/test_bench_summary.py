"""From rows to a summary: exact figures on small runs made of thin air."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest

from infill.bench import sets
from infill.bench.costs import costs, ran_on
from infill.bench.extremes import extremes
from infill.bench.machine import in_words, machine
from infill.bench.meter import Need, Reading, joules, metered
from infill.bench.pictured import badness
from infill.bench.rates import RATES, price, rate_of
from infill.bench.references import matching
from infill.bench.rows import tabulated
from infill.bench.spreads import spreads
from infill.bench.stats import student
from infill.bench.summarise import summarise
from infill.bench.summary import Interval, Rank, Standing
from infill.bench.verdict import _best as verdict_of
from infill.errors import BatchError
from tests.bench.runs import row, write_run

SLUGS = [f"s{number}" for number in range(12)]


def scored(engine, slug, trial=0, **scores):
    return row(engine, slug, trial, scores=scores)


@pytest.fixture
def run(tmp_path):
    """`good` beats `bad` by 3 dB on every sample, in two trials."""
    rows = [
        scored(engine, slug, trial, psnr=20.0 + number + lead + trial, masked_psnr=10.0 + lead)
        for number, slug in enumerate(SLUGS)
        for engine, lead in (("good", 3.0), ("bad", 0.0))
        for trial in (0, 1)
    ]
    return write_run(tmp_path / "run", rows, ["psnr"])


def test_the_better_engine_is_first_and_surely_so(run):
    summary, rows = summarise(run)
    assert len(rows) == 48
    assert [one.engine for one in summary.standings] == ["good", "bad"]
    assert [one.rank.rank for one in summary.standings] == [1, 2]
    assert summary.standings[0].score.value == 1.0
    assert summary.verdict[0].startswith("good is best overall")
    consistency = next(one for one in summary.tables if one.criterion == "consistency")
    cell = consistency.cells["good"]["psnr"]
    assert cell.value == pytest.approx(20 + 5.5 + 3 + 0.5)
    assert cell.low < cell.value < cell.high
    assert consistency.ranks["bad"]["psnr"].rank == 2


def test_the_summary_is_plain_json(run):
    summary, _ = summarise(run)
    text = json.dumps(dataclasses.asdict(summary), allow_nan=False)
    assert json.loads(text)["samples"] == 12


def test_reproducibility_is_the_spread_of_trials(run):
    (run / "trials.jsonl").write_text(
        "".join(
            json.dumps({"key": f"{slug}/{engine}", "trials": [0, 1], "distance": apart}) + "\n"
            for slug in SLUGS
            for engine, apart in (("good", 4.0), ("bad", 0.0))
        )
    )
    summary, _ = summarise(run)
    table = next(one for one in summary.tables if one.criterion == "reproducibility")
    assert table.cells["good"]["distance"].value == 4.0
    assert table.ranks["bad"]["distance"].rank == 1
    assert table.cells["good"]["spread_masked_psnr"].value == 0.0
    assert summary.standings[0].engine == "good", "it is told, and not in the score"


def test_samples_on_which_one_fails_are_left_out_for_all(tmp_path):
    rows = [scored(e, s, psnr=20.0) for s in SLUGS for e in ("a", "b")]
    rows[0] = row("a", "s0", error="it broke", output=None)
    rows[1]["scores"]["psnr"] = 99.0
    summary, _ = summarise(write_run(tmp_path / "run", rows, ["psnr"]))
    assert summary.samples == 11
    assert summary.left_out == ["s0"]
    assert [failure.error for failure in summary.failures] == ["it broke"]
    cell = next(t for t in summary.tables if t.criterion == "consistency").cells["b"]["psnr"]
    assert cell.value == 20.0
    assert "The data cannot tell the engines apart" in summary.verdict[0]
    assert "1 fill failed (a)." in summary.verdict


def test_an_engine_that_filled_nothing_empties_no_table(tmp_path):
    rows = [scored("a", s, psnr=20.0) for s in SLUGS]
    rows += [row("b", s, error="no weights", output=None) for s in SLUGS]
    summary, _ = summarise(write_run(tmp_path / "run", rows, ["psnr"]))
    assert (list(summary.engines), summary.samples) == (["a"], 12)
    assert len(summary.failures) == 12


def test_nothing_filled_and_nothing_in_common_are_told(tmp_path):
    rows = [row("a", s, error="no weights", output=None) for s in SLUGS]
    with pytest.raises(BatchError, match=r"no fill of the run .* no weights"):
        summarise(write_run(tmp_path / "one", rows, ["psnr"]))
    rows = [scored("a", "s0", psnr=1.0), row("a", "s1", error="x"), row("b", "s0", error="x")]
    rows += [scored("b", "s1", psnr=1.0)]
    with pytest.raises(BatchError, match="no sample that all of a, b have filled"):
        summarise(write_run(tmp_path / "two", rows, ["psnr"]))


def test_kinds_of_holes_are_broken_down(tmp_path):
    rows = [
        scored("a", s, psnr=float(n)) | {"kind": "wide" if n % 2 else "box"}
        for n, s in enumerate(SLUGS)
    ]
    summary, _ = summarise(write_run(tmp_path / "run", rows, ["psnr"]))
    assert list(summary.by_kind) == ["box", "wide"]
    assert summary.by_kind["wide"]["a"]["psnr"].value == pytest.approx(6.0)
    assert summary.by_kind["box"]["a"]["psnr"].value == pytest.approx(5.0)


def test_exact_matches_are_no_infinity_in_a_mean(tmp_path):
    rows = [scored("a", s, outside_psnr="exact", outside_max=0.0, outside_mean=0.0) for s in SLUGS]
    summary, _ = summarise(write_run(tmp_path / "run", rows, ["preservation"]))
    cells = next(t for t in summary.tables if t.criterion == "preservation").cells["a"]
    assert (cells["outside_psnr"].value, cells["outside_psnr"].exact) == (None, 12)
    assert cells["outside_max"].value == 0.0
    assert "No engine changed a single pixel outside the hole." in summary.verdict


def test_costs_are_medians_and_the_first_fill_is_apart():
    times = [9.0, 1.0, 2.0, 3.0]
    rows = [
        row("a", f"s{n}", seconds={"total": t, "engine": t / 2}, first=n == 0, host_mb=100.0 + n)
        for n, t in enumerate(times)
    ]
    found = costs(tabulated(rows), {"cores": 2, "threads": 1})[0]
    assert (found.first, found.steady.value, found.stages) == (9.0, 2.0, {"engine": 1.0})
    assert (found.photos_an_hour, found.host_mb, found.device_mb) == (1800.0, 103.0, None)
    assert found.price == pytest.approx(2 / 3600 * RATES[-1].dollars * 1000)
    given = costs(tabulated(rows), {}, price_per_hour=3.6)[0]
    assert (given.price, given.rate) == (2.0, "3.6 $ an hour, as given")
    shared = costs(tabulated(rows), {"processes": 2}, price_per_hour=3.6)[0]
    assert shared.price == 1.0, "two at a time share what the hour costs"


def test_samples_that_are_left_out_cost_nothing():
    rows = [row(e, s, seconds={"total": t}) for e in "ab" for s, t in (("s0", 1.0), ("s1", 9.0))]
    rows[3] |= {"error": "too large"}
    found = {one.engine: one.steady.value for one in costs(tabulated(rows), {})}
    assert found == {"a": 1.0, "b": 1.0}


def test_fills_of_several_machines_are_told():
    one = {"processes": 1, "threads": 2, "machine": "A"}
    rows = [row("a", "s0") | one, row("a", "s1") | one, row("a", "s2") | one | {"machine": "B"}]
    assert ran_on(rows)["mixed"] == "the fills were made on several machines: A; B"
    assert ran_on(rows[:2]) == {"processes": 1, "threads": 2, "mixed": ""}
    assert "different numbers" in ran_on([rows[0], rows[1] | {"threads": 1}])["mixed"]


def test_a_rate_is_that_of_the_device():
    facts = {"cpu": "Some Xeon", "gpus": ["NVIDIA H200"]}
    assert rate_of(facts, device=True).per == "GPU"
    assert "H200" in rate_of(facts, device=True).pattern
    assert rate_of(facts, device=False).per == "core"
    assert rate_of({"gpus": ["Unheard of"]}, device=True) is None
    assert price(3.6, RATES[-1], 2) == pytest.approx(RATES[-1].dollars * 2)


def test_energy_counters_are_read_and_go_round(tmp_path, monkeypatch):
    zone = tmp_path / "intel-rapl:0"
    for name in ("intel-rapl:0", "intel-rapl:0:0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text("package-0\n")
        (tmp_path / name / "energy_uj").write_text("9000000\n")
        (tmp_path / name / "max_energy_range_uj").write_text("10000000\n")
    assert joules(tmp_path) == {"intel-rapl:0": (9.0, 10.0)}
    assert joules(tmp_path / "none") is None
    shutil.copytree(zone, tmp_path / "intel-rapl:1")
    (tmp_path / "intel-rapl:1" / "name").write_text("psys\n")  # has the packages in it
    assert list(joules(tmp_path)) == ["intel-rapl:0"]
    monkeypatch.setattr("infill.bench.meter.joules", lambda: joules(tmp_path))
    with metered(energy=True) as cost:
        (zone / "energy_uj").write_text("2000000")
    assert cost.joules == pytest.approx(3.0)
    with metered(energy=False) as cost:
        pass
    assert cost.joules is None


def test_the_peak_of_memory_is_that_of_the_block():
    with metered(energy=False) as before:
        pass
    with metered(energy=False) as large:
        block = np.ones(40_000_000, np.uint8)
    assert block.sum() == 40_000_000
    assert 30 < large.host_mb - before.host_mb < 80
    del block
    with metered(energy=False) as after:
        pass
    assert after.host_mb < large.host_mb - 30


def test_what_the_metrics_hold_is_not_the_engines():
    need = Need()
    first = Reading(host_mb=100, host_after=90, device_mb=50, device_after=40)
    assert need.of("a", first) == (100, 50)
    later = Reading(host_mb=520, host_before=500, device_mb=900, device_before=880)
    assert need.of("a", later) == (110, 60)  # its own 90 and 40, and 20 on top
    assert need.of("b", Reading()) == (None, None)


def test_the_best_is_ahead_only_of_those_it_surely_beats():
    def standing(name, rank, *tied):
        return Standing(name, Rank(rank, tied), Interval(0.5, 0.4, 0.6, 9), {})

    said = verdict_of([standing("a", 1, "b"), standing("b", 1, "a"), standing("c", 3)])
    assert said == "a and b are ahead of the others; the data cannot tell them apart."
    said = verdict_of([standing("a", 1, "b"), standing("b", 1, "a", "c"), standing("c", 2, "b")])
    assert said.startswith("a and b have no better one, but not all differences")
    assert verdict_of([standing("a", 1), standing("c", 2)]).startswith("a is best overall")


def test_spreads_have_percentiles_and_histograms_with_common_edges():
    rows = [
        scored(engine, f"s{n}", psnr=n + lead)
        for engine, lead in (("a", 0.0), ("b", 50.0))
        for n in range(101)
    ]
    rows.append(scored("a", "exact", psnr="exact"))
    rows.append(scored("b", "exact", psnr=1.0))
    a, b = spreads(tabulated(rows))
    assert (a.key, a.mean, a.count, a.exact) == ("psnr", 50.0, 101, 1)
    assert a.deviation == pytest.approx(np.std(np.arange(101), ddof=1))
    assert a.percentiles == {"5": 5, "25": 25, "50": 50, "75": 75, "90": 90, "95": 95}
    assert sum(a.counts) == 101
    assert a.edges == b.edges
    assert (a.edges[0], a.edges[-1]) == (0.0, 150.0)


def test_published_figures_are_shown_where_the_protocol_is_theirs():
    found = matching("places2", {"name": "lama-wide"}, 512)
    assert {(one.engine, one.figure): one.value for one in found}[("LaMa", "FID")] == 2.21
    assert matching("places2", {"name": "lama-wide"}, 256) == []
    assert matching("places2", {"name": "lama-narrow"}, 512) == []
    faces = matching("celeba-hq", {"name": "repaint-lines"}, 256)
    assert {one.engine: one.value for one in faces} == {
        "RePaint": 0.009,
        "LaMa": 0.083,
        "DeepFillv2": 0.049,
    }
    assert matching("places2", {"name": "rectangle"}, 512) == []
    assert matching("coco", None, None) == []
    assert matching("ffhq", {"name": "rectangle"}, None)[0].value == 25.53
    assert all(one.source for one in found)


def test_the_worst_sample_is_that_on_which_all_do_badly(run):
    summary, _ = summarise(run)
    assert summary.pictures[0].name == "s0", "its PSNR is the lowest"
    assert summary.pictures[0].badness > summary.pictures[-1].badness
    assert summary.pictures[0].fills["good"] == {"0": "s0/good/0", "1": "s0/good/1"}


def test_badness_of_one_figure_is_the_rank(run):
    from infill.bench.criteria import Figures
    from infill.bench.rows import read

    found = badness(Figures.of(tabulated(read(run)), ["psnr"], {}))
    # psnr falls from s11 to s0 and masked_psnr is the same for all: a half each.
    assert found["s0"] == pytest.approx((1 - 1 / 24 + 0.5) / 2)
    assert found["s11"] == pytest.approx((1 / 24 + 0.5) / 2)


def test_extremes_show_none_twice():
    rows = [scored("a", f"s{n}", psnr=float(n)) for n in range(10)]
    found = extremes(rows, "psnr", 2, lowest=False)
    assert [(word, one["slug"]) for word, one in found] == [
        ("best", "s9"),
        ("best", "s8"),
        ("middle", "s5"),
        ("middle", "s4"),
        ("worst", "s1"),
        ("worst", "s0"),
    ]
    assert [one["slug"] for _, one in extremes(rows[:2], "psnr", 3, lowest=True)] == ["s0", "s1"]
    assert extremes([row("a", "s", scores={"psnr": None})], "psnr", 3, lowest=True) == []


class Means:
    """A set metric that can be reckoned by hand: the difference of the means."""

    from infill.metrics.base import MetricCard

    card = MetricCard(
        name="means", summary="difference of means", better={"means": "lower"}, least=50,
        labels={"means": "means"}, criterion="realism",
    )  # fmt: skip

    def missing(self):
        return None

    def describe(self, pixels, mask):
        return np.full((1, 1), pixels.mean(), np.float32)

    def compare(self, truths, fills):
        a, b = ([float(one.mean()) for one in side] for side in (truths, fills))
        return {"means": abs(np.mean(a) - np.mean(b))}


def test_figures_of_sets_have_an_error_and_are_kept(tmp_path, monkeypatch):
    monkeypatch.setitem(sets.SET_METRICS._places, "means", "tests.bench.test_bench_summary:Means")
    rows = [scored("a", f"s{n}") | {"output_sha256": str(n)} for n in range(40)]
    run = write_run(tmp_path / "run", rows, ["means"])
    values = np.random.default_rng(0).normal(5, 2, 40)
    for n in range(40):
        place = run / "features" / "means" / f"s{n}"
        (place / "a").mkdir(parents=True)
        np.save(place / "truth.npy", np.zeros((1, 1), np.float32))
        np.save(place / "a" / "0.npy", np.full((1, 1), values[n], np.float32))
    summary, _ = summarise(run)
    table = next(one for one in summary.tables if one.criterion == "realism")
    cell = table.cells["a"]["means"]
    assert cell.value == pytest.approx(values.mean(), abs=1e-6)
    # The jackknife's error of a mean is that of the textbook: the means of ten groups of four.
    folds = np.array([np.delete(values, np.arange(part, 40, 10)).mean() for part in range(10)])
    error = math.sqrt(0.9 * np.square(folds - folds.mean()).sum())
    assert cell.high - cell.value == pytest.approx(student(9) * error, rel=1e-5)
    assert any("wants at least 50 photos and had 40" in note for note in table.notes)
    monkeypatch.setattr(Means, "compare", lambda *_: pytest.fail("it was kept"))
    assert summarise(run)[0].tables[0].cells["a"]["means"].value == cell.value


def test_the_machine_is_told():
    facts = machine()
    assert facts["cores"] >= 1
    assert facts["python"]
    told = in_words(facts | {"processes": 2, "threads": 1})
    assert "2 processes of 1 thread" in told
