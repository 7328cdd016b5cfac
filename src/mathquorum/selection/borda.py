"""The Borda count by score (Kang et al. 2025, "Scalable Best-of-N Selection via Self-Certainty", arXiv 2502.18581)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import fsum, inf

from mathquorum.errors import SettingsError
from mathquorum.records import AnswerCluster
from mathquorum.selection.base import all_members, best_first

__all__ = ["DEFAULT_POWER", "BordaVote"]

DEFAULT_POWER = 1.0


@dataclass(frozen=True)
class BordaVote:
    """The cluster with the most votes, where the candidate of rank r among N by score has (N - r + 1)^power of them.

    Only the order of the scores counts, so their scale does not matter. The paper chooses the power by N; 1, the plain Borda count,
    is our default. Power 0 is Maj1, save its ties; a large power is RR.All. Equal scores share their ranks' mean (our choice), so that constant
    scores are Maj1, too.
    """

    power: float = DEFAULT_POWER
    needs_scores = True

    def __post_init__(self) -> None:
        if not 0 <= self.power < inf:
            raise SettingsError(f"power must be a number of at least 0. Got {self.power!r} instead.")

    @property
    def name(self) -> str:
        return "borda" if self.power == DEFAULT_POWER else f"borda.p{self.power:g}"

    def wanted(self, clusters: Sequence[AnswerCluster]) -> list[int]:
        """See `Strategy`."""
        return all_members(clusters)

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        if len(clusters) <= 1:
            return clusters[0] if clusters else None
        ranked = best_first(clusters, scores)
        votes: list[list[float]] = [[] for _ in clusters]
        below = len(ranked)  # candidates from this rank on
        for _, equals in groupby(ranked, key=lambda item: item[1]):
            positions = [position for position, _ in equals]
            share = (below - (len(positions) - 1) / 2) / len(
                ranked
            )  # of the best rank's vote, so that no power overflows
            for position in positions:
                votes[position].append(share**self.power)
            below -= len(positions)
        whole = [fsum(scores[index] for index in cluster.members) for cluster in clusters]
        return clusters[max(range(len(clusters)), key=lambda position: (fsum(votes[position]), whole[position]))]
