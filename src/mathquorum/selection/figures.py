"""The built-in strategies once more, as arrays over many subsets: for each cluster the figure whose highest is chosen.

They serve curves, which ask about tens of thousands of subsets. What a strategy is, `select` alone says: it is asked wherever two
figures are too near each other (`Subsets.right`), and a strategy that is not named here is always asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mathquorum.selection.base import Strategy
from mathquorum.selection.borda import BordaVote
from mathquorum.selection.confident import ConfidentVote
from mathquorum.selection.majority import Majority
from mathquorum.selection.pessimistic import PessimisticVerification
from mathquorum.selection.rerank import Rerank
from mathquorum.selection.subsets import Floats, Subsets
from mathquorum.selection.top_scored import TopScored
from mathquorum.selection.weighted import WeightedVote

__all__ = ["figures"]


def figures(strategy: Strategy, subsets: Subsets) -> Floats | None:
    """The strategy's figures, (subsets, clusters): -inf for a cluster that cannot be chosen, NaN where only `select` can tell.
    None for a strategy that has none here, as for one that changes a built-in one."""
    found = _FIGURES.get(type(strategy))
    return found(strategy, subsets) if found else None


def _majority(strategy: Majority, subsets: Subsets) -> Floats:
    return subsets.order


def _rerank(strategy: Rerank, subsets: Subsets) -> Floats:
    return subsets.among(strategy.top_clusters, subsets.highest(subsets.scores))


def _weighted(strategy: WeightedVote, subsets: Subsets) -> Floats:
    return subsets.among(strategy.top_clusters, subsets.sums(subsets.scores))


def _top_scored(strategy: TopScored, subsets: Subsets) -> Floats:
    return subsets.sums(subsets.kept(strategy.num_kept)) + subsets.order  # whole numbers, and a part of one for ties


def _pessimistic(strategy: PessimisticVerification, subsets: Subsets) -> Floats:
    means = subsets.sums(subsets.scores) / np.maximum(subsets.sizes, 1)
    return means - strategy.alpha * np.log(subsets.num_drawn) / (subsets.sizes + 1)


def _confident(strategy: ConfidentVote, subsets: Subsets) -> Floats:
    kept = subsets.kept(np.ceil(subsets.num_drawn * strategy.kept_percent / 100))
    return np.where(subsets.highest(kept) == 0, -np.inf, subsets.sums(kept * subsets.scores))


def _borda(strategy: BordaVote, subsets: Subsets) -> Floats:
    above, up_to = subsets.ranks
    shares = (subsets.num_drawn - (above + up_to - 1) / 2) / subsets.num_drawn
    return subsets.sums(np.where(subsets.drawn, shares, 1.0) ** strategy.power)


_FIGURES: dict[type, Callable[[Any, Subsets], Floats]] = {
    Majority: _majority,
    Rerank: _rerank,
    WeightedVote: _weighted,
    TopScored: _top_scored,
    PessimisticVerification: _pessimistic,
    ConfidentVote: _confident,
    BordaVote: _borda,
}
