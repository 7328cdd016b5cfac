"""The seam of selection: what a strategy is, and how it looks up the scores of a cluster's members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Protocol

from mathquorum.errors import DataError, SettingsError
from mathquorum.records import AnswerCluster

__all__ = ["Strategy", "all_members", "at_least_one", "best_first", "member_scores"]


class Strategy(Protocol):
    """A rule that chooses one cluster of a problem.

    Only a candidate that has an answer is in a cluster, so only such a candidate can be chosen.

    Every strategy breaks ties by the same two rules (our choice: the paper gives none), in this order: where it reads
    scores, the cluster with the larger summed score; then the order of the clusters, which is largest first and then
    earliest member. `TopScored` explains its one exception.
    """

    @property
    def name(self) -> str:
        """The name, as in the paper: "maj1", "rr.top8", "w.rr". `selection.strategy` turns it back into the strategy."""

    @property
    def needs_scores(self) -> bool:
        """False where the choice depends on the clusters alone, so that no evaluator is called."""

    def wanted(self, clusters: Sequence[AnswerCluster]) -> Sequence[int]:
        """The candidates whose scores the choice depends on, so that an evaluator is asked about no others."""

    def select(self, clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> AnswerCluster | None:
        """The chosen cluster; None when there is none to choose from.

        Args:
            clusters: The clusters of one problem, in the order that `AnswerCluster` declares.
            scores: The evaluator's score of each candidate that is wanted, or of more, by `Candidate.index`; higher is better.

        Raises:
            DataError: If a score that the rule needs is missing.
        """


def all_members(clusters: Sequence[AnswerCluster]) -> list[int]:
    """What is wanted by a strategy that compares the scores of these clusters: nothing where there is no choice."""
    return [index for cluster in clusters for index in cluster.members] if len(clusters) > 1 else []


def member_scores(clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> list[list[float]]:
    """The scores of each cluster's members.

    Raises:
        DataError: If some are missing; the text counts them.
    """
    try:
        return [list(map(scores.__getitem__, cluster.members)) for cluster in clusters]
    except KeyError:
        wanted = [index for cluster in clusters for index in cluster.members]
        missing = sorted(index for index in wanted if index not in scores)
        raise DataError(
            f"{clusters[0].problem_id}: {len(missing)} of {len(wanted)} candidates to choose from have no score "
            f"(first: candidate {missing[0]}). Score them, or use a strategy that needs no scores: maj1."
        ) from None


def best_first(clusters: Sequence[AnswerCluster], scores: Mapping[int, float]) -> list[tuple[int, float]]:
    """The position of its cluster and the score of every candidate, the best score first; equals by the common tie rules.

    Raises:
        DataError: If scores are missing.
    """
    members = member_scores(clusters, scores)
    sums = [fsum(values) for values in members]
    ranked = sorted((-value, -sums[position], position) for position, values in enumerate(members) for value in values)
    return [(position, -value) for value, _, position in ranked]


def at_least_one(name: str, value: int | None) -> None:
    """Checks a count that a strategy is made with; None, for all, is fine.

    Raises:
        SettingsError: If it is not an int of at least 1.
    """
    if value is not None and (type(value) is not int or value < 1):
        raise SettingsError(f"{name} must be an int of at least 1. Got {value!r} instead.")
