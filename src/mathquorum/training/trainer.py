"""The one trainer: `transformers.Trainer`, handed the batches of a plan and the losses of objectives."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset, SequentialSampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from mathquorum.errors import ModelError, SettingsError
from mathquorum.models import Hardware, enough_memory, writing
from mathquorum.objectives.base import Objective
from mathquorum.training.batches import Chunk, Step, step_chunks
from mathquorum.training.loggers import made_by_trainer, made_here
from mathquorum.training.logprobs import LogprobReader
from mathquorum.training.ranks import agreed, first_finds, summed
from mathquorum.training.settings import Training

__all__ = ["Checkpoints", "Trained", "WeightedObjective", "train"]


_WRITING = 10  # of the time that a checkpoint takes to write, between two of them at least


@dataclass(frozen=True, slots=True)
class WeightedObjective:
    """One term of the loss."""

    objective: Objective
    weight: float


@dataclass(frozen=True)
class Trained:
    """What came of a training, beside the model itself.

    Attributes:
        log: A row for every `log_steps` steps with that step's loss, the same on all processes.
        weights: Where processes hold a part of the weights each, all of them by name, on the first process; else None.
    """

    log: list[dict[str, float]]
    weights: dict[str, torch.Tensor] | None


def train(
    model: Any,
    steps: Sequence[Step],
    objectives: Sequence[WeightedObjective],
    training: Training,
    seed: int,
    hardware: Hardware,
    directory: Path,
    progress: Callable[[int, int], None],
) -> Trained:
    """Trains the model in place.

    The model is a transformers model, or one with an adapter on it (`training.lora.new_adapter`), which alone is trained then.

    The loss of a step is  sum_t weight_t * sum_e losses_t(e) / count_t : equal for every way of cutting the step into
    chunks or sharing it among processes.

    Checkpoints go to `directory`; when it holds one, training goes on from there and ends in the same weights.

    The processes of a launch (`training.ranks`) call this all alike, with equal arguments and a directory that all see; each
    computes its share of every step, and the first writes files.

    Raises:
        ModelError: If the loss stops being a number.
        RunError: If a checkpoint cannot be written.
        SettingsError: If a logger is unknown or not installed, or a launcher's mixed precision is not that of `hardware`.
    """
    device = hardware.torch_device().type
    half = device != "mps" and hardware.torch_dtype() is torch.bfloat16
    _check_precision(half)
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
        report_to=made_by_trainer(training.loggers) or "none",
        run_name="/".join(directory.absolute().parts[-3:-1]),
        project="mathquorum",
        seed=seed,
        use_cpu=device == "cpu",
        bf16=half,
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
    last = first_finds(lambda: _last_checkpoint(directory, arguments.world_size))
    try:
        logging = made_here(training.loggers, directory.parent, int(last.rpartition("-")[2]) if last else 0)
        trainer = _ObjectiveTrainer(
            model=model,
            args=arguments,
            train_dataset=dataset,
            data_collator=lambda items: {"chunks": items[0]},
            callbacks=[_Progress(progress, len(steps)), Checkpoints(training.checkpoint_seconds), *logging],
        )
    except (ValueError, ImportError, RuntimeError) as error:
        if not training.loggers:
            raise
        raise SettingsError(f"loggers: {', '.join(training.loggers)} cannot be used: {error}") from error
    trainer.objectives, trainer.reader = objectives, reader
    trainer.remove_callback(PrinterCallback)
    with writing(directory), enough_memory("training.batch_tokens, or set training.gradient_checkpointing"):
        try:
            trainer.train(resume_from_checkpoint=last)
        finally:
            reader.release()
    history = [_numbers(row) for row in trainer.state.log_history if "loss" in row]
    spoilt = summed(
        torch.tensor(float(not _is_finite(model)), device=arguments.device)
    )  # the last steps are not logged
    if spoilt or any(not math.isfinite(row["loss"]) for row in history):
        raise ModelError("The loss stopped being a number. Lower learning_rate, or train in float32.")
    return Trained(history, _gathered(trainer))


def _gathered(trainer: Trainer) -> dict[str, torch.Tensor] | None:
    if not (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled):
        return None
    weights: dict[str, torch.Tensor] = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    return weights


def _is_finite(model: Any) -> bool:
    """As far as this process holds the weights."""
    held = (p.to_local() if isinstance(p, DTensor) else p for p in model.parameters())
    return all(bool(weights.isfinite().all()) for weights in held)


def _check_precision(half: bool) -> None:
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if asked not in ("no", "bf16" if half else "no"):
        raise SettingsError(
            f"The launcher was told mixed_precision {asked!r}, and hardware.dtype asks for {'bfloat16' if half else 'float32'}. "
            "Take mixed_precision out of accelerate's configuration: hardware.dtype decides."
        )


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
    share: torch.Tensor
    """Of the last step's loss, what this process computed."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def training_step(self, model: Any, inputs: dict[str, list[Chunk]], num_items_in_batch: Any = None) -> torch.Tensor:
        if model is not self.model or self.is_fsdp_enabled:
            self.reader.wrap(model)
        model.train()
        self.share = torch.zeros((), device=self.args.device)
        chunks = inputs["chunks"]
        for number, chunk in enumerate(chunks, start=1):
            with self._exchanging(model, number == len(chunks)):
                with self.compute_loss_context_manager():
                    loss = self._chunk_loss(chunk.to(self.args.device))
                # Gradients are averaged over processes; each holds a share of the sum.
                self.accelerator.backward(loss * self.args.world_size)
            self.share += loss.detach()
        whole: torch.Tensor = self.share * self.args.world_size
        return whole

    @contextlib.contextmanager
    def _exchanging(self, model: Any, last: bool) -> Iterator[None]:
        """Processes that hold all weights exchange gradients once a step, after the last pass; DeepSpeed takes its step then, too. Where
        weights are sharded, gradients are exchanged in each pass: a sum of whole ones is what memory is short of."""
        self.accelerator.sync_gradients = last
        with model.no_sync() if isinstance(model, DistributedDataParallel) and not last else contextlib.nullcontext():
            yield

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """The loss of the step itself: the Trainer's mean since the last row is another one when training was resumed."""
        super().log({**logs, "loss": summed(self.share)} if "loss" in logs else logs, *args, **kwargs)

    def _chunk_loss(self, chunk: Chunk) -> torch.Tensor:
        if not chunk.parts:
            return self.reader.read(chunk, int(chunk.tensors["owners"].max()) + 1).sum() * 0
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
        if agreed(self._asked - self._saved >= max(self._seconds, _WRITING * self._took)):
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._saved = time.monotonic()
        self._took = self._saved - self._asked


def _last_checkpoint(directory: Path, world: int) -> str | None:
    """The newest checkpoint that is whole. The first process writes `trainer_state.json` last, the others the state of their random
    numbers; one without them was cut off."""
    found = sorted(directory.glob("checkpoint-*"), key=lambda place: -int(place.name.rpartition("-")[2]))
    for place in found:
        try:
            json.loads((place / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(place)
            continue
        if world > 1 and len(list(place.glob("rng_state_*.pth"))) < world:
            shutil.rmtree(place)
            continue
        return str(place)
    return None
