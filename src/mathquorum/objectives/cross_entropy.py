"""The evaluator trained point by point (L_cls-xent, Eq. 9)."""

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

__all__ = ["CrossEntropyLoss"]


class CrossEntropyLoss(Settings):
    """-log p("correct") for a correct solution, -log p("incorrect") for an incorrect one.

    An example holds one solution of each label of the same problem, so that labels are balanced within every problem;
    its loss is the mean of the two.
    """

    name: Literal["cross_entropy"] = "cross_entropy"
    examples_per_problem: int = Field(default=10, ge=2, multiple_of=2)
    """Labelled solutions per problem, half of them of each label. 10 is the paper's number for the margin loss; for this
    loss it does not say (PAPER.md section 2.3)."""
    normalize: Literal["labels", "vocabulary"] = "labels"
    """Whether p is over the two label words or the whole vocabulary: the paper is unclear (PAPER.md section 2.3). Over the
    two words is our choice, as the score is."""

    @property
    def num_slots(self) -> int:
        return 4

    def examples(self, solutions: Sequence[LabeledSolution], codec: Codec, max_length: int, seed: int) -> Examples:
        """See `Objective.examples`."""
        pairs, left_out = balanced_pairs(solutions, self.examples_per_problem // 2, seed)
        return keep_fitting([pair_example(codec, *pair) for pair in pairs], max_length, left_out)

    def losses(self, logprobs: torch.Tensor) -> torch.Tensor:
        """See `Objective.losses`. The slots are those of `verdict.pair_example`."""
        right, other, mistaken, wrong = logprobs.unbind(dim=-1)
        if self.normalize == "vocabulary":
            return -(right + wrong) / 2
        return -(log_score(right, other) + log_score(wrong, mistaken)) / 2
