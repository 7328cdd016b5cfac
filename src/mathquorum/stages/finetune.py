"""Fine-tune a model: SSFT, an evaluator, MTSFT's stages and their controls are all this stage with other tasks."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from mathquorum.config import InputModel, InputPath, Runtime, Settings
from mathquorum.engines import release
from mathquorum.errors import DataError, SettingsError
from mathquorum.models import Hardware
from mathquorum.models.sources import prints_of
from mathquorum.objectives import AnyObjective, OwnObjective
from mathquorum.objectives.own import check_objective
from mathquorum.prompts import AnyPrompt, Prompt
from mathquorum.records import LabeledSolution
from mathquorum.spreading import Workers
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_json, read_records, read_rows, write_json
from mathquorum.training.settings import Training

if TYPE_CHECKING:
    from mathquorum.training.batches import Step
    from mathquorum.training.job import Job

__all__ = ["Finetune", "Task"]


@dataclass(frozen=True)
class _Planned:
    """The steps of a training, and what there is to say of its examples."""

    steps: Sequence[Step]
    summary: Summary


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
    """Trains all weights of a model, or an adapter (training.lora). Makes model/, log.jsonl and budget.json; memory.json says
    what it was expected to take."""

    model: InputModel
    """Folder, hub id, GGUF file, or BASE+ADAPTER. With training.lora an adapter is trained on, else it is merged first."""
    tasks: tuple[Task, ...] = Field(min_length=1)
    training: Training
    match_budget: tuple[InputPath, ...] = ()
    """budget.json files of other stages: train for the sum of their steps and of their tokens, in place of
    training.epochs or training.steps. For controls."""
    prompt: AnyPrompt = Prompt()
    """How problems are put to the model. Sample and score with the same."""
    seed: int = 0
    hardware: Hardware = Hardware()
    cluster: Annotated[str | None, Runtime()] = None
    """A Ray cluster whose nodes train, through Ray Train, as the run was told: `training.processes` of them."""

    @model_validator(mode="after")
    def _one_length(self) -> Finetune:
        given = sum((self.training.epochs is not None, self.training.steps is not None, bool(self.match_budget)))
        if given != 1:
            raise ValueError(
                f"give one of training.epochs, training.steps and match_budget. Got {given} of them (null leaves one out)."
            )
        if self.match_budget and len(self.tasks) > 1:
            raise ValueError("match_budget works with a single task.")
        return self

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`.

        Raises:
            DataError: If a task's data give no example, naming why.
            ModelError: If the model cannot be loaded or trained.
            SettingsError: If the training cannot be done as it is set.
        """
        release()  # a vLLM of an earlier stage holds the GPU
        from mathquorum.training.bulletin import post
        from mathquorum.training.launch import launch, launches

        planned = self._planned()
        lost: Counter[str] = Counter()
        budget = {"steps": len(planned.steps), "tokens": sum(step.num_tokens for step in planned.steps)}
        if not (out / "model").exists():  # it comes last, and may be there when the stage was stopped just after
            self._check_fits(planned.steps, out)
            write_json(out / "budget.json", budget)
            if self.cluster:
                self._on_cluster(self.cluster, out, progress, lost)
            elif launches(self.training):
                launch(self.model_dump_json(), self.training, self.hardware, out, progress)
            else:
                post(json.dumps({"out": str(out), "finetune": self.model_dump_json()}))
                self._job(planned.steps).run(out, progress)
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
        log = [row for _, row in read_rows(out / "log.jsonl")]
        expected = f"{read_json(out / 'memory.json')['peak_gb']} GB"
        return {
            **planned.summary,
            **budget,
            "peak memory, expected": expected,
            "final loss": round(log[-1]["loss"], 4) if log else "not logged",
            **lost,
        }

    def train(self, out: Path, progress: Progress) -> None:
        """The training itself, as every process of a launch carries it out: `run` is for the first, or for whoever launches them.

        Args:
            out: The stage's directory, which all processes see.
            progress: Told of steps.
        """
        self._job(self._planned().steps).run(out, progress)

    def place(self) -> str | None:
        """See `Placed`."""
        from mathquorum.training.launch import ranks_of

        return ", ".join([self.hardware.resolved(), *ranks_of(self.training, self.hardware).in_words])

    def takes_all(self) -> bool:
        """See `Exclusive`."""
        from mathquorum.training.launch import launches

        return self.cluster is None and launches(self.training)

    def _planned(self) -> _Planned:
        import torch

        from mathquorum.models import context_of, load_config, load_tokenizer
        from mathquorum.models.codec import Codec
        from mathquorum.training.batches import plan_steps

        torch.manual_seed(self.seed)
        codec = Codec(load_tokenizer(self.model), self.prompt)
        longest = min(self.training.max_length, context_of(load_config(self.model)))
        tasks = []
        summary: dict[str, int | float | str] = {}
        for task in self.tasks:
            solutions = [s for path in task.data for s in read_records(path, LabeledSolution)]
            made = task.objective.examples(solutions, codec, longest, self.seed)
            if isinstance(task.objective, OwnObjective):
                check_objective(task.objective, made)
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
        return _Planned(steps, summary)

    def _on_cluster(self, cluster: str, out: Path, progress: Progress, lost: Counter[str]) -> None:
        """Has nodes of a cluster train, which must see all that is read and written here under the same path.

        Args:
            cluster: Its address.
            out: As of `run`.
            progress: As of `run`.
            lost: Counts how often all had to begin again.

        Raises:
            SettingsError: If a configuration of accelerate is given: Ray Train starts the processes, and knows nothing of it.
        """
        from mathquorum.spreading.ray_training import train_on_cluster

        if self.training.accelerate:
            raise SettingsError(
                "training.accelerate was given with --cluster, where Ray Train starts the processes. Leave it out (training.processes says "
                "how many there are), or train without --cluster."
            )
        hardware = self.hardware.settled()
        read = (*(path for task in self.tasks for path in task.data), *self.match_budget, out / "started.json")
        workers = Workers(
            self.training.processes,
            cluster,
            hardware.threads,
            gpu=hardware.device == "cuda",
            lost=lambda why: lost.update(["lost, and gone on from the last checkpoint"]),
            seen=partial(_prints, self.model, tuple(map(str, read))),
        )
        there = self.model_copy(update={"cluster": None, "hardware": hardware})
        train_on_cluster(partial(_train, there, out), workers, out / ".ray", progress)

    def _job(self, steps: Sequence[Step]) -> Job:
        from mathquorum.training.job import Job
        from mathquorum.training.trainer import WeightedObjective

        objectives = [WeightedObjective(task.objective, task.weight) for task in self.tasks]
        return Job(self.model, self.prompt, steps, objectives, self.training, self.seed, self.hardware)

    def _check_fits(self, steps: Sequence[Step], out: Path) -> None:
        """What each process of the training will take, noted in memory.json before the model is loaded; refused where it surely does not fit."""
        from mathquorum.models.footprint import Shape, memory_of
        from mathquorum.training.footprint import Load, check_fits
        from mathquorum.training.launch import ranks_of

        device, ranks = self.hardware.torch_device(), ranks_of(self.training, self.hardware)
        shape = Shape.of(self.model)
        load = Load.of(steps, [task.objective.num_slots for task in self.tasks], self.training.batch_tokens)
        there = memory_of(device) // (ranks.here if device.type == "cpu" else 1)
        peak = check_fits(shape, load, self.training, self.hardware, there, ranks.shards)
        write_json(out / "memory.json", {"peak_gb": round(peak / 1e9, 3), "memory_gb": round(there / 1e9, 3)})

    def amount(self) -> int | None:
        """Examples, where steps are given; see `Measurable`."""
        if any(not path.exists() for path in self.match_budget):
            return None
        steps = sum(read_json(path)["steps"] for path in self.match_budget) or self.training.steps
        return steps and steps * sum(task.batch_size for task in self.tasks)

    def _length(self, num_examples: int) -> tuple[int, int | None]:
        if self.match_budget:
            budgets = [read_json(path) for path in self.match_budget]
            return sum(b["steps"] for b in budgets), sum(b["tokens"] for b in budgets)
        if self.training.steps is not None:
            return self.training.steps, None
        assert self.training.epochs is not None
        return max(1, math.ceil(self.training.epochs * num_examples / self.tasks[0].batch_size)), None


def _train(stage: Finetune, out: Path, progress: Progress) -> None:
    stage.train(out, progress)


def _prints(model: str, files: Sequence[str]) -> dict[str, str]:
    """Of the model's weights and of each file, by path; empty where there is none."""
    found = prints_of(model)
    for name in files:
        path = Path(name)
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return found
