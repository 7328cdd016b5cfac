"""The paper from top to bottom, for any model and any problems: SSFT, SCR, MTSFT, and the controls it lacks.

Table 2 and 5: the base with demonstrations of each source, and a generator fine-tuned on each. Table 3, 7 and Figure 1:
evaluators on the candidates of the main generator. Table 4: MTSFT beside SSFT continued for equal steps and tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mathquorum.config import InputModel, Runtime, Settings
from mathquorum.engines.base import Sampling
from mathquorum.models import Hardware, Template, check_labels
from mathquorum.objectives import AnyObjective, CrossEntropyLoss, MarginLoss, SolutionLoss
from mathquorum.run import Run
from mathquorum.stages.base import Stage
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.label import Label
from mathquorum.stages.prepare import Prepare, Source
from mathquorum.stages.report import Report
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.stages.split import Split
from mathquorum.training import Training

__all__ = ["AnySource", "Paper", "Sources", "named_sources", "paper"]


def _source(value: Any) -> Any:
    """A path alone, or DATASET:PATH, stands for a source."""
    if isinstance(value, str | Path):
        dataset, colon, path = str(value).partition(":")
        return {"dataset": dataset, "path": path} if colon else {"dataset": "jsonl", "path": str(value)}
    return value


def named_sources(value: Any) -> Any:
    """A single source, or a list of them, is the one generator "main"."""
    return value if isinstance(value, Mapping) and "dataset" not in value else {"main": value}


def _source_list(value: Any) -> Any:
    return [_source(item) for item in (value if isinstance(value, list | tuple) else [value])]


AnySource = Annotated[Source, BeforeValidator(_source)]
Sources = Annotated[tuple[Source, ...], BeforeValidator(_source_list), Field(min_length=1)]


class EvaluatorSettings(Settings):
    """The evaluator of SCR."""

    problems: AnySource | None = None
    """Where its problems come from. None puts `num_problems` of the main generator's aside, which the generator is then
    not fine-tuned on: it solves problems that it was trained on better than fresh ones, and labels would tell the wrong
    thing. The paper does not say which it took."""
    num_problems: int = Field(default=2000, ge=1)
    """How many to put aside when `problems` is None."""
    num_candidates: int = Field(default=16, ge=2)
    """Sampled per problem to be labelled. The paper draws 10 examples from 64; many problems with few candidates teach
    more than the reverse."""
    objectives: dict[str, AnyObjective] = {"margin": MarginLoss(), "cross_entropy": CrossEntropyLoss()}
    """An evaluator is trained with each (Table 3)."""
    training: Training = Training(epochs=2)
    batch_size: int = Field(default=16, ge=1)


class MtsftSettings(Settings):
    """Multi-task sequential fine-tuning: evaluator stage with a likelihood term, then generator again (PAPER.md section 3)."""

    objectives: tuple[str, ...] = ("margin", "cross_entropy")
    """Which of the evaluator's objectives (Table 4 has both); none leaves MTSFT and its control out."""
    likelihood_weight: float = Field(default=1.0, ge=0)
    """alpha_2 and alpha_3 of Eq. 12 and 13. The paper does not give them."""
    evaluator: Training = Training(epochs=1)
    generator: Training = Training(steps=200)
    """The third stage; best after about 200 steps in the paper."""


class Paper(Settings):
    """Everything that the recipe can be told."""

    base: InputModel
    """The model: a local folder or a hub id."""
    train: Annotated[dict[str, Sources], BeforeValidator(named_sources), Field(min_length=1)]
    """The solutions of each generator, by its name, for example {math: ..., prm800k: ..., both: [..., ...]}. The last one is
    the main generator, which SCR and MTSFT go on from. A path alone makes one generator, "main"."""
    test: AnySource
    few_shot: bool = True
    """Measure the base with demonstrations of each generator's data. Without, the base gets the bare prompt."""
    num_candidates: int = Field(default=64, ge=1)
    """N; 64 in the paper."""
    sampling: Sampling = Sampling()
    generator: Training = Training(epochs=3)
    batch_size: int = Field(default=32, ge=1)
    """Solutions per optimizer step."""
    evaluator: EvaluatorSettings = EvaluatorSettings()
    mtsft: MtsftSettings = MtsftSettings()
    contamination: Literal["refuse", "drop", "allow"] = "refuse"
    """What to do with training problems that are test problems too: refuse, drop or allow."""
    template: Template = "plain"
    """How prompts are put to the model, throughout: as plain text, or in its chat template."""
    seed: int = 0
    hardware: Hardware = Hardware()
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes side by side: of sampling and scoring, and of stages that do not depend on each other."""

    @model_validator(mode="after")
    def _known_objectives(self) -> Paper:
        unknown = [name for name in self.mtsft.objectives if name not in self.evaluator.objectives]
        if unknown:
            known = ", ".join(self.evaluator.objectives)
            raise ValueError(
                f"mtsft.objectives names {unknown[0]!r}, which evaluator.objectives has not. Known: {known}."
            )
        return self


@dataclass(frozen=True)
class _Generator:
    """A generator while it is measured."""

    name: str
    model: str
    style: str | None
    demonstrations: Path | None = None


def paper(run: Run, settings: Paper) -> Path:
    """Calls the stages in order, and returns the directory of the report."""
    s = settings
    main = list(s.train)[-1]
    if not run.dry and not run.finished("report"):
        check_labels(s.base, s.template)
    test = run.do("problems.test", Prepare(sources=(s.test,), seed=s.seed)) / "problems.jsonl"

    problems = {
        name: run.do(
            f"problems.{name}",
            Prepare(sources=sources, exclude=(test,), contamination=s.contamination, seed=s.seed),
        )
        for name, sources in s.train.items()
    }
    fresh = _evaluator_problems(run, s, test, problems)
    styles = {name: sources[0].style for name, sources in s.train.items()}

    # SSFT (Table 2)
    generators = run.do_together(
        {f"ssft.{name}": _finetune(s, s.base, s.generator, _solutions(s, problems[name])) for name in s.train}
    )
    generator = str(generators[f"ssft.{main}"] / "model")

    # The evaluator's data: candidates of the main generator on problems that it has not seen
    labels = _label(run, s, fresh, generator, styles[main])

    # All that follows hangs together by files alone: each stage begins as soon as what it reads is there
    references = _solutions(s, problems[main])
    at = run.directory
    evaluator_tasks = {
        name: Task(objective=objective, data=(labels,), batch_size=s.evaluator.batch_size)
        for name, objective in s.evaluator.objectives.items()
    }
    stages: dict[str, Stage] = {}

    # MTSFT (Table 4): the evaluator's stage (Eq. 12, 13), the generator's, and SSFT continued for the steps and tokens of both
    alike = references.model_copy(update={"weight": s.mtsft.likelihood_weight})
    for name in s.mtsft.objectives:
        second, third = f"mtsft.{name}.evaluator", f"mtsft.{name}"
        stages[second] = _finetune(s, generator, s.mtsft.evaluator, evaluator_tasks[name], alike)
        stages[third] = _finetune(s, str(at / second / "model"), s.mtsft.generator, references)
        stages[f"control.{name}"] = Finetune(
            model=generator,
            tasks=(references,),
            training=s.mtsft.generator.model_copy(update={"steps": None, "epochs": None}),
            match_budget=(at / second / "budget.json", at / third / "budget.json"),
            template=s.template,
            seed=s.seed,
            hardware=s.hardware,
        )

    # Evaluators (Table 3)
    for name, task in evaluator_tasks.items():
        stages[f"evaluator.{name}"] = _finetune(s, generator, s.evaluator.training, task)
    scorers = {"likelihood": None, **{name: str(at / f"evaluator.{name}" / "model") for name in evaluator_tasks}}

    # Every generator on the test problems
    bases = [_Generator(f"base.{n}", s.base, style, problems[n] / "labeled.jsonl") for n, style in styles.items()]
    tuned = [f"{kind}.{name}" for name in s.mtsft.objectives for kind in ("mtsft", "control")]
    measured = [
        *(bases if s.few_shot else [_Generator("base", s.base, None)]),
        *(_Generator(f"ssft.{name}", str(generators[f"ssft.{name}"] / "model"), styles[name]) for name in s.train),
        *(_Generator(name, str(at / name / "model"), styles[main]) for name in tuned),
    ]
    evaluations = {}
    for item in measured:
        pool = _sample(at, s, test, item, stages)
        if item.name != f"ssft.{main}":
            evaluations[item.name] = _evaluate(at, s, test, pool, item.name, None, stages)
            continue
        # SCR: the candidates of the main generator under each score (Table 3, Table 7, Figure 1)
        for scorer, model in scorers.items():
            evaluations[f"{item.name} + {scorer}"] = _evaluate(at, s, test, pool, item.name, (scorer, model), stages)
    run.do_together(stages)
    compared = {f"mtsft.{name}": f"control.{name}" for name in s.mtsft.objectives}
    return run.do("report", Report(evaluations=evaluations, baseline=f"ssft.{main} + likelihood", controls=compared))


# --- the stages as this recipe calls them -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pool:
    """A generator's solutions of the test problems."""

    candidates: Path
    clusters: Path
    greedy: Path


def _evaluator_problems(run: Run, s: Paper, test: Path, problems: dict[str, Path]) -> Path:
    """The problems to label. Where they are taken from the main generator's, its entry in `problems` becomes the rest."""
    main = list(s.train)[-1]
    if s.evaluator.problems is not None:
        source = Prepare(
            sources=(s.evaluator.problems,),
            exclude=(test, problems[main] / "problems.jsonl"),
            contamination=s.contamination,
            seed=s.seed,
        )
        return run.do("problems.evaluator", source) / "problems.jsonl"
    whole = problems[main]
    split = run.do(
        f"problems.{main}.split",
        Split(
            problems=whole / "problems.jsonl",
            labeled=whole / "labeled.jsonl",
            parts={"evaluator": s.evaluator.num_problems},
            seed=s.seed,
        ),
    )
    problems[main] = split / "generator"
    return split / "evaluator" / "problems.jsonl"


def _solutions(s: Paper, problems: Path) -> Task:
    return Task(objective=SolutionLoss(), data=(problems / "labeled.jsonl",), batch_size=s.batch_size)


def _finetune(s: Paper, model: str, training: Training, *tasks: Task) -> Finetune:
    return Finetune(model=model, tasks=tasks, training=training, template=s.template, seed=s.seed, hardware=s.hardware)


def _label(run: Run, s: Paper, problems: Path, generator: str, style: str | None) -> Path:
    sample = Sample(
        problems=problems,
        model=generator,
        num_candidates=s.evaluator.num_candidates,
        sampling=s.sampling,
        style=style,
        template=s.template,
        seed=s.seed,
        hardware=s.hardware,
        workers=s.workers,
    )
    candidates = run.do("evaluator.candidates", sample) / "candidates.jsonl"
    clusters = (
        run.do("evaluator.clusters", Cluster(problems=problems, candidates=candidates, workers=s.workers))
        / "clusters.jsonl"
    )
    label = Label(problems=problems, candidates=candidates, clusters=clusters, style=style, seed=s.seed)
    return run.do("evaluator.labels", label) / "labeled.jsonl"


def _sample(at: Path, s: Paper, problems: Path, item: _Generator, stages: dict[str, Stage]) -> _Pool:
    """The pool that the added stages will make."""
    name = item.name
    sampled = Sample(
        problems=problems,
        model=item.model,
        num_candidates=s.num_candidates,
        sampling=s.sampling,
        style=item.style,
        demonstrations=item.demonstrations,
        template=s.template,
        seed=s.seed,
        hardware=s.hardware,
        workers=s.workers,
    )
    greedy = sampled.model_copy(
        update={"num_candidates": 1, "sampling": s.sampling.model_copy(update={"temperature": 0.0})}
    )
    candidates, one = at / f"{name}.candidates" / "candidates.jsonl", at / f"{name}.greedy" / "candidates.jsonl"
    stages[f"{name}.candidates"] = sampled
    stages[f"{name}.clusters"] = Cluster(problems=problems, candidates=candidates, workers=s.workers)
    stages[f"{name}.greedy"] = greedy
    stages[f"{name}.greedy.clusters"] = Cluster(problems=problems, candidates=one)
    return _Pool(
        candidates, at / f"{name}.clusters" / "clusters.jsonl", at / f"{name}.greedy.clusters" / "clusters.jsonl"
    )


def _evaluate(
    at: Path,
    s: Paper,
    problems: Path,
    pool: _Pool,
    name: str,
    scorer: tuple[str, str | None] | None,
    stages: dict[str, Stage],
) -> Path:
    """The directory of the evaluation that the added stages will make."""
    scores = None
    evaluation = f"{name}.evaluation"
    if scorer is not None:
        evaluation = f"{evaluation}.{scorer[0]}"
        scores = at / f"{name}.scores.{scorer[0]}" / "scores.jsonl"
        stages[f"{name}.scores.{scorer[0]}"] = ScoreCandidates(
            problems=problems,
            candidates=pool.candidates,
            model=scorer[1],
            template=s.template,
            hardware=s.hardware,
            workers=s.workers,
        )
    stages[evaluation] = Evaluate(
        problems=problems,
        candidates=pool.candidates,
        clusters=pool.clusters,
        greedy=pool.greedy,
        scores=scores,
        seed=s.seed,
    )
    return at / evaluation
