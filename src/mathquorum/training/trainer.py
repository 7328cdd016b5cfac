"""The one trainer: `transformers.Trainer`, handed the batches of a plan and the losses of objectives."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset, SequentialSampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from mathquorum.errors import ModelError, SettingsError
from mathquorum.models import Hardware, enough_memory, writing
from mathquorum.objectives.base import Objective
from mathquorum.training.batches import Chunk, Step, step_chunks
from mathquorum.training.logprobs import LogprobReader
from mathquorum.training.settings import Training

__all__ = ["Checkpoints", "WeightedObjective", "train"]


_WRITING = 10  # of the time that a checkpoint takes to write, between two of them at least


@dataclass(frozen=True, slots=True)
class WeightedObjective:
    """One term of the loss."""

    objective: Objective
    weight: float


def train(
    model: Any,
    steps: Sequence[Step],
    objectives: Sequence[WeightedObjective],
    training: Training,
    seed: int,
    hardware: Hardware,
    directory: Path,
    progress: Callable[[int, int], None],
) -> list[dict[str, float]]:
    """Trains the model in place and returns the log, a row for every `log_steps` steps with that step's loss.

    The model is a transformers model, or one with an adapter on it (`training.lora.new_adapter`), which alone is trained then.

    The loss of a step is  sum_t weight_t * sum_e losses_t(e) / count_t : equal for every way of cutting the step into
    chunks or sharing it among processes.

    Checkpoints go to `directory`; when it holds one, training goes on from there and ends in the same weights.

    Raises:
        ModelError: If the loss stops being a number.
        RunError: If a checkpoint cannot be written.
        SettingsError: If a logger is unknown or not installed.
    """
    device = hardware.torch_device().type
    arguments = TrainingArguments(
        output_dir=str(directory),
        per_device_train_batch_size=1,
        max_steps=len(steps),
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule,
        warmup_steps=math.ceil(training.warmup * len(steps)),
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        save_steps=training.checkpoint_steps,
        save_total_limit=2,
        logging_steps=training.log_steps,
        logging_nan_inf_filter=False,
        report_to=list(training.loggers) or "none",
        seed=seed,
        use_cpu=device == "cpu",
        bf16=device == "cuda" and hardware.dtype in ("auto", "bfloat16"),
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    inner = model.get_base_model() if training.lora else model
    if training.gradient_checkpointing:
        inner.gradient_checkpointing_enable()
    slots = [o.objective.num_slots for o in objectives]
    reader = LogprobReader(inner, training.gradient_checkpointing)
    dataset = _Shares(steps, slots, training.batch_tokens, arguments.world_size, reader)
    if arguments.n_gpu > 1:  # else the Trainer would take an item per GPU and step, and we would drop all but the first
        arguments._n_gpu = 1
    try:
        trainer = _ObjectiveTrainer(
            model=model,
            args=arguments,
            train_dataset=dataset,
            data_collator=lambda items: {"chunks": items[0]},
            callbacks=[_Progress(progress, len(steps)), Checkpoints(training.checkpoint_seconds)],
        )
    except (ValueError, ImportError, RuntimeError) as error:
        if not training.loggers:
            raise
        raise SettingsError(f"loggers: {', '.join(training.loggers)} cannot be used: {error}") from error
    trainer.objectives, trainer.reader = objectives, reader
    trainer.remove_callback(PrinterCallback)
    with writing(directory), enough_memory("training.batch_tokens, or set training.gradient_checkpointing"):
        try:
            trainer.train(resume_from_checkpoint=_last_checkpoint(directory))
        finally:
            reader.release()
    history = [_numbers(row) for row in trainer.state.log_history if "loss" in row]
    whole = all(bool(parameter.isfinite().all()) for parameter in model.parameters())  # the last steps are not logged
    if not whole or any(not math.isfinite(row["loss"]) for row in history):
        raise ModelError("The loss stopped being a number. Lower learning_rate, or train in float32.")
    return history


def _numbers(row: dict[str, Any]) -> dict[str, float]:
    return {key: row[key] for key in ("step", "loss", "grad_norm", "learning_rate") if key in row}


class _Shares(Dataset[list[Chunk]]):
    """Item i is the share of step i // world for process i % world; the Trainer deals items out in that order."""

    def __init__(
        self, steps: Sequence[Step], slots: Sequence[int], batch_tokens: int, world: int, reader: LogprobReader
    ) -> None:
        self._steps, self._slots, self._batch_tokens, self._world = steps, slots, batch_tokens, world
        self._longest_grouped, self._packs = reader.longest_grouped, reader.packs

    def __len__(self) -> int:
        return len(self._steps) * self._world

    def __getitem__(self, item: int) -> list[Chunk]:
        number, rank = divmod(item, self._world)
        return step_chunks(
            self._steps[number],
            self._slots,
            self._batch_tokens,
            rank,
            self._world,
            longest_grouped=self._longest_grouped,
            packs=self._packs,
        )


class _ObjectiveTrainer(Trainer):  # type: ignore[misc]
    """Hands batch and loss to the objectives; everything else is the Trainer's."""

    objectives: Sequence[WeightedObjective] = ()
    reader: LogprobReader
    step_loss: float = math.nan

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def training_step(self, model: Any, inputs: dict[str, list[Chunk]], num_items_in_batch: Any = None) -> torch.Tensor:
        if model is not self.model:
            self.reader.wrap(model)
        model.train()
        total = torch.zeros((), device=self.args.device)
        for chunk in inputs["chunks"]:
            with self.compute_loss_context_manager():
                loss = self._chunk_loss(chunk.to(self.args.device))
            # Gradients are averaged over processes; each holds a share of the sum.
            self.accelerator.backward(loss * self.args.world_size)
            total += loss.detach()
        mean: torch.Tensor = total * self.args.world_size
        self.step_loss = float(mean)
        return mean

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """The loss of the step itself: the Trainer's mean since the last row is another one when training was resumed."""
        super().log({**logs, "loss": self.step_loss} if "loss" in logs else logs, *args, **kwargs)

    def _chunk_loss(self, chunk: Chunk) -> torch.Tensor:
        slots = [part.num_examples * self.objectives[part.task].objective.num_slots for part in chunk.parts]
        logprobs = self.reader.read(chunk, sum(slots))
        loss = logprobs.new_zeros(())
        for part, of_part in zip(chunk.parts, torch.split(logprobs, slots), strict=True):
            term = self.objectives[part.task]
            losses = term.objective.losses(of_part.view(part.num_examples, -1))
            loss = loss + term.weight * losses.sum() / part.total
        return loss

    def floating_point_ops(self, inputs: Any) -> int:
        return 0


class _Progress(TrainerCallback):  # type: ignore[misc]
    def __init__(self, progress: Callable[[int, int], None], total: int) -> None:
        self._progress, self._total = progress, total

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress(state.global_step, self._total)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress(state.global_step, self._total)


class Checkpoints(TrainerCallback):  # type: ignore[misc]
    """Asks for a checkpoint when the last one is old."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._saved = self._asked = time.monotonic()
        self._took = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._asked = time.monotonic()
        if self._asked - self._saved >= max(self._seconds, _WRITING * self._took):
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._saved = time.monotonic()
        self._took = self._saved - self._asked


def _last_checkpoint(directory: Path) -> str | None:
    """The newest checkpoint that is whole. The Trainer writes `trainer_state.json` last; one without it was cut off."""
    found = sorted(directory.glob("checkpoint-*"), key=lambda place: -int(place.name.rpartition("-")[2]))
    for place in found:
        try:
            json.loads((place / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(place)
            continue
        return str(place)
    return None
