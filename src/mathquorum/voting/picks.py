"""What the vote and every strategy answer to each problem, with all clusters: what people come for who have no references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from mathquorum.metrics import Pool
from mathquorum.metrics.estimates import rounded
from mathquorum.records import AnswerCluster
from mathquorum.selection import Strategy
from mathquorum.voting.pools import VotePool

__all__ = ["Pick", "pick_json", "picks"]


@dataclass(frozen=True)
class Pick:
    """One problem's choices.

    Attributes:
        chosen: By strategy; None where no candidate has an answer.
        tied: How many clusters share the most votes: 2 is a tie of two, 1 none, 0 no answer at all.
    """

    item: VotePool
    chosen: Mapping[str, AnswerCluster | None]
    tied: int


def picks(items: Sequence[VotePool], strategies: Sequence[Strategy]) -> list[Pick]:
    """The choices of every strategy, problem by problem."""
    return [
        Pick(item, {s.name: s.select(item.pool.clusters, item.pool.scores) for s in strategies}, num_tied(item.pool))
        for item in items
    ]


def num_tied(pool: Pool) -> int:
    """How many clusters share the most votes."""
    return sum(len(c.members) == len(pool.clusters[0].members) for c in pool.clusters)


def pick_json(pick: Pick) -> dict[str, Any]:
    """One line of picks.jsonl: the problem, its clusters, and what each strategy chose with the candidate that shows it."""
    problem, pool = pick.item.samples.problem, pick.item.pool
    return {
        "problem_id": problem.id,
        "problem": problem.text,
        "reference": problem.answer,
        "num_candidates": pool.num_candidates,
        "num_answered": pool.num_answered,
        "tied": pick.tied > 1,
        "clusters": [_cluster_json(cluster, pool) for cluster in pool.clusters],
        "picks": {name: _choice_json(cluster, pool) for name, cluster in pick.chosen.items()},
    }


def _cluster_json(cluster: AnswerCluster, pool: Pool) -> dict[str, Any]:
    scores = [pool.scores[index] for index in cluster.members if index in pool.scores]
    return {
        "answer": cluster.answer,
        "votes": len(cluster.members),
        "score": rounded(fsum(scores)) if scores else None,
        "mean_score": rounded(fsum(scores) / len(scores)) if scores else None,
        "correct": cluster.correct,
        "members": list(cluster.members),
    }


def _choice_json(cluster: AnswerCluster | None, pool: Pool) -> dict[str, Any]:
    if cluster is None:
        return {"answer": None, "correct": None, "candidate": None}
    best = max(cluster.members, key=lambda index: (pool.scores.get(index, 0.0), -index))
    return {"answer": cluster.answer, "correct": cluster.correct, "candidate": best}
