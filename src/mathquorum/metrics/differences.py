"""Differences of two figures on the same problems: the only way to see a point or two on a few hundred problems.

Compared problem by problem, what makes a problem easy or hard for both cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import NormalDist

import numpy as np

from mathquorum.metrics.crossed import crossed_half_widths, crossed_p_value
from mathquorum.metrics.intervals import (
    LEVEL,
    NUM_RESAMPLES,
    Floats,
    Interval,
    expanded_percentiles,
    resample_weights,
    student_quantile,
)
from mathquorum.records import Estimate

__all__ = ["Difference", "holm", "paired_difference", "seeded_difference", "seeded_p_value", "sign_test"]

SMALLEST = 1e-9  # of p-values: beyond it quantiles are not computed


@dataclass(frozen=True)
class Difference:
    """How much the first figure is above the second.

    Attributes:
        estimate: Mean difference over problems with its 95% interval; in [-1, 1].
        num_wins: Problems on which the first is better.
        num_losses: Problems on which it is worse.
        p_value: The smallest 1 - level at which the interval of that level leaves zero out, at least 1e-9. So it is below 5%
            exactly where `estimate` leaves zero out, and the two tell one story.
    """

    estimate: Estimate
    num_wins: int
    num_losses: int
    p_value: float


def paired_difference(
    name: str,
    first: Sequence[float],
    second: Sequence[float],
    *,
    seed: int = 0,
    num_resamples: int = NUM_RESAMPLES,
) -> Difference:
    """Mean over problems of first - second, with its 95% interval.

    Where all outcomes are 0 or 1 the interval is that of Bonett and Price 2012 (Brit. J. Math. Stat. Psychol. 65): Wald's
    with one win and one loss added. It has width where no or one problem changed, which the bootstrap has not. Otherwise
    it is the bootstrap over problems with expanded percentiles.

    Args:
        first: One value in [0, 1] per problem.
        second: Likewise, for the same problems in the same order.

    Raises:
        ValueError: If there are no problems, or not equally many.

    Example:
        >>> found = paired_difference("w.rr - maj1", [1, 1, 1, 0], [1, 0, 0, 0])
        >>> found.num_wins, found.num_losses, round(found.p_value, 3)
        (2, 0, 0.273)
    """
    differences = _differences(name, first, second)
    if np.isin(np.concatenate([first, second]), (0.0, 1.0)).all():
        interval = _bonett_price(int((differences > 0).sum()), int((differences < 0).sum()), len(differences))
    elif np.ptp(differences) == 0:
        interval = _constant(float(differences[0]), len(differences))
    else:
        interval = _bootstrap(differences, seed, num_resamples)
    return _difference(name, differences, interval, _p_value(interval))


def seeded_difference(
    name: str, first: Sequence[Sequence[float]] | Floats, second: Sequence[Sequence[float]] | Floats
) -> Difference:
    """The difference of two ways of training, each done with several training seeds and measured on the same problems.

    Values are paired by seed and problem, since runs of one seed share their data and their start. Problems and seeds are
    both random, and crossed: method and measured coverage are in `mathquorum.metrics.crossed`. With one seed only problems vary:
    such an interval says nothing of another training run.

    Args:
        first: (seeds, problems): one row of values in [0, 1] per training seed.
        second: Likewise, same seeds and problems in the same order.

    Returns:
        Wins and losses are over problems, by the mean over seeds.

    Raises:
        ValueError: If the two are not of the same shape, or hold fewer than two problems.
    """
    differences = _differences(name, first, second)  # (seeds, problems)
    if differences.shape[1] < 2:
        raise ValueError(f"{name}: at least two problems are needed to see how much problems vary.")
    by_problem, mean = differences.mean(axis=0), float(differences.mean())
    if not float(crossed_half_widths(differences)):
        constant = _constant(mean, len(by_problem))
        return _difference(name, by_problem, constant, _p_value(constant))

    def interval(level: float) -> Interval:
        half = float(crossed_half_widths(differences, level))
        return mean - half, mean + half

    return _difference(name, by_problem, interval, crossed_p_value(differences))


def seeded_p_value(first: Sequence[Sequence[float]] | Floats, second: Sequence[Sequence[float]] | Floats) -> float:
    """The smallest 1 - level at which the interval of `seeded_difference` excludes zero; at least 1e-9.

    It is below 5% exactly where the 95% interval excludes zero, and so counts seeds.

    Raises:
        ValueError: If the two are not of the same shape.
    """
    differences = _differences("p-value", first, second)
    if np.ptp(differences) > 1e-9:
        return crossed_p_value(differences)
    return _p_value(_constant(float(differences.mean()), differences.shape[-1]))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of one family adjusted for their number: below 5% for any false claim in at most 5% of studies.

    Holm 1979 (Scand. J. Stat. 6): the smallest of m times m, the next times m - 1, and so on, none below the one before. It
    needs no independence.

    Returns:
        In the order given, each in [0, 1].

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted, highest = [1.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def sign_test(num_wins: int, num_losses: int) -> float:
    """Two-sided exact p-value that a win and a loss are equally likely.

    Example:
        >>> sign_test(5, 0)
        0.0625
    """
    changed = num_wins + num_losses
    tail = sum(comb(changed, i) for i in range(min(num_wins, num_losses) + 1))
    return min(1.0, 2 * tail / int(2**changed))


def _differences(name: str, first: object, second: object) -> Floats:
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if left.shape != right.shape or not left.size:
        raise ValueError(f"{name}: both need values for the same problems. Got {left.shape} and {right.shape}.")
    return left - right


OfLevel = Callable[[float], Interval]
"""The interval of a difference at any level."""


def _bonett_price(num_wins: int, num_losses: int, num_problems: int) -> OfLevel:
    wins, losses = (num_wins + 1) / (num_problems + 2), (num_losses + 1) / (num_problems + 2)
    deviation = sqrt((wins + losses - (wins - losses) ** 2) / (num_problems + 2))

    def interval(level: float) -> Interval:
        half = NormalDist().inv_cdf(0.5 + level / 2) * deviation
        return wins - losses - half, wins - losses + half

    return interval


def _bootstrap(differences: Floats, seed: int, num_resamples: int) -> OfLevel:
    """Expanded percentiles; at levels of which too few resamples tell, Student's interval, which needs none."""
    count = len(differences)
    means = np.sort(resample_weights(count, seed, num_resamples) @ differences / count)
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1)) / sqrt(count)

    def interval(level: float) -> Interval:
        if 1 - level >= 40 / num_resamples:
            return expanded_percentiles(means, count, level)
        half = student_quantile(count - 1, level) * deviation
        return mean - half, mean + half

    return interval


def _constant(value: float, num_problems: int) -> OfLevel:
    """The interval where all problems agree: as wide as the interval for 0-or-1 outcomes of which none changed."""
    around = _bonett_price(0, 0, num_problems)

    def interval(level: float) -> Interval:
        low, high = around(level)
        return value + low, value + high

    return interval


def _p_value(interval: OfLevel) -> float:
    """The smallest 1 - level at which the interval leaves zero out, to a relative 1e-4; at least 1e-9."""
    low, high = SMALLEST, 1.0
    while high > low * (1 + 1e-4):
        middle = sqrt(low * high)
        ends = interval(1 - middle)
        low, high = (middle, high) if ends[0] <= 0 <= ends[1] else (low, middle)
    return 1.0 if high > 1 - 1e-4 else high


def _difference(name: str, by_problem: Floats, interval: OfLevel, p_value: float) -> Difference:
    value, found = float(by_problem.mean()), interval(LEVEL)
    # Means over k differ in the last bits where they should be equal; that is no win.
    wins, losses = int((by_problem > 1e-9).sum()), int((by_problem < -1e-9).sum())
    low, high = max(-1.0, min(found[0], value)), min(1.0, max(found[1], value))
    return Difference(Estimate(name, value, low, high, len(by_problem)), wins, losses, p_value)
