"""Trainings of a tiny model under every objective and joint form, for one process or the ranks of a launch:

python tests/rank_trainings.py MODEL FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from tiny_models import solutions

from mathquorum.models import Hardware, load_model
from mathquorum.objectives import (
    AnyObjective,
    ContrastiveLoss,
    CrossEntropyLoss,
    MarginLoss,
    PairwiseLoss,
    SolutionLoss,
    StepLoss,
)
from mathquorum.stages.base import no_progress
from mathquorum.store import write_json
from mathquorum.training.batches import plan_steps
from mathquorum.training.ranks import rank
from mathquorum.training.settings import Training
from mathquorum.training.trainer import WeightedObjective, train

CASES: dict[str, list[tuple[AnyObjective, float]]] = {
    "solution": [(SolutionLoss(), 1.0)],
    "margin": [(MarginLoss(), 1.0)],
    "cross_entropy": [(CrossEntropyLoss(), 1.0)],
    "cross_entropy over the vocabulary": [(CrossEntropyLoss(normalize="vocabulary"), 1.0)],
    "pairwise": [(PairwiseLoss(), 1.0)],
    "contrastive": [(ContrastiveLoss(), 1.0)],
    "steps": [(StepLoss(), 1.0)],
    "Eq. 11": [(ContrastiveLoss(), 1.0), (SolutionLoss(), 0.5)],
    "Eq. 12": [(CrossEntropyLoss(), 1.0), (SolutionLoss(), 0.5)],
    "Eq. 13": [(MarginLoss(), 1.0), (SolutionLoss(), 0.5)],
}


def curves(model: Path, folder: Path, case: str) -> dict[str, list[float]]:
    """Losses and norms of gradients of six steps of five examples a task, cut into passes of at most 200 tokens: ranks differ in how much they have to do."""
    objectives = [WeightedObjective(objective, weight) for objective, weight in CASES[case]]
    loaded = load_model(str(model), Hardware())
    examples = [o.objective.examples(solutions(), loaded.codec, 200, 0).examples for o in objectives]
    steps = plan_steps(examples, [5 for _ in examples], 6, 0)
    training = Training(steps=6, learning_rate=3e-3, batch_tokens=200, log_steps=1, checkpoint_steps=100)
    log = train(loaded.model, steps, objectives, training, 0, Hardware(), folder / case, no_progress).log
    return {name: [row[name] for row in log] for name in ("loss", "grad_norm")}


if __name__ == "__main__":
    model, folder = map(Path, sys.argv[1:])
    found = {case: curves(model, folder, case) for case in CASES}
    if rank() == 0:
        write_json(folder / "curves.json", found)
