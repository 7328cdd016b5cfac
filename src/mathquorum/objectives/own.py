"""Objectives of your own: see docs/extending.md."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from mathquorum.config import Kind, Own
from mathquorum.errors import SettingsError
from mathquorum.models.codec import Codec
from mathquorum.objectives.examples import Example, Examples
from mathquorum.records import LabeledSolution

if TYPE_CHECKING:
    import torch

__all__ = ["OwnObjective", "check_objective", "kind_of_objectives"]


class OwnObjective(Own):
    """A loss to train with. Fields are its settings; the three members are yours to write, as `objectives.base.Objective` says of them.

    `objectives.examples` and `objectives.verdict` make examples of solutions and of verdicts.
    """

    group: ClassVar[str] = "mathquorum.objectives"

    @property
    @abstractmethod
    def num_slots(self) -> int:
        """Log-probabilities that one example is read for."""

    @abstractmethod
    def examples(self, solutions: Sequence[LabeledSolution], codec: Codec, max_length: int, seed: int) -> Examples:
        """The examples that the data give, each sequence of at most `max_length` tokens. Equal arguments give equal examples."""

    @abstractmethod
    def losses(self, logprobs: torch.Tensor) -> torch.Tensor:
        """One loss per example: of (examples, num_slots) log-probabilities in nats, (examples,), lower is better."""


def kind_of_objectives(built_in: Sequence[str]) -> Kind[OwnObjective]:
    """The place where they go, among built-in ones of these names."""
    return Kind("objective", OwnObjective, built_in.__contains__, lambda: built_in)  # type: ignore[type-abstract]


def check_objective(objective: OwnObjective, made: Examples) -> None:
    """Tries what somebody wrote before a model is loaded for it.

    Raises:
        SettingsError: If examples read what they do not have, or losses are not one finite number for each.
    """
    import torch

    if not isinstance(made, Examples):
        raise SettingsError(
            f"{objective.name}: examples must return mathquorum.objectives.examples.Examples. Got {type(made).__name__}."
        )
    wrong = next((example for example in made.examples if not _reads_what_it_has(example, objective.num_slots)), None)
    if wrong is not None:
        raise SettingsError(
            f"{objective.name}: an example reads a position or slot that is not there: positions are those of its ids, slots 0 to "
            f"{objective.num_slots - 1} (num_slots is {objective.num_slots}). Its reads: {wrong.sequences[0].reads[:3]}."
        )
    tried = torch.linspace(-3.0, -0.5, 3 * objective.num_slots).view(3, objective.num_slots).requires_grad_()
    losses = objective.losses(tried)
    if not isinstance(losses, torch.Tensor) or losses.shape != (3,) or not bool(losses.isfinite().all()):
        raise SettingsError(
            f"{objective.name}: losses must be one finite number for each example, shape (3,) for log-probabilities of shape "
            f"(3, {objective.num_slots}). Got {losses!r:.200}."
        )
    if not losses.requires_grad:
        raise SettingsError(
            f"{objective.name}: losses do not depend on the log-probabilities, so that nothing would be learned."
        )


def _reads_what_it_has(example: Example, num_slots: int) -> bool:
    return all(
        0 <= read.position < len(sequence.ids) and 0 <= read.slot < num_slots
        for sequence in example.sequences
        for read in sequence.reads
    )
