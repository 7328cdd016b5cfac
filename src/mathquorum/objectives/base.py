"""What an objective is: how data become examples, and a plain function of log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from mathquorum.models.codec import Codec
from mathquorum.objectives.examples import Examples
from mathquorum.records import LabeledSolution

if TYPE_CHECKING:
    import torch

__all__ = ["Objective"]


class Objective(Protocol):
    """A loss to train with. All members are `mathquorum.config.Settings`; `tests/contract/test_objectives.py` holds the
    laws that each passes."""

    @property
    def num_slots(self) -> int:
        """Log-probabilities that one example is read for."""
        ...

    def examples(self, solutions: Sequence[LabeledSolution], codec: Codec, max_length: int, seed: int) -> Examples:
        """The examples that the data give. Equal arguments give equal examples."""
        ...

    def losses(self, logprobs: torch.Tensor) -> torch.Tensor:
        """One loss per example, lower is better, before division by the step's count.

        Args:
            logprobs: (examples, num_slots), summed log-probabilities in nats.

        Returns:
            (examples,).
        """
        ...
