"""How long a plan will still take."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from mathquorum.cli.console import RunConsole
from mathquorum.objectives import SolutionLoss
from mathquorum.run import PlannedStage
from mathquorum.run.forecast import Expected, Forecast, Left
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
    assert Forecast(PLAN, 0.0).left(1.0) == Left(0.0, 5)


def test_a_stage_lasts_as_long_as_those_that_are_named_alike_and_else_as_those_of_its_kind() -> None:
    forecast = Forecast(PLAN, 0.0)
    forecast.ended("a.candidates", 40.0)
    assert forecast.left(40.0) == Left(120.0, 1)
    forecast.ended("a.greedy", 10.0)
    assert forecast.left(50.0) == Left(50.0, 1)
    forecast.ended("report", 1.0)
    assert forecast.left(51.0) == Left(50.0, 0)


def test_stages_side_by_side_are_seen_from_the_clock() -> None:
    forecast = Forecast(PLAN, 0.0)
    forecast.ended("a.candidates", 40.0)
    forecast.ended("b.candidates", 40.0)
    assert forecast.left(40.0).seconds == pytest.approx(2 * 40.0 / 2)


def test_stages_of_a_kind_last_in_proportion_to_their_work() -> None:
    amounts: dict[str, int | None] = {"a.candidates": 8000, "b.candidates": None, "c.candidates": 1000}
    plan = [PlannedStage(name, "Sample", complete=False, amount=lambda name=name: amounts[name]) for name in amounts]
    forecast = Forecast(plan, 0.0)
    forecast.ended("a.candidates", 80.0)
    assert forecast.left(80.0).seconds == 80.0 + 10.0  # of b nothing is known yet, so it is taken to last as long
    amounts["b.candidates"] = 2000
    assert forecast.left(80.0) == Left(20.0 + 10.0, 0)


def test_a_stage_without_work_says_nothing_of_the_others() -> None:
    plan = [
        PlannedStage("likelihood", "ScoreCandidates", complete=False, amount=lambda: 0),
        PlannedStage("evaluator", "ScoreCandidates", complete=False, amount=lambda: 7680),
        PlannedStage("likelihood.2", "ScoreCandidates", complete=False, amount=lambda: 0),
    ]
    forecast = Forecast(plan, 0.0)
    forecast.ended("likelihood", 0.5)
    assert forecast.left(1.0) == Left(0.0, 1)
    forecast.ended("evaluator", 30.0)
    assert forecast.left(31.0) == Left(0.0, 0)


def planned(*names: str) -> list[PlannedStage]:
    """Stages named by kind and name."""
    return [PlannedStage(name, name.partition(" ")[0], complete=False) for name in names]


def test_a_stage_under_way_goes_on_as_it_went_and_shows_its_kind_the_way() -> None:
    forecast = Forecast(planned("train a", "train b"), 0.0)
    forecast.advanced("train a", 0, 100, 10.0)
    assert forecast.left(10.0) == Left(0.0, 2)
    assert forecast.advanced("train a", 25, 100, 30.0) == 60.0
    assert forecast.left(30.0) == Left(60.0 + 80.0, 0)
    assert forecast.left(40.0) == Left(50.0 + 80.0, 0), "time goes on between two reports"
    forecast.ended("train a", 70.0)
    assert forecast.left(80.0) == Left(70.0, 0), "with what came before its first report"


def test_a_stage_that_goes_on_from_before_is_not_taken_for_fast() -> None:
    forecast = Forecast(planned("train a"), 0.0)
    forecast.advanced("train a", 90, 100, 10.0)
    assert forecast.advanced("train a", 95, 100, 20.0) == 10.0


def test_what_is_expected_counts_before_a_kind_has_shown_its_speed() -> None:
    forecast = Forecast(planned("train a", "sample b", "sample c", "ask d"), 0.0)
    forecast.expected = {
        "train a": Expected(10.0, in_proportion=True),
        "sample b": Expected(40.0, in_proportion=True),
        "sample c": Expected(20.0, in_proportion=True),
    }
    assert forecast.left(1.0) == Left(0.0, 4), "proportions alone are no seconds"
    forecast.ended("train a", 30.0)
    assert forecast.left(30.0) == Left(3 * (40.0 + 20.0), 1), "a machine three times as slow"
    forecast.ended("sample b", 60.0)
    assert forecast.left(90.0) == Left(30.0, 1), "its own kind decides, in proportion to what was expected"


def test_seconds_that_were_measured_count_at_once() -> None:
    forecast = Forecast(planned("report", "train a"), 0.0)
    forecast.expected = {"report": Expected(4.0), "train a": Expected(50.0)}
    assert forecast.left(1.0) == Left(54.0, 0)


def test_a_stage_that_was_skipped_is_no_longer_to_come_and_shows_nothing() -> None:
    forecast = Forecast(planned("train a", "train b"), 0.0)
    forecast.ended("train a", 0.0, skipped=True)
    assert forecast.left(1.0) == Left(0.0, 1)


def test_a_person_is_told_minutes_for_what_is_known_and_how_much_is_not() -> None:
    """A run of four stages on a scripted clock: told once a minute, before its kind has run, and while one stage goes on."""
    written, now = io.StringIO(), [0.0]
    expected = {"train a": Expected(10.0, True), "train b": Expected(30.0, True), "sample c": Expected(20.0, True)}
    plan = planned("train a", "train b", "sample c", "ask d")
    console = RunConsole(plan, Console(file=written), lambda: expected, lambda: now[0])

    def said() -> list[str]:
        told = [line for line in written.getvalue().splitlines() if line.startswith("The whole plan")]
        written.seek(0), written.truncate()
        return told

    console.stage_ended("train a", {}, 50.0, skipped=False)
    assert said() == [], "not in the first minute"
    now[0] = 60.0
    console.stage_advanced("train b", 0, 100)
    assert said() == ["The whole plan: about 4 min 10 s left; stages of which nothing is known yet, not counted: 1"]
    now[0] = 100.0
    console.stage_advanced("train b", 40, 100)
    assert said() == [], "told 40 s ago"
    now[0] = 120.0
    console.stage_advanced("train b", 60, 100)
    assert said() == ["The whole plan: about 1 min 55 s left; stages of which nothing is known yet, not counted: 1"]
    now[0] = 200.0
    console.stage_ended("train b", {}, 140.0, skipped=False)
    console.stage_ended("ask d", {}, 5.0, skipped=False)
    assert said() == ["The whole plan: about 1 min 35 s left; stages of which nothing is known yet, not counted: 1"]


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
