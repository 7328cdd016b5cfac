"""What strategies would choose of smaller pools: subsets of one pool, drawn by a seed, that nest from size to size."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from mathquorum.metrics.pools import Pool
from mathquorum.selection import Strategy
from mathquorum.selection.figures import figures
from mathquorum.selection.subsets import Bools, Subsets

__all__ = ["drawn_shares"]

_AT_ONCE = 2**20  # numbers of an array, so that one problem with thousands of candidates fits into memory


def drawn_shares(
    pool: Pool, strategies: Sequence[Strategy], places: Sequence[int], seed: int, num_draws: int
) -> dict[str, list[float]]:
    """By strategy the share of draws of which it chooses a correct candidate, one for each number of candidates.

    Args:
        places: Numbers of candidates, from 1 to less than all.
        seed: The draws depend on it and on the problem's id alone.
        num_draws: Shuffles; a draw of k candidates is the first k of one.
    """
    random = np.random.default_rng([seed, zlib.crc32(pool.problem_id.encode())])
    shuffles = np.array([random.permutation(pool.num_candidates) for _ in range(num_draws)])
    # Which slot of a shuffle a candidate has does not matter: members take the first slots, the unanswered the rest.
    slots = shuffles[:, : pool.num_answered]
    several = [k for k in places if k > 1]  # of one candidate every strategy is as right as it
    drawn = (slots < np.array(several)[:, None, None]).reshape(len(several) * num_draws, pool.num_answered)
    one = [pool.num_correct / pool.num_candidates] * (len(places) - len(several))
    return {
        strategy.name: one + found.reshape(len(several), num_draws).mean(axis=1).tolist()
        for strategy, found in zip(strategies, _right(pool, strategies, drawn), strict=True)
    }


def _right(pool: Pool, strategies: Sequence[Strategy], drawn: Bools) -> list[Bools]:
    """For each strategy whether its choice of each subset is correct."""
    correct = np.repeat([bool(c.correct) for c in pool.clusters], [len(c.members) for c in pool.clusters]).astype(bool)
    some, wrong = drawn @ correct, drawn @ ~correct
    right = [some & ~wrong for _ in strategies]  # whatever is chosen
    undecided = np.flatnonzero(some & wrong)
    step = max(1, _AT_ONCE // max(1, pool.num_answered))
    for start in range(0, len(undecided), step):
        rows = undecided[start : start + step]
        subsets = Subsets(pool.clusters, pool.scores, drawn[rows])
        for strategy, found in zip(strategies, right, strict=True):
            found[rows] = _chosen_right(strategy, subsets, pool)
    return right


def _chosen_right(strategy: Strategy, subsets: Subsets, pool: Pool) -> Bools:
    of_clusters = figures(strategy, subsets)
    if of_clusters is None:
        right = sure = np.zeros(len(subsets.drawn), dtype=bool)
    else:
        right, sure = subsets.right(of_clusters)
    for row in np.flatnonzero(~sure).tolist():
        chosen = strategy.select(subsets.clusters(row), pool.scores)
        right[row] = chosen is not None and bool(chosen.correct)
    return right
