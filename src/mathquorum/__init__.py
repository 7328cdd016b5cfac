"""mathquorum: fine-tune, sample, cluster, vote and re-rank (arXiv 2310.10047).

    >>> import mathquorum as mq
    >>> mq.equivalent(r"\\frac{1}{2}", "0.5")
    True

    grade(reference, answer)                        is it right?
    cluster(solutions)                              which solutions have equivalent answers?
    vote(samples, scores=..., references=...)       the vote and re-ranking on solutions that are there: a list, a file, a run
    solve(problem, model, evaluator)                sample, cluster, score and choose
    mathquorum.reward                               a strict grader for reinforcement learning

`docs/python.md` is the page of all this. Importing this costs nothing: each name is loaded when it is first used.
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
    from mathquorum.datasets.own_dataset import OwnDataset
    from mathquorum.door import cluster, grade, solve, vote
    from mathquorum.errors import DataError, MathquorumError, ModelError, RunError, SettingsError
    from mathquorum.objectives.own import OwnObjective
    from mathquorum.records import AnswerCluster, Candidate, Estimate, LabeledSolution, Problem, Score, Selection
    from mathquorum.scorers.own import OwnScorer
    from mathquorum.selection.own import OwnStrategy

__version__ = "0.1.0"

__all__ = [
    "AnswerCluster",
    "Candidate",
    "DataError",
    "Estimate",
    "LabeledSolution",
    "MathquorumError",
    "ModelError",
    "OwnDataset",
    "OwnObjective",
    "OwnScorer",
    "OwnStrategy",
    "Problem",
    "RunError",
    "Score",
    "Selection",
    "SettingsError",
    "__version__",
    "cluster",
    "cluster_answers",
    "cluster_candidates",
    "equivalent",
    "explain",
    "extract_answer",
    "grade",
    "matches_reference",
    "reward",
    "solve",
    "vote",
]


_HOMES = {
    "OwnDataset": "datasets.own_dataset",
    "OwnObjective": "objectives.own",
    "OwnScorer": "scorers.own",
    "OwnStrategy": "selection.own",
    **dict.fromkeys(("cluster", "grade", "solve", "vote"), "door"),
    **dict.fromkeys(("DataError", "MathquorumError", "ModelError", "RunError", "SettingsError"), "errors"),
    **dict.fromkeys(
        ("AnswerCluster", "Candidate", "Estimate", "LabeledSolution", "Problem", "Score", "Selection"), "records"
    ),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name == "reward":
        return import_module(f"{__name__}.reward")
    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'answers')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
