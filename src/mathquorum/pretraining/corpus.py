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

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.datasets.minimath import STYLES, SUBJECTS, WorkedSolution, split_of, work_out
from mathquorum.datasets.minimath.checks import draw_equation
from mathquorum.datasets.minimath.exercise import Exercise
from mathquorum.prompts import CORRECT, INCORRECT, evaluator_prompt, generator_prompt

__all__ = ["MIXES", "CorpusMix", "Document", "Piece", "documents", "text_of"]


class CorpusMix(Settings):
    """How the corpus is mixed; the shares are of documents and need not add up to 1."""

    solve: float = 0.34
    """Solved problems, one to five in a row."""
    equations: float = 0.12
    """Lists of single equations with verdicts."""
    lines: float = 0.24
    """A solution with a verdict after each line."""
    questions: float = 0.30
    """The evaluator's question, on a solution or its beginning, with its verdict."""
    careless: float = 0.6
    """The share of solved documents in which slips and habits occur."""
    slip_rate: float = 0.03
    habit_rate: float = 0.9
    verdict_weight: float = Field(default=10.0, gt=0)
    """A verdict's weight in the loss, where any other counted token has 1."""
    question_weight: float = Field(default=10.0, gt=0)
    """The same for the one verdict of an evaluator's question."""


MIXES = {
    0: CorpusMix(),
    # Single lines are now judged right nine times of ten: more of the evaluator's questions, with more weight.
    5_200_000: CorpusMix(solve=0.22, equations=0.08, lines=0.16, questions=0.54, question_weight=40.0),
    # The learning rate begins to fall, and equations that stand alone begin to be learned.
    9_200_000: CorpusMix(solve=0.17, equations=0.185, lines=0.16, questions=0.485, question_weight=40.0),
}
"""The mix of the shipped base, from the given number of tokens on."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a document, and the weight of its tokens in the loss."""

    text: str
    weight: float


Document = tuple[Piece, ...]
"""Weight 0 has what no model could foresee (the numbers of a problem) and what it should not learn to write (an equation
that is wrong). Pieces end where tokens do."""


def documents(mix: CorpusMix, seed: str, split: str = "pretrain") -> Iterator[Document]:
    """An endless stream of documents whose problems all belong to the split."""
    rng = Random(seed)
    kinds = {
        "solve": (mix.solve, _solved),
        "equations": (mix.equations, _equations),
        "lines": (mix.lines, _lines),
        "questions": (mix.questions, _question),
    }
    weights = [weight for weight, _ in kinds.values()]
    writers = [writer for _, writer in kinds.values()]
    while True:
        yield rng.choices(writers, weights)[0](rng, mix, split)


def text_of(document: Document) -> str:
    return "".join(piece.text for piece in document)


def _exercise(rng: Random, split: str) -> Exercise:
    while True:
        subject, levels = rng.choice(tuple(SUBJECTS.items()))
        exercise = rng.choice(levels)(rng)
        if split_of(subject, exercise.text) == split:
            return exercise


def _solved(rng: Random, mix: CorpusMix, split: str) -> Document:
    style = rng.choice(STYLES)
    tag = style if rng.random() < 0.5 else None
    careless = rng.random() < mix.careless
    rates = (mix.slip_rate, mix.habit_rate) if careless else (0.0, 0.0)
    pieces: list[Piece] = []
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4, 5))):
        exercise = _exercise(rng, split)
        before, after = generator_prompt(exercise.text, tag).split(exercise.text)
        worked = work_out(exercise, str(rng.random()), style, *rates)
        pieces += [Piece("\n\n" + before if pieces else before, 1), Piece(exercise.text, 0)]
        pieces.append(Piece(after + worked.text, 1))
    return tuple(pieces)


def _equations(rng: Random, mix: CorpusMix, split: str) -> Document:
    pieces = []
    for _ in range(rng.randint(4, 24)):
        equation = draw_equation(rng)
        left, right = equation.text.split("=")
        pieces += [
            Piece(left, 0),
            Piece(f"={right}", equation.correct),
            *_verdict(equation.correct, mix),
            Piece("\n", 0),
        ]
    return tuple(pieces)


def _verdict(correct: bool, mix: CorpusMix) -> tuple[Piece, Piece]:
    return Piece(" is", 0), Piece(CORRECT if correct else INCORRECT, mix.verdict_weight)


def _doubtful(rng: Random, exercise: Exercise) -> tuple[WorkedSolution, bool]:
    """A solution and whether its answer is right: about every second one's is, most wrong ones have one wrong step."""
    style = rng.choice(("fine", "fine", "terse"))
    slip_rate, habit_rate = rng.choice(((0.0, 0.0), (0.08, 0.0), (0.15, 0.0), (0.3, 0.2), (0.05, 0.8), (0.0, 1.0)))
    worked = work_out(exercise, str(rng.random()), style, slip_rate, habit_rate)
    return worked, worked.answer.value == work_out(exercise, "right").answer.value


def _lines(rng: Random, mix: CorpusMix, split: str) -> Document:
    """A problem and a solution, each line with its own verdict, then the verdict on the answer."""
    exercise = _exercise(rng, split)
    worked, correct = _doubtful(rng, exercise)
    pieces = [Piece(f"Here is a math problem: {exercise.text}\n", 0)]
    for step in worked.steps:
        pieces += [Piece(step.text.rstrip(), step.good), *_verdict(step.good, mix), Piece("\n", 0)]
    return (*pieces, Piece("The above candidate solution", 0), *_verdict(correct, mix))


def _question(rng: Random, mix: CorpusMix, split: str) -> Document:
    """The evaluator's question. A beginning of a solution is correct when each of its lines is."""
    exercise = _exercise(rng, split)
    worked, correct = _doubtful(rng, exercise)
    steps = worked.steps
    if rng.random() < 0.4 and (kept := rng.randint(1, len(steps))) < len(steps):
        steps = steps[:kept]
        correct = all(step.good for step in steps)
    before, after = evaluator_prompt(exercise.text, "|").split("|")
    starts = [" ", *("" for _ in steps[1:])]  # the question's last space, which a word takes into its token
    ends = [*("\n" for _ in steps[1:]), ""]
    lines = [Piece(a + step.text.rstrip() + z, step.good) for a, step, z in zip(starts, steps, ends, strict=True)]
    verdict = Piece(CORRECT if correct else INCORRECT, mix.question_weight)
    return (Piece(before.removesuffix(" "), 0), *lines, Piece(after, 0), verdict)
