"""The evaluator trained on pairs with a margin (L_cls-margin, Eq. 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.models.codec import Codec
from mathquorum.objectives.examples import Examples, keep_fitting
from mathquorum.objectives.verdict import balanced_pairs, log_score, pair_example
from mathquorum.records import LabeledSolution

if TYPE_CHECKING:
    import torch

__all__ = ["MarginLoss"]


class MarginLoss(Settings):
    """max(0, log S(X_incorrect) - log S(X_correct) + margin) over pairs of one problem.

    S is renormalised over the two label words: over the whole vocabulary both start near probability 0 and the loss was
    seen never to move.
    """

    name: Literal["margin"] = "margin"
    margin: float = Field(default=1.0, gt=0.0)
    """lambda, in nats. The paper does not give it; ours to choose (PAPER.md section 8 suggests 0.1 to 2)."""
    pairs_per_problem: int = Field(default=10, ge=1)
    """10 examples per problem, as in the paper (PAPER.md section 2.3)."""

    @property
    def num_slots(self) -> int:
        return 4

    def examples(self, solutions: Sequence[LabeledSolution], codec: Codec, max_length: int, seed: int) -> Examples:
        """See `Objective.examples`."""
        pairs, left_out = balanced_pairs(solutions, self.pairs_per_problem, seed)
        return keep_fitting([pair_example(codec, *pair) for pair in pairs], max_length, left_out)

    def losses(self, logprobs: torch.Tensor) -> torch.Tensor:
        """See `Objective.losses`. The slots are those of `verdict.pair_example`."""
        correct = log_score(logprobs[:, 0], logprobs[:, 1])
        incorrect = log_score(logprobs[:, 2], logprobs[:, 3])
        return (incorrect - correct + self.margin).clamp(min=0)
