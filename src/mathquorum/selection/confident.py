"""The weighted vote of the surest candidates (Fu et al. 2025, "Deep Think with Confidence", arXiv 2508.15260, offline form)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, fsum

from mathquorum.errors import SettingsError
from mathquorum.records import AnswerCluster
from mathquorum.selection.base import all_members, best_first

__all__ = ["ConfidentVote"]


@dataclass(frozen=True)
class ConfidentVote:
    """The largest sum of scores among the best-scored `kept_percent` of the candidates: one at least, and a part of one counts whole.

    The paper keeps 10 (few, sure) or 90 (nearly all), and scores by the generator's confidence. 100 is W.RR; a percentage that
    keeps one candidate is RR.All.
    """

    kept_percent: int
    needs_scores = True

    def __post_init__(self) -> None:
        if type(self.kept_percent) is not int or not 1 <= self.kept_percent <= 100:
            raise SettingsError(f"kept_percent must be an int from 1 to 100. Got {self.kept_percent!r} instead.")

    @property
    def name(self) -> str:
        return f"deepconf.keep{self.kept_percent}"

    def wanted(self, clusters: Sequence[AnswerCluster]) -> list[int]:
        """See `Strategy`."""
        return all_members(clusters)

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        if len(clusters) <= 1:
            return clusters[0] if clusters else None
        ranked = best_first(clusters, scores)
        kept: dict[int, list[float]] = {}
        for position, value in ranked[: ceil(len(ranked) * self.kept_percent / 100)]:
            kept.setdefault(position, []).append(value)
        whole = [fsum(scores[index] for index in cluster.members) for cluster in clusters]
        return clusters[max(sorted(kept), key=lambda position: (fsum(kept[position]), whole[position]))]
