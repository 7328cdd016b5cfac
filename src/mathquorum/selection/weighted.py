"""The weighted vote: every candidate votes with its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from mathquorum.records import AnswerCluster
from mathquorum.selection.base import all_members, at_least_one, member_scores

__all__ = ["WeightedVote"]


@dataclass(frozen=True)
class WeightedVote:
    """The cluster whose scores have the largest sum (W.RR in the paper; with top_clusters, W.RR.MajK).

    Uesato et al. 2022 (arXiv 2211.14275), Li et al. 2022 (arXiv 2206.02336). The sum is over probabilities, not their
    logarithms, which would punish large clusters. Equal scores make it Maj1.
    """

    top_clusters: int | None = None
    needs_scores = True

    def __post_init__(self) -> None:
        at_least_one("top_clusters", self.top_clusters)

    @property
    def name(self) -> str:
        return "w.rr" if self.top_clusters is None else f"w.rr.top{self.top_clusters}"

    def wanted(self, clusters: Sequence[AnswerCluster]) -> list[int]:
        """See `Strategy`."""
        return all_members(clusters[: self.top_clusters])

    @staticmethod
    def rank(scores: Sequence[float]) -> float:
        """What the chosen cluster has the highest of, from the scores of its members."""
        return fsum(scores)

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        considered = clusters[: self.top_clusters]
        if len(considered) == 1:
            return considered[0]
        sums = list(map(self.rank, member_scores(considered, scores)))
        best = max(range(len(considered)), key=sums.__getitem__, default=None)
        return None if best is None else considered[best]
