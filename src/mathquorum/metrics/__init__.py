"""Figures about pools of candidates and about evaluators. Nothing here loads a model or draws a plot."""

from mathquorum.metrics.pools import Pool, check_pools, have_scores
from mathquorum.metrics.sampling import best_of_curve, best_of_k, majority_at_k, majority_curve, pass_at_k
from mathquorum.metrics.scores import auc, calibration_bins, evaluator_estimates

__all__ = [
    "Pool",
    "auc",
    "best_of_curve",
    "best_of_k",
    "calibration_bins",
    "check_pools",
    "evaluator_estimates",
    "have_scores",
    "majority_at_k",
    "majority_curve",
    "pass_at_k",
]
