"""Re-ranking: the answer of the best-scored candidate, out of all clusters or of the largest ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from mathquorum.records import AnswerCluster
from mathquorum.selection.base import all_members, at_least_one, member_scores

__all__ = ["Rerank"]


@dataclass(frozen=True)
class Rerank:
    """The cluster of the best-scored candidate (RR.All in the paper; with top_clusters, RR.MajK).

    RR.MajK looks at all candidates in the K largest clusters (Table 3, caption). So K = 1 is Maj1, and K = all is
    RR.All, the verifier best-of-N of Cobbe et al. 2021 (arXiv 2110.14168).
    """

    top_clusters: int | None = None
    needs_scores = True

    def __post_init__(self) -> None:
        at_least_one("top_clusters", self.top_clusters)

    @property
    def name(self) -> str:
        return "rr.all" if self.top_clusters is None else f"rr.top{self.top_clusters}"

    def wanted(self, clusters: Sequence[AnswerCluster]) -> list[int]:
        """See `Strategy`."""
        return all_members(clusters[: self.top_clusters])

    @staticmethod
    def rank(scores: Sequence[float]) -> tuple[float, float]:
        """What the chosen cluster has the highest of, from the scores of its members."""
        return max(scores), fsum(scores)

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        considered = clusters[: self.top_clusters]
        if len(considered) == 1:
            return considered[0]
        ranks = list(map(self.rank, member_scores(considered, scores)))
        best = max(range(len(considered)), key=ranks.__getitem__, default=None)
        return None if best is None else considered[best]
