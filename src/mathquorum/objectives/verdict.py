"""What the evaluator's objectives share: the formula of the score, and examples balanced within each problem."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mathquorum.models.codec import Codec
from mathquorum.objectives.examples import Example, by_problem, verdict_sequences
from mathquorum.records import LabeledSolution

if TYPE_CHECKING:
    import torch

__all__ = ["balanced_pairs", "log_score", "pair_example"]


def log_score(correct: torch.Tensor, incorrect: torch.Tensor) -> torch.Tensor:
    """log S_cls(X | P), the evaluator's score (Eq. 7), from the log-probabilities of the two label words.

    S = p(correct) / (p(correct) + p(incorrect)), so log S = log sigmoid(log p(correct) - log p(incorrect)).
    """
    from torch.nn.functional import logsigmoid

    return logsigmoid(correct - incorrect)


def balanced_pairs(
    solutions: Sequence[LabeledSolution], num_pairs: int, seed: int
) -> tuple[list[tuple[LabeledSolution, LabeledSolution]], dict[str, int]]:
    """Up to `num_pairs` different (correct, incorrect) pairs of each problem, spread over its solutions.

    Balance within the problem is the point: labels that are balanced only over the whole set teach which problem is
    hard, not which solution is right. Problems with one label only give no pair and are counted.
    """
    pairs = []
    one_sided = 0
    for correct, incorrect in by_problem(solutions):
        if not correct or not incorrect:
            one_sided += 1
            continue
        draws = random.Random(f"{seed}/{correct[0].problem_id}")
        draws.shuffle(correct)
        draws.shuffle(incorrect)
        # Each solution of the longer list in turn, the other list shifted by one each time round: all are used early, and
        # no pair comes twice.
        longest, shortest = max(len(correct), len(incorrect)), min(len(correct), len(incorrect))
        for number in range(min(num_pairs, longest * shortest)):
            long, short = number % longest, (number % longest + number // longest) % shortest
            i, j = (long, short) if len(correct) == longest else (short, long)
            pairs.append((correct[i], incorrect[j]))
    return pairs, {"problems with one label only": one_sided}


def pair_example(codec: Codec, correct: LabeledSolution, incorrect: LabeledSolution) -> Example:
    """Slots 0, 1: verdicts correct, incorrect of the correct solution; 2, 3: of the incorrect one."""
    return Example(
        (
            *verdict_sequences(codec, correct.problem, correct.solution, (0, 1)),
            *verdict_sequences(codec, incorrect.problem, incorrect.solution, (2, 3)),
        ),
        count=1,
    )
