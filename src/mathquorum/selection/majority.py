"""The majority vote: self-consistency (Wang et al. 2022, arXiv 2203.11171)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mathquorum.records import AnswerCluster

__all__ = ["Majority"]


@dataclass(frozen=True)
class Majority:
    """The largest cluster (Maj1 in the paper). A tie goes to the earliest member, so that it needs no evaluator."""

    needs_scores = False

    @property
    def name(self) -> str:
        return "maj1"

    def wanted(self, clusters: Sequence[AnswerCluster]) -> list[int]:
        """See `Strategy`."""
        return []

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        return clusters[0] if clusters else None
