"""Labelled solutions as token sequences: what a model reads, and which of its log-probabilities an objective wants.

Every objective of the project is a function of summed log-probabilities of pieces of text: a solution given its problem,
a verdict word given a judged solution. A `TokenSequence` says where to read them, so that one forward pass serves all
objectives, however many labels a sequence is asked for and however many tokens a label has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mathquorum.errors import DataError
from mathquorum.models.codec import Codec
from mathquorum.records import LabeledSolution

__all__ = [
    "Example",
    "Examples",
    "Read",
    "TokenSequence",
    "by_problem",
    "keep_fitting",
    "solution_sequence",
    "verdict_sequences",
]


@dataclass(frozen=True, slots=True)
class Read:
    """Add the log-probability of `token` as the successor of position `position` to slot `slot` of the example."""

    position: int
    token: int
    slot: int


@dataclass(frozen=True, slots=True)
class TokenSequence:
    ids: tuple[int, ...]
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One term of an objective's sum.

    Attributes:
        sequences: What the model reads. The slots are shared by all of them.
        count: What the example adds to the number that the step's loss is divided by: tokens for the solution
            likelihood, 1 for everything else.
    """

    sequences: tuple[TokenSequence, ...]
    count: int

    @property
    def num_tokens(self) -> int:
        return sum(len(sequence.ids) for sequence in self.sequences)


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of an objective, and why some data gave none."""

    examples: tuple[Example, ...]
    left_out: dict[str, int]


def solution_sequence(codec: Codec, item: LabeledSolution, slot: int = 0) -> TokenSequence:
    """A problem's prompt, its solution and the end of sequence. The prompt is context only: it is never a target.

    Raises:
        DataError: If the solution is empty.
    """
    if not item.solution.strip():
        raise DataError(f"The solution of problem {item.problem_id!r} is empty.")
    prompt = codec.prompt(codec.wording.generator(item.problem, item.style))
    target = [*codec.written(item.solution), codec.end]
    reads = tuple(Read(len(prompt) - 1 + place, token, slot) for place, token in enumerate(target))
    return TokenSequence((*prompt, *target), reads)


def verdict_sequences(codec: Codec, problem: str, solution: str, slots: tuple[int, int]) -> tuple[TokenSequence, ...]:
    """The evaluator's prompt, read for the log-probabilities of both verdicts (PAPER.md section 2.2).

    One sequence when both label words are single tokens, else one per label.

    Args:
        codec: The model's.
        problem: The problem's text.
        solution: The solution to be judged.
        slots: Where log p(correct) and log p(incorrect) go.
    """
    prompt = tuple(codec.prompt(codec.wording.evaluator(problem, solution)))
    labels = [codec.label(word) for word in codec.wording.labels]
    if all(len(label) == 1 for label in labels):
        last = len(prompt) - 1
        return (
            TokenSequence(prompt, tuple(Read(last, ids[0], slot) for ids, slot in zip(labels, slots, strict=True))),
        )
    return tuple(
        TokenSequence(
            (*prompt, *ids[:-1]),
            tuple(Read(len(prompt) - 1 + place, token, slot) for place, token in enumerate(ids)),
        )
        for ids, slot in zip(labels, slots, strict=True)
    )


def by_problem(solutions: Iterable[LabeledSolution]) -> list[tuple[list[LabeledSolution], list[LabeledSolution]]]:
    """(correct, incorrect) per problem, in the order in which problems appear first."""
    ordered: dict[str, list[LabeledSolution]] = {}
    for item in solutions:
        ordered.setdefault(item.problem_id, []).append(item)
    return [([i for i in items if i.correct], [i for i in items if not i.correct]) for items in ordered.values()]


def keep_fitting(examples: Sequence[Example], max_length: int, left_out: dict[str, int]) -> Examples:
    """The examples all of whose sequences have at most `max_length` tokens; the rest are counted."""
    kept = tuple(e for e in examples if all(len(s.ids) <= max_length for s in e.sequences))
    counts = {**left_out, "too long": len(examples) - len(kept)}
    return Examples(kept, {reason: count for reason, count in counts.items() if count})
