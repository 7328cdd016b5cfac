"""mathquorum: fine-tune, sample, cluster, vote and re-rank (arXiv 2310.10047).

    >>> import mathquorum as mq
    >>> mq.equivalent(r"\\frac{1}{2}", "0.5")
    True

Importing this costs nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mathquorum.answers import (
        cluster_answers,
        cluster_candidates,
        equivalent,
        explain,
        extract_answer,
        matches_reference,
    )
    from mathquorum.records import AnswerCluster, Candidate, Estimate, LabeledSolution, Problem, Score, Selection

__version__ = "0.1.0"

__all__ = [
    "AnswerCluster",
    "Candidate",
    "Estimate",
    "LabeledSolution",
    "Problem",
    "Score",
    "Selection",
    "__version__",
    "cluster_answers",
    "cluster_candidates",
    "equivalent",
    "explain",
    "extract_answer",
    "matches_reference",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = import_module("mathquorum.records" if name[0].isupper() else "mathquorum.answers")
    return getattr(home, name)
