"""How a model is trained: settings that `trainer` carries out, apart from it so that reading them loads no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mathquorum.config import Runtime, Settings

__all__ = ["Training"]


class Training(Settings):
    """How long and how fast. The paper gives none of it (PAPER.md section 1), save the 200 steps of its third stage."""

    epochs: float | None = Field(default=None, gt=0)
    """Passes over the first task's examples."""
    steps: int | None = Field(default=None, ge=1)
    """Optimizer steps, in place of epochs."""
    learning_rate: float = Field(default=1e-5, gt=0)
    """At its height. Usual for full fine-tuning of models of 1B to 10B parameters; small ones want more."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps."""
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "cosine"
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    max_length: int = Field(default=2048, ge=8)
    """Longer examples are left out and counted."""
    batch_tokens: int = Field(default=8192, ge=8)
    """Tokens in one forward pass; a step that holds more is cut into several. Changes memory, not the loss."""
    checkpoint_steps: Annotated[int, Runtime()] = Field(default=100, ge=1)
    """A stopped training run goes on from its last checkpoint, to the same weights."""
    log_steps: int = Field(default=10, ge=1)
    gradient_checkpointing: bool = False
    loggers: Annotated[tuple[str, ...], Runtime()] = ()
    """Names that transformers knows: tensorboard, wandb, trackio, mlflow."""

    @model_validator(mode="after")
    def _one_length(self) -> Training:
        if self.epochs is not None and self.steps is not None:
            raise ValueError(
                f"give epochs or steps, not both. Got epochs {self.epochs} and steps {self.steps}: set one of them to null."
            )
        return self
