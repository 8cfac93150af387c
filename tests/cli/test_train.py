"""`infill train` from a configuration to weights, stopped in every way and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infill.picture import Picture
from tests.cli.tools import Answer, call, command, environment, interruptible, write_photo

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

ROOT = Path(__file__).parents[2]
CONFIG = """
[run]
name = "small"
steps = 3
batch = 2
log_steps = 1
precision = "fp32"

[data]
side = 16
held_out = 0.3

[masks]
object = 1.0
pool = 3

[network]
name = "pocket"
arguments = { channels = [4, 4, 4, 4], heads = 1 }

[discriminator]
arguments = { width = 4, layers = 2 }

[losses]
adversarial = 0.1
adversarial_from = 0.0
features = 1.0
r1 = 0.1
r1_every = 2

[validation]
pictures = 2
"""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFILL_THREADS", "1")
    monkeypatch.setenv("INFILL_DEVICE", "cpu")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for index in range(8):
        write_photo(tmp_path / "photos" / f"{index}.png", height=24, width=32, seed=index)
    path = tmp_path / "small.toml"
    path.write_text(CONFIG)
    return path


def train(config: Path, name: str, *more: object) -> Answer:
    photos, out = config.with_name("photos"), config.with_name(name)
    return call("train", config, "--photos", photos, "--out", out, *more)


def kept(config: Path, name: str) -> dict:
    return safetensors.load_file(config.with_name(f"{name}.run") / "checkpoint.safetensors")


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_from_photos_to_weights(config: Path) -> None:
    pytest.importorskip("tensorboard")
    answer = train(config, "out", "--set", "run.tensorboard=true")
    assert answer.code == 0, answer.err
    assert "step 3 of 3" in answer.out
    assert "pictures/s" in answer.out
    out, work = config.with_name("out"), config.with_name("out.run")
    assert {path.name for path in out.iterdir()} == {"small.safetensors", "training.json"}
    assert json.loads((out / "training.json").read_text())["step"] == 3
    sheet = Picture.load(work / "samples" / "0000003.jpg")
    assert sheet.pixels.shape == (2 * 18 + 2, 3 * 16 + 4, 3)
    assert len(list((work / "tensorboard").iterdir())) == 1
    assert len((work / "log.jsonl").read_text().splitlines()) == 1


def test_quiet_says_nothing(config: Path) -> None:
    answer = train(config, "out", "--quiet", "--set", "run.steps=1")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_a_leg_ends_and_the_same_command_goes_on(config: Path) -> None:
    train(config, "whole", "--quiet")
    answer = train(config, "legs", "--stop-after", 1e-9)
    assert answer.code == 0
    assert "stopped at step 1; the same command goes on" in answer.err
    while "stopped at" in answer.err:
        answer = train(config, "legs", "--stop-after", 1e-9)
    assert "going on from step 2" in answer.out
    assert same(kept(config, "legs"), kept(config, "whole"))


class TestStopped:
    STEPS = ("--set", "run.steps=40", "--set", "run.save_minutes=0.003")

    def begin(self, config: Path, name: str) -> "subprocess.Popen[str]":
        photos, out = config.with_name("photos"), config.with_name(name)
        words = command("train", config, "--photos", photos, "--out", out, *self.STEPS)
        return subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            preexec_fn=interruptible,
        )

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
    def test_killed_between_checkpoints_it_ends_as_if_it_had_not_been(
        self, config: Path, how: signal.Signals
    ) -> None:
        train(config, "whole", "--quiet", *self.STEPS)
        process = self.begin(config, "killed")
        checkpoint = config.with_name("killed.run") / "checkpoint.safetensors"
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("step ") and checkpoint.exists():
                break
        time.sleep(0.05)
        os.kill(process.pid, how)
        _, err = process.communicate(timeout=60)
        if how == signal.SIGINT:
            assert process.returncode == 130
            assert "the same command goes on from there" in err
        else:
            assert process.returncode == -signal.SIGKILL
        answer = train(config, "killed", *self.STEPS)
        assert answer.code == 0
        assert "going on from step" in answer.out
        assert same(kept(config, "killed"), kept(config, "whole"))


def test_two_processes_train_as_one_does(config: Path) -> None:
    pytest.importorskip("accelerate")
    flags = ["--set", "network.name=tests.train.tools:Calm", "--set", "network.arguments={}"]
    train(config, "one", "--quiet", *flags)
    photos, out = config.with_name("photos"), config.with_name("two")
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    words += ["-m", *command("train", config, "--photos", photos, "--out", out, *flags)[2:]]
    subprocess.run(
        [*words, "--set", "run.accelerate=true"],
        env=environment(ACCELERATE_USE_CPU="true", OMP_NUM_THREADS="1"),
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    one, two = kept(config, "one"), kept(config, "two")
    for name in one:
        if "optimiser" not in name:
            torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--set", "run.speed=3"], "[run] has no 'speed'; it has: task, name, seed"),
        (["--set", "batch=3"], "write TABLE.NAME=VALUE"),
        (["--set", "run.batch=many"], "run.batch"),
        (["--set", "network.name=none"], "network.name is one of"),
        (["--photos", "nowhere"], "there is no folder nowhere"),
        (["--restart", "--changed"], "say one"),
        (["--stop-after", "0"], "--stop-after takes minutes above 0"),
    ],
)
def test_mistakes_are_one_sentence(config: Path, more: list[str], sentence: str) -> None:
    answer = train(config, "out", *more)
    assert answer.code == 2
    assert sentence.replace("run.batch", "[run]: batch") in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not config.with_name("out").exists()


def test_without_photos_it_says_how_to_name_them(config: Path) -> None:
    answer = call("train", config, "--out", config.with_name("out"))
    assert answer.code == 2
    assert "data.photos is empty" in answer.err


def test_a_folder_of_photos_may_be_called_anything(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    (config.parent / "photos").rename(config.parent / "2017")
    assert call("train", config, "--photos", "2017", "--out", ".", "--work", "w").code == 0
    assert (config.parent / "small.safetensors").exists()
    again = call("train", config, "--photos", "2017", "--out", ".", "--work", "w")
    assert "this run is done" in again.out


def test_a_changed_configuration_goes_on_only_when_it_is_said(config: Path) -> None:
    train(config, "out", "--quiet")
    answer = train(config, "out", "--set", "run.steps=4")
    assert answer.code == 2
    assert "(run.steps was 3); give the same one" in answer.err
    assert "say --changed to go on" in answer.err
    assert train(config, "out", "--set", "run.steps=4", "--changed").code == 0
    assert train(config, "out", "--restart").code == 0
    assert json.loads((config.with_name("out") / "training.json").read_text())["step"] == 3
