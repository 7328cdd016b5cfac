"""95% intervals for figures measured on problems, and for differences on the same problems.

The problem is the unit that was sampled; candidates of one problem hang together. So every interval here is clustered by
problem: it depends on one value per problem, never on the number of candidates. Which method serves which figure:

* a mean of outcomes that are 0 or 1 (a strategy's accuracy): Wilson's interval. It needs no resampling, stays within
  [0, 1], and is honest for ten problems and for 0% and 100%, where a bootstrap has no width at all;
* any other mean (pass@k, AUC, differences of such): the bootstrap over problems with expanded percentiles
  (Hesterberg 2015, arXiv 1411.5279), because plain percentiles are too narrow for few problems;
* a difference of two 0-or-1 outcomes on the same problems: Bonett and Price 2012 (see `paired_difference`).

Resampling is seeded, and the same seed resamples the same problems, whatever the figure.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from math import comb, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from mathquorum.records import Estimate

__all__ = ["NUM_RESAMPLES", "bootstrap_totals", "interval", "is_binary", "mean_estimate", "resample_weights", "sign_test", "wilson"]

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

NUM_RESAMPLES = 2000
LEVEL = 0.95
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)


def mean_estimate(name: str, values: Sequence[float], *, seed: int = 0, num_resamples: int = NUM_RESAMPLES) -> Estimate:
    """The mean of one value per problem, with its 95% interval: Wilson where all are 0 or 1, else the bootstrap.

    Args:
        values: In [0, 1], one per problem.

    Raises:
        ValueError: If there are no values.

    Example:
        >>> mean_estimate("maj1@8", [1, 1, 0, 1])
        Estimate(name='maj1@8', value=0.75, low=0.30064184258240184, high=0.9544127391902995, count=4)
    """
    if not len(values):
        raise ValueError(f"{name}: there is no problem to average over.")
    sample = np.asarray(values, dtype=np.float64)
    value = float(sample.mean())
    if is_binary(sample):
        low, high = wilson(round(float(sample.sum())), len(sample))
    else:
        low, high = bootstrap_totals(sample[:, None], lambda totals: totals[:, 0] / len(sample), seed, num_resamples)
    return Estimate(name, value, min(low, value), max(high, value), len(sample))


def is_binary(values: Floats) -> bool:
    """Whether every value is 0 or 1."""
    return bool(np.isin(values, (0.0, 1.0)).all())


def wilson(num_successes: int, num_trials: int) -> Interval:
    """Wilson's 95% score interval for a proportion (Wilson 1927; Brown, Cai and DasGupta 2001).

    Example:
        >>> low, high = wilson(294, 500)  # RR.Top-8 of PaLM 2-L: 58.8%
        >>> round(low, 3), round(high, 3)
        (0.544, 0.63)
    """
    share = num_successes / num_trials
    centre = (share + Z**2 / (2 * num_trials)) / (1 + Z**2 / num_trials)
    half = Z / (1 + Z**2 / num_trials) * sqrt(share * (1 - share) / num_trials + Z**2 / (4 * num_trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_totals(
    totals: Floats, statistic: Callable[[Floats], Floats], seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> Interval:
    """The bootstrap interval of any figure that is a function of sums over problems.

    Args:
        totals: (problems, d): what each problem adds to each of d sums.
        statistic: From (resamples, d) sums to (resamples,) figures. A sum over P resampled problems has P terms.
        seed: Of the resampling.

    Returns:
        The expanded 95% percentiles over resamples of the problems.
    """
    weights = resample_weights(len(totals), seed, num_resamples)
    return interval(statistic(weights @ totals), len(totals))


def interval(figures: Floats, num_problems: int) -> Interval:
    """Expanded percentiles of resampled figures: Phi(-+ sqrt(n / (n - 1)) t) in the place of 2.5% and 97.5%."""
    if num_problems < 2:
        return float(figures.min()), float(figures.max())
    tail = NormalDist().cdf(-sqrt(num_problems / (num_problems - 1)) * _student_quantile(num_problems - 1))
    low, high = np.quantile(figures, (tail, 1 - tail))
    return float(low), float(high)


@functools.lru_cache(maxsize=4)
def resample_weights(num_problems: int, seed: int, num_resamples: int) -> Floats:
    """(resamples, problems): how often each problem is in each resample. Read-only: it is shared."""
    draws = np.random.default_rng(seed).multinomial(num_problems, [1 / num_problems] * num_problems, size=num_resamples)
    weights = draws.astype(np.float64)
    weights.flags.writeable = False
    return weights


def _student_quantile(degrees: int) -> float:
    """The 97.5% point of Student's t, by the expansion around the normal one (Abramowitz and Stegun 26.7.5).

    Off by less than 0.5% from four degrees up, and too small below, where no interval is worth much.
    """
    z = Z
    return (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    )


def sign_test(num_wins: int, num_losses: int) -> float:
    """Two-sided exact p-value that wins and losses are equally likely; for 0-or-1 outcomes this is McNemar's exact test.

    Example:
        >>> sign_test(5, 0)
        0.0625
    """
    changed = num_wins + num_losses
    tail = sum(comb(changed, i) for i in range(min(num_wins, num_losses) + 1))
    return min(1.0, 2 * tail / 2**changed)
