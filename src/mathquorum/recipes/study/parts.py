"""What the steps of the study hand on, and the stages as all of them call them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mathquorum.objectives import SolutionLoss
from mathquorum.recipes.study.settings import Study
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.sample import Sample
from mathquorum.training.settings import Training

__all__ = ["Kind", "Problems", "Trained", "finetune", "models", "sampler", "solutions", "style"]


Kind = Literal["base", "ssft", "mtsft", "control", "mixed"]
"""How a generator was trained."""


@dataclass(frozen=True)
class Problems:
    """The prepared data: problems by part, and labelled solutions by source."""

    test: Path
    validation: Path
    evaluator: Path
    labeled: Mapping[str, Path]


@dataclass(frozen=True)
class Trained:
    """A generator: a role's model after some training, or before any.

    Attributes:
        kind: Not trained at all, on solutions, sequentially, or as a control of that.
        of: The source of its solutions or demonstrations; of sequential training the loss.
        demonstrations: Shown in its prompt.
    """

    role: str
    kind: Kind
    of: str
    seed: int
    model: str
    style: str | None
    demonstrations: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.kind}.{self.of}"

    @property
    def key(self) -> str:
        return f"{self.role}.{self.seed}.{self.name}"


def models(s: Study) -> Iterator[tuple[str, str, int]]:
    """Role, base and seed: the larger models first, since they take longest."""
    for role, base in reversed(s.bases.items()):
        for seed in s.seeds:
            yield role, base, seed


def style(s: Study, source: str) -> str | None:
    """The tag of a source's solutions."""
    return s.train[source][0].style


def solutions(s: Study, problems: Problems, source: str, weight: float = 1.0) -> Task:
    """Solution fine-tuning on a source."""
    return Task(objective=SolutionLoss(), data=(problems.labeled[source],), batch_size=s.batch_size, weight=weight)


def finetune(
    s: Study, model: str, seed: int, training: Training, *tasks: Task, budget: Iterable[Path] = ()
) -> Finetune:
    """Training of a model; with `budget` for the steps and tokens of other trainings."""
    return Finetune(
        model=model,
        tasks=tasks,
        training=training,
        match_budget=tuple(budget),
        prompt=s.prompt,
        seed=seed,
        hardware=s.hardware,
    )


def sampler(s: Study, problems: Path, generator: Trained, num_candidates: int, greedy: bool = False) -> Sample:
    """Candidates of a generator."""
    return Sample(
        problems=problems,
        model=generator.model,
        num_candidates=num_candidates,
        sampling=s.sampling.model_copy(update={"temperature": 0.0}) if greedy else s.sampling,
        style=generator.style,
        demonstrations=generator.demonstrations,
        prompt=s.prompt,
        seed=generator.seed,
        hardware=s.hardware,
        engine=s.engine,
    )
