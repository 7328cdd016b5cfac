"""95% intervals hold the truth about 95% of the time. Seeds are fixed, so these tests cannot flicker."""

from __future__ import annotations

import numpy as np
import pytest

from mathquorum.differences import paired_difference, seeded_difference
from mathquorum.intervals import mean_estimate

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


@pytest.mark.parametrize(("deviation", "least"), [(0.0, 0.93), (0.03, 0.88)])
def test_three_training_seeds(deviation: float, least: float) -> None:
    random = np.random.default_rng(int(100 * deviation))
    hits = 0
    for _ in range(TRIALS):
        base = 0.2 + 0.6 * random.random(150)
        shifts = random.normal(0, deviation, (2, 3, 1))
        runs = random.random((2, 3, 150)) < np.clip(base + np.array([[[0.03]], [[0.0]]]) + shifts, 0, 1)
        estimate = seeded_difference("d", runs[0].astype(float), runs[1].astype(float)).estimate
        hits += estimate.low <= 0.03 <= estimate.high
    assert hits / TRIALS >= least
