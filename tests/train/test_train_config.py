"""Configurations: what they refuse, and that they come back from JSON as they were."""

import json
from dataclasses import FrozenInstanceError, asdict

import pytest

from infill.errors import BadOption
from infill.train.config import DdpmConfig, LoopConfig, assigned, from_dict


@pytest.mark.parametrize(
    "config",
    [LoopConfig(seed=3, steps=7), DdpmConfig(side=16, thumbnail=20, channels=(16, 32, 48))],
)
def test_comes_back_from_json(config: LoopConfig | DdpmConfig) -> None:
    assert from_dict(type(config), json.loads(json.dumps(asdict(config)))) == config


def test_an_unknown_key_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(BadOption, match=r"no 'betas'; it has: .*beta_start"):
        from_dict(DdpmConfig, {"betas": 1})


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        (LoopConfig, {"batch": 0}, "batch must be at least 1"),
        (LoopConfig, {"batch": 2.5}, "takes a value of type int"),
        (LoopConfig, {"bfloat16": 1}, "takes a value of type bool"),
        (LoopConfig, {"minutes": 0}, "minutes must be above 0"),
        (LoopConfig, {"ema": 1.0}, "ema must be at least 0 and below 1"),
        (LoopConfig, {"workers": 3, "batch": 2}, "workers must be at least 1 and at most batch"),
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
        LoopConfig().batch = 2  # type: ignore[misc]


def test_assignments_go_to_the_configuration_that_has_the_name() -> None:
    texts = ["batch=8", "channels=[16,32]", "attention=[false,true]", "snr_cap=0"]
    network, loop = assigned((DdpmConfig(), LoopConfig()), texts)
    assert loop == LoopConfig(batch=8)
    assert network == DdpmConfig(channels=(16, 32), attention=(False, True), snr_cap=0.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("batch", "write NAME=VALUE"),
        ("colour=3", "'colour=3' sets nothing.*batch"),
        ("batch=many", "not JSON"),
        ("batch=-1", "batch must be at least 1"),
    ],
)
def test_a_bad_assignment_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadOption, match=sentence):
        assigned((DdpmConfig(), LoopConfig()), [text])
