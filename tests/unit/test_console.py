"""How long a plan will still take."""

from __future__ import annotations

import pytest

from mathquorum.console import Forecast
from mathquorum.run import PlannedStage

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
