"""The sequence-level contrastive form that the paper argues against (L_seq, Eq. 10); with a likelihood task it is Eq. 11."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.models.codec import Codec
from mathquorum.objectives.examples import Example, Examples, keep_fitting, solution_sequence
from mathquorum.objectives.verdict import balanced_pairs
from mathquorum.records import LabeledSolution

if TYPE_CHECKING:
    import torch

__all__ = ["ContrastiveLoss"]


class ContrastiveLoss(Settings):
    """max(0, log p(X_incorrect | P) - log p(X_correct | P) + margin), on the generator's own prompt."""

    name: Literal["contrastive"] = "contrastive"
    margin: float = Field(default=1.0, gt=0.0)
    """lambda, in nats of the whole solution. The paper does not give it."""
    pairs_per_problem: int = Field(default=10, ge=1)
    """As for the margin loss."""

    @property
    def num_slots(self) -> int:
        return 2

    def examples(self, solutions: Sequence[LabeledSolution], codec: Codec, max_length: int, seed: int) -> Examples:
        """See `Objective.examples`. Empty solutions are left out."""
        full = [item for item in solutions if item.solution.strip()]
        pairs, left_out = balanced_pairs(full, self.pairs_per_problem, seed)
        examples = [
            Example((solution_sequence(codec, correct, 0), solution_sequence(codec, incorrect, 1)), count=1)
            for correct, incorrect in pairs
        ]
        return keep_fitting(examples, max_length, {**left_out, "empty": len(solutions) - len(full)})

    def losses(self, logprobs: torch.Tensor) -> torch.Tensor:
        """See `Objective.losses`. Slot 0 is log p of the correct solution, slot 1 of the incorrect one."""
        return (logprobs[:, 1] - logprobs[:, 0] + self.margin).clamp(min=0)
