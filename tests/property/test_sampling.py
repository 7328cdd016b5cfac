"""The exact estimates against the average over every subset, made by the strategies themselves."""

from __future__ import annotations

from itertools import combinations
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathquorum.metrics import Pool, best_of_k, majority_at_k, pass_at_k
from mathquorum.metrics.choices import Choices, is_right
from mathquorum.metrics.curves import curves_over_candidates, oracle
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import Majority, Rerank, Strategy, WeightedVote

ANSWERS = st.lists(st.sampled_from([None, "1", "2", "3"]), min_size=1, max_size=8)


def make_pool(answers: list[str | None], scores: list[float]) -> Pool:
    """The candidates at these indices; the answers "1" are correct."""
    members: dict[str, list[int]] = {}
    for index, answer in enumerate(answers):
        if answer is not None:
            members.setdefault(answer, []).append(index)
    clusters = [AnswerCluster("p", answer, tuple(m), answer == "1") for answer, m in members.items()]
    clusters.sort(key=lambda cluster: largest_first(cluster.members))
    return Pool("p", len(answers), clusters, dict(enumerate(scores)))


def over_subsets(answers: list[str | None], scores: list[float], k: int, rule: Strategy | None) -> float:
    """The mean over all subsets of k; without a rule, of whether any is correct."""
    values = []
    for kept in combinations(range(len(answers)), k):
        pool = make_pool([answers[i] for i in kept], [scores[i] for i in kept])
        values.append(oracle(pool) if rule is None else is_right(rule, pool))
    return fsum(values) / len(values)


@settings(max_examples=60, deadline=None)
@given(ANSWERS)
def test_pass_and_majority_are_averages_over_all_subsets(answers: list[str | None]) -> None:
    scores = [0.0] * len(answers)
    pool = make_pool(answers, scores)
    clusters = [(cluster.members, bool(cluster.correct)) for cluster in pool.clusters]
    for k in range(1, len(answers) + 1):
        assert pass_at_k(len(answers), pool.num_correct, k) == pytest.approx(over_subsets(answers, scores, k, None))
        assert majority_at_k(clusters, len(answers), k) == pytest.approx(over_subsets(answers, scores, k, Majority()))


@settings(max_examples=60, deadline=None)
@given(ANSWERS, st.permutations(range(8)))
def test_best_of_k_is_the_average_of_rerank_over_all_subsets(answers: list[str | None], order: list[int]) -> None:
    scores = [float(value) for value in order[: len(answers)]]
    kept = [index for index, answer in enumerate(answers) if answer is not None]
    for k in range(1, len(answers) + 1):
        estimate = best_of_k([scores[i] for i in kept], [answers[i] == "1" for i in kept], k, len(answers) - len(kept))
        assert estimate == pytest.approx(over_subsets(answers, scores, k, Rerank()))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([None, "1", "2", "3"]), min_size=5, max_size=7), st.integers(0, 99))
def test_drawn_curves_come_near_the_average_over_all_subsets(answers: list[str | None], seed: int) -> None:
    scores = [((7 * index + seed) % 10) / 10 for index in range(len(answers))]
    curve = curves_over_candidates(Choices([make_pool(answers, scores)]), [WeightedVote()], seed=seed, num_draws=2000)[
        1
    ]
    assert not curve.exact
    for point in curve.points:
        assert point.value == pytest.approx(over_subsets(answers, scores, point.x, WeightedVote()), abs=0.06)


@settings(max_examples=25, deadline=None)
@given(ANSWERS, st.integers(1, 20))
def test_growing_the_pool_evenly_keeps_pass_at_one(answers: list[str | None], times: int) -> None:
    right = answers.count("1")
    assert pass_at_k(len(answers) * times, right * times, 1) == pytest.approx(right / len(answers))
