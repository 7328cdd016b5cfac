"""How a model is trained: settings that `training.trainer` carries out, apart from it so that reading them loads no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from mathquorum.config import Runtime, Settings

__all__ = ["Lora", "Training"]

_HEADS = ("embed", "lm_head", "wte", "wpe")


class Lora(Settings):
    """A low-rank adapter (LoRA, arXiv 2106.09685) in place of all weights. Off by default: the paper fine-tunes all of them, and
    adapters learn less from much data (arXiv 2405.09673); they are for models whose full training the memory does not hold."""

    r: int = Field(default=16, ge=1)
    """Rank. Our choice; usual values are 8 to 64."""
    alpha: int = Field(default=32, ge=1)
    """The adapter's change is scaled by alpha / r. Our choice: twice the rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Of what the adapter reads."""
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Which layers: all linear ones but the head, or their names, such as ["q_proj", "v_proj"]."""
    rslora: bool = False
    """Scale by alpha / sqrt(r) (arXiv 2312.03732)."""
    dora: bool = False
    """Learn length and direction of the weights apart (arXiv 2402.09353): slower, often better at a low rank."""
    load_in_4bit: bool = False
    """Hold the base in 4 bits while training (QLoRA, arXiv 2305.14314): a CUDA GPU and the extra qlora are needed."""

    @model_validator(mode="after")
    def _targets(self) -> Lora:
        heads = (
            [name for name in self.targets if any(part in name for part in _HEADS)]
            if self.targets != "all-linear"
            else []
        )
        if heads or not self.targets:
            raise ValueError(
                f"targets must be linear layers other than the embedding and the head. Got {list(self.targets)} instead: "
                "for tokens that were added, train all weights (leave training.lora out)."
            )
        return self


class Training(Settings):
    """How long and how fast. The paper gives none of it (PAPER.md section 1), save the 200 steps of its third stage."""

    rivals: ClassVar[tuple[tuple[str, ...], ...]] = (("epochs", "steps"),)

    epochs: float | None = Field(default=None, gt=0)
    """Passes over the first task's examples. Given alone, it takes the place of a default in steps."""
    steps: int | None = Field(default=None, ge=1)
    """Optimizer steps. Given alone, they take the place of a default in epochs."""
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
    checkpoint_seconds: Annotated[float, Runtime()] = Field(default=60.0, gt=0)
    """A checkpoint is written after so many seconds, too, or after ten times what the last one took to write: steps of a large model are
    slow, and a killed run shall lose no more than two minutes."""
    log_steps: int = Field(default=10, ge=1)
    gradient_checkpointing: bool = False
    """Keep one activation per layer and compute the rest again: much less memory, about a third more time."""
    lora: Lora | None = None
    """Train an adapter (r, alpha, dropout, targets, rslora, dora, load_in_4bit) in place of all weights; null trains all. The
    learning rate wants to be about ten times that of full fine-tuning."""
    loggers: Annotated[tuple[str, ...], Runtime()] = ()
    """Names that transformers knows: tensorboard (in the stage's folder .tensorboard), wandb, trackio, mlflow."""
    processes: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes that train together, one for each GPU, or on a CPU. Under a launcher (accelerate launch, torchrun) its own are used."""
    accelerate: Annotated[Path | None, Runtime()] = None
    """A file of `accelerate config`, for FSDP or DeepSpeed on this machine: training is launched with it. Under a launcher its own is used."""

    @model_validator(mode="after")
    def _one_length(self) -> Training:
        if self.epochs is not None and self.steps is not None:
            raise ValueError(
                f"give epochs or steps, not both. Got epochs {self.epochs} and steps {self.steps}: set one of them to null."
            )
        return self
