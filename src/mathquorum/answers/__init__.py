"""Final answers: found in text, read into canonical keys, compared, clustered and graded.

    extract_answer(text)                    the final answer of a solution, or None
    equivalent(a, b), explain(a, b)         the relation that forms clusters, and the rule that decided
    matches_reference(reference, answer)    the relation plus what the reference's form allows
    cluster_answers(answers)                indices of equivalent answers, largest first

Importing this costs nothing: each name is loaded when it is first used, and sympy only ever runs in worker processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mathquorum.answers.cluster import cluster_answers, cluster_candidates
    from mathquorum.answers.equivalence import Verdict, equivalent, explain, explain_match, matches_reference
    from mathquorum.answers.extract import Extraction, extract_answer, find_answer
    from mathquorum.answers.settings import EquivalenceSettings
    from mathquorum.answers.symbolic import SymbolicReport, symbolic_report

__all__ = [
    "EquivalenceSettings",
    "Extraction",
    "SymbolicReport",
    "Verdict",
    "cluster_answers",
    "cluster_candidates",
    "equivalent",
    "explain",
    "explain_match",
    "extract_answer",
    "find_answer",
    "grade",
    "matches_reference",
    "symbolic_report",
]

_HOMES = {
    **dict.fromkeys(("cluster_answers", "cluster_candidates"), "cluster"),
    **dict.fromkeys(("Verdict", "equivalent", "explain", "explain_match", "matches_reference"), "equivalence"),
    **dict.fromkeys(("Extraction", "extract_answer", "find_answer"), "extract"),
    **dict.fromkeys(("SymbolicReport", "symbolic_report"), "symbolic"),
    "EquivalenceSettings": "settings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def grade(reference: str, answer: str) -> bool:
    """Whether an answer, or a text that holds one, is right: `matches_reference` by the name that benchmarks use."""
    from mathquorum.answers.equivalence import matches_reference

    return matches_reference(reference, answer)
