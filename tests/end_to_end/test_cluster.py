"""The stages that spread their work make the same bytes on a cluster as in one process, whatever dies meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tiny_models import solutions

from mathquorum.engines.base import Sampling
from mathquorum.errors import SettingsError
from mathquorum.models import Hardware
from mathquorum.objectives import SolutionLoss
from mathquorum.records import Candidate, Problem
from mathquorum.run import Run, Silence
from mathquorum.stages.cluster import Cluster as Grade
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import read_rows, write_records
from mathquorum.training.settings import Training

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

LOST = "workers lost, their units done by others"


class KillsAt(Silence):
    """Ends a node when a stage has come to a share of its work."""

    def __init__(self, cluster: Cluster, node: Any, share: float) -> None:
        self._cluster, self._node, self._share = cluster, node, share

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None:
        if self._node and done >= self._share * total:
            from ray_nodes import kill_node

            kill_node(self._cluster, self._node)
            self._node = None


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("problems") / "problems.jsonl"
    write_records(file, [Problem(f"p{n}", f"What is {n} + {n + 1}?", str(2 * n + 1)) for n in range(20)])
    return file


def sample(problems: Path, model: Path) -> Sample:
    sampling = Sampling(temperature=1.0, max_tokens=120)
    cpu = Hardware(device="cpu")
    return Sample(problems=problems, model=str(model), num_candidates=4, sampling=sampling, batch_rows=4, hardware=cpu)


def score(problems: Path, pool: Path, model: Path) -> ScoreCandidates:
    return ScoreCandidates(problems=problems, candidates=pool, model=str(model), hardware=Hardware(device="cpu"))


@pytest.fixture(scope="module")
def alone(problems: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in one process."""
    run = Run(tmp_path_factory.mktemp("runs") / "alone")
    pool = run.do("pool", sample(problems, tiny_model)) / "candidates.jsonl"
    run.do("scores", score(problems, pool, tiny_model))
    return run.directory


def summary(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "stage.json").read_text())["summary"]
    return found


class StopsAfter(Silence):
    """Stops a run when something has been written to a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None:
        if self._file.stat().st_size:
            raise KeyboardInterrupt


def test_a_run_begun_in_one_process_goes_on_on_two_nodes_of_which_one_is_killed_and_makes_the_same_bytes(
    ray_cluster: Cluster, alone: Path, problems: Path, tiny_model: Path, tmp_path: Path
) -> None:
    from ray_nodes import add_node

    begun = tmp_path / "pool" / "candidates.partial.jsonl"
    with pytest.raises(KeyboardInterrupt):
        Run(tmp_path, listener=StopsAfter(begun)).do("pool", sample(problems, tiny_model))
    assert begun.stat().st_size
    listener = KillsAt(ray_cluster, add_node(ray_cluster), share=0.4)
    run = Run(tmp_path, cluster=ray_cluster.address, listener=listener)
    pool = run.do("pool", sample(problems, tiny_model)) / "candidates.jsonl"
    run.do("scores", score(problems, pool, tiny_model))
    for file in ("pool/candidates.jsonl", "scores/scores.jsonl"):
        assert (tmp_path / file).read_bytes() == (alone / file).read_bytes()
    assert summary(tmp_path / "pool")[LOST] == 1 and LOST not in summary(alone / "pool")
    record = json.loads((tmp_path / "pool" / "stage.json").read_text())
    assert record["arguments"]["cluster"] == ray_cluster.address and "cluster" not in record["settings"]
    assert Run(tmp_path).do("pool", sample(problems, tiny_model)) == tmp_path / "pool"


class LosesAllNodesAt(Silence):
    """Ends every node but the head when a stage has come to a step, and starts another."""

    def __init__(self, cluster: Cluster, step: int) -> None:
        self._cluster, self._step = cluster, step

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None:
        if self._step and done >= self._step:
            from ray_nodes import add_node, kill_node

            for node in list(self._cluster.worker_nodes):
                kill_node(self._cluster, node)
            add_node(self._cluster)
            self._step = 0


def tune(model: Path, place: Path, training: Training) -> Finetune:
    write_records(place / "labeled.jsonl", solutions(6))
    task = Task(objective=SolutionLoss(), data=(place / "labeled.jsonl",), batch_size=4)
    return Finetune(model=str(model), tasks=(task,), training=training, hardware=Hardware(device="cpu"))


def test_two_nodes_that_train_together_have_the_losses_of_one_process(
    ray_cluster: Cluster, tiny_model: Path, tmp_path: Path
) -> None:
    from ray_nodes import add_node, kill_node

    losses = []
    node = add_node(ray_cluster)
    for processes, cluster in ((1, None), (2, ray_cluster.address)):
        training = Training(steps=6, learning_rate=1e-3, log_steps=1, processes=processes)
        place = Run(tmp_path / str(processes), cluster=cluster).do("model", tune(tiny_model, tmp_path, training))
        losses.append([row["loss"] for _, row in read_rows(place / "log.jsonl")])
    kill_node(ray_cluster, node)
    assert len(losses[0]) == 6 and losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert json.loads((place / "stage.json").read_text())["device"] == "cpu, float32, 2 processes"


def test_a_configuration_of_accelerate_is_refused_on_a_cluster(
    ray_cluster: Cluster, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "accelerate.yaml").write_text("num_processes: 1\n")
    training = Training(steps=1, accelerate=tmp_path / "accelerate.yaml")
    with pytest.raises(SettingsError, match=r"training.accelerate was given with --cluster"):
        Run(tmp_path / "run", cluster=ray_cluster.address).do("model", tune(tiny_model, tmp_path, training))


def test_training_on_a_node_that_is_lost_goes_on_on_another_to_the_weights_of_one_process(
    ray_cluster: Cluster, tiny_model: Path, tmp_path: Path
) -> None:
    stage = tune(tiny_model, tmp_path, Training(steps=150, learning_rate=1e-3, checkpoint_steps=4))
    alone = Run(tmp_path / "alone").do("model", stage)
    listener = LosesAllNodesAt(ray_cluster, 8)
    cluster = Run(tmp_path / "cluster", cluster=ray_cluster.address, listener=listener).do("model", stage)
    for file in ("model/model.safetensors", "log.jsonl", "budget.json"):
        assert (cluster / file).read_bytes() == (alone / file).read_bytes()
    assert summary(cluster)["lost, and gone on from the last checkpoint"] >= 1


def test_answers_are_graded_on_a_cluster_as_in_one_process(
    ray_cluster: Cluster, problems: Path, tmp_path: Path
) -> None:
    pool = tmp_path / "candidates.jsonl"
    found = (Candidate(f"p{n}", i, "", str(i % 7) if i % 3 else f"{i % 5}/2") for n in range(20) for i in range(1010))
    write_records(pool, found)
    made = []
    for name, cluster in (("alone", None), ("cluster", ray_cluster.address)):
        place = Run(tmp_path / name, cluster=cluster).do("graded", Grade(problems=problems, candidates=pool))
        made.append((place / "clusters.jsonl").read_bytes())
    assert made[0] == made[1]
