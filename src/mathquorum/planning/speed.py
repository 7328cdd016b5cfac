"""How fast a model is, measured or stated, as a few numbers from which a stage's time is computed."""

from __future__ import annotations

from dataclasses import dataclass

from mathquorum.models.footprint import Shape
from mathquorum.planning.assumptions import Machine
from mathquorum.training.settings import Training

__all__ = ["Speed", "stated_speed"]


@dataclass(frozen=True)
class Speed:
    """Seconds of what stages do, for one model on one device.

    Attributes:
        source: Where it comes from, in words.
        loading: Of the model.
        reading: Of a token that is read.
        step: Of a step of decoding, whatever it writes.
        row: Of a token that is written in it, beside the step's own.
        training: Of a token forward and backward, all weights trained.
        update: Of the optimizer's part of a step.
        writing: Of a byte to disk.
        length: Tokens that the base itself writes for a problem; None where that was not tried.
        devices: That share the work.
    """

    source: str
    loading: float
    reading: float
    step: float
    row: float
    training: float
    update: float
    writing: float
    length: float | None = None
    devices: int = 1

    def sampling(self, prompts: float, written: float, rows: float) -> float:
        """Of sampling.

        Args:
            prompts: Tokens of all prompts.
            written: Tokens of all candidates.
            rows: Candidates that are written at once on average.
        """
        return (
            self.loading + (prompts * self.reading + written * (self.step / max(rows, 1.0) + self.row)) / self.devices
        )

    def judging(self, read: float) -> float:
        """Of reading so many tokens for verdicts."""
        return self.loading + read * self.reading / self.devices

    def fitting(self, tokens: float, steps: float, saved: float, kept: float, training: Training) -> float:
        """Of training.

        Args:
            tokens: Forward and backward.
            steps: Of the optimizer.
            saved: Bytes of the model.
            kept: Bytes of a checkpoint.
            training: Adapters skip the gradients of weights; checkpointing goes forward twice.
        """
        factor = (2 / 3 if training.lora else 1.0) * (4 / 3 if training.gradient_checkpointing else 1.0)
        each = tokens * self.training * factor / self.devices + steps * (0.0 if training.lora else self.update)
        checkpoint = kept * self.writing
        number = max(steps // training.checkpoint_steps, each // max(training.checkpoint_seconds, 10 * checkpoint))
        return self.loading + each + (number + 1) * checkpoint + saved * self.writing  # one is written at the end


def stated_speed(shape: Shape, machine: Machine, length: float) -> Speed:
    """A model's speed on a machine, from its shape and what the machine is said to do.

    Reading costs two operations for each weight and token, training six. A step of decoding reads all weights, and for each row its keys
    and values.

    Args:
        shape: Of the model, in 2 bytes a weight.
        machine: One device of it.
        length: Tokens that a row sees on average.
    """
    bandwidth = machine.decoding_share * machine.bandwidth
    operations = machine.training_share * machine.peak_flops
    kept = 2 * shape.layers * 2 * shape.kept * length
    return Speed(
        source=f"{machine.devices} x {machine.name}",
        loading=2 * shape.weights / 2e9,
        reading=2 * shape.weights / operations,
        step=2 * shape.weights / bandwidth,
        row=2 * shape.weights / operations + kept / bandwidth,
        training=6 * shape.weights / operations,
        update=28 * shape.weights / bandwidth / machine.devices,
        writing=1 / 2e9,
        devices=machine.devices,
    )
