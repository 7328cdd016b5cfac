"""Means over problems and training seeds: both are samples, and each seed meets each problem (crossed random effects).

A reader wants to know how another training run would do on other problems. With P problems and S seeds, the variance of
the mean is estimated without bias by (Searle, Casella and McCulloch 1992, chapter 4)

    max(V_problems - V_rest, 0) + V_seeds,    each V a mean square by P S

V_problems is known well, V_seeds by two or three values. Student's quantile for the sum, with Satterthwaite's degrees of
freedom, follows the chance value of V_seeds: where few seeds happen to agree it takes the variance for small and the
degrees for many, and the interval is too narrow. So each part gets its own quantile, as Banerjee 1960 (Sankhya 22) proved to
hold at least the level whatever the ratio of the parts, and where seeds agree by chance the interval is at least what it
would be if seeds did not matter:

    half width^2 = max( t_{P-1}^2 max(V_problems - V_rest, 0) + t_{S-1}^2 V_seeds,  t_{P-1}^2 V_problems )

Two seeds say little (t_1 = 12.7), three a good deal more (t_2 = 4.3). Lowest coverage in percent over accuracies from .02 to .98,
outcomes independent or correlated by problem, 4,000 trials each (`benchmarks/coverage.py`; before: the sum with
Satterthwaite's degrees; width: half width now by before):

    seeds  problems  lowest coverage before, by seed SD  now                        width now / before
                        0     1     2     4 points        0     1     2     4        0     1     2     4
        2       120  95.5  93.8  88.5  83.8                 98.7  98.9  97.8  97.0     3.29  3.35  3.20  3.01
        2       500  95.9  87.1  82.3  81.8                 98.9  97.4  96.0  94.8     3.36  3.26  3.02  2.15
        2      2000  95.8  81.9  81.2  81.8                 99.1  95.7  94.8  94.5     3.31  3.04  2.16  1.56
        3       120  94.5  94.1  90.2  88.4                 98.0  97.9  96.9  96.3     1.57  1.63  1.61  1.56
        3       500  95.7  89.3  87.4  87.6                 98.0  96.1  95.3  94.8     1.56  1.60  1.57  1.28
        3      2000  95.8  87.6  87.8  89.2                 98.3  95.3  94.8  94.6     1.56  1.57  1.28  1.11
        5       120  95.1  93.5  91.9  89.9                 96.5  96.3  96.0  95.0     1.19  1.23  1.23  1.19
        5       500  95.4  91.2  90.5  91.3                 96.8  95.6  94.7  94.5     1.19  1.22  1.19  1.10
        5      2000  95.5  90.7  91.1  92.7                 96.9  95.1  94.6  94.8     1.19  1.20  1.10  1.03

Not to subtract V_rest, with Satterthwaite's degrees for the sum, was narrower (1.37, 1.24 and 1.18 times as wide as before, mean over
the grid) and covered 86, 91 and 93% at the lowest with 2, 3 and 5 seeds (1,000 trials). The mean of one way of training
covers 93.3% and more. Where the spread of seeds exceeds the distance of the accuracy from 0 or 1, many seeds have exactly 0 or all
right and no interval from two of them can know of the others: 84% at the lowest (1,000 trials).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from mathquorum.metrics.intervals import LEVEL, Floats, mean_estimate, student_quantile, wilson
from mathquorum.records import Estimate

__all__ = ["crossed_half_widths", "crossed_mean", "crossed_p_value", "seeded_mean"]

ROUNDING = 1e-9  # equal values differ by less after summing


def seeded_mean(name: str, rows: Sequence[Sequence[float]] | Floats) -> Estimate:
    """The mean of values in [0, 1] over problems and training seeds, with its 95% interval over both.

    The interval has Wilson's form, the effective number of problems being that which the half width above implies. It stays
    within [0, 1] and covers near 0 and 1. With one row only problems vary (`metrics.intervals.mean_estimate`): such an interval
    says nothing of another training run.

    Args:
        rows: (seeds, problems); NaN where a figure does not exist, as an AUC on a problem that a seed always gets right.
            Each problem with a value counts alike, by its mean over the seeds that have one. A seed without any is left out.

    Returns:
        `count` is the number of problems with a value.

    Raises:
        ValueError: If there is no value at all, or one is outside [0, 1].
    """
    values = _measured(np.asarray(rows, dtype=np.float64))
    if not values.size or np.nanmin(values) < 0 or np.nanmax(values) > 1:
        raise ValueError(f"{name}: there must be values in [0, 1] of at least one problem.")
    if len(values) == 1 or values.shape[1] == 1:
        return mean_estimate(name, np.nanmean(values, axis=0))
    value, half, count = float(crossed_mean(values)), float(crossed_half_widths(values)), values.shape[1]
    if half == 0 or not 0 < value < 1:
        low, high = wilson(value, count)
    else:
        low, high = wilson(value, value * (1 - value) / half**2, quantile=1.0)
    return Estimate(name, value, min(low, value), max(high, value), count)


def crossed_mean(values: Floats) -> Floats:
    """(..., seeds, problems) to (...): the mean over problems of their means over the seeds that have a value."""
    mean: Floats = np.nanmean(np.nanmean(values, axis=-2), axis=-1)
    return mean


def crossed_half_widths(values: Floats, level: float = LEVEL) -> Floats:
    """Half widths of the intervals of `crossed_mean`, before any limit to a range.

    Where values are missing the same formula is taken over what each value and each seed adds to the mean, which is exact
    where none is, and on the wide side where some are.

    Args:
        values: (..., seeds, problems), of at least two problems, each with at least one value. One seed counts no seeds' part.

    Returns:
        (...): in the units of the values.
    """
    return _half_widths(_variances(values), values.shape[-2], values.shape[-1], level)


def crossed_p_value(values: Floats) -> float:
    """The smallest 1 - level at which the interval of the mean of (seeds, problems) excludes zero, to a relative 1e-4.

    Below 0.05 exactly where the 95% interval excludes zero. At least 1e-9, and 1 where the mean is zero. Where all values
    are alike, nothing is known of their spread, and the p-value is 1.
    """
    mean, variances = abs(float(crossed_mean(values))), _variances(values)
    if mean <= ROUNDING or variances[0] + variances[1] <= ROUNDING**2:
        return 1.0
    low, high = 1e-9, 1.0
    while high > low * (1 + 1e-4):
        middle = sqrt(low * high)
        excluded = mean > float(_half_widths(variances, values.shape[-2], values.shape[-1], 1 - middle))
        low, high = (low, middle) if excluded else (middle, high)
    return high


def _half_widths(variances: tuple[Floats, Floats, Floats], num_seeds: int, num_problems: int, level: float) -> Floats:
    of_problems, of_seeds, of_rest = variances
    problems_square = student_quantile(num_problems - 1, level) ** 2
    seeds_square = student_quantile(num_seeds - 1, level) ** 2 if num_seeds > 1 else 0.0
    apart = problems_square * np.maximum(of_problems - of_rest, 0.0) + seeds_square * of_seeds
    half: Floats = np.sqrt(np.maximum(apart, problems_square * of_problems))
    return np.where(half > ROUNDING, half, 0.0)


def _measured(values: Floats) -> Floats:
    """The table without seeds and problems that have no value."""
    there = ~np.isnan(values)
    return values[there.any(axis=1)][:, there.any(axis=0)]


def _variances(values: Floats) -> tuple[Floats, Floats, Floats]:
    """(...) each: the mean squares of problems, seeds and what is left, by P S."""
    num_seeds, num_problems = values.shape[-2:]
    there = ~np.isnan(values)
    by_problem = np.nanmean(values, axis=-2, keepdims=True)
    weights = there / there.sum(axis=-2, keepdims=True) / num_problems  # of each value in the mean
    mean = by_problem.mean(axis=-1, keepdims=True)
    of_problems = by_problem[..., 0, :].var(axis=-1, ddof=1) / num_problems
    if num_seeds == 1:
        return of_problems, np.zeros_like(of_problems), np.zeros_like(of_problems)
    held = np.where(there, values, 0.0)
    by_seed = (weights * np.where(there, held - mean, 0.0)).sum(axis=-1)
    of_seeds = num_seeds / (num_seeds - 1) * (by_seed**2).sum(axis=-1)
    within = weights * np.where(there, held - by_problem, 0.0)
    rest = within - weights * (within.sum(axis=-1, keepdims=True) / weights.sum(axis=-1, keepdims=True))
    freedom = (num_seeds - 1) * (num_problems - 1)
    return of_problems, of_seeds, num_seeds * num_problems / freedom * (rest**2).sum(axis=(-2, -1))
