"""The vote among the best-scored candidates (Cobbe et al. 2021, arXiv 2110.14168, section 4.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mathquorum.records import AnswerCluster
from mathquorum.selection.base import all_members, at_least_one, best_first

__all__ = ["TopScored"]


@dataclass(frozen=True)
class TopScored:
    """The majority among the `num_kept` best-scored candidates (Maj1.TopN in the paper).

    Among equal scores, candidates are kept by the common tie rules. A tie of the vote that follows goes by the order
    of the clusters alone, as in Maj1: only so is `num_kept` = all exactly Maj1. `num_kept` = 1 is RR.All.
    """

    num_kept: int
    needs_scores = True

    def __post_init__(self) -> None:
        at_least_one("num_kept", self.num_kept)

    @property
    def name(self) -> str:
        return f"maj1.top{self.num_kept}"

    def wanted(self, clusters: Sequence[AnswerCluster]) -> list[int]:
        """See `Strategy`."""
        return all_members(clusters)

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        if len(clusters) == 1:
            return clusters[0]
        return self.among(clusters, best_first(clusters, scores))

    def among(self, clusters: Sequence[AnswerCluster], ranked: Sequence[tuple[int, float]]) -> AnswerCluster | None:
        """Does what `select` does, of candidates that are ranked already (`best_first`)."""
        if self.num_kept >= len(ranked):
            return clusters[0] if clusters else None
        votes = Counter(position for position, _ in ranked[: self.num_kept])
        return clusters[max(votes, key=lambda position: (votes[position], -position))]
