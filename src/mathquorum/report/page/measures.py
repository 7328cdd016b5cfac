"""What the page's charts show, computed from pools: ROC curves, AUC by problem, and accuracy by subject and level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mathquorum.metrics import Pool, auc, calibration_bins, evaluator_estimates
from mathquorum.metrics.intervals import Floats
from mathquorum.metrics.scores import Bools, scores_and_labels
from mathquorum.records import Estimate, Problem
from mathquorum.report.page.data import Scores

__all__ = ["by_subject", "roc_curve", "scores_of"]

ROC_POINTS = 120


def scores_of(pools: Sequence[Pool], figures: Sequence[Estimate] | None = None) -> Scores:
    """All that the page says of one scorer.

    Args:
        pools: Graded, with its scores.
        figures: `evaluator_estimates` of them where these are known already.
    """
    scored = [pool for pool in pools if pool.scores]
    pairs = [scores_and_labels(pool) for pool in scored]
    within = [auc(scores, labels) for scores, labels in pairs if 0 < labels.sum() < len(labels)]
    return Scores(
        figures=evaluator_estimates(scored) if figures is None else figures,
        calibration=calibration_bins(scored),
        roc=roc_curve(np.concatenate([s for s, _ in pairs]), np.concatenate([y for _, y in pairs])),
        within=[round(value, 4) for value in within],
    )


def roc_curve(scores: Floats, labels: Bools) -> list[tuple[float, float]]:
    """(share of wrong candidates, share of right ones) scored at least as high as each threshold, thinned to `ROC_POINTS`.

    Empty where all candidates are right or all wrong.

    Example:
        >>> roc_curve(np.array([0.9, 0.5, 0.1]), np.array([True, False, True]))
        [(0.0, 0.0), (0.0, 0.5), (1.0, 0.5), (1.0, 1.0)]
    """
    num_right, num_wrong = int(labels.sum()), int((~labels).sum())
    if not num_right or not num_wrong:
        return []
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)  # the last of equal scores
    right, wrong = np.cumsum(labels[order])[ends] / num_right, np.cumsum(~labels[order])[ends] / num_wrong
    places = np.unique(np.linspace(0, len(right) - 1, min(len(right), ROC_POINTS)).round().astype(int))
    return [(0.0, 0.0), *((round(float(wrong[i]), 4), round(float(right[i]), 4)) for i in places)]


def by_subject(
    problems: Mapping[str, Problem], outcomes: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, dict[str, tuple[float, int]]]]:
    """By figure, subject and level: the mean of the outcomes and the number of problems. Unknown ones are "none".

    Args:
        outcomes: By figure, then by problem.
    """
    table: dict[str, dict[str, dict[str, list[float]]]] = {}
    for figure, values in outcomes.items():
        cells = table.setdefault(figure, {})
        for problem_id, value in values.items():
            problem = problems.get(problem_id)
            if problem is None:
                continue
            level = "none" if problem.level is None else str(problem.level)
            cells.setdefault(problem.subject or "none", {}).setdefault(level, []).append(value)
    return {
        figure: {
            subject: {level: (round(sum(v) / len(v), 4), len(v)) for level, v in levels.items()}
            for subject, levels in cells.items()
        }
        for figure, cells in table.items()
    }
