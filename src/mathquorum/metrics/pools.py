"""A pool: all that is known of one problem's candidates when figures are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mathquorum.errors import DataError
from mathquorum.records import AnswerCluster

__all__ = ["Pool", "check_pools", "have_scores"]


@dataclass(frozen=True)
class Pool:
    """The candidates of one problem, as their clusters.

    Attributes:
        problem_id: `Problem.id`.
        num_candidates: All candidates, those without an answer included: they are in no cluster, and incorrect.
        clusters: In the order that `AnswerCluster` declares, each with `correct` known. May be empty.
        scores: The evaluator's P(correct), in [0, 1], by `Candidate.index`; empty where there is no evaluator.
        greedy_correct: Whether the one greedy solution is correct; None where there is none.
    """

    problem_id: str
    num_candidates: int
    clusters: Sequence[AnswerCluster]
    scores: Mapping[int, float] = field(default_factory=dict)
    greedy_correct: bool | None = None

    @property
    def num_answered(self) -> int:
        return sum(len(cluster.members) for cluster in self.clusters)

    @property
    def num_correct(self) -> int:
        return sum(len(cluster.members) for cluster in self.clusters if cluster.correct)


def have_scores(pools: Sequence[Pool]) -> bool:
    """Whether the pools come with an evaluator's scores at all."""
    return any(pool.scores for pool in pools)


def check_pools(pools: Sequence[Pool]) -> None:
    """Checks once what all figures rely on.

    Raises:
        DataError: If there are no pools; a problem has no candidates, or more members than candidates; the correctness of
            a cluster is unknown; or there are scores, but not for all candidates with an answer, or not in [0, 1].
    """
    if not pools:
        raise DataError("There is no problem with a reference answer, so nothing can be measured.")
    empty = [pool.problem_id for pool in pools if pool.num_candidates < 1]
    if empty:
        raise DataError(f"{len(empty)} of {len(pools)} problems have no candidates (first: {empty[0]}).")
    for pool in pools:
        if pool.num_answered > pool.num_candidates:
            raise DataError(
                f"{pool.problem_id}: its clusters hold {pool.num_answered} candidates, but there are only "
                f"{pool.num_candidates}. Were clusters and candidates made by the same run?"
            )
        if any(cluster.correct is None for cluster in pool.clusters):
            raise DataError(
                f"{pool.problem_id}: whether its clusters are correct is not known. Give reference answers."
            )
    if have_scores(pools):
        _check_scores(pools)


def _check_scores(pools: Sequence[Pool]) -> None:
    missing = [(p.problem_id, i) for p in pools for c in p.clusters for i in c.members if i not in p.scores]
    if missing:
        total = sum(pool.num_answered for pool in pools)
        name, index = missing[0]
        raise DataError(
            f"{len(missing)} of {total} candidates with an answer have no score (first: {name}, candidate {index}). "
            "Run the scoring stage to its end, or evaluate without scores."
        )
    odd = [(p.problem_id, i, s) for p in pools for i, s in p.scores.items() if not 0 <= s <= 1]
    if odd:
        name, index, value = odd[0]
        raise DataError(
            f"{len(odd)} scores are not in [0, 1] (first: {name}, candidate {index}: {value}). A score is P(correct); "
            "turn a reward model's into probabilities first, by the sigmoid for example."
        )
