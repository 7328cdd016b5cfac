"""95% intervals hold the truth about 95% of the time. Seeds are fixed, so these tests cannot flicker."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from mathquorum.metrics.crossed import seeded_mean
from mathquorum.metrics.differences import paired_difference, seeded_difference
from mathquorum.metrics.intervals import Floats, mean_estimate

TRIALS = 400


@pytest.mark.parametrize(
    ("count", "least"),
    [(10, 0.90), (30, 0.92), (100, 0.92), (500, 0.92)],  # the binary case swings with count and share, as is known
)
@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_accuracies(count: int, least: float, share: float) -> None:
    random = np.random.default_rng([count, int(100 * share)])
    hits = 0
    for _ in range(TRIALS):
        estimate = mean_estimate("maj1", (random.random(count) < share).astype(float))
        hits += estimate.low <= share <= estimate.high
    assert least <= hits / TRIALS <= 0.995


@pytest.mark.parametrize(("count", "least"), [(10, 0.89), (30, 0.92), (200, 0.925)])
@pytest.mark.parametrize(("a", "b"), [(0.4, 0.6), (0.3, 1.2), (2.0, 2.0)])
def test_means_of_fractions_clustered_by_problem(count: int, least: float, a: float, b: float) -> None:
    random = np.random.default_rng([count, int(10 * a)])
    hits = 0
    for _ in range(TRIALS):
        values = random.binomial(16, random.beta(a, b, count)) / 16
        estimate = mean_estimate("pass@1", values)
        hits += estimate.low <= a / (a + b) <= estimate.high
    assert least <= hits / TRIALS <= 0.99


@pytest.mark.parametrize("count", [10, 100, 500])
@pytest.mark.parametrize(("gain", "loss"), [(0.06, 0.02), (0.2, 0.1)])
def test_paired_differences(count: int, gain: float, loss: float) -> None:
    random = np.random.default_rng([count, int(100 * gain)])
    hits = 0
    for _ in range(TRIALS):
        draws = random.random(count)
        first, second = (draws < gain).astype(float), ((draws >= gain) & (draws < gain + loss)).astype(float)
        estimate = paired_difference("d", first.tolist(), second.tolist()).estimate
        hits += estimate.low <= gain - loss <= estimate.high
    assert hits / TRIALS >= 0.93


ACCURACIES = (0.02, 0.1, 0.5, 0.9, 0.98)


@pytest.mark.parametrize("deviation", [0.0, 0.01, 0.02, 0.04])
@pytest.mark.parametrize("num_problems", [120, 500, 2000])
@pytest.mark.parametrize("num_seeds", [2, 3, 5])
def test_two_ways_of_training(num_seeds: int, num_problems: int, deviation: float) -> None:
    """One way is as good as the other; problems are easy or hard for both. `benchmarks/coverage.py` has the whole grid."""
    random = np.random.default_rng([num_seeds, num_problems, int(100 * deviation)])
    hits = []
    for accuracy in ACCURACIES:
        runs = training_runs(random, 200, num_seeds, num_problems, accuracy, deviation)
        for first, second in runs:
            found = seeded_difference("d", first, second).estimate
            hits.append(found.low <= 0 <= found.high)
    assert np.mean(hits) >= 0.93


@pytest.mark.parametrize("deviation", [0.0, 0.011, 0.021])
def test_auc_within_a_problem(deviation: float) -> None:
    """2,000 problems, three seeds, of which some values do not exist: as an evaluator's AUC on easy and hard problems."""
    random, hits = np.random.default_rng(int(1000 * deviation)), []
    for _ in range(TRIALS):
        of_problems, of_seeds = random.normal(0, 0.1, 2000), random.normal(0, deviation, (3, 1))
        rows = np.clip(0.7 + of_seeds + of_problems + random.normal(0, 0.05, (3, 2000)), 0, 1)
        rows[random.random((3, 2000)) < random.random(2000)] = np.nan
        found = seeded_mean("auc.within", rows)
        hits.append(found.low <= 0.7 <= found.high)
    assert np.mean(hits) >= 0.93


def training_runs(
    random: np.random.Generator, trials: int, num_seeds: int, num_problems: int, accuracy: float, deviation: float
) -> Floats:
    """(trials, 2, seeds, problems): right where a latent value, most of it the problem's, is below what the seed reaches."""
    reached = np.clip(accuracy + deviation * random.standard_normal((trials, 2, num_seeds)), 1e-9, 1 - 1e-9)
    limits = np.vectorize(NormalDist().inv_cdf)(reached)
    alone = random.standard_normal((trials, 2, num_seeds, num_problems), dtype=np.float32)
    of_problem = random.standard_normal((trials, 1, 1, num_problems), dtype=np.float32)
    return (0.6 * alone + 0.8 * of_problem < limits[..., None]).astype(np.float64)
