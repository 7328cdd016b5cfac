"""Who trains together, as settings and launchers say."""

from __future__ import annotations

from pathlib import Path

import pytest

from mathquorum.errors import SettingsError
from mathquorum.models import Hardware
from mathquorum.objectives import SolutionLoss
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.identity import identity_of
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.training.launch import launches, ranks_of
from mathquorum.training.settings import Training

CPU, GPU = Hardware(device="cpu"), Hardware(device="cuda")
CONFIGURATION = "distributed_type: {kind}\nnum_processes: 8\nnum_machines: {machines}\n"


def configuration(folder: Path, kind: str, machines: int = 1) -> Path:
    file = folder / f"{kind}.yaml"
    file.write_text(CONFIGURATION.format(kind=kind, machines=machines))
    return file


def test_one_process_is_not_spoken_of() -> None:
    assert ranks_of(Training(steps=1), CPU).in_words == [] and not launches(Training(steps=1))


def test_processes_and_sharding_are_told_from_accelerates_configuration(tmp_path: Path) -> None:
    for kind, words, shards in (
        ("MULTI_GPU", ["8 processes"], 1),
        ("FSDP", ["8 processes", "FSDP"], 8),
        ("DEEPSPEED", ["8 processes", "DeepSpeed"], 8),
    ):
        training = Training(steps=1, accelerate=configuration(tmp_path, kind))
        ranks = ranks_of(training, GPU)
        assert (ranks.in_words, ranks.shards, launches(training)) == (words, shards, True)
    fewer = ranks_of(Training(steps=1, processes=2, accelerate=tmp_path / "FSDP.yaml"), GPU)
    assert fewer.in_words == ["2 processes", "FSDP"]


def test_accelerate_shards_nothing_on_a_cpu(tmp_path: Path) -> None:
    ranks = ranks_of(Training(steps=1, accelerate=configuration(tmp_path, "FSDP")), CPU)
    assert ranks.in_words == ["8 processes"] and ranks.shards == 1


def test_under_a_launcher_its_own_processes_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WORLD_SIZE": "4", "RANK": "0", "LOCAL_WORLD_SIZE": "2", "ACCELERATE_USE_FSDP": "true"}.items():
        monkeypatch.setenv(name, value)
    training = Training(steps=1, processes=2)
    ranks = ranks_of(training, GPU)
    assert (ranks.number, ranks.here, ranks.sharding, launches(training)) == (4, 2, "FSDP", False)


def test_a_configuration_for_several_machines_is_refused_with_the_command_to_use(tmp_path: Path) -> None:
    training = Training(steps=1, accelerate=configuration(tmp_path, "FSDP", machines=2))
    with pytest.raises(SettingsError, match=r"accelerate launch --config_file .* -m mathquorum"):
        ranks_of(training, GPU)


def test_the_number_of_processes_does_not_make_another_stage(tiny_model: Path, tmp_path: Path) -> None:
    data = tmp_path / "labeled.jsonl"
    data.touch()
    alone, together = (
        Finetune(model=str(tiny_model), tasks=(Task(objective=SolutionLoss(), data=(data,)),), training=training)
        for training in (Training(steps=1), Training(steps=1, processes=2))
    )
    assert identity_of(alone, Fingerprints()) == identity_of(together, Fingerprints())
    assert alone.place() != together.place()
