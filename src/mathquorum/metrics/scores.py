"""How good an evaluator's scores are: does it rank right above wrong, and do its probabilities mean what they say?

The figure that decides whether re-ranking can help is the AUC within a problem. The overall AUC is also high for an
evaluator that only knows which problems are hard, and such a one cannot choose between the candidates of a problem.

All scored candidates count; one without an answer counts as incorrect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from mathquorum.metrics.intervals import NUM_RESAMPLES, Floats, Z, bootstrap_totals, mean_estimate
from mathquorum.metrics.pools import Pool
from mathquorum.records import Estimate

__all__ = [
    "CalibrationBin",
    "auc",
    "calibration_bins",
    "calibration_error",
    "evaluator_estimates",
    "overall_auc",
    "scores_and_labels",
]

Bools = npt.NDArray[np.bool_]

NUM_BINS = 15  # as in Guo et al. 2017


@dataclass(frozen=True)
class CalibrationBin:
    """Candidates whose scores fall between low and high: their mean score, and the share of them that is correct."""

    low: float
    high: float
    mean_score: float
    accuracy: float
    count: int


def evaluator_estimates(pools: Sequence[Pool], *, seed: int = 0, num_resamples: int = NUM_RESAMPLES) -> list[Estimate]:
    """Every figure about the evaluator that the scores allow, each with an interval clustered by problem.

    `auc.within`, the mean over problems with both labels; `auc.pairs`, the same weighted by the number of pairs of a
    correct and an incorrect candidate, which is the chance that such a pair of one problem is ordered right; `auc`, over
    all candidates of all problems; and where all scores are in [0, 1], `ece`, the expected calibration error, and
    `brier`, the mean squared error of the score. `count` is the number of problems that went into a figure.
    """
    scores, labels = zip(*(scores_and_labels(pool) for pool in pools if pool.scores), strict=True)
    both = [p for p, label in enumerate(labels) if 0 < label.sum() < len(label)]
    estimates = []
    if both:
        within = np.array([auc(scores[p], labels[p]) for p in both])
        pairs = np.array([labels[p].sum() * (~labels[p]).sum() for p in both], dtype=np.float64)
        totals = np.stack([within * pairs, pairs], axis=1)
        estimates.append(mean_estimate("auc.within", within))
        estimates.append(_ratio("auc.pairs", totals, seed, num_resamples))
    if any(label.any() for label in labels) and any(not label.all() for label in labels):
        estimates.append(overall_auc(scores, labels))
    if all(score.min() >= 0 and score.max() <= 1 for score in scores):
        estimates.append(calibration_error(scores, labels, seed=seed, num_resamples=num_resamples))
        squares = np.array([[((s - y) ** 2).sum(), len(s)] for s, y in zip(scores, labels, strict=True)])
        estimates.append(_ratio("brier", squares, seed, num_resamples))
    return estimates


def auc(scores: Floats | Sequence[float], correct: Sequence[bool] | Bools) -> float:
    """Chance that a correct candidate is scored above an incorrect one; a tie is worth one half.

    Raises:
        ValueError: If all are correct or none is.

    Example:
        >>> auc([0.9, 0.5, 0.5], [True, True, False])
        0.75
    """
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(correct, dtype=bool)
    if labels.all() or not labels.any():
        raise ValueError("AUC needs a correct and an incorrect candidate.")
    return float(_above(values[labels], np.sort(values[~labels])).mean())


def overall_auc(scores: Sequence[Floats], labels: Sequence[Bools]) -> Estimate:
    """AUC over all candidates of all problems, named `auc`.

    The interval is that of Obuchowski 1997 (Biometrics 53) for clustered data: DeLong's, its terms summed by problem; on
    the scale of the logit, which keeps it within [0, 1].
    """
    values, correct = np.concatenate(scores), np.concatenate(labels)
    problems = np.repeat(np.arange(len(scores)), [len(score) for score in scores])
    right, wrong = np.sort(values[correct]), np.sort(values[~correct])
    placements = np.empty(len(values))
    placements[correct] = _above(values[correct], wrong)
    placements[~correct] = 1 - _above(values[~correct], right)
    area = float(placements[correct].mean())
    terms = (placements - area) / np.where(correct, len(right), len(wrong))
    by_problem = np.bincount(problems, weights=terms, minlength=len(scores))
    deviation = sqrt(len(scores) / max(1, len(scores) - 1) * float((by_problem**2).sum()))
    return Estimate("auc", area, *_logit_interval(area, deviation), len(scores))


def _above(values: Floats, ordered: Floats) -> Floats:
    """The share, for each value, of the ordered ones that it is above, ties one half."""
    below, up_to = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    share: Floats = (below + up_to) / (2 * len(ordered))
    return share


def _logit_interval(share: float, deviation: float) -> tuple[float, float]:
    if not 0 < share < 1:
        return max(0.0, share - Z * deviation), min(1.0, share + Z * deviation)
    centre, half = np.log(share / (1 - share)), Z * deviation / (share * (1 - share))
    return float(1 / (1 + np.exp(half - centre))), float(1 / (1 + np.exp(-half - centre)))


def calibration_bins(pools: Sequence[Pool], num_bins: int = NUM_BINS) -> list[CalibrationBin]:
    """The reliability diagram: bins of equal width over [0, 1], empty ones left out."""
    scores, labels = zip(*(scores_and_labels(pool) for pool in pools if pool.scores), strict=True)
    values, correct = np.concatenate(scores), np.concatenate(labels)
    places = _bins(values, num_bins)
    bins = []
    for place in np.unique(places):
        inside = places == place
        low, high = float(place / num_bins), float((place + 1) / num_bins)
        mean_score, accuracy = float(values[inside].mean()), float(correct[inside].mean())
        bins.append(CalibrationBin(low, high, mean_score, accuracy, int(inside.sum())))
    return bins


def calibration_error(
    scores: Sequence[Floats],
    labels: Sequence[Bools],
    *,
    num_bins: int = NUM_BINS,
    seed: int = 0,
    num_resamples: int = NUM_RESAMPLES,
) -> Estimate:
    """Expected calibration error, named `ece`: |mean score - accuracy| averaged over bins by their number of candidates.

    Naeini et al. 2015, Guo et al. 2017 (arXiv 1706.04599). Few candidates make it too large, never too small.
    """
    gaps = np.stack(
        [
            np.bincount(_bins(score, num_bins), weights=score - label, minlength=num_bins)
            for score, label in zip(scores, labels, strict=True)
        ]
    )
    totals = np.column_stack([gaps, [len(score) for score in scores]])  # (problems, bins + 1)

    def error(sums: Floats) -> Floats:
        found: Floats = np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1]
        return found

    value = float(error(totals.sum(axis=0, keepdims=True))[0])
    low, high = bootstrap_totals(totals, error, seed, num_resamples)
    return Estimate("ece", value, max(0.0, min(low, value)), min(1.0, max(high, value)), len(scores))


def _bins(scores: Floats, num_bins: int) -> npt.NDArray[np.intp]:
    return np.minimum((scores * num_bins).astype(np.intp), num_bins - 1)


def _ratio(name: str, totals: Floats, seed: int, num_resamples: int) -> Estimate:
    """First sum by second sum, over problems."""
    value = float(totals[:, 0].sum() / totals[:, 1].sum())
    low, high = bootstrap_totals(totals, lambda sums: sums[:, 0] / sums[:, 1], seed, num_resamples)
    return Estimate(name, value, max(0.0, min(low, value)), min(1.0, max(high, value)), len(totals))


def scores_and_labels(pool: Pool) -> tuple[Floats, Bools]:
    """Scores and correctness of a problem's scored candidates, by index."""
    right = {index for cluster in pool.clusters if cluster.correct for index in cluster.members}
    indices = sorted(pool.scores)
    return np.array([pool.scores[i] for i in indices]), np.array([i in right for i in indices], dtype=bool)
