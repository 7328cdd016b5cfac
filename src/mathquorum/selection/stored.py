"""Choices that were made before, by a strategy whose code is not asked for again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mathquorum.records import AnswerCluster

__all__ = ["StoredChoices"]


@dataclass(frozen=True)
class StoredChoices:
    """Chooses as a stored `Selection` says; None where there is none.

    Attributes:
        answers: By problem.
    """

    name: str
    needs_scores: bool
    answers: Mapping[str, str | None]

    def wanted(self, clusters: Sequence[AnswerCluster]) -> Sequence[int]:
        """Nothing: the choice is made."""
        return ()

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        """See `Strategy.select`."""
        answer = self.answers.get(clusters[0].problem_id) if clusters else None
        return next((cluster for cluster in clusters if cluster.answer == answer), None)
