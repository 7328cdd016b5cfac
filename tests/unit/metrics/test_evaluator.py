"""Figures about an evaluator, by hand and for the trap that they exist for."""

from __future__ import annotations

import numpy as np
import pytest

from mathquorum.metrics import Pool, auc, calibration_bins, evaluator_estimates
from mathquorum.records import AnswerCluster, Estimate


def make_pool(name: str, correct: list[bool], scores: list[float]) -> Pool:
    groups = [(label, tuple(i for i, c in enumerate(correct) if c == label)) for label in (True, False)]
    clusters = [AnswerCluster(name, str(label), members, label) for label, members in groups if members]
    return Pool(name, len(correct), clusters, dict(enumerate(scores)))


def figures(pools: list[Pool]) -> dict[str, Estimate]:
    return {estimate.name: estimate for estimate in evaluator_estimates(pools)}


def test_auc_by_hand() -> None:
    assert auc([0.9, 0.2, 0.5], [True, False, False]) == 1.0
    assert auc([0.1, 0.2, 0.5], [True, False, False]) == 0.0
    assert auc([0.3, 0.3, 0.1], [True, False, False]) == 0.75
    with pytest.raises(ValueError, match="a correct and an incorrect"):
        auc([0.1], [True])


def test_an_evaluator_that_knows_only_which_problems_are_hard_is_found_out() -> None:
    random = np.random.default_rng(0)
    pools = []
    for number in range(120):
        ease = random.random()
        correct = (random.random(16) < ease).tolist()
        pools.append(make_pool(f"p{number}", correct, [ease] * 16))
    found = figures(pools)
    assert found["auc"].value > 0.8
    assert found["auc.within"].value == 0.5
    assert found["auc.pairs"].value == pytest.approx(0.5)
    assert found["ece"].value < 0.05


def test_problems_with_one_label_do_not_count_within() -> None:
    pools = [
        make_pool("a", [True, False], [0.8, 0.3]),
        make_pool("b", [True, True], [0.1, 0.2]),
        make_pool("c", [True, False, False], [0.4, 0.6, 0.1]),
    ]
    found = figures(pools)
    assert found["auc.within"].value == pytest.approx((1 + 0.5) / 2)
    assert found["auc.within"].count == 2
    assert found["auc.pairs"].value == pytest.approx((1 + 1) / 3)
    assert found["auc"].count == 3


def test_calibration_by_hand() -> None:
    pools = [make_pool("a", [True, False, False, False], [0.95, 0.95, 0.1, 0.1])]
    found = figures(pools)
    assert found["ece"].value == pytest.approx(0.5 * 0.45 + 0.5 * 0.1)
    assert found["brier"].value == pytest.approx((0.05**2 + 0.95**2 + 2 * 0.1**2) / 4)
    bins = calibration_bins(pools)
    assert [(round(b.mean_score, 2), b.accuracy, b.count) for b in bins] == [(0.1, 0.0, 2), (0.95, 0.5, 2)]


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    assert set(figures([make_pool("a", [True, False], [3.1, -2.0])])) == {"auc.within", "auc.pairs", "auc"}


def test_a_scored_candidate_without_an_answer_is_an_incorrect_one() -> None:
    pool = Pool("a", 2, [AnswerCluster("a", "7", (0,), True)], {0: 0.4, 1: 0.6})
    assert figures([pool])["auc.within"].value == 0.0


def test_the_overall_interval_is_wider_when_candidates_of_a_problem_agree() -> None:
    random = np.random.default_rng(2)
    labels, values = random.random(200) < 0.5, random.normal(size=200)
    values = 1 / (1 + np.exp(-(values + 0.8 * labels)))
    apart = [make_pool(f"p{i}", [bool(labels[i])], [float(values[i])]) for i in range(200)]
    together = [make_pool(f"p{i}", [bool(labels[i])] * 8, [float(values[i])] * 8) for i in range(200)]
    one, eight = figures(apart)["auc"], figures(together)["auc"]
    assert one.value == pytest.approx(eight.value)
    assert (one.low, one.high) == pytest.approx((eight.low, eight.high))
