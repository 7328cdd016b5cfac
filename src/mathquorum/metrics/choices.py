"""What strategies choose of pools, each choice made once, however many figures are made of it."""

from __future__ import annotations

from collections.abc import Sequence

from mathquorum.metrics import Pool
from mathquorum.records import AnswerCluster
from mathquorum.selection import Strategy

__all__ = ["Choices", "is_right"]


class Choices:
    """The choices of strategies, which are told apart by name.

    Args:
        pools: One per problem.
    """

    def __init__(self, pools: Sequence[Pool]) -> None:
        self.pools = pools
        self._chosen: dict[str, list[AnswerCluster | None]] = {}

    def of(self, strategy: Strategy) -> Sequence[AnswerCluster | None]:
        """One per pool; None where nothing could be chosen."""
        if strategy.name not in self._chosen:
            self._chosen[strategy.name] = [strategy.select(pool.clusters, pool.scores) for pool in self.pools]
        return self._chosen[strategy.name]

    def right(self, strategy: Strategy) -> list[float]:
        """1 where the choice is correct; 0 where it is not, or nothing could be chosen."""
        return [float(chosen is not None and bool(chosen.correct)) for chosen in self.of(strategy)]


def is_right(strategy: Strategy, pool: Pool) -> float:
    """Answers as `Choices.right` does, for one pool."""
    return Choices([pool]).right(strategy)[0]
