"""The study: every table of the paper on two models, with seeds, paired intervals and the controls that it lacks.

Per training seed and model: a generator on each source of solutions, evaluators on fresh problems, sequential
fine-tuning, its controls; then all of their candidates on the same problems. Stages of one kind run side by side over
models and seeds. A training seed seeds its data's order, its samples and its labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from mathquorum.assets import mini_base_path, tiny_base_path
from mathquorum.config import InputModel, Runtime, Settings
from mathquorum.engines.base import Sampling
from mathquorum.errors import SettingsError
from mathquorum.models import Hardware, Template, check_labels
from mathquorum.objectives import AnyObjective, CrossEntropyLoss, MarginLoss, PairwiseLoss, SolutionLoss
from mathquorum.recipes.paper import AnySource, Sources, named_sources
from mathquorum.run import Run
from mathquorum.stages.base import Stage
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.combine import CombineScores
from mathquorum.stages.describe import Describe
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.label import Label
from mathquorum.stages.prepare import Prepare, Source
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.stages.study_report import MeasuredPool, StudyReport
from mathquorum.training import Training

__all__ = ["EvaluatorVariant", "FullStudy", "SmallStudy", "Study", "study"]


WITH_LIKELIHOOD = ".with_likelihood_score"
"""Ends the name of an evaluator's scores where the likelihood is added to them."""


MEAN = "mean"
"""The evaluator that averages others."""


class EvaluatorVariant(Settings):
    """One way to train an evaluator."""

    objective: AnyObjective
    start: Literal["base", "generator"] = "generator"
    """The model that it is trained from. The paper does not say."""
    likelihood_weight: float = Field(default=0.0, ge=0)
    """alpha of a likelihood term on the generator's solutions trained along (Eq. 12, 13); 0 leaves it out."""
    roles: Literal["all", "largest"] = "all"
    """The models that get it."""


class StudyEvaluators(Settings):
    """The evaluators and what they are trained on."""

    problems: AnySource
    """Problems that no generator is fine-tuned on."""
    num_candidates: int = Field(default=8, ge=2)
    """Per problem. Many problems with few candidates teach more than the reverse. 8, since candidates that begin alike are computed
    as one: 8 of a tuned generator are 2.5 times the tokens of one (minimath)."""
    variants: dict[str, EvaluatorVariant] = {
        "margin": EvaluatorVariant(objective=MarginLoss()),
        "cross_entropy": EvaluatorVariant(objective=CrossEntropyLoss()),
    }
    losses: tuple[str, ...] = ("margin", "cross_entropy")
    """The variants of Tables 3 and 7."""
    transferred: str = "cross_entropy"
    """The variant of Table 6, of Figure 1, and on the candidates of sequential training."""
    averaged: tuple[str, ...] = ()
    """The variants whose scores are averaged, as logits, into those of one more evaluator, "mean", of the largest model."""
    combined: tuple[str, ...] = ()
    """The variants, or "mean", whose scores are measured, too, together with the generator's likelihood."""
    likelihood_weight: float = Field(default=0.6, ge=0)
    """See `CombineScores`."""
    training: Training = Training(epochs=2)
    batch_size: int = Field(default=16, ge=1)


class StudyMtsft(Settings):
    """Sequential fine-tuning and its controls."""

    losses: tuple[str, ...] = ("margin", "cross_entropy")
    """Of the evaluators' variants. None leaves Table 4 out."""
    roles: Literal["all", "largest"] = "largest"
    """The paper reports the larger model only."""
    likelihood_weight: float = Field(default=1.0, ge=0)
    """alpha_2 and alpha_3 of Eq. 12 and 13. The paper does not give them."""
    evaluator: Training = Training(epochs=1)
    generator: Training = Training(steps=200)
    """The third stage; best after about 200 steps in the paper."""
    mixed: bool = True
    """Measure, too, both tasks trained at once for the steps of both stages."""


class Study(Settings):
    """Everything that the study can be told. Bases run from the smaller to the larger."""

    bases: dict[str, InputModel] = Field(min_length=1)
    """Models by role. The first stands for PaLM 2-S*, the last for PaLM 2-L; one alone stands for L."""
    train: Annotated[dict[str, Sources], BeforeValidator(named_sources), Field(min_length=1)]
    """Solutions by source: the first terse, as MATH's are, the second fine, as PRM800K's, the last the main generator's."""
    validation: AnySource
    """Problems on which K and N' are chosen."""
    test: AnySource
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1)
    num_candidates: int = Field(default=64, ge=2)
    """N; 64 in the paper."""
    main_candidates: int | None = Field(default=None, ge=2)
    """More than N for the main generator of the largest model, for the tables of strategies and of stopping. Where generators
    are compared, the first N count. None: as many as for the others."""
    sampling: Sampling = Sampling()
    generator: Training = Training(epochs=3)
    batch_size: int = Field(default=32, ge=1)
    evaluators: StudyEvaluators
    mtsft: StudyMtsft = StudyMtsft()
    contamination: Literal["refuse", "drop", "allow"] = "refuse"
    template: Template = "plain"
    title: str = "The study"
    hardware: Hardware = Hardware()
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes at most: stages side by side, or those of one stage. One per graphics card, or per core."""

    @model_validator(mode="after")
    def _known_names(self) -> Study:
        known = self.evaluators.variants
        for field, names in (
            ("evaluators.losses", self.evaluators.losses),
            ("evaluators.transferred", (self.evaluators.transferred,)),
            ("evaluators.averaged", self.evaluators.averaged),
            ("evaluators.combined", [name for name in self.evaluators.combined if name != MEAN]),
            ("mtsft.losses", self.mtsft.losses),
        ):
            unknown = [name for name in names if name not in known]
            if unknown:
                raise ValueError(
                    f"{field} names {unknown[0]!r}, which evaluators.variants has not: {', '.join(known)}."
                )
        if MEAN in known:
            raise ValueError(f"evaluators.variants has {MEAN!r}, which is the name of the average: choose another.")
        if MEAN in self.evaluators.combined and not self.evaluators.averaged:
            raise ValueError(f"evaluators.combined names {MEAN!r}, but evaluators.averaged is empty.")
        if self.main_candidates is not None and self.main_candidates < self.num_candidates:
            raise ValueError(
                f"main_candidates must be at least num_candidates. Got {self.main_candidates} and {self.num_candidates}: "
                "raise it, or set it to null."
            )
        return self

    @property
    def main(self) -> str:
        return list(self.train)[-1]

    @property
    def largest(self) -> str:
        return list(self.bases)[-1]


def _minimath(split: str, limit: int, style: str | None = None) -> Source:
    return Source(dataset="minimath", split=split, limit=limit, style=style)


_LENGTH = 512


def _short(steps: int, learning_rate: float) -> Training:
    return Training(steps=steps, learning_rate=learning_rate, max_length=_LENGTH, checkpoint_steps=25)


class SmallStudy(Study):
    """The study in miniature: two embedded bases, two cores, about an hour."""

    bases: dict[str, InputModel] = {"S": str(mini_base_path()), "L": str(tiny_base_path())}
    train: Annotated[dict[str, Sources], BeforeValidator(named_sources), Field(min_length=1)] = {
        "terse": (_minimath("train", 2500, "terse"),),
        "fine": (_minimath("train", 2500, "fine"),),
        "both": (_minimath("train", 2500, "fine"), _minimath("train", 2500, "terse")),
    }
    validation: AnySource = _minimath("validation", 40)
    test: AnySource = _minimath("test", 120)
    num_candidates: int = Field(default=32, ge=2)
    """32, for the sake of more problems in the same time; 64 in the paper and in the full study."""
    main_candidates: int | None = Field(default=64, ge=2)
    """N of the paper, where strategies are compared."""
    sampling: Sampling = Sampling(temperature=0.8, max_tokens=160)
    generator: Training = _short(80, 5e-4)
    evaluators: StudyEvaluators = StudyEvaluators(
        problems=_minimath("evaluator", 2000),
        variants={
            "margin": EvaluatorVariant(objective=MarginLoss(), start="base"),
            "cross_entropy": EvaluatorVariant(objective=CrossEntropyLoss(), start="base"),
            "from_generator": EvaluatorVariant(objective=CrossEntropyLoss(), start="generator", roles="largest"),
            "with_likelihood": EvaluatorVariant(
                objective=CrossEntropyLoss(), start="base", likelihood_weight=1.0, roles="largest"
            ),
            "pairwise": EvaluatorVariant(objective=PairwiseLoss(), start="base", roles="largest"),
        },
        averaged=("cross_entropy", "from_generator", "with_likelihood", "pairwise"),
        combined=("cross_entropy", "pairwise", MEAN),
        training=_short(100, 3e-4),
    )
    mtsft: StudyMtsft = StudyMtsft(evaluator=_short(30, 3e-4), generator=_short(30, 3e-4))
    title: str = "The study in miniature (small)"
    workers: Annotated[int, Runtime()] = Field(default=2, ge=1)


class FullStudy(SmallStudy):
    """The same with more of everything: a night on two cores."""

    validation: AnySource = _minimath("validation", 200)
    test: AnySource = _minimath("test", 500)
    num_candidates: int = Field(default=64, ge=2)
    """N; 64 in the paper."""
    generator: Training = _short(250, 5e-4)
    evaluators: StudyEvaluators = SmallStudy.model_fields["evaluators"].default.model_copy(
        update={"problems": _minimath("evaluator", 6000), "training": _short(400, 3e-4)}
    )
    mtsft: StudyMtsft = StudyMtsft(evaluator=_short(200, 3e-4), generator=_short(200, 3e-4))
    title: str = "The study in miniature (full)"


# --- the recipe -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Trained:
    """A generator: a role's model after some training, or before any."""

    role: str
    name: str
    seed: int
    model: str
    style: str | None
    demonstrations: Path | None = None

    @property
    def key(self) -> str:
        return f"{self.role}.{self.seed}.{self.name}"


@dataclass(frozen=True)
class _Problems:
    """The prepared data."""

    test: Path
    validation: Path
    evaluator: Path
    labeled: Mapping[str, Path]


class _Listed:
    """Stages in the order in which they begin when several could. None of them is called before all are listed, so that a worker
    never waits for the last of a kind.

    Args:
        directory: Of the run.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.stages: dict[str, Stage] = {}

    def add(self, name: str, stage: Stage) -> Path:
        """Where its results will be.

        Raises:
            SettingsError: If there is a stage of that name.
        """
        if name in self.stages:
            raise SettingsError(
                f"Two stages would be called {name!r}. Give the evaluator variant or the source another name."
            )
        self.stages[name] = stage
        return self._directory / name

    def add_all(self, stages: Mapping[str, Stage]) -> dict[str, Path]:
        return {name: self.add(name, stage) for name, stage in stages.items()}


def study(run: Run, settings: Study) -> Path:
    """Lists the stages kind by kind, calls them, and returns the directory of the report."""
    s = settings
    if not run.dry and not run.finished("report"):
        for model in s.bases.values():
            check_labels(model, s.template)
    problems = _prepare(run, s)
    listed = _Listed(run.directory)
    data = listed.add(
        "data",
        Describe(
            model=s.bases[s.largest],
            solutions=dict(problems.labeled),
            problems={"validation": problems.validation, "test": problems.test, "evaluator": problems.evaluator},
        ),
    )
    tuned = _tune(listed, s, problems)
    main = {(g.role, g.seed): g for g in tuned if g.name == f"ssft.{s.main}"}

    # Candidates of every generator so far, on test and validation problems, and on fresh ones to be labelled
    bases = [
        _Trained(role, f"base.{name}", s.seeds[0], model, _style(s, name), problems.labeled[name])
        for role, model in s.bases.items()
        for name in list(s.train)[:2]
    ]
    labels = _label(listed, s, problems, main)
    evaluators = _train_evaluators(listed, s, problems, main, labels)
    sequential = _sequential(listed, s, problems, main, labels)
    everyone = [*bases, *tuned, *sequential]
    pools = _sample(listed, s, problems.test, everyone, "test")
    chosen = _sample(listed, s, problems.validation, list(main.values()), "validation")

    # Scores: each evaluator on its model's main generator, and one of each model on what else it is asked about
    for found, part in ((pools, "test"), (chosen, "validation")):
        _score(listed, s, problems, found, evaluators, part)
    report = listed.add(
        "report",
        StudyReport(
            problems=problems.test,
            validation=problems.validation,
            pools=tuple(pools.values()),
            validation_pools=tuple(chosen.values()),
            data=data / "data.json",
            roles=tuple(s.bases),
            sources=tuple(s.train),
            losses=s.evaluators.losses,
            variants=tuple(s.evaluators.variants),
            transferred=s.evaluators.transferred,
            mtsft=s.mtsft.losses,
            title=s.title,
            about=_about(s),
        ),
    )
    run.do_together(listed.stages)
    return report


def _about(s: Study) -> str:
    deep = f" ({s.main_candidates} for the main generator of {s.largest})" if s.main_candidates else ""
    models = " and ".join(f"{role} ({Path(model).name})" for role, model in s.bases.items())
    return (
        f"{models}; generators trained on {', '.join(s.train)}; {len(s.seeds)} training seeds; N = {s.num_candidates}{deep}, "
        f"temperature {s.sampling.temperature}, top-p {s.sampling.top_p}."
    )


def _style(s: Study, source: str) -> str | None:
    return s.train[source][0].style


def _prepare(run: Run, s: Study) -> _Problems:
    test = run.do("problems.test", Prepare(sources=(s.test,))) / "problems.jsonl"
    excluded: tuple[Path, ...] = (test,)
    policy = s.contamination
    validation = run.do("problems.validation", Prepare(sources=(s.validation,), exclude=excluded, contamination=policy))
    excluded = (*excluded, validation / "problems.jsonl")
    train = {
        name: run.do(f"problems.{name}", Prepare(sources=sources, exclude=excluded, contamination=policy))
        for name, sources in s.train.items()
    }
    excluded = (*excluded, *(place / "problems.jsonl" for place in train.values()))
    evaluator = run.do(
        "problems.evaluator", Prepare(sources=(s.evaluators.problems,), exclude=excluded, contamination=policy)
    )
    return _Problems(
        test=test,
        validation=validation / "problems.jsonl",
        evaluator=evaluator / "problems.jsonl",
        labeled={name: place / "labeled.jsonl" for name, place in train.items()},
    )


def _models(s: Study) -> Iterator[tuple[str, str, int]]:
    """Role, base and seed: the larger models first, since they take longest."""
    for role, base in reversed(s.bases.items()):
        for seed in s.seeds:
            yield role, base, seed


def _solutions(s: Study, problems: _Problems, source: str, weight: float = 1.0) -> Task:
    return Task(objective=SolutionLoss(), data=(problems.labeled[source],), batch_size=s.batch_size, weight=weight)


def _finetune(
    s: Study, model: str, seed: int, training: Training, *tasks: Task, budget: Iterable[Path] = ()
) -> Finetune:
    return Finetune(
        model=model,
        tasks=tasks,
        training=training,
        match_budget=tuple(budget),
        template=s.template,
        seed=seed,
        hardware=s.hardware,
    )


def _tune(listed: _Listed, s: Study, problems: _Problems) -> list[_Trained]:
    """Table 2: a generator on each source, with every seed."""
    stages = {
        f"{role}.{seed}.ssft.{name}": _finetune(s, base, seed, s.generator, _solutions(s, problems, name))
        for role, base, seed in _models(s)
        for name in reversed(s.train)
    }
    places = listed.add_all(stages)
    return [
        _Trained(role, f"ssft.{name}", seed, str(places[f"{role}.{seed}.ssft.{name}"] / "model"), _style(s, name))
        for role in s.bases
        for name in s.train
        for seed in s.seeds
    ]


_ByModel = Mapping[tuple[str, int], _Trained]


def _label(listed: _Listed, s: Study, problems: _Problems, main: _ByModel) -> dict[tuple[str, int], Path]:
    """Each model's own candidates on fresh problems, graded: the evaluators' examples."""
    samples = listed.add_all(
        {
            f"{role}.{seed}.evaluator.candidates": _sampler(
                s, problems.evaluator, main[role, seed], s.evaluators.num_candidates
            )
            for role, _, seed in _models(s)
        }
    )
    clusters = listed.add_all(
        {
            f"{role}.{seed}.evaluator.clusters": Cluster(
                problems=problems.evaluator,
                candidates=samples[f"{role}.{seed}.evaluator.candidates"] / "candidates.jsonl",
            )
            for role, _, seed in _models(s)
        }
    )
    labels = listed.add_all(
        {
            f"{role}.{seed}.evaluator.labels": Label(
                problems=problems.evaluator,
                candidates=samples[f"{role}.{seed}.evaluator.candidates"] / "candidates.jsonl",
                clusters=clusters[f"{role}.{seed}.evaluator.clusters"] / "clusters.jsonl",
                style=_style(s, s.main),
                seed=seed,
            )
            for role, _, seed in _models(s)
        }
    )
    return {(role, seed): labels[f"{role}.{seed}.evaluator.labels"] / "labeled.jsonl" for role, _, seed in _models(s)}


def _verdicts(s: Study, name: str, labels: Path) -> Task:
    return Task(objective=s.evaluators.variants[name].objective, data=(labels,), batch_size=s.evaluators.batch_size)


_Evaluators = Mapping[tuple[str, int, str], str]
"""The model of each evaluator, by role, seed and name."""


def _train_evaluators(
    listed: _Listed, s: Study, problems: _Problems, main: _ByModel, labels: Mapping[tuple[str, int], Path]
) -> _Evaluators:
    stages = {}
    for role, base, seed in _models(s):
        for name, variant in s.evaluators.variants.items():
            if variant.roles == "largest" and role != s.largest:
                continue
            tasks = [_verdicts(s, name, labels[role, seed])]
            if variant.likelihood_weight:
                tasks.append(_solutions(s, problems, s.main, variant.likelihood_weight))
            start = base if variant.start == "base" else main[role, seed].model
            stages[role, seed, name] = _finetune(s, start, seed, s.evaluators.training, *tasks)
    places = listed.add_all({f"{r}.{seed}.evaluator.{name}": stage for (r, seed, name), stage in stages.items()})
    return {(r, seed, name): str(places[f"{r}.{seed}.evaluator.{name}"] / "model") for r, seed, name in stages}


def _sequential(
    listed: _Listed, s: Study, problems: _Problems, main: _ByModel, labels: Mapping[tuple[str, int], Path]
) -> list[_Trained]:
    """Table 4, and the controls: solution fine-tuning continued as long, and both tasks at once."""
    models = [(r, seed) for r, _, seed in _models(s) if s.mtsft.roles == "all" or r == s.largest]
    references = _solutions(s, problems, s.main)
    joint = {
        (role, seed, loss): (
            _verdicts(s, loss, labels[role, seed]),
            _solutions(s, problems, s.main, s.mtsft.likelihood_weight),
        )
        for role, seed in models
        for loss in s.mtsft.losses
    }
    second = listed.add_all(
        {
            f"{role}.{seed}.mtsft.{loss}.evaluator": _finetune(
                s, main[role, seed].model, seed, s.mtsft.evaluator, *tasks
            )
            for (role, seed, loss), tasks in joint.items()
        }
    )
    third = listed.add_all(
        {
            f"{role}.{seed}.mtsft.{loss}": _finetune(
                s, str(second[f"{role}.{seed}.mtsft.{loss}.evaluator"] / "model"), seed, s.mtsft.generator, references
            )
            for role, seed, loss in joint
        }
    )
    unlimited = s.mtsft.generator.model_copy(update={"steps": None, "epochs": None})
    controls: dict[str, Stage] = {
        f"{role}.{seed}.control.{loss}": _finetune(
            s,
            main[role, seed].model,
            seed,
            unlimited,
            references,
            budget=(
                second[f"{role}.{seed}.mtsft.{loss}.evaluator"] / "budget.json",
                third[f"{role}.{seed}.mtsft.{loss}"] / "budget.json",
            ),
        )
        for role, seed, loss in joint
    }
    places = {**third, **listed.add_all({**controls, **(_mixed(s, main, joint) if s.mtsft.mixed else {})})}
    names = [f"{kind}.{loss}" for kind in ("mtsft", "control", "mixed") for loss in s.mtsft.losses]
    return [
        _Trained(role, name, seed, str(places[f"{role}.{seed}.{name}"] / "model"), _style(s, s.main))
        for role, seed in models
        for name in names
        if f"{role}.{seed}.{name}" in places
    ]


def _mixed(s: Study, main: _ByModel, joint: Mapping[tuple[str, int, str], tuple[Task, Task]]) -> dict[str, Stage]:
    """Both tasks at once, for as many steps as the two stages have. Only where both count steps."""
    first, then = s.mtsft.evaluator.steps, s.mtsft.generator.steps
    if first is None or then is None:
        return {}
    training = s.mtsft.evaluator.model_copy(update={"steps": first + then})
    loss = s.mtsft.losses[-1:]
    return {
        f"{role}.{seed}.mixed.{name}": _finetune(s, main[role, seed].model, seed, training, *tasks)
        for (role, seed, name), tasks in joint.items()
        if name in loss
    }


def _sampler(s: Study, problems: Path, generator: _Trained, num_candidates: int, greedy: bool = False) -> Sample:
    return Sample(
        problems=problems,
        model=generator.model,
        num_candidates=num_candidates,
        sampling=s.sampling.model_copy(update={"temperature": 0.0}) if greedy else s.sampling,
        style=generator.style,
        demonstrations=generator.demonstrations,
        template=s.template,
        seed=generator.seed,
        hardware=s.hardware,
    )


def _sample(
    listed: _Listed, s: Study, problems: Path, generators: list[_Trained], part: str
) -> dict[str, MeasuredPool]:
    """N candidates and one greedy solution of each generator, clustered."""
    samples: dict[str, Stage] = {}
    for g in generators:
        deep = g.role == s.largest and g.name == f"ssft.{s.main}"
        number = (s.main_candidates if deep else None) or s.num_candidates
        samples[f"{g.key}.{part}.candidates"] = _sampler(s, problems, g, number)
    if part == "test":
        for g in generators:
            samples[f"{g.key}.{part}.greedy"] = _sampler(s, problems, g, 1, greedy=True)
    places = listed.add_all(samples)
    clusters = listed.add_all(
        {
            f"{name}.clusters": Cluster(problems=problems, candidates=place / "candidates.jsonl")
            for name, place in places.items()
        }
    )
    return {
        g.key: MeasuredPool(
            role=g.role,
            generator=g.name,
            seed=g.seed,
            candidates=places[f"{g.key}.{part}.candidates"] / "candidates.jsonl",
            clusters=clusters[f"{g.key}.{part}.candidates.clusters"] / "clusters.jsonl",
            greedy=clusters[f"{g.key}.{part}.greedy.clusters"] / "clusters.jsonl" if part == "test" else None,
        )
        for g in generators
    }


def _score(
    listed: _Listed, s: Study, problems: _Problems, pools: dict[str, MeasuredPool], evaluators: _Evaluators, part: str
) -> None:
    """Adds the scores to the pools. Main generators get all evaluators of their own model, the transferred one of the
    others, and their likelihood; what came of sequential training gets the transferred one of its own model."""
    wanted: dict[tuple[str, str], str | None] = {}
    for key, pool in pools.items():
        if pool.generator == f"ssft.{s.main}":
            wanted[key, "likelihood"] = None
            for (role, seed, name), model in evaluators.items():
                if seed == pool.seed and (role == pool.role or (name == s.evaluators.transferred and part == "test")):
                    wanted[key, f"{role}.{name}"] = model
        elif pool.generator.startswith(("mtsft.", "control.", "mixed.")):
            name = s.evaluators.transferred
            wanted[key, f"{pool.role}.{name}"] = evaluators[pool.role, pool.seed, name]
    file = problems.test if part == "test" else problems.validation
    stages = {
        f"{key}.{part}.scores.{name}": ScoreCandidates(
            problems=file, candidates=pools[key].candidates, model=model, template=s.template, hardware=s.hardware
        )
        for (key, name), model in wanted.items()
    }
    places = listed.add_all(stages)
    combined = {
        (key, name): stage for key, pool in pools.items() for name, stage in _combined(s, key, pool, places, part)
    }
    for (key, name), stage in combined.items():
        places[f"{key}.{part}.scores.{name}"] = listed.add(f"{key}.{part}.scores.{name}", stage)
    for key, pool in pools.items():
        scores = {n: places[f"{k}.{part}.scores.{n}"] / "scores.jsonl" for k, n in (*wanted, *combined) if k == key}
        pools[key] = pool.model_copy(update={"scores": scores})


def _combined(
    s: Study, key: str, pool: MeasuredPool, places: Mapping[str, Path], part: str
) -> Iterator[tuple[str, CombineScores]]:
    """The scores that are made of others, for a main generator: by name."""
    if pool.generator != f"ssft.{s.main}":
        return

    def scores(name: str) -> Path:
        return places[f"{key}.{part}.scores.{pool.role}.{name}"] / "scores.jsonl"

    def stage(names: Sequence[str], weight: float) -> CombineScores:
        files = tuple(scores(name) for name in names)
        return CombineScores(candidates=pool.candidates, scores=files, likelihood_weight=weight)

    averaged = s.evaluators.averaged if pool.role == s.largest else ()
    if averaged:
        yield f"{pool.role}.{MEAN}", stage(averaged, 0.0)
    for name in s.evaluators.combined:
        parts = averaged if name == MEAN else (name,)
        if parts and all(f"{key}.{part}.scores.{pool.role}.{one}" in places for one in parts):
            yield f"{pool.role}.{name}{WITH_LIKELIHOOD}", stage(parts, s.evaluators.likelihood_weight)
