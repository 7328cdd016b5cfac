"""Intervals against published figures, and where methods usually break."""

from __future__ import annotations

from math import pi, sqrt, tan

import numpy as np
import pytest

from mathquorum.metrics.intervals import bootstrap_totals, mean_estimate, student_quantile, wilson


@pytest.mark.parametrize(
    ("correct", "low", "high"), [(294, 0.544, 0.630), (276, 0.508, 0.595), (306, 0.569, 0.654), (188, 0.335, 0.419)]
)
def test_wilson_of_the_papers_accuracies(correct: int, low: float, high: float) -> None:
    estimate = mean_estimate("rr.top8", [1.0] * correct + [0.0] * (500 - correct))
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-3)
    assert estimate.count == 500


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_ten_problems_all_wrong_or_all_right_still_leave_doubt(value: float) -> None:
    estimate = mean_estimate("maj1@8", [value] * 10)
    assert estimate.value == value
    assert estimate.high - estimate.low == pytest.approx(0.278, abs=1e-3)
    assert estimate.low <= value <= estimate.high


def test_the_number_of_candidates_does_not_narrow_the_interval() -> None:
    halves = mean_estimate("pass@1", [0.0, 1.0] * 20)
    nearly = mean_estimate("pass@1", [0.001, 0.999] * 20)
    assert nearly.high - nearly.low == pytest.approx(halves.high - halves.low, rel=0.1)


def test_one_problem_is_no_reason_to_fail() -> None:
    estimate = mean_estimate("pass@1", [0.25])
    assert estimate.low < 0.1
    assert estimate.high > 0.7


@pytest.mark.parametrize("values", [[], [1.2], [-0.1, 0.5]])
def test_values_that_are_no_fractions_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"one value in \[0, 1\] per problem"):
        mean_estimate("pass@1", values)


def test_the_bootstrap_is_a_function_of_its_seed() -> None:
    totals = np.random.default_rng(1).random((50, 2))
    ratio = lambda sums: sums[:, 0] / sums[:, 1]  # noqa: E731
    assert bootstrap_totals(totals, ratio, seed=3) == bootstrap_totals(totals, ratio, seed=3)
    assert bootstrap_totals(totals, ratio, seed=3) != bootstrap_totals(totals, ratio, seed=4)


@pytest.mark.parametrize(
    ("degrees", "exact"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (9, 2.2622), (30, 2.0423), (499, 1.9647), (10**9, 1.9600)],
)
def test_quantiles_of_student_as_tables_have_them(degrees: float, exact: float) -> None:
    assert student_quantile(degrees) == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999, 1 - 1e-9])
def test_quantiles_of_student_at_one_and_two_degrees_by_their_formulas(level: float) -> None:
    assert student_quantile(1, level) == pytest.approx(tan(pi * level / 2), rel=1e-6)
    assert student_quantile(2, level) == pytest.approx(level * sqrt(2 / (1 - level**2)), rel=1e-6)


@pytest.mark.parametrize(("degrees", "level"), [(0.9, 0.95), (0, 0.95), (3, 1.0), (3, -0.1)])
def test_there_is_no_quantile_outside_the_range(degrees: float, level: float) -> None:
    with pytest.raises(ValueError, match="degrees must be at least 1 and level in"):
        student_quantile(degrees, level)


def test_few_fractions_get_students_quantile() -> None:
    """Four values: t has three degrees of freedom, 3.18 in the place of the normal 1.96."""
    values = [0.2, 0.4, 0.6, 0.9]
    value, variance = 0.525, sum((v - 0.525) ** 2 for v in values) / 3
    found = mean_estimate("pass@1", values)
    effective = value * (1 - value) / (variance / 4)
    assert (found.low, found.high) == pytest.approx(wilson(value, effective, quantile=3.18245), abs=1e-4)


def test_wilson_stays_inside() -> None:
    assert wilson(0.0, 5)[0] == 0.0
    assert wilson(1.0, 5)[1] == 1.0
