"""Accuracy against the number of candidates by seeded draws, all draws of a problem at once: quick enough for any pool.

`mathquorum.metrics.curves` has the exact sums, and any strategy; they take seconds for 500 problems of 64 candidates, and these
half a second. Here are pass@k (exact), maj1 and, with scores, rr.all and w.rr. k = 1 and k = N are exact for all.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mathquorum.metrics import Pool, have_scores, pass_at_k
from mathquorum.metrics.choices import is_right
from mathquorum.metrics.curves import Curve, CurvePoint
from mathquorum.metrics.intervals import mean_estimate
from mathquorum.selection import Majority, Rerank, Strategy, WeightedVote

__all__ = ["drawn_curves"]

NUM_DRAWS = 8_000  # over all problems
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def drawn_curves(pools: Sequence[Pool], seed: int = 0, num_draws: int = NUM_DRAWS) -> list[Curve]:
    """Curves at k = 1, 2, 4, ... up to the smallest pool.

    Args:
        pools: Graded.
        seed: Of the draws. A problem's draws depend on it and on the problem's id alone.
        num_draws: Subsets per point, over all problems together; at least 16 for each problem.
    """
    smallest = min(pool.num_candidates for pool in pools)
    places = sorted({2**power for power in range(smallest.bit_length())} | {smallest})
    scored: list[Strategy] = [Rerank(), WeightedVote()] if have_scores(pools) else []
    strategies: list[Strategy] = [Majority(), *scored]
    values: dict[str, list[list[float]]] = {name: [] for name in ("pass", *(s.name for s in strategies))}
    each = max(16, -(-num_draws // len(pools)))
    for pool in pools:
        values["pass"].append([pass_at_k(pool.num_candidates, pool.num_correct, k) for k in places])
        draws = _Draws(pool, seed, each)
        for strategy in strategies:
            values[strategy.name].append([_share(strategy, pool, draws, k) for k in places])
    return [_curve(name, places, rows) for name, rows in values.items()]


def _share(strategy: Strategy, pool: Pool, draws: _Draws, k: int) -> float:
    if k == 1:
        return pool.num_correct / pool.num_candidates
    return is_right(strategy, pool) if k == pool.num_candidates else draws.share(strategy.name, k)


def _curve(name: str, places: Sequence[int], rows: Sequence[Sequence[float]]) -> Curve:
    points = []
    for k, values in zip(places, zip(*rows, strict=True), strict=True):
        estimate = mean_estimate(name, values)
        points.append(CurvePoint(k, estimate.value, estimate.low, estimate.high))
    return Curve(name, tuple(points), exact=name == "pass")


class _Draws:
    """Shuffles of one problem's candidates, and the clusters and scores of the first k of each."""

    def __init__(self, pool: Pool, seed: int, num_draws: int) -> None:
        random = np.random.default_rng([seed, zlib.crc32(pool.problem_id.encode("utf-8", "surrogatepass"))])
        size = pool.num_candidates
        self._num_clusters = len(pool.clusters)
        # Which slot a candidate has does not matter: members in the order of their indices take the first, the others the rest.
        members = sorted((index, number) for number, cluster in enumerate(pool.clusters) for index in cluster.members)
        self._cluster = np.full(size, self._num_clusters)  # of the slots; the last number stands for no answer
        self._cluster[: len(members)] = [number for _, number in members]
        self._score = np.full(size, -1.0)
        self._score[: len(members)] = [pool.scores.get(index, 0.0) for index, _ in members]
        self._correct = np.array([bool(cluster.correct) for cluster in pool.clusters] + [False])
        self._order = random.random((num_draws, size)).argsort(axis=1)  # (draws, candidates)
        self._cache: dict[int, tuple[Ints, Ints, Floats]] = {}

    def share(self, name: str, k: int) -> float:
        """The share of draws of k candidates that a strategy gets right."""
        if not self._num_clusters:
            return 0.0
        return float(self._correct[_RULES[name](self, k)].mean())

    def _first(self, k: int) -> tuple[Ints, Ints, Floats]:
        """What the first k hold: the slots, ascending; their clusters as numbers over all draws; the order of the vote, higher first."""
        if k not in self._cache:
            slots = np.sort(self._order[:, :k], axis=1)
            width = self._num_clusters + 1
            flat = self._cluster[slots] + width * np.arange(len(slots))[:, None]
            votes = np.bincount(flat.ravel(), minlength=width * len(slots)).astype(float)
            earliest = np.zeros(width * len(slots))
            earliest[flat[:, ::-1].ravel()] = slots[:, ::-1].ravel()  # of several members the earliest is written last
            ranks = (votes * (1 + slots.shape[1] + self._order.shape[1]) - earliest).reshape(len(slots), width)
            ranks[votes.reshape(ranks.shape) == 0] = -np.inf
            ranks[:, -1] = -1e300  # no answer: chosen only where there is nothing else
            self._cache = {k: (slots, flat, ranks)}
        return self._cache[k]

    def vote(self, k: int) -> Ints:
        """The cluster that each draw chooses by vote: ties to the one whose earliest member comes first."""
        return np.asarray(self._first(k)[2].argmax(axis=1))

    def best(self, k: int) -> Ints:
        """Chooses by the best score; candidates without an answer cannot be chosen."""
        slots = self._first(k)[0]
        places = self._score[slots].argmax(axis=1)
        return np.asarray(self._cluster[slots[np.arange(len(slots)), places]])

    def weighted(self, k: int) -> Ints:
        """Chooses by the largest sum of scores: ties by the order of the vote."""
        slots, flat, ranks = self._first(k)
        sums = np.bincount(flat.ravel(), np.maximum(self._score[slots], 0).ravel(), minlength=ranks.size).reshape(
            ranks.shape
        )
        sums[np.isneginf(ranks)] = -1.0
        sums[:, -1] = -0.5
        leads = sums >= sums.max(axis=1, keepdims=True) - 1e-12
        return np.asarray(np.where(leads, ranks, -np.inf).argmax(axis=1))


_RULES: Mapping[str, Callable[[_Draws, int], Ints]] = {
    Majority().name: _Draws.vote,
    Rerank().name: _Draws.best,
    WeightedVote().name: _Draws.weighted,
}
