"""The trainer, cut and resumed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_models import solutions

from mathquorum.models import Hardware, load_model
from mathquorum.objectives import MarginLoss, SolutionLoss
from mathquorum.stages.base import no_progress
from mathquorum.training.batches import plan_steps
from mathquorum.training.settings import Training
from mathquorum.training.trainer import Checkpoints, WeightedObjective, train


class Cut(Exception):
    """Stands for a kill."""


def log_of(model: Path, folder: Path, cut_at: int | None = None, **more: Any) -> list[dict[str, float]]:
    loaded = load_model(str(model), Hardware())
    examples = SolutionLoss().examples(solutions(), loaded.codec, 200, 0).examples

    def progress(done: int, total: int) -> None:
        if done == cut_at:
            raise Cut

    training = Training(**{"steps": 12, "learning_rate": 3e-3, "checkpoint_steps": 4, "log_steps": 10, **more})
    objectives = [WeightedObjective(SolutionLoss(), 1.0)]
    steps = plan_steps([examples], [4], 12, 0)
    return train(loaded.model, steps, objectives, training, 0, Hardware(), folder, progress).log


def test_the_log_of_a_resumed_training_is_that_of_an_uncut_one(tiny_model: Path, tmp_path: Path) -> None:
    """The cut lies between two rows of the log and after a checkpoint."""
    with pytest.raises(Cut):
        log_of(tiny_model, tmp_path / "cut", cut_at=6)
    resumed = log_of(tiny_model, tmp_path / "cut")
    assert resumed == log_of(tiny_model, tmp_path / "whole") and len(resumed) == 1


def test_tensorboard_has_the_losses_of_the_log_when_training_was_resumed_too(tiny_model: Path, tmp_path: Path) -> None:
    """And they stay when the checkpoints are deleted."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with pytest.raises(Cut):
        log_of(tiny_model, tmp_path / "checkpoints", cut_at=6, log_steps=1, loggers=("tensorboard",))
    log = log_of(tiny_model, tmp_path / "checkpoints", log_steps=1, loggers=("tensorboard",))
    shown = EventAccumulator(str(tmp_path / ".tensorboard"))
    shown.Reload()
    losses = [event.value for event in shown.Scalars("train/loss")]
    assert losses == pytest.approx([row["loss"] for row in log]) and len(log) == 12
    assert not list((tmp_path / "checkpoints").glob("runs*"))


def first_loss(model: Path, folder: Path, *objectives: WeightedObjective) -> float:
    """Of a single step on all examples, before any update."""
    loaded = load_model(str(model), Hardware())
    examples = [o.objective.examples(solutions(), loaded.codec, 200, 0).examples for o in objectives]
    steps = plan_steps(examples, [len(of_one) for of_one in examples], 1, 0)
    training = Training(steps=1, learning_rate=1e-3, log_steps=1)
    (row,) = train(loaded.model, steps, list(objectives), training, 0, Hardware(), folder, no_progress).log
    return row["loss"]


@pytest.mark.parametrize("alpha", [0.25, 3.0])
def test_tasks_are_added_with_their_weights(alpha: float, tiny_model: Path, tmp_path: Path) -> None:
    """Eq. 11 to 13: the loss of the one plus alpha times the loss of the other."""
    verdict, solution = WeightedObjective(MarginLoss(), 1.0), WeightedObjective(SolutionLoss(), 1.0)
    apart = [first_loss(tiny_model, tmp_path / str(n), task) for n, task in enumerate((verdict, solution))]
    weighted = WeightedObjective(SolutionLoss(), alpha)
    assert first_loss(tiny_model, tmp_path / "joint", verdict, weighted) == pytest.approx(
        apart[0] + alpha * apart[1], rel=1e-4
    )
    assert apart[1] > 0.1


def test_a_checkpoint_is_asked_for_when_the_last_one_is_old() -> None:
    control = SimpleNamespace(should_save=False)
    for seconds, asked in ((3600.0, False), (1e-9, True)):
        callback = Checkpoints(seconds)
        callback.on_train_begin(None, None, control)
        callback.on_step_end(None, None, control)
        assert control.should_save is asked
