"""Pessimistic verification: the mean score of a cluster, less a penalty for being small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, inf, log

from mathquorum.errors import SettingsError
from mathquorum.records import AnswerCluster
from mathquorum.selection.base import all_members, member_scores

__all__ = ["DEFAULT_ALPHA", "PessimisticVerification"]

DEFAULT_ALPHA = 0.5


@dataclass(frozen=True)
class PessimisticVerification:
    """The cluster with the largest mean(scores) - alpha * ln(N) / (size + 1); N counts the candidates with an answer.

    Shi and Jin 2025; Montgomery et al. 2025 (arXiv 2510.14913), whose code has no one alpha: 0.5 is our choice.
    Alpha = 0 is the best mean score; a large alpha is Maj1, save that ties in size go to the better mean.
    """

    alpha: float = DEFAULT_ALPHA
    needs_scores = True

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < inf:
            raise SettingsError(f"alpha must be a number of at least 0. Got {self.alpha!r} instead.")

    @property
    def name(self) -> str:
        return "pv" if self.alpha == DEFAULT_ALPHA else f"pv.alpha{self.alpha:g}"

    def wanted(self, clusters: Sequence[AnswerCluster]) -> list[int]:
        """See `Strategy`."""
        return all_members(clusters)

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        if len(clusters) == 1:
            return clusters[0]
        votes = member_scores(clusters, scores)
        penalty = self.alpha * log(sum(map(len, votes)) or 1)
        ranks = [(fsum(v) / len(v) - penalty / (len(v) + 1), fsum(v)) for v in votes]
        best = max(range(len(clusters)), key=ranks.__getitem__, default=None)
        return None if best is None else clusters[best]
