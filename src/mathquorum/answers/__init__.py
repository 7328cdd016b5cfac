"""Final answers: found in text, read into canonical keys, compared, clustered and graded.

    extract_answer(text)                    the final answer of a solution, or None
    equivalent(a, b), explain(a, b)         the relation that forms clusters, and the rule that decided
    matches_reference(answer, reference)    the relation plus what the reference's form allows
    cluster_answers(answers)                indices of equivalent answers, largest first

Nothing heavy is imported until an answer needs it: sympy only ever runs in worker processes.
"""

from __future__ import annotations

from collections.abc import Sequence

from mathquorum.answers.cluster import cluster_answers, cluster_candidates
from mathquorum.answers.equivalence import Verdict, equivalent, explain, matches_reference
from mathquorum.answers.extract import Extraction, extract_answer, find_answer

__all__ = [
    "Extraction",
    "Verdict",
    "cluster_answers",
    "cluster_candidates",
    "cluster_labels",
    "equivalent",
    "explain",
    "extract_answer",
    "find_answer",
    "grade",
    "matches_reference",
]


def grade(gold: str, pred: str) -> bool:
    """Whether `pred`, an answer or a text that holds one, is right by the reference `gold`."""
    return matches_reference(pred, gold)


def cluster_labels(answers: Sequence[str]) -> list[int]:
    """For each answer the number of its cluster."""
    labels = [0] * len(answers)
    for number, members in enumerate(cluster_answers(answers)):
        for index in members:
            labels[index] = number
    return labels
