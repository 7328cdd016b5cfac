"""What a dataset gives to training: its problems, its solutions, and what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mathquorum.records import LabeledSolution, Problem

__all__ = ["Reading", "Tally", "reference_solutions", "step_lines"]


@dataclass(frozen=True)
class Tally:
    """How many were read and kept, and how many dropped for which reason: read = kept + the sum of dropped.

    Attributes:
        unit: What is counted, for example "solutions".
        noted: What else should be known, in words, with how often; not part of the sum.
    """

    unit: str
    read: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """A dataset read whole. Every solution's `problem_id` is the id of one of the problems."""

    problems: tuple[Problem, ...]
    solutions: tuple[LabeledSolution, ...]
    tally: Tally


def reference_solutions(problems: Iterable[Problem]) -> Reading:
    """The problems with their reference solutions, labelled correct. One without an answer is no solution to learn from."""
    kept = tuple(problems)
    dropped: Counter[str] = Counter()
    solutions = []
    for problem in kept:
        if problem.solution is None or not problem.solution.strip():
            dropped["no reference solution"] += 1
        elif problem.answer is None:
            dropped["no reference answer"] += 1
        else:
            solutions.append(LabeledSolution(problem.id, problem.text, problem.solution, correct=True))
    return Reading(kept, tuple(solutions), Tally("solutions", len(kept), len(solutions), dict(dropped)))


def step_lines(steps: Sequence[str]) -> tuple[str, ...]:
    """Steps as `LabeledSolution.steps` has them: one line each, so that joined without a separator they are the solution.

    Example:
        >>> step_lines(["1+1=2", "The answer is 2."])
        ('1+1=2\\n', 'The answer is 2.')
    """
    texts = [step.strip() for step in steps]
    return (*(text + "\n" for text in texts[:-1]), *texts[-1:])
