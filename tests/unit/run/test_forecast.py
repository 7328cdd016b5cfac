"""How long a plan will still take."""

from __future__ import annotations

from pathlib import Path

import pytest

from mathquorum.objectives import SolutionLoss
from mathquorum.run import PlannedStage
from mathquorum.run.forecast import Forecast
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.training.settings import Training

PLAN = [
    PlannedStage("problems", "Prepare", complete=True),
    PlannedStage("a.candidates", "Sample", complete=False),
    PlannedStage("a.greedy", "Sample", complete=False),
    PlannedStage("b.candidates", "Sample", complete=False),
    PlannedStage("b.greedy", "Sample", complete=False),
    PlannedStage("report", "Report", complete=False),
]


def test_before_a_stage_has_ended_nothing_is_known() -> None:
    assert Forecast(PLAN, 0.0).left(1.0) == (0.0, False)


def test_a_stage_lasts_as_long_as_those_that_are_named_alike_and_else_as_those_of_its_kind() -> None:
    forecast = Forecast(PLAN, 0.0)
    forecast.ended("a.candidates", 40.0)
    assert forecast.left(40.0) == (120.0, False)
    forecast.ended("a.greedy", 10.0)
    assert forecast.left(50.0) == (50.0, False)
    forecast.ended("report", 1.0)
    assert forecast.left(51.0) == (50.0, True)


def test_stages_side_by_side_are_seen_from_the_clock() -> None:
    forecast = Forecast(PLAN, 0.0)
    forecast.ended("a.candidates", 40.0)
    forecast.ended("b.candidates", 40.0)
    assert forecast.left(40.0)[0] == pytest.approx(2 * 40.0 / 2)


def test_stages_of_a_kind_last_in_proportion_to_their_work() -> None:
    amounts: dict[str, int | None] = {"a.candidates": 8000, "b.candidates": None, "c.candidates": 1000}
    plan = [PlannedStage(name, "Sample", complete=False, amount=lambda name=name: amounts[name]) for name in amounts]
    forecast = Forecast(plan, 0.0)
    forecast.ended("a.candidates", 80.0)
    assert forecast.left(80.0)[0] == 80.0 + 10.0  # of b nothing is known yet, so it is taken to last as long
    amounts["b.candidates"] = 2000
    assert forecast.left(80.0) == (20.0 + 10.0, True)


def test_a_stage_without_work_says_nothing_of_the_others() -> None:
    plan = [
        PlannedStage("likelihood", "ScoreCandidates", complete=False, amount=lambda: 0),
        PlannedStage("evaluator", "ScoreCandidates", complete=False, amount=lambda: 7680),
        PlannedStage("likelihood.2", "ScoreCandidates", complete=False, amount=lambda: 0),
    ]
    forecast = Forecast(plan, 0.0)
    forecast.ended("likelihood", 0.5)
    assert forecast.left(1.0) == (0.0, False)
    forecast.ended("evaluator", 30.0)
    assert forecast.left(31.0) == (0.0, True)


def test_stages_tell_their_work_as_soon_as_their_inputs_are_there(tmp_path: Path) -> None:
    problems, budget = tmp_path / "problems.jsonl", tmp_path / "budget.json"
    sample = Sample(problems=problems, model="m", num_candidates=4, limit=5)
    score = ScoreCandidates(problems=problems, candidates=problems, model="m")
    assert sample.amount() is None and score.amount() is None
    problems.write_text("{}\n" * 9)
    assert sample.amount() == 20 and score.amount() == 9
    assert ScoreCandidates(problems=problems, candidates=problems).amount() == 0  # the likelihood is only read
    task = Task(objective=SolutionLoss(), data=(problems,), batch_size=8)
    tuned = Finetune(model="m", tasks=(task, task), training=Training(epochs=None, steps=10))
    assert tuned.amount() == 160
    control = Finetune(model="m", tasks=(task,), training=Training(epochs=None), match_budget=(budget, budget))
    assert control.amount() is None
    budget.write_text('{"steps": 3, "tokens": 1}')
    assert control.amount() == 48
    assert Finetune(model="m", tasks=(task,), training=Training(epochs=1.0)).amount() is None
