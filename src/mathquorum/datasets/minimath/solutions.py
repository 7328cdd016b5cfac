"""Problems and solutions as records: right ones in two styles, and flawed ones with the places where they go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from mathquorum.datasets.minimath.exercise import Exercise
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.suite import PosedExercise, pose
from mathquorum.datasets.minimath.worksheet import DeadEnd, Step, Worksheet
from mathquorum.errors import SettingsError, suggest
from mathquorum.records import LabeledSolution, Problem

__all__ = ["STYLES", "WorkedSolution", "load", "load_flawed", "load_solutions", "work_out"]

STYLES = ("fine", "terse")


@dataclass(frozen=True, slots=True)
class WorkedSolution:
    """The steps of a solution, the answer that it reaches, and how it writes that answer."""

    steps: tuple[Step, ...]
    answer: Answer
    written: str

    @property
    def text(self) -> str:
        return "".join(step.text for step in self.steps)


def work_out(
    exercise: Exercise, seed: str, style: str = "fine", slip_rate: float = 0.0, habit_rate: float = 0.0
) -> WorkedSolution:
    """Solve an exercise; the rates at zero give a right solution.

    Example:
        >>> posed = next(pose("test"))
        >>> work_out(posed.exercise, seed="0").answer == work_out(posed.exercise, seed="1", style="terse").answer
        True
    """
    rng = Random(seed)
    while True:
        sheet = Worksheet(rng, style, slip_rate, habit_rate)
        try:
            answer = exercise.solve(sheet)
        except DeadEnd:
            continue
        written = rng.choice(answer.forms())
        sheet.write(f"The answer is \\boxed{{{written}}}" if style == "fine" else f"\\boxed{{{written}}}")
        *steps, last = sheet.steps
        return WorkedSolution((*(Step(step.text + "\n", step.good) for step in steps), last), answer, written)


def load(split: str, num_problems: int | None = None, seed: int = 0) -> Iterator[Problem]:
    """The problems of a split: "pretrain", "train", "evaluator", "validation" or "test".

    Raises:
        SettingsError: If the split is unknown.

    Example:
        >>> [problem.id for problem in load("test", 2)]
        ['minimath/test/arithmetic/0', 'minimath/test/fractions/0']
    """
    for posed in pose(split, num_problems, seed):
        worked = work_out(posed.exercise, seed=f"{posed.id}/fine")
        yield Problem(
            id=posed.id,
            text=posed.exercise.text,
            answer=worked.answer.forms()[0],
            solution=worked.text,
            subject=posed.subject,
            level=posed.level,
        )


def load_solutions(split: str, style: str, num_problems: int | None = None, seed: int = 0) -> Iterator[LabeledSolution]:
    """One right solution per problem, in the style "fine" (hard operations taken apart) or "terse".

    Raises:
        SettingsError: If the split or the style is unknown.
    """
    _check_style(style)
    for posed in pose(split, num_problems, seed):
        yield _labeled(posed, work_out(posed.exercise, f"{posed.id}/{style}", style), style, correct=True)


def load_flawed(
    split: str,
    style: str = "fine",
    num_problems: int | None = None,
    seed: int = 0,
    *,
    num_solutions: int = 4,
    slip_rate: float = 0.06,
    habit_rate: float = 0.4,
) -> Iterator[LabeledSolution]:
    """Several solutions per problem in which things go wrong by chance, labelled by their final answer.

    A rating is 1 for a good step, -1 for a step that goes wrong itself, 0 for a step that builds on an earlier wrong
    one. The first wrong step is thus the first -1. A solution may reach the right answer over a wrong step.

    Raises:
        SettingsError: If the split or the style is unknown.
    """
    _check_style(style)
    for posed in pose(split, num_problems, seed):
        right = work_out(posed.exercise, posed.id).answer
        for i in range(num_solutions):
            worked = work_out(posed.exercise, f"{posed.id}/{style}/{i}", style, slip_rate, habit_rate)
            yield _labeled(posed, worked, style, correct=worked.answer.value == right.value)


def _check_style(style: str) -> None:
    if style not in STYLES:
        raise SettingsError(f"Unknown style {style!r} of minimath. {suggest(style, STYLES)}")


def _labeled(posed: PosedExercise, worked: WorkedSolution, style: str, correct: bool) -> LabeledSolution:
    ratings = []
    for step in worked.steps:
        ratings.append(-1 if not step.good else 0 if -1 in ratings else 1)
    return LabeledSolution(
        problem_id=posed.id,
        problem=posed.exercise.text,
        solution=worked.text,
        correct=correct,
        style=style,
        steps=tuple(step.text for step in worked.steps),
        ratings=tuple(ratings),
    )
