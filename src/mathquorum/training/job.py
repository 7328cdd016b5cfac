"""One training from a named model to a saved one, as every process of a launch carries it out: load, train, save."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mathquorum.models import Hardware, LoadedModel, load_model, merged, writing
from mathquorum.models.adapters import check_peft
from mathquorum.models.sources import read_source
from mathquorum.prompts import Prompt
from mathquorum.store import write_rows
from mathquorum.training.batches import Step
from mathquorum.training.lora import freeing_at_once, new_adapter, quantization, save_adapter, take_over
from mathquorum.training.ranks import claim_device, rank, sharding
from mathquorum.training.settings import Training
from mathquorum.training.trainer import WeightedObjective, train

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """What is trained, on what, and how.

    Attributes:
        model: As in `models.sources.read_source`.
        prompt: How problems are put to it.
        steps: Planned.
        objectives: The terms of the loss, one for each task of a step.
        training: Settings.
        seed: Of a new adapter and of dropout.
        hardware: Where.
    """

    model: str
    prompt: Prompt
    steps: Sequence[Step]
    objectives: Sequence[WeightedObjective]
    training: Training
    seed: int
    hardware: Hardware

    def run(self, out: Path, progress: Callable[[int, int], None]) -> None:
        """Leaves `log.jsonl` and then `model/` in a directory that all processes see; `checkpoints/` stays. All processes of a launch
        call it, the first writes.

        Raises:
            ModelError: If the model cannot be loaded or trained.
            RunError: If something cannot be written.
            SettingsError: If the training cannot be done as it is set.
        """
        claim_device()
        torch.manual_seed(self.seed)
        loaded = self._loaded()
        trained = self._adapted(loaded)
        with self._allocating():
            done = train(
                trained,
                self.steps,
                self.objectives,
                self.training,
                self.seed,
                self.hardware,
                out / "checkpoints",
                progress,
            )
        if rank() == 0:
            write_rows(out / "log.jsonl", done.log)
            with _model_folder(out) as folder:
                self._save(trained, loaded, folder, done.weights)

    def _loaded(self) -> LoadedModel:
        """The base alone where an adapter is trained, whose weights may be as few bits as the device computes with; else the whole model
        in float32. Where its weights will be shared out it may be too large for one GPU, and waits in the machine's memory."""
        lora = self.training.lora
        place = self.hardware.model_copy(update={"device": "cpu"}) if sharding() else self.hardware
        if lora is None:
            return merged(load_model(self.model, place, self.prompt, dtype=torch.float32))
        check_peft()
        bits = quantization(self.hardware.torch_device().type) if lora.load_in_4bit else None
        base = read_source(self.model).base
        return load_model(base, place, self.prompt, dtype=self.hardware.torch_dtype(), quantization=bits)

    def _adapted(self, loaded: LoadedModel) -> Any:
        """What is trained: the model, or an adapter on it."""
        if self.training.lora is None:
            return loaded.model
        adapted = new_adapter(loaded.model, self.training.lora, self.seed)
        adapter = read_source(self.model).adapter
        if adapter:
            take_over(adapted, adapter, self.training.lora)
        return adapted

    def _allocating(self) -> contextlib.AbstractContextManager[None]:
        if self.training.lora is None or self.hardware.torch_device().type != "cpu":
            return contextlib.nullcontext()
        return freeing_at_once()

    def _save(self, trained: Any, loaded: LoadedModel, folder: Path, weights: dict[str, torch.Tensor] | None) -> None:
        if self.training.lora is None:
            trained.save_pretrained(folder, state_dict=weights)
            loaded.tokenizer.save_pretrained(folder)
        else:
            save_adapter(trained, loaded.base, folder, weights)


@contextlib.contextmanager
def _model_folder(out: Path) -> Iterator[Path]:
    """A folder to save into, which becomes `model`, whole or not at all."""
    unfinished = out / ".model"
    shutil.rmtree(unfinished, ignore_errors=True)
    with writing(out):
        yield unfinished
    unfinished.rename(out / "model")
