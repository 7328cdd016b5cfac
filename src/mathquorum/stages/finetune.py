"""Fine-tune a model: SSFT, an evaluator, MTSFT's stages and their controls are all this stage with other tasks."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from mathquorum.config import InputModel, InputPath, Settings
from mathquorum.errors import DataError
from mathquorum.models import Hardware
from mathquorum.objectives import AnyObjective
from mathquorum.records import LabeledSolution
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_json, read_records, write_json, write_rows

__all__ = ["Finetune", "Task"]


class Task(Settings):
    """One objective on its data. Two tasks together are the joint losses of Eq. 11, 12 and 13, trained on one batch."""

    objective: AnyObjective
    data: tuple[InputPath, ...] = Field(min_length=1)
    """labeled.jsonl files; several are put together."""
    weight: float = Field(default=1.0, ge=0.0)
    """alpha of Eq. 11 to 13. The paper does not give it."""
    batch_size: int = Field(default=32, ge=1)
    """Examples per optimizer step, over all processes. Our choice; the paper does not give it."""


class Finetune(Settings):
    """Trains all weights of a model. Makes model/, log.jsonl and budget.json."""

    model: InputModel
    """Local folder or hub id."""
    tasks: tuple[Task, ...] = Field(min_length=1)
    epochs: float | None = Field(default=None, gt=0)
    """Passes over the first task's examples."""
    steps: int | None = Field(default=None, ge=1)
    """Optimizer steps, in place of epochs. The paper's third stage is best after about 200."""
    match_budget: tuple[InputPath, ...] = ()
    """budget.json files of other stages: train for the sum of their steps and the sum of their tokens (a control)."""
    learning_rate: float = Field(default=1e-5, gt=0)
    """Our choice, usual for full fine-tuning of 1B to 10B models; the paper does not give it."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps."""
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "cosine"
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    max_length: int = Field(default=2048, ge=8)
    """Longer examples are left out and counted."""
    batch_tokens: int = Field(default=8192, ge=8)
    """Tokens in one forward pass; a step that holds more is cut into several. Changes memory, not the loss."""
    checkpoint_steps: int = Field(default=100, ge=1)
    log_steps: int = Field(default=10, ge=1)
    gradient_checkpointing: bool = False
    loggers: tuple[str, ...] = ()
    """Names that `transformers` knows: "tensorboard", "wandb", "trackio", "mlflow"."""
    seed: int = 0
    hardware: Hardware = Hardware()

    @model_validator(mode="after")
    def _one_length(self) -> Finetune:
        given = sum((self.epochs is not None, self.steps is not None, bool(self.match_budget)))
        if given != 1:
            raise ValueError(f"give exactly one of epochs, steps and match_budget. Got {given} of them.")
        if self.match_budget and len(self.tasks) > 1:
            raise ValueError("match_budget works with a single task.")
        return self

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`.

        Raises:
            DataError: If a task's data give no example, naming why.
            ModelError: If the model cannot be loaded or trained.
        """
        import torch

        from mathquorum.batches import plan_steps
        from mathquorum.models import context_length, load_model
        from mathquorum.trainer import Recipe, WeightedObjective, train

        torch.manual_seed(self.seed)
        loaded = load_model(self.model, self.hardware, dtype=torch.float32)
        longest = min(self.max_length, context_length(loaded.model))
        tasks = []
        summary: dict[str, int | float | str] = {}
        for task in self.tasks:
            solutions = [s for path in task.data for s in read_records(path, LabeledSolution)]
            made = task.objective.examples(solutions, loaded.tokenizer, longest, self.seed)
            left_out = ", ".join(f"{count} {reason}" for reason, count in made.left_out.items())
            if not made.examples:
                raise DataError(
                    f"No example for objective {task.objective.name!r} from {', '.join(map(str, task.data))} "
                    f"(left out: {left_out or 'nothing; the files are empty'})."
                )
            tasks.append(made.examples)
            summary[f"{task.objective.name} examples"] = len(made.examples)
            if left_out:
                summary[f"{task.objective.name} left out"] = left_out
        num_steps, num_tokens = self._length(len(tasks[0]))
        steps = plan_steps(tasks, [task.batch_size for task in self.tasks], num_steps, self.seed, num_tokens)
        device = self.hardware.torch_device()
        log = train(
            loaded.model,
            steps,
            [WeightedObjective(task.objective, task.weight) for task in self.tasks],
            Recipe(
                learning_rate=self.learning_rate,
                warmup=self.warmup,
                schedule=self.schedule,
                weight_decay=self.weight_decay,
                max_grad_norm=self.max_grad_norm,
                batch_tokens=self.batch_tokens,
                checkpoint_steps=self.checkpoint_steps,
                log_steps=self.log_steps,
                seed=self.seed,
                loggers=self.loggers,
                gradient_checkpointing=self.gradient_checkpointing,
                use_cpu=device.type == "cpu",
                bf16=device.type == "cuda" and self.hardware.dtype in ("auto", "bfloat16"),
            ),
            out / "checkpoints",
            progress,
        )
        budget = {"steps": len(steps), "tokens": sum(step.num_tokens for step in steps)}
        _save(loaded.model, loaded.tokenizer, out)
        write_rows(out / "log.jsonl", log)
        write_json(out / "budget.json", budget)
        return {**summary, **budget, "final loss": round(log[-1]["loss"], 4) if log else "not logged"}

    def _length(self, num_examples: int) -> tuple[int, int | None]:
        if self.match_budget:
            budgets = [read_json(path) for path in self.match_budget]
            return sum(b["steps"] for b in budgets), sum(b["tokens"] for b in budgets)
        if self.steps is not None:
            return self.steps, None
        assert self.epochs is not None
        return max(1, math.ceil(self.epochs * num_examples / self.tasks[0].batch_size)), None


def _save(model: object, tokenizer: object, out: Path) -> None:
    """The finished model, whole or not at all; then the checkpoints are of no more use."""
    unfinished = out / ".model"
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save_pretrained(unfinished)  # type: ignore[attr-defined]
    tokenizer.save_pretrained(unfinished)  # type: ignore[attr-defined]
    shutil.rmtree(out / "model", ignore_errors=True)
    unfinished.rename(out / "model")
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
