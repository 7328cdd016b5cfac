"""The evaluator trained on pairs with a logistic loss (not in the paper; Bradley and Terry 1952, as reward models use it)."""

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

__all__ = ["PairwiseLoss"]


class PairwiseLoss(Settings):
    """-log sigmoid(z(X_correct) - z(X_incorrect)), with z = log p(correct) - log p(incorrect), the logit of the score.

    It orders the solutions of a problem and leaves the scores uncalibrated: calibrate before weighting votes with them.
    """

    name: Literal["pairwise"] = "pairwise"
    pairs_per_problem: int = Field(default=10, ge=1)
    """As for the margin loss."""

    @property
    def num_slots(self) -> int:
        return 4

    def examples(self, solutions: Sequence[LabeledSolution], codec: Codec, max_length: int, seed: int) -> Examples:
        """See `Objective.examples`."""
        pairs, left_out = balanced_pairs(solutions, self.pairs_per_problem, seed)
        return keep_fitting([pair_example(codec, *pair) for pair in pairs], max_length, left_out)

    def losses(self, logprobs: torch.Tensor) -> torch.Tensor:
        """See `Objective.losses`. The slots are those of `verdict.pair_example`."""
        logit_correct = logprobs[:, 0] - logprobs[:, 1]
        logit_incorrect = logprobs[:, 2] - logprobs[:, 3]
        return -log_score(logit_correct, logit_incorrect)
