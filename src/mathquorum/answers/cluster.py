"""Candidates whose answers are equivalent, gathered in clusters: largest first, ties by earliest member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mathquorum.answers.choices import with_choices_joined
from mathquorum.answers.equivalence import matches_reference
from mathquorum.answers.reading import read
from mathquorum.answers.settings import DEFAULT, EquivalenceSettings
from mathquorum.records import AnswerCluster, Candidate, largest_first

__all__ = ["cluster_answers", "cluster_candidates"]


def cluster_answers(answers: Sequence[str | None], settings: EquivalenceSettings = DEFAULT) -> list[list[int]]:
    """The indices of equivalent answers, largest cluster first, ties by earliest member. None is in no cluster.

    Examples:
        >>> cluster_answers(["3", "0.5", None, "1/2"]), cluster_answers(["(B) 12", "C", "B", "12"])
        ([[1, 3], [0]], [[0, 2, 3], [1]])
    """
    clusters: dict[tuple[Any, ...], list[int]] = {}
    for index, answer in enumerate(answers):
        if answer is not None:
            clusters.setdefault(read(answer, settings).key, []).append(index)
    return sorted(with_choices_joined(clusters), key=largest_first)


def cluster_candidates(
    problem_id: str,
    candidates: Sequence[Candidate],
    reference: str | None,
    settings: EquivalenceSettings = DEFAULT,
) -> list[AnswerCluster]:
    """The clusters of one problem's candidates, each correct or not as a whole.

    A cluster is correct when one of its answers matches the reference; correctness belongs to the cluster, so a vote and
    a pass@k never disagree about one answer. Without a reference it is None.
    """
    by_index = sorted(candidates, key=lambda c: c.index)
    answers = [c.answer for c in by_index]
    clusters = []
    for members in cluster_answers(answers, settings):
        written = [a for i in members if (a := answers[i]) is not None]
        correct = (
            None
            if reference is None
            else any(matches_reference(reference, a, settings) for a in dict.fromkeys(written))
        )
        clusters.append(AnswerCluster(problem_id, written[0], tuple(by_index[i].index for i in members), correct))
    return clusters
