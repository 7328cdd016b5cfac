"""Turn graded candidates into the evaluator's training data."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from mathquorum.config import InputPath, Settings
from mathquorum.errors import DataError
from mathquorum.metrics.pool_files import read_candidates
from mathquorum.records import AnswerCluster, LabeledSolution, Problem
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_records, write_records

__all__ = ["Label"]

_Texts = dict[str, tuple[dict[str, None], dict[str, None]]]
"""Per problem the distinct correct and incorrect texts, in order of appearance."""


class Label(Settings):
    """Makes labeled.jsonl: for each problem solved by some candidates and missed by others, some of both.

    A candidate without an answer is incorrect. Equal texts are taken once. Problems with one label only are left out and
    counted: they teach which problem is hard, not which solution is right.
    """

    problems: InputPath
    candidates: InputPath
    clusters: InputPath
    max_per_label: int = Field(default=8, ge=1)
    """Correct, and likewise incorrect, solutions kept per problem. Objectives draw from them; the paper builds 10 examples
    per problem from its 64 candidates (PAPER.md section 2.3)."""
    references: Literal["never", "if_needed"] = "if_needed"
    """"if_needed": when not one problem has candidates of both labels (a model that solves nothing yet), the reference
    solutions stand in for correct candidates; counted. They are not the model's own, so style gives them away: take
    more candidates or easier problems as soon as you can."""
    style: str | None = None
    """The style tag of the generator that wrote the candidates, kept for a likelihood term on them."""
    seed: int = 0

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`.

        Raises:
            DataError: If no problem has candidates of both labels.
        """
        problems = {problem.id: problem for problem in read_records(self.problems, Problem)}
        correct = {
            (cluster.problem_id, index)
            for cluster in read_records(self.clusters, AnswerCluster)
            if cluster.correct
            for index in cluster.members
        }
        texts: _Texts = {}
        ungraded = {problem.id for problem in problems.values() if problem.answer is None}
        for candidate in read_candidates(self.candidates):
            if candidate.text.strip() and candidate.problem_id not in ungraded:
                right, wrong = texts.setdefault(candidate.problem_id, ({}, {}))
                (right if (candidate.problem_id, candidate.index) in correct else wrong)[candidate.text] = None
        all_correct = sum(not wrong for _, wrong in texts.values())
        all_incorrect = sum(not right for right, _ in texts.values())
        stand_ins = 0
        if all_correct + all_incorrect == len(texts) and self.references == "if_needed":
            for problem_id, (right, wrong) in texts.items():
                solution = problems[problem_id].solution
                if wrong and solution:
                    right[solution] = None
                    stand_ins += 1
        labeled = [item for name, of_problem in texts.items() for item in self._labeled(problems[name], *of_problem)]
        if not labeled:
            raise DataError(
                f"No problem of {len(texts)} has both correct and incorrect candidates ({all_correct} all correct, "
                f"{all_incorrect} without a correct one), so there is nothing to teach an evaluator with. Sample more "
                "candidates per problem, or take other problems."
            )
        write_records(out / "labeled.jsonl", labeled)
        return {
            "problems": len({item.problem_id for item in labeled}),
            "without a reference answer": len(ungraded),
            "all candidates correct": all_correct,
            "no candidate correct": all_incorrect,
            "correct": sum(item.correct for item in labeled),
            "incorrect": sum(not item.correct for item in labeled),
            "references standing in for correct candidates": stand_ins,
        }

    def _labeled(self, problem: Problem, right: dict[str, None], wrong: dict[str, None]) -> Iterator[LabeledSolution]:
        if not right or not wrong:
            return
        for label, of_label in ((True, right), (False, wrong)):
            draws = random.Random(f"{self.seed}/{problem.id}/{label}")
            for text in draws.sample(list(of_label), min(self.max_per_label, len(of_label))):
                yield LabeledSolution(problem.id, problem.text, text, label, self.style)
