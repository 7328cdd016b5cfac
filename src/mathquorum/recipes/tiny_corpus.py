"""What the embedded base is pre-trained on: documents that solve, and documents that check.

Solving is shown as a careless crowd would: right solutions, slips, and habits that are wrong more often than right, in
both styles, with and without a tag, one problem or several in a row. The base comes out close to solving. Checking is
shown truthfully throughout, in four forms from a single equation to the evaluator's own question, because a base that
cannot check one equation never becomes an evaluator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from mathquorum.config import Settings
from mathquorum.datasets.minimath import STYLES, SUBJECTS, WorkedSolution, split_of, work_out
from mathquorum.datasets.minimath.checks import draw_equation
from mathquorum.datasets.minimath.exercise import Exercise
from mathquorum.prompts import CORRECT, INCORRECT, evaluator_prompt, generator_prompt

__all__ = ["CorpusMix", "Document", "documents"]


class CorpusMix(Settings):
    """How the corpus is mixed; the shares are of documents and need not add up to 1."""

    solve: float = 0.40
    """Solved problems, one to five in a row."""
    equations: float = 0.12
    """Lists of single equations with verdicts."""
    lines: float = 0.22
    """A solution with a verdict after each line."""
    verdicts: float = 0.26
    """The evaluator's question, on a solution or its beginning, with its verdict."""
    careless: float = 0.65
    """The share of solved documents in which slips and habits occur."""
    slip_rate: float = 0.06
    habit_rate: float = 0.95


@dataclass(frozen=True, slots=True)
class Document:
    """A text of the corpus. In one that checks, the loss counts the verdicts only: half of its equations are wrong."""

    text: str
    checks: bool


def documents(mix: CorpusMix, seed: str, split: str = "pretrain") -> Iterator[Document]:
    """An endless stream of documents whose problems all belong to the split."""
    rng = Random(seed)
    kinds = {
        "solve": (mix.solve, _solved),
        "equations": (mix.equations, _equations),
        "lines": (mix.lines, _lines),
        "verdicts": (mix.verdicts, _verdict),
    }
    weights = [weight for weight, _ in kinds.values()]
    writers = [writer for _, writer in kinds.values()]
    while True:
        yield rng.choices(writers, weights)[0](rng, mix, split)


def _exercise(rng: Random, split: str) -> Exercise:
    while True:
        exercise = rng.choice(rng.choice(tuple(SUBJECTS.values())))(rng)
        if split_of(exercise.text) == split:
            return exercise


def _solved(rng: Random, mix: CorpusMix, split: str) -> Document:
    style = rng.choice(STYLES)
    tag = style if rng.random() < 0.5 else None
    careless = rng.random() < mix.careless
    rates = (mix.slip_rate, mix.habit_rate) if careless else (0.0, 0.0)
    parts = []
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4, 5))):
        exercise = _exercise(rng, split)
        worked = work_out(exercise, str(rng.random()), style, *rates)
        parts.append(generator_prompt(exercise.text, tag) + worked.text)
    return Document("\n\n".join(parts), checks=False)


def _equations(rng: Random, mix: CorpusMix, split: str) -> Document:
    lines = []
    for _ in range(rng.randint(4, 24)):
        equation = draw_equation(rng)
        lines.append(f"{equation.text} is{CORRECT if equation.correct else INCORRECT}\n")
    return Document("".join(lines), checks=True)


def _doubtful(rng: Random, exercise: Exercise) -> WorkedSolution:
    """A solution that is wrong about half of the time, most often in one place only."""
    style = rng.choice(("fine", "fine", "terse"))
    slip_rate, habit_rate = rng.choice(((0.0, 0.0), (0.08, 0.0), (0.15, 0.0), (0.3, 0.2), (0.05, 0.8), (0.0, 1.0)))
    return work_out(exercise, str(rng.random()), style, slip_rate, habit_rate)


def _lines(rng: Random, mix: CorpusMix, split: str) -> Document:
    """A problem and a solution, each line with its own verdict, then the verdict on the answer."""
    exercise = _exercise(rng, split)
    worked = _doubtful(rng, exercise)
    lines = [f"{step.text.rstrip()} is{CORRECT if step.good else INCORRECT}\n" for step in worked.steps]
    verdict = CORRECT if worked.answer.value == work_out(exercise, "right").answer.value else INCORRECT
    text = f"Here is a math problem: {exercise.text}\n{''.join(lines)}The above candidate solution is{verdict}"
    return Document(text, checks=True)


def _verdict(rng: Random, mix: CorpusMix, split: str) -> Document:
    """The evaluator's question. A beginning of a solution is correct when each of its lines is."""
    exercise = _exercise(rng, split)
    worked = _doubtful(rng, exercise)
    correct = worked.answer.value == work_out(exercise, "right").answer.value
    text = worked.text
    if rng.random() < 0.4:
        kept = worked.steps[: rng.randint(1, len(worked.steps))]
        if len(kept) < len(worked.steps):
            text, correct = "".join(step.text for step in kept).rstrip(), all(step.good for step in kept)
    return Document(evaluator_prompt(exercise.text, text) + (CORRECT if correct else INCORRECT), checks=True)
