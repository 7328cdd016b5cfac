"""One generator, or one evaluator, trained alone, by the stages and with the defaults of the recipe `paper`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from mathquorum.config import InputModel, InputPath, Runtime, Settings
from mathquorum.models import Hardware
from mathquorum.objectives import AnyObjective, MarginLoss, SolutionLoss
from mathquorum.prompts import AnyPrompt, Prompt
from mathquorum.run import Run
from mathquorum.run.listing import Listing
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.label import Label
from mathquorum.training.settings import Training

__all__ = ["TrainEvaluator", "TrainGenerator", "train_evaluator", "train_generator"]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | Path) else value


Files = Annotated[tuple[InputPath, ...], BeforeValidator(_listed)]
"""One or several labeled.jsonl."""


class TrainGenerator(Settings):
    """Solution fine-tuning (SSFT)."""

    model: InputModel
    """What is trained on: a base or a generator; folder, hub id, GGUF file, or BASE+ADAPTER."""
    data: Files = Field(min_length=1)
    """labeled.jsonl, of `mathquorum prepare` or of a run; several are put together. The correct solutions are learned."""
    training: Training = Training(epochs=3)
    batch_size: int = Field(default=32, ge=1)
    """Solutions per optimizer step."""
    prompt: AnyPrompt = Prompt()
    """How problems are put to the model. Sample with the same."""
    seed: int = 0
    hardware: Hardware = Hardware()


class TrainEvaluator(Settings):
    """An evaluator, from labelled solutions, or from a generator's candidates, which are graded first."""

    model: InputModel
    """What is trained on; in the paper the generator whose candidates are to be judged."""
    data: Files = ()
    """labeled.jsonl with correct and incorrect solutions of each problem. Leave out where candidates are given."""
    problems: InputPath | None = None
    """problems.jsonl with reference answers, of the candidates."""
    candidates: InputPath | None = None
    """candidates.jsonl, of `mathquorum sample` or of a run, on problems that their generator was not fine-tuned on."""
    max_per_label: int = Field(default=8, ge=1)
    """Correct, and likewise incorrect, candidates kept per problem."""
    objective: AnyObjective = MarginLoss()
    training: Training = Training(epochs=2)
    batch_size: int = Field(default=16, ge=1)
    """Examples per optimizer step."""
    references: Files = ()
    """labeled.jsonl of solutions: the likelihood term of Eq. 11 to 13 is trained on them, too."""
    likelihood_weight: float = Field(default=1.0, ge=0)
    """Of that term."""
    references_batch_size: int = Field(default=32, ge=1)
    """Solutions per optimizer step."""
    prompt: AnyPrompt = Prompt()
    """How problems are put to the model. Score with the same."""
    seed: int = 0
    hardware: Hardware = Hardware()
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes that grade candidates."""

    @model_validator(mode="after")
    def _one_source(self) -> TrainEvaluator:
        if (self.problems is None) != (self.candidates is None):
            raise ValueError("problems and candidates go together: give both, or data in place of them.")
        if bool(self.data) == (self.candidates is not None):
            raise ValueError(
                "give data (labelled solutions), or problems and candidates, which are graded first: one or the other."
            )
        return self


def train_generator(run: Run, settings: TrainGenerator) -> Path:
    """Fine-tunes, and returns the directory of the stage; the model is in its folder `model`."""
    s = settings
    task = Task(objective=SolutionLoss(), data=s.data, batch_size=s.batch_size)
    return run.do("generator", _finetune(s, task))


def train_evaluator(run: Run, settings: TrainEvaluator) -> Path:
    """Grades and labels candidates where these are given, fine-tunes, and returns the directory of the last stage."""
    s = settings
    stages = Listing(run.directory)
    data = s.data or (_label(stages, s),)
    tasks = [Task(objective=s.objective, data=data, batch_size=s.batch_size)]
    if s.references:
        likelihood = Task(
            objective=SolutionLoss(),
            data=s.references,
            weight=s.likelihood_weight,
            batch_size=s.references_batch_size,
        )
        tasks.append(likelihood)
    made = stages.add("evaluator", _finetune(s, *tasks))
    run.do_together(stages.stages)
    return made


def _label(stages: Listing, s: TrainEvaluator) -> Path:
    assert s.problems is not None and s.candidates is not None
    cluster = Cluster(problems=s.problems, candidates=s.candidates, workers=s.workers)
    clusters = stages.add("clusters", cluster) / "clusters.jsonl"
    label = Label(
        problems=s.problems,
        candidates=s.candidates,
        clusters=clusters,
        max_per_label=s.max_per_label,
        seed=s.seed,
    )
    return stages.add("labels", label) / "labeled.jsonl"


def _finetune(s: TrainGenerator | TrainEvaluator, *tasks: Task) -> Finetune:
    return Finetune(model=s.model, tasks=tasks, training=s.training, prompt=s.prompt, seed=s.seed, hardware=s.hardware)
