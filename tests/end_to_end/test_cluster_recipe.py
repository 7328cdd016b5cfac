"""The whole recipe, training included, on a cluster of two nodes of which one is killed: the files of one process, byte for byte."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from end_to_end.test_paper_recipe import results

from mathquorum.config import build
from mathquorum.recipes.paper import Paper, paper
from mathquorum.run import Run, Silence

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster


class KillsTheTrainersNode(Silence):
    """Ends the node on which a model is trained, once, when a stage has come to a step."""

    def __init__(self, cluster: Cluster, stage: str, step: int) -> None:
        self._cluster, self._stage, self._step = cluster, stage, step
        self.killed = False

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None:
        if name == self._stage and done >= self._step and not self.killed:
            from ray_nodes import kill_node, runs

            (node,) = [n for n in self._cluster.worker_nodes if runs(n, "RayTrainWorker")]
            kill_node(self._cluster, node)
            self.killed = True


def settings(place: Path, model: Path) -> Paper:
    """Every kind of stage, and as few of each as there can be."""
    for name, numbers in (("train", range(40)), ("test", range(40, 44))):
        rows = [
            {
                "problem": f"What is ${n}+3$?",
                "solution": f"${n}+3={n + 3}$. So $\\boxed{{{n + 3}}}$",
                "answer": str(n + 3),
                "unique_id": f"p/{n}",
            }
            for n in numbers
        ]
        (place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    brief: dict[str, Any] = {"epochs": None, "steps": 3}
    return build(
        Paper,
        {
            "base": str(model),
            "train": str(place / "train.jsonl"),
            "test": str(place / "test.jsonl"),
            "few_shot": False,
            "num_candidates": 3,
            "sampling": {"max_tokens": 16},
            "batch_size": 4,
            "generator": {"epochs": None, "steps": 150, "learning_rate": 3e-3, "checkpoint_steps": 4},
            "evaluator": {
                "num_problems": 8, "num_candidates": 4, "batch_size": 4, "training": brief,
                "objectives": {"cross_entropy": {"name": "cross_entropy"}},
            },
            "mtsft": {"objectives": ["cross_entropy"], "evaluator": brief, "generator": brief},
            "signals": ["likelihood"],
            "hardware": {"device": "cpu"},
        },
    )  # fmt: skip


@pytest.mark.skipif(
    os.environ.get("MATHQUORUM_CLUSTER_RECIPE") != "1",
    reason="MATHQUORUM_CLUSTER_RECIPE=1 asks for a whole recipe on two nodes",
)
def test_the_whole_recipe_on_two_nodes_of_which_one_is_killed_has_the_files_of_one_process(
    ray_cluster: Cluster, tiny_model: Path, tmp_path: Path
) -> None:
    from ray_nodes import add_node

    told = settings(tmp_path, tiny_model)
    paper(Run(tmp_path / "alone"), told)
    add_node(ray_cluster)
    listener = KillsTheTrainersNode(ray_cluster, "ssft.main", 8)
    paper(Run(tmp_path / "cluster", cluster=ray_cluster.address, listener=listener), told)
    assert listener.killed
    prints = [
        {name: sha256(held).hexdigest() for name, held in results(tmp_path / run).items()}
        for run in ("alone", "cluster")
    ]
    assert len(prints[0]) > 60 and any(name.endswith("model.safetensors") for name in prints[0])
    assert prints[1] == prints[0]
    record = json.loads((tmp_path / "cluster" / "ssft.main" / "stage.json").read_text())
    assert record["summary"]["lost, and gone on from the last checkpoint"] >= 1
    assert record["arguments"]["cluster"] == ray_cluster.address
