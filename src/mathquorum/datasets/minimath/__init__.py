"""minimath: a seeded suite of MATH-like problems, eight subjects by five levels, made on the fly.

Problem    "Find t if 5t-12=23."
Fine       "5t=23+12\\n23+10=33\\n33+2=35\\n35/5=7\\nThe answer is \\boxed{t=7}"
Terse      "5t=23+12\\n23+12=35\\n35/5=7\\n\\boxed{7}"
Answer     "7"

A problem's text alone decides its split, by its hash: no problem can be in two splits, whatever the seed and the
number of problems. The pretrain split is for a base model (`recipes/tiny_base.py`), the train split for the
generator, the evaluator split for labelling the generator's candidates: a generator solves the problems that it was
fine-tuned on better than fresh ones, so labels must come from fresh ones (measured: 75.7% against 66.5%).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

from mathquorum.datasets.minimath import (
    arithmetic,
    counting,
    equations,
    expressions,
    fractions,
    number_theory,
    sequences,
    word_problems,
)
from mathquorum.datasets.minimath.exercise import Exercise, Maker
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.worksheet import DeadEnd, Step, Worksheet
from mathquorum.errors import SettingsError, suggest
from mathquorum.records import LabeledSolution, Problem

__all__ = [
    "SPLITS",
    "STYLES",
    "SUBJECTS",
    "PosedExercise",
    "WorkedSolution",
    "load",
    "load_flawed",
    "load_solutions",
    "pose",
    "split_of",
    "work_out",
]

SUBJECTS: dict[str, tuple[Maker, ...]] = {
    "arithmetic": arithmetic.LEVELS,
    "fractions": fractions.LEVELS,
    "equations": equations.LEVELS,
    "sequences": sequences.LEVELS,
    "counting": counting.LEVELS,
    "number_theory": number_theory.LEVELS,
    "word_problems": word_problems.LEVELS,
    "expressions": expressions.LEVELS,
}
STYLES = ("fine", "terse")
# Each split's share of all problem texts, in percent, and how many problems it has unless asked for another number.
SHARES = {"pretrain": 50, "train": 15, "evaluator": 20, "validation": 5, "test": 10}
SPLITS = {"pretrain": 10_000, "train": 3_000, "evaluator": 6_000, "validation": 200, "test": 500}
# A cell of subject and level whose texts are used up gives no new one for this many draws.
MAX_DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class PosedExercise:
    """An exercise with its place in the suite."""

    id: str
    subject: str
    level: int
    exercise: Exercise


def split_of(text: str) -> str:
    """The split that a problem belongs to: its normalised text decides."""
    digest = hashlib.sha256(" ".join(text.lower().split()).encode()).digest()
    place = int.from_bytes(digest[:8], "big") % 100
    for split, share in SHARES.items():
        place -= share
        if place < 0:
            return split
    raise AssertionError("the shares add up to 100")


def pose(split: str, num_problems: int | None = None, seed: int = 0) -> Iterator[PosedExercise]:
    """Distinct exercises of a split, subjects and levels in turn; a smaller number gives a prefix.

    Raises:
        SettingsError: If the split is unknown.
    """
    if split not in SPLITS:
        raise SettingsError(f"Unknown split {split!r} of minimath. {suggest(split, SPLITS)}")
    return islice(_endless(split, seed), SPLITS[split] if num_problems is None else num_problems)


def _endless(split: str, seed: int) -> Iterator[PosedExercise]:
    rng = Random(f"minimath/{split}/{seed}")
    label = split if seed == 0 else f"{split}-{seed}"
    counts = dict.fromkeys(SUBJECTS, 0)
    seen: set[str] = set()
    cells = [(subject, level) for level in range(5) for subject in SUBJECTS]
    exhausted: set[tuple[str, int]] = set()
    for subject, level in cycle(cells):
        if (subject, level) in exhausted:
            if len(exhausted) == len(cells):
                return
            continue
        exercise = _fresh(SUBJECTS[subject][level], split, seen, rng)
        if exercise is None:
            exhausted.add((subject, level))
            continue
        yield PosedExercise(f"minimath/{label}/{subject}/{counts[subject]}", subject, level + 1, exercise)
        counts[subject] += 1


def _fresh(make: Maker, split: str, seen: set[str], rng: Random) -> Exercise | None:
    for _ in range(MAX_DRAWS):
        exercise = make(rng)
        if exercise.text not in seen and split_of(exercise.text) == split:
            seen.add(exercise.text)
            return exercise
    return None


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
        >>> posed = next(pose("test", 1))
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
