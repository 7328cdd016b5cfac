"""How accuracy moves with the number of candidates, of clusters considered, and of candidates kept (Figure 1).

All points of all curves come from one pool per problem. Over the number of candidates k, a point estimates what a pool
of k would give, over subsets drawn without replacement: exactly for pass@k, Maj1 and RR.All, and by seeded draws that
nest (the first k of one shuffle) for every other strategy. k = 1 is the share of correct candidates, whatever the
strategy; k = all is the strategy itself, since there is but one subset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mathquorum.metrics import Pool, best_of_curve, have_scores, majority_curve, pass_at_k
from mathquorum.metrics.choices import Choices
from mathquorum.metrics.draws import drawn_shares
from mathquorum.metrics.intervals import mean_estimate
from mathquorum.records import Estimate
from mathquorum.selection import Majority, Rerank, Strategy, TopScored, WeightedVote
from mathquorum.selection.base import best_first, member_scores

__all__ = [
    "Curve",
    "CurvePoint",
    "call_shares",
    "curves_over_candidates",
    "curves_over_clusters",
    "curves_over_kept",
    "oracle",
]

NUM_DRAWS = 4096
MIN_DRAWS = 4
EXACT_MAJORITY_LIMIT = 256  # candidates; above it the exact sum takes seconds per problem


@dataclass(frozen=True)
class CurvePoint:
    """A figure at one x: a number of candidates, clusters or kept candidates."""

    x: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Points of one strategy, by rising x.

    Attributes:
        exact: False where some points average over seeded draws instead of all subsets.
    """

    name: str
    points: tuple[CurvePoint, ...]
    exact: bool = True


def oracle(pool: Pool, top_clusters: int | None = None) -> float:
    """1 where any of the largest clusters is correct (MajK@N in the paper); over all clusters it is Pass@N."""
    return float(any(cluster.correct for cluster in pool.clusters[:top_clusters]))


def curves_over_candidates(
    choices: Choices, strategies: Sequence[Strategy], *, seed: int = 0, num_draws: int = NUM_DRAWS
) -> list[Curve]:
    """Accuracy of pass@k and of each strategy at k = 1, 2, 4, ... up to the smallest pool.

    Args:
        seed: Of the draws. A problem's draws depend on it and on the problem's id alone.
        num_draws: Per point, over all problems together; at least 4 for each problem.
    """
    pools = choices.pools
    smallest = min(pool.num_candidates for pool in pools)
    places = sorted({2**power for power in range(smallest.bit_length())} | {smallest})
    curves = [_curve("pass", places, [[_pass(pool, k) for pool in pools] for k in places])]
    sampled = [s for s in strategies if not _has_exact_form(s, pools)]
    draws = max(MIN_DRAWS, -(-num_draws // len(pools)))
    # Of all candidates there is one subset, where the tie rules and not an average over ties decide.
    smaller = [[k for k in places if k < pool.num_candidates] for pool in pools]
    of_both = list(zip(pools, smaller, strict=True))
    drawn = [drawn_shares(pool, sampled, inner, seed, draws) for pool, inner in of_both] if sampled else []
    for strategy in strategies:
        exact = strategy not in sampled
        found = [_exact(strategy, *both) for both in of_both] if exact else [shares[strategy.name] for shares in drawn]
        whole = choices.right(strategy)
        rows = [[*values, right][: len(places)] for values, right in zip(found, whole, strict=True)]
        curves.append(replace(_curve(strategy.name, places, list(zip(*rows, strict=True))), exact=exact))
    return curves


def curves_over_clusters(pools: Sequence[Pool]) -> list[Curve]:
    """Accuracy of MajK@N and, with scores, of RR.MajK and W.RR.MajK, by the number of largest clusters K."""
    places = _cluster_places(pools)
    curves = [_curve("maj", places, [[oracle(pool, k) for pool in pools] for k in places])]
    if have_scores(pools):
        rules: Mapping[str, Callable[[Sequence[float]], Any]] = {"rr.top": Rerank.rank, "w.rr.top": WeightedVote.rank}
        for name, rank in rules.items():
            of_pools = [_by_clusters(rank, pool, places) for pool in pools]
            curves.append(_curve(name, places, list(zip(*of_pools, strict=True))))
    return curves


def curves_over_kept(pools: Sequence[Pool]) -> list[Curve]:
    """Accuracy of Maj1.TopN by the number of best-scored candidates kept; empty without scores."""
    if not have_scores(pools):
        return []
    places = _sweep(max(pool.num_answered for pool in pools))
    of_pools = [_by_kept(pool, places) for pool in pools]
    return [_curve("maj1.top", places, list(zip(*of_pools, strict=True)))]


def call_shares(pools: Sequence[Pool]) -> Curve:
    """Evaluator calls of RR.MajK and W.RR.MajK as a share of those of RR.All, by K: what the cluster cut saves.

    Problems without any answer are left out. There is one value per problem, so the intervals are as everywhere.
    """
    answered = [pool for pool in pools if pool.clusters]
    places = _cluster_places(pools)
    shares = [[sum(len(c.members) for c in p.clusters[:k]) / p.num_answered for p in answered] for k in places]
    return _curve("calls", places, shares) if answered else Curve("calls", ())


# --- points ----------------------------------------------------------------------------------------------------------


def _curve(name: str, places: Sequence[int], values: Sequence[Sequence[float]]) -> Curve:
    """The curve from one row of values, one per problem, for each place."""
    return Curve(name, tuple(_point(x, mean_estimate(name, row)) for x, row in zip(places, values, strict=True)))


def _point(x: int, estimate: Estimate) -> CurvePoint:
    return CurvePoint(x, estimate.value, estimate.low, estimate.high)


def _cluster_places(pools: Sequence[Pool]) -> list[int]:
    """Up to the most clusters of any problem, and from there, where nothing changes, straight to the largest pool."""
    places = _sweep(max(len(pool.clusters) for pool in pools))
    largest = max(pool.num_answered for pool in pools)
    return places if places[-1] >= largest else [*places, largest]


def _sweep(largest: int) -> list[int]:
    """1 to 16 one by one, then in steps of an eighth."""
    places = [1]
    while places[-1] < largest:
        places.append(min(largest, places[-1] + max(1, places[-1] // 8)))
    return places


def _by_clusters(rank: Callable[[Sequence[float]], Any], pool: Pool, places: Sequence[int]) -> list[float]:
    """Whether the cluster of the highest rank among so many is right, one per place; from the last cluster on nothing changes."""
    ranks = list(map(rank, member_scores(pool.clusters, pool.scores)))
    right, best = [], 0
    for place, of_cluster in enumerate(ranks):
        if of_cluster > ranks[best]:
            best = place
        right.append(float(bool(pool.clusters[best].correct)))
    return [right[min(k, len(right)) - 1] if right else 0.0 for k in places]


def _by_kept(pool: Pool, places: Sequence[int]) -> list[float]:
    """Whether Maj1.TopN is right, one per place."""
    ranked = best_first(pool.clusters, pool.scores)
    chosen = (TopScored(k).among(pool.clusters, ranked) for k in places)
    return [float(cluster is not None and bool(cluster.correct)) for cluster in chosen]


def _pass(pool: Pool, k: int) -> float:
    return pass_at_k(pool.num_candidates, pool.num_correct, k)


# --- exact, where there is a formula ---------------------------------------------------------------------------------


def _has_exact_form(strategy: Strategy, pools: Sequence[Pool]) -> bool:
    if strategy == Majority():
        return max(pool.num_candidates for pool in pools) <= EXACT_MAJORITY_LIMIT
    return strategy == Rerank()


def _exact(strategy: Strategy, pool: Pool, places: Sequence[int]) -> list[float]:
    """The value of one problem at each k."""
    if not places:
        return []
    if strategy == Majority():
        clusters = [(cluster.members, bool(cluster.correct)) for cluster in pool.clusters]
        inner = [k for k in places if k < pool.num_candidates]  # of all there is one subset, and its vote is known
        row = majority_curve(clusters, pool.num_candidates, inner[-1] if inner else 1)
        return [row[min(k, len(row)) - 1] for k in places]
    members = [(pool.scores[i], bool(c.correct)) for c in pool.clusters for i in c.members]
    scores, correct = [score for score, _ in members], [label for _, label in members]
    return best_of_curve(scores, correct, places, pool.num_candidates - len(members))
