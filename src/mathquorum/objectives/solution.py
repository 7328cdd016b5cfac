"""Solution fine-tuning: the likelihood of correct solutions (L_mle, PAPER.md section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from mathquorum.config import Settings
from mathquorum.models.codec import Codec
from mathquorum.objectives.examples import Example, Examples, keep_fitting, solution_sequence
from mathquorum.records import LabeledSolution

if TYPE_CHECKING:
    import torch

__all__ = ["SolutionLoss"]


class SolutionLoss(Settings):
    """L_mle = - sum_i log p(x_i | x_<i, P), averaged over the tokens of the step.

    Solution and end-of-sequence are trained, the prompt is not. Only correct solutions are taken.
    """

    name: Literal["solution"] = "solution"

    @property
    def num_slots(self) -> int:
        return 1

    def examples(self, solutions: Sequence[LabeledSolution], codec: Codec, max_length: int, seed: int) -> Examples:
        """See `Objective.examples`."""
        correct = [item for item in solutions if item.correct]
        full = [item for item in correct if item.solution.strip()]
        left_out = {"incorrect": len(solutions) - len(correct), "empty": len(correct) - len(full)}
        sequences = [solution_sequence(codec, item) for item in full]
        return keep_fitting([Example((s,), count=len(s.reads)) for s in sequences], max_length, left_out)

    def losses(self, logprobs: torch.Tensor) -> torch.Tensor:
        """See `Objective.losses`. The slot is log p(X | P)."""
        return -logprobs[:, 0]
