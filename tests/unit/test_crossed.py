"""Means over problems and seeds, by hand and against what must hold."""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
import pytest

from mathquorum.metrics.crossed import crossed_half_widths, crossed_mean, crossed_p_value, seeded_mean
from mathquorum.metrics.intervals import mean_estimate, student_quantile, wilson

BY_HAND = np.array([[0.0, 0.2, 0.4], [0.3, 0.3, 0.9]])  # 2 seeds, 3 problems
T1, T2 = 12.7062, 4.30265  # 97.5% points of Student's t with 1 and 2 degrees of freedom, as every table has them


def test_the_half_width_by_hand() -> None:
    # Means of problems .15, .25, .65 (variance .07), of seeds .2, .5 (variance .045); what is left: -+.05 .1 -.05.
    of_problems, of_seeds = 0.07 / 3, 0.045 / 2
    of_rest = 2 * (0.0**2 + 0.1**2 + 0.1**2) / ((2 - 1) * (3 - 1)) / 6
    rest = BY_HAND - BY_HAND.mean(axis=0) - BY_HAND.mean(axis=1)[:, None] + BY_HAND.mean()
    assert of_rest == pytest.approx(float((rest**2).sum()) / 2 / 6)
    half = sqrt(T2**2 * (of_problems - of_rest) + T1**2 * of_seeds)
    assert float(crossed_half_widths(BY_HAND)) == pytest.approx(half, rel=1e-4)


def test_seeds_that_agree_by_chance_make_it_no_narrower_than_one_seed_of_their_means() -> None:
    agree = np.array([[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]])  # both seeds have three right
    means = agree.mean(axis=0)
    alone = student_quantile(5) * sqrt(means.var(ddof=1) / 6)
    assert float(crossed_half_widths(agree)) == pytest.approx(alone)


def test_seeds_have_as_many_degrees_of_freedom_as_there_are_less_one() -> None:
    """Where nothing but seeds varies, the interval is Student's of the seeds' means."""
    of_seeds = np.array([0.3, 0.5, 0.55])
    rows = np.repeat(of_seeds[:, None], 50, axis=1)
    assert float(crossed_half_widths(rows)) == pytest.approx(T2 * sqrt(of_seeds.var(ddof=1) / 3), rel=1e-4)


def test_many_trials_at_once_are_the_same_as_one_by_one() -> None:
    values = np.random.default_rng(1).random((4, 3, 20))
    values[:, 1, 4] = values[:, :2, 7] = nan
    together = crossed_half_widths(values)
    for trial, half in zip(values, together, strict=True):
        assert float(crossed_half_widths(trial)) == pytest.approx(float(half))


def test_one_seed_is_a_mean_over_problems() -> None:
    values = [0.0, 0.5, 1.0, 0.25]
    assert seeded_mean("auc.within", [values]) == mean_estimate("auc.within", values)
    assert seeded_mean("auc.within", [values, [nan] * 4]) == mean_estimate("auc.within", values)


def test_a_missing_value_leaves_the_problem_to_the_other_seeds() -> None:
    found = seeded_mean("auc.within", [[0.2, 0.4, nan, nan], [nan, 0.6, 0.9, nan]])
    assert found.value == pytest.approx((0.2 + 0.5 + 0.9) / 3)
    assert found.count == 3


def test_missing_values_never_make_it_surer() -> None:
    random = np.random.default_rng(2)
    whole = np.clip(random.random(200) + 0.1 * random.standard_normal((3, 200)), 0, 1)
    holes = np.where(random.random((3, 200)) < 0.3, nan, whole)
    there = holes[:, ~np.isnan(holes).all(axis=0)]
    assert float(crossed_half_widths(there)) > float(crossed_half_widths(whole))


@pytest.mark.parametrize("value", [0.0, 1.0, 0.4])
def test_all_alike_still_leaves_doubt(value: float) -> None:
    found = seeded_mean("maj1", [[value] * 30] * 3)
    assert (found.low, found.high) == pytest.approx(wilson(value, 30))


def test_the_interval_of_a_mean_stays_within_0_and_1() -> None:
    rows = np.zeros((2, 120))
    rows[0, :9] = 1
    found = seeded_mean("maj1", rows)
    assert 0 <= found.low < found.value < found.high <= 1


@pytest.mark.parametrize("rows", [[[nan, nan]], [[1.2, 0.0]], [[-0.1, 0.0]], np.empty((0, 0))])
def test_values_that_are_no_fractions_are_refused(rows: object) -> None:
    with pytest.raises(ValueError, match=r"auc.within: there must be values in \[0, 1\]"):
        seeded_mean("auc.within", rows)  # type: ignore[arg-type]


def test_the_p_value_is_below_5_percent_exactly_where_the_interval_excludes_zero() -> None:
    random = np.random.default_rng(3)
    seen = set()
    for shift in np.linspace(0, 0.15, 40):
        values = random.normal(shift, 0.3, (3, 100)) + random.normal(0, 0.01, (3, 1))
        excludes = abs(float(crossed_mean(values))) > float(crossed_half_widths(values))
        assert (crossed_p_value(values) < 0.05) == excludes
        seen.add(excludes)
    assert seen == {True, False}


def test_the_p_value_where_only_seeds_vary_is_that_of_student() -> None:
    """Means .2, .4 and .9: t = .5 / (.3606 / sqrt 3) = 2.402 with 2 degrees, two-sided p = 1 - t / sqrt(t^2 + 2)."""
    rows = np.repeat(np.array([0.2, 0.4, 0.9])[:, None], 50, axis=1)
    t = 0.5 / sqrt(0.13 / 3)
    assert crossed_p_value(rows) == pytest.approx(1 - t / sqrt(t**2 + 2), rel=1e-3)
    assert crossed_p_value(np.zeros((3, 50))) == 1.0
