"""Configurations: what they refuse, and that they come back from JSON as they were."""

import json
from dataclasses import FrozenInstanceError, asdict
from pathlib import Path

import pytest

from infill.errors import BadOption, Unreadable
from infill.train.config import assign, folder, from_dict, read
from infill.train.ddpm_tables import DdpmConfig, DdpmRun
from infill.train.export import identity
from infill.train.runs import configured
from infill.train.tables import (
    DataConfig,
    DiscriminatorConfig,
    InpaintConfig,
    LossConfig,
    MaskConfig,
    OptimiserConfig,
    RunConfig,
    ValidationConfig,
)

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.toml"))


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(seed=3, steps=7),
        DdpmConfig(side=16, thumbnail=20, channels=(16, 32, 48)),
        InpaintConfig(masks=MaskConfig(area=(0.1, 0.2)), losses=LossConfig(adversarial=0.5)),
    ],
)
def test_comes_back_from_json(config: object) -> None:
    assert from_dict(type(config), json.loads(json.dumps(asdict(config)))) == config


def test_an_unknown_key_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(BadOption, match=r"\[network\] has no 'betas'; it has: .*beta_start"):
        from_dict(DdpmRun, {"network": {"betas": 1}})
    with pytest.raises(BadOption, match="has no 'loss'; it has: run, data"):
        configured({"loss": {}})


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        (RunConfig, {"batch": 0}, "batch must be at least 1"),
        (RunConfig, {"batch": 2.5}, "takes a value of type whole number, not 2.5"),
        (RunConfig, {"channels_last": 1}, "takes a value of type true or false"),
        (RunConfig, {"name": 1}, "takes a value of type text"),
        (RunConfig, {"name": "a/b"}, "name of a file"),
        (RunConfig, {"minutes": 0}, "minutes must be above 0"),
        (RunConfig, {"ema": 1.0}, "ema must be at least 0 and below 1"),
        (RunConfig, {"workers": 3, "batch": 2}, r"\(3\) must be at most run.batch \(2\)"),
        (RunConfig, {"accumulate": 4, "workers": 2, "batch": 6}, r"\(8\) must be at most"),
        (RunConfig, {"precision": "fp16"}, "one of bf16, fp32, not 'fp16'"),
        (RunConfig, {"compile": True, "workers": 2}, "do not go together"),
        (RunConfig, {"export": "int8"}, "float16 or float32"),
        (OptimiserConfig, {"kind": "sgd"}, "one of adam, adamw"),
        (OptimiserConfig, {"betas": [0.5]}, "betas are two numbers"),
        (OptimiserConfig, {"betas": ["a", "b"]}, "takes a value of type number, not 'a'"),
        (DataConfig, {"scale": [0.9, 0.5]}, "scale is two numbers"),
        (DataConfig, {"held_out": 1.0}, "held_out lies between"),
        (MaskConfig, {"free_form": 0}, "one must be above 0"),
        (MaskConfig, {"area": [0.0, 0.5]}, "area is two numbers"),
        (LossConfig, {"coarse": 0, "refined": 0}, "nothing to learn"),
        (LossConfig, {"coarse": 0, "refined": 0, "adversarial": 1}, "nothing to learn before"),
        (LossConfig, {"adversarial_from": 2.0}, "is a fraction below 1, not 2.0"),
        (LossConfig, {"refined": float("nan")}, "refined is a finite number, not nan"),
        (OptimiserConfig, {"lowest_rate": -5}, "lowest_rate is a fraction from 0 to 1"),
        (OptimiserConfig, {"weight_decay": -1}, "weight_decay must not be negative"),
        (RunConfig, {"seed": 2**70}, "seed is a number from 0 to 2"),
        (RunConfig, {"minutes": float("inf")}, "minutes is a finite number"),
        (RunConfig, {"save_minutes": 0}, "save_minutes must be above 0"),
        (RunConfig, {"name": ".."}, "name is the name of a file"),
        (DdpmConfig, {"groups": 0}, "groups must be at least 1"),
        (DdpmConfig, {"noise_steps": 0}, "noise_steps must be at least 1"),
        (DdpmConfig, {"channels": [-4, 8, 8]}, "channels are numbers above 0"),
        (DdpmRun, {"run": {"start_from": "a.safetensors"}}, "no effect on task ddpm"),
        (LossConfig, {"features": 1}, "needs a discriminator"),
        (LossConfig, {"r1": -1.0}, "r1 must not be negative"),
        (DiscriminatorConfig, {"rate": 0}, "rate must be above 0"),
        (ValidationConfig, {"pictures": 0}, "pictures must be at least 1"),
        (DdpmConfig, {"thumbnail": 20}, "thumbnail must be at least side"),
        (DdpmConfig, {"channels": [32, 64]}, "the same number of levels"),
        (DdpmConfig, {"side": 34, "thumbnail": 40}, "cannot be halved 2 times"),
        (DdpmConfig, {"groups": 24}, "a multiple of groups"),
        (DdpmConfig, {"held_out": 0}, "held_out must lie between 0 and 1"),
        (DdpmConfig, {"snr_cap": -1.0}, "snr_cap must not be negative"),
    ],
)
def test_refuses_what_cannot_be_trained(kind: type, values: dict, sentence: str) -> None:
    with pytest.raises(BadOption, match=sentence):
        from_dict(kind, values)


def test_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        RunConfig().batch = 2  # type: ignore[misc]


class TestFiles:
    def test_assignments_change_what_the_file_says(self, tmp_path: Path) -> None:
        path = tmp_path / "c.toml"
        path.write_text("[run]\nbatch = 4\nname = 'a'\n[losses]\nrefined = 2.0\n")
        texts = ["run.batch=8", "run.name=b", "network.arguments.width=3", "masks.area=[0.1, 0.2]"]
        config = configured(read(path, texts))
        assert isinstance(config, InpaintConfig)
        assert (config.run.batch, config.run.name) == (8, "b")
        assert config.losses.refined == 2.0
        assert config.network.arguments == {"width": 3}
        assert config.masks.area == (0.1, 0.2)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("batch", "write TABLE.NAME=VALUE"),
            ("batch=3", "write TABLE.NAME=VALUE"),
            ("run.=3", "write TABLE.NAME=VALUE"),
            ("run.batch.size=3", "batch is a value, not a table"),
        ],
    )
    def test_a_bad_assignment_is_one_sentence(self, text: str, sentence: str) -> None:
        with pytest.raises(BadOption, match=sentence):
            assign({"run": {"batch": 1}}, text)

    def test_a_file_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(Unreadable, match=r"nothing\.toml cannot be read"):
            read(tmp_path / "nothing.toml")
        (tmp_path / "bad.toml").write_text("[run\n")
        with pytest.raises(BadOption, match=r"bad\.toml is no TOML file"):
            read(tmp_path / "bad.toml")

    @pytest.mark.parametrize("tables", [{"run": {"task": "colour"}}, {"run": {"task": ["ddpm"]}}])
    def test_an_unknown_task(self, tables: dict) -> None:
        with pytest.raises(BadOption, match="task is one of inpaint, ddpm"):
            configured(tables)

    def test_a_value_where_a_table_belongs(self) -> None:
        with pytest.raises(BadOption, match=r"run is a table: write \[run\]"):
            configured({"run": 3, "data": {}})

    @pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
    def test_those_of_the_repository_are_whole(self, path: Path) -> None:
        config = configured(read(path))
        assert config.run.name == path.stem

    def test_there_are_some(self) -> None:
        assert {"pocket", "deepfill-places2", "ddpm-photos-32"} <= {path.stem for path in CONFIGS}

    def test_paths_take_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOME_PHOTOS", "/there")
        assert folder("$SOME_PHOTOS/small", "data.photos") == Path("/there/small")
        monkeypatch.delenv("SOME_PHOTOS")
        with pytest.raises(BadOption, match=r"that variable is not set; .*data\.photos=PATH"):
            folder("$SOME_PHOTOS", "data.photos")
        with pytest.raises(BadOption, match=r"data\.photos is empty"):
            folder("", "data.photos")


class TestIdentity:
    def test_how_and_where_a_run_is_done_does_not_count(self) -> None:
        one = InpaintConfig(RunConfig(threads=1, log_steps=3), DataConfig(photos="a", ahead=0))
        assert identity(one) == identity(InpaintConfig(data=DataConfig(photos="b")))

    @pytest.mark.parametrize(
        "other",
        [
            InpaintConfig(RunConfig(seed=1)),
            InpaintConfig(losses=LossConfig(refined=2.0)),
            InpaintConfig(data=DataConfig(side=128)),
            InpaintConfig(masks=MaskConfig(border=1.0)),
        ],
    )
    def test_what_is_learnt_counts(self, other: InpaintConfig) -> None:
        assert identity(other) != identity(InpaintConfig())
