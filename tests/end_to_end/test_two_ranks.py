"""Training by the processes of one launch."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from launches import output_of, start_ranks
from rank_trainings import CASES, curves
from tiny_models import solutions

from mathquorum.config import build
from mathquorum.errors import SettingsError
from mathquorum.stages.base import no_progress
from mathquorum.stages.finetune import Finetune
from mathquorum.store import read_json, write_rows

TESTS = Path(__file__).parents[1]


Curves = dict[str, dict[str, list[float]]]


@pytest.fixture(scope="module")
def curves_of_two(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Curves:
    """Of every objective, in one launch."""
    folder = tmp_path_factory.mktemp("ranks")
    output_of(start_ranks([str(TESTS / "rank_trainings.py"), str(tiny_model), str(folder)]))
    found: Curves = read_json(folder / "curves.json")
    return found


@pytest.mark.parametrize("case", CASES)
def test_two_ranks_have_the_losses_of_one(case: str, curves_of_two: Curves, tiny_model: Path, tmp_path: Path) -> None:
    """The pairs of an example stay together, and a loss is divided by what all ranks and passes of the step count. Adam would hide a
    gradient that is too large: so norms are compared, too."""
    alone, both = curves(tiny_model, tmp_path, case), curves_of_two[case]
    assert both["loss"] == pytest.approx(alone["loss"], abs=1e-5, rel=0)
    assert both["grad_norm"] == pytest.approx(alone["grad_norm"], rel=1e-3, abs=1e-5)
    assert len(alone["loss"]) == 6 and abs(alone["loss"][0] - alone["loss"][-1]) > 0.01


def train_generator(model: Path, data: Path, out: Path, *more: str) -> list[str]:
    """Arguments of python."""
    settings = ["--model", str(model), "--data", f"[{data}]", "--batch_size", "5", "--training.epochs", "null", *more]
    training = {"steps": 60, "learning_rate": 1e-3, "batch_tokens": 200, "log_steps": 1, "checkpoint_steps": 5}
    named = [word for name, value in training.items() for word in (f"--training.{name}", str(value))]
    return ["-m", "mathquorum", "train", "generator", *settings, *named, "--out", str(out)]


def processes_of(place: Path) -> list[str]:
    """The command lines that name a place."""
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if str(place) in line]


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_killed_training_of_two_ranks_goes_on_to_the_bytes_of_an_uncut_one(tiny_model: Path, tmp_path: Path) -> None:
    """The one is launched by the user and the other launches its ranks itself, which end when it is killed."""
    data = tmp_path / "labeled.jsonl"
    write_rows(data, [asdict(item) for item in solutions()])
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert "done in" in output_of(start_ranks(train_generator(tiny_model, data, whole)))
    command = [sys.executable, *train_generator(tiny_model, data, cut, "--training.processes", "2")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as killed:
        wait_until(lambda: any((cut / "generator" / "checkpoints").glob("checkpoint-*/trainer_state.json")))
        killed.kill()
    wait_until(lambda: not processes_of(cut))
    assert not (cut / "generator" / "model").exists()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "done in" in said
    for name in ("log.jsonl", "model/model.safetensors"):
        assert (cut / "generator" / name).read_bytes() == (whole / "generator" / name).read_bytes()
    assert len((cut / "generator" / "log.jsonl").read_text().splitlines()) == 60
    records = [read_json(run / "generator" / "stage.json") for run in (whole, cut)]
    assert [record["device"] for record in records] == ["cpu, float32, 2 processes"] * 2


def test_what_a_launched_process_raises_is_raised_by_the_one_that_launched_it(tiny_model: Path, tmp_path: Path) -> None:
    data = tmp_path / "labeled.jsonl"
    write_rows(data, [asdict(item) for item in solutions()])
    settings = {
        "model": str(tiny_model),
        "tasks": [{"objective": {"name": "solution"}, "data": [data]}],
        "training": {"steps": 2, "processes": 2, "lora": {"targets": ["nothing"]}},
    }
    (tmp_path / "out").mkdir()
    with pytest.raises(SettingsError, match=r"targets.*are not linear layers"):
        build(Finetune, settings).run(tmp_path / "out", no_progress)
