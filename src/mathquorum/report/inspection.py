"""Problems to look at: their clusters with counts, shares and scores, and which strategy chose which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import fsum
from typing import Any

from mathquorum.answers import explain, explain_match
from mathquorum.metrics import Pool
from mathquorum.metrics.choices import Choices
from mathquorum.records import AnswerCluster, Problem
from mathquorum.selection import Strategy

__all__ = ["InspectedCluster", "InspectedProblem", "inspect_problems", "inspection_json"]

MAX_CLUSTERS = 8
MAX_CHARACTERS = 4000
MAX_FORMS = 12


@dataclass(frozen=True)
class InspectedCluster:
    """One cluster.

    Attributes:
        mean_score: None without an evaluator.
        solution: The earliest member's text.
        graded: The rule that decided whether the answer is correct.
        joined: Each other way in which members wrote the answer, with the rule that joined it to the first.
    """

    answer: str
    count: int
    share: float
    correct: bool
    mean_score: float | None
    best_score: float | None
    chosen_by: tuple[str, ...]
    solution: str
    graded: str = ""
    joined: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class InspectedProblem:
    """One problem. `num_more` clusters, the smallest, are left out."""

    problem_id: str
    text: str
    reference: str
    num_candidates: int
    num_unanswered: int
    clusters: tuple[InspectedCluster, ...]
    num_more: int


def inspect_problems(
    choices: Choices,
    strategies: Sequence[Strategy],
    problems: Mapping[str, Problem],
    solutions: Mapping[str, Mapping[int, str]],
    answers: Mapping[str, Mapping[int, str]],
    limit: int,
) -> list[InspectedProblem]:
    """Up to `limit` problems, those first where strategies part, then those that a vote lost, then the rest.

    Args:
        choices: Of all problems.
        problems: By id.
        solutions: Text of a candidate by problem and index; only those of earliest members are read.
        answers: Answer of a candidate likewise, of all members.
        limit: At most so many.
    """
    chosen = [
        (pool, {strategy.name: choices.of(strategy)[place] for strategy in strategies})
        for place, pool in enumerate(choices.pools)
    ]
    ranked = sorted(chosen, key=lambda item: _interest(*item))  # a stable sort: ties stay in their order
    return [_inspect(*item, problems[item[0].problem_id], solutions, answers) for item in ranked[:limit]]


def _interest(pool: Pool, chosen: Mapping[str, AnswerCluster | None]) -> int:
    verdicts = {cluster is not None and bool(cluster.correct) for cluster in chosen.values()}
    if len(verdicts) == 2:
        return 0
    return 1 if verdicts == {False} and pool.num_correct else 2


def _inspect(
    pool: Pool,
    chosen: Mapping[str, AnswerCluster | None],
    problem: Problem,
    solutions: Mapping[str, Mapping[int, str]],
    answers: Mapping[str, Mapping[int, str]],
) -> InspectedProblem:
    # A cluster that is correct, or that a strategy chose, is shown however small it is.
    shown = [
        cluster
        for place, cluster in enumerate(pool.clusters)
        if place < MAX_CLUSTERS or cluster.correct or any(cluster is other for other in chosen.values())
    ]
    clusters = []
    for cluster in shown:
        scores = [pool.scores[index] for index in cluster.members if index in pool.scores]
        clusters.append(
            InspectedCluster(
                answer=cluster.answer,
                count=len(cluster.members),
                share=len(cluster.members) / pool.num_candidates,
                correct=bool(cluster.correct),
                mean_score=fsum(scores) / len(scores) if scores else None,
                best_score=max(scores, default=None),
                chosen_by=tuple(name for name, other in chosen.items() if other is cluster),
                solution=solutions.get(pool.problem_id, {}).get(cluster.members[0], "")[:MAX_CHARACTERS],
                graded=explain_match(problem.answer or "", cluster.answer).rule,
                joined=_joined(cluster, answers.get(pool.problem_id, {})),
            )
        )
    return InspectedProblem(
        problem_id=pool.problem_id,
        text=problem.text,
        reference=problem.answer or "",
        num_candidates=pool.num_candidates,
        num_unanswered=pool.num_candidates - pool.num_answered,
        clusters=tuple(clusters),
        num_more=len(pool.clusters) - len(shown),
    )


def _joined(cluster: AnswerCluster, answers: Mapping[int, str]) -> tuple[tuple[str, str], ...]:
    written = dict.fromkeys(answers.get(index, cluster.answer) for index in cluster.members)
    others = [answer for answer in written if answer != cluster.answer]
    return tuple((answer[:MAX_CHARACTERS], explain(answer, cluster.answer).rule) for answer in others[:MAX_FORMS])


def inspection_json(inspected: Sequence[InspectedProblem]) -> list[dict[str, Any]]:
    """The content of `inspection.json`."""
    return [asdict(problem) for problem in inspected]
