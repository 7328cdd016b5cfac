"""The paper from top to bottom, for any model and any problems: SSFT, SCR, MTSFT, and the controls that it lacks.

 1. Problems: test problems; each generator's solutions, without test problems; fresh problems for the evaluator.
 2. SSFT: the base is fine-tuned on each source of solutions (Table 2).
 3. Labels: the main generator's candidates on the fresh problems, graded.
 4. MTSFT: from the main generator, evaluator and likelihood together (Eq. 12, 13), then generator again (Table 4).
    Beside it the control: solution fine-tuning continued for the steps and tokens of both.
 5. Evaluators: from the main generator, with each loss (Table 3).
 6. Candidates: N and one greedy solution of every generator, and of the base with demonstrations (Tables 2, 5).
 7. SCR: the main generator's candidates under each evaluator, and under its own likelihood and confidence (Tables 3, 7, Figure 1).
 8. Report: every figure with its interval, and what each method adds on the same problems.

With several `seeds`, 2 to 7 are done once for each, on the same problems, and intervals are over problems and training runs.

Where it departs from the paper, or fills in what that leaves open:

 - Evaluators learn from problems that the main generator was not fine-tuned on; the paper does not say from which.
 - They learn from 16 candidates per problem, not from 10 examples out of 64: more problems teach more.
 - Sources with a style show it in the prompt; the paper mixes its two styles untagged.
 - The weights of the likelihood term, temperature, top-p and all training lengths but the 200 steps of MTSFT's last stage are our
   choices.
 - The control, and the likelihood and the confidence as scores, are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mathquorum.engines import Embedded
from mathquorum.evaluator import Signal
from mathquorum.models import check_model
from mathquorum.objectives import SolutionLoss
from mathquorum.recipes.paper_settings import EVALUATOR_PROBLEMS, EVALUATOR_SHARE, Paper
from mathquorum.run import Run
from mathquorum.run.listing import Listing
from mathquorum.scorers import OwnScorer, Scorer
from mathquorum.selection.own import with_further
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.finetune import Finetune, Task
from mathquorum.stages.label import Label
from mathquorum.stages.prepare import Prepare, Source
from mathquorum.stages.report import EvaluationOf, PoolOf, Report, TrainingRun
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.stages.split import Split
from mathquorum.study import published
from mathquorum.training.settings import Training

__all__ = ["Paper", "paper"]


def paper(run: Run, settings: Paper) -> Path:
    """Lists the stages in order, calls them, and returns the directory of the report."""
    s = settings
    if not run.dry and not run.finished("report"):
        check_model(s.base, s.prompt)
    stages = Listing(run.directory)

    # 1. Problems
    problems = _prepare(stages, s)

    # 2. to 7., once for each training seed
    evaluations = _train_and_measure(stages, s, problems)
    repeats = [
        _train_and_measure(stages.suffixed(f".seed-{seed}"), s.model_copy(update={"seed": seed}), problems, again=True)
        for seed in range(s.seed + 1, s.seed + s.seeds)
    ]

    # 8. Report
    report = stages.add(
        "report",
        Report(
            evaluations=evaluations,
            baseline=f"ssft.{s.main} + {s.signals[0]}",
            controls={f"mtsft.{loss}": f"control.{loss}" for loss in s.sequential},
            repeats=tuple(
                TrainingRun(evaluations={name: item.results for name, item in again.items()}) for again in repeats
            ),
            logs=_logs(run.directory, stages),
            about=_about(s),
        ),
    )
    run.do_together(stages.stages)
    return report


def _logs(directory: Path, stages: Listing) -> dict[str, Path]:
    """Where each trained model's log is, by the name of its stage."""
    return {
        name: directory / name / "log.jsonl" for name, stage in stages.stages.items() if isinstance(stage, Finetune)
    }


def _about(s: Paper) -> dict[str, str]:
    """What a reader of the report must know first. A model is told by its hub id, or its folder's name."""
    base = Path(s.base).name if Path(s.base).exists() else s.base
    trained = "; ".join(f"{name}: {_sources(sources)}" for name, sources in s.train.items())
    return {"base model": base, "test problems": _sources((s.test,)), "solutions": trained}


def _sources(sources: Sequence[Source]) -> str:
    """Their datasets, parts and limits; of a file its name."""
    return " and ".join(
        " ".join(
            filter(
                None,
                (
                    source.dataset,
                    Path(source.path).name if source.path else "",
                    source.hub or "",
                    source.split or "",
                    f"first {source.limit:,}" if source.limit else "",
                ),
            )
        )
        for source in sources
    )


def _train_and_measure(
    stages: Listing, s: Paper, problems: _Problems, *, again: bool = False
) -> dict[str, EvaluationOf]:
    """Everything that one training seed decides. Again, with another, leaves the base out, which is not trained."""
    # 2. SSFT (Table 2)
    ssft = {
        name: str(stages.add(f"ssft.{name}", _finetune(s, s.base, s.generator, _solutions(s, data))) / "model")
        for name, data in problems.solutions.items()
    }
    main, references = ssft[s.main], _solutions(s, problems.solutions[s.main])

    # 3. Labels: the main generator's candidates on fresh problems
    labels = _label(stages, s, problems.fresh, main)
    verdicts = {
        name: Task(objective=objective, data=(labels,), batch_size=s.evaluator.batch_size)
        for name, objective in s.evaluator.objectives.items()
    }

    # 4. MTSFT and its control (Table 4)
    likelihood = references.model_copy(update={"weight": s.mtsft.likelihood_weight})
    sequential: dict[tuple[str, str], str] = {}
    for loss in s.sequential:
        second = stages.add(
            f"mtsft.{loss}.evaluator", _finetune(s, main, s.mtsft.evaluator, verdicts[loss], likelihood)
        )
        third = stages.add(f"mtsft.{loss}", _finetune(s, str(second / "model"), s.mtsft.generator, references))
        control = stages.add(f"control.{loss}", _continued(s, main, references, (second, third)))
        sequential |= {("mtsft", loss): str(third / "model"), ("control", loss): str(control / "model")}

    # 5. Evaluators (Table 3)
    evaluators = {
        name: str(stages.add(f"evaluator.{name}", _finetune(s, main, s.evaluator.training, task)) / "model")
        for name, task in verdicts.items()
    }

    # 6. Every generator's candidates on the test problems (Tables 2, 4, 5), and
    # 7. SCR: those of the main one under each score (Tables 3, 7, Figure 1)
    evaluations: dict[str, EvaluationOf] = {}
    for generator in _generators(s, problems, ssft, sequential, base=not again):
        pool = _sample(stages, s, problems.test, generator)
        name = generator.name
        if name != f"ssft.{s.main}":
            place = stages.add(f"{name}.evaluation", pool.evaluate(s))
            evaluations[name] = EvaluationOf(results=place, generator=name, pool=pool.of(), paper=dict(generator.paper))
            continue
        scorers: dict[str, ScoreCandidates] = {
            **{str(signal): _score(s, pool, None, signal) for signal in s.signals},
            **{evaluator: _score(s, pool, model) for evaluator, model in evaluators.items()},
            **{other.shown_as: _score_by(s, pool, other) for other in s.scorer},
        }
        for scorer, stage in scorers.items():
            scores = stages.add(f"{name}.scores.{scorer}", stage) / "scores.jsonl"
            place = stages.add(f"{name}.evaluation.{scorer}", pool.evaluate(s, scores))
            paper = {**generator.paper, **published.RERANKING.get(("L", scorer), {})}
            evaluations[f"{name} + {scorer}"] = EvaluationOf(
                results=place, generator=name, scorer=scorer, pool=pool.of(scores), paper=paper
            )
    return evaluations


# --- 1. problems ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Problems:
    """The prepared data.

    Attributes:
        test: Problems to measure on.
        solutions: Of each generator, to fine-tune on.
        fresh: Problems that the main generator is not fine-tuned on, for the evaluator.
    """

    test: Path
    solutions: Mapping[str, Path]
    fresh: Path


def _prepare(stages: Listing, s: Paper) -> _Problems:
    test = stages.add("problems.test", Prepare(sources=(s.test,), seed=s.seed)) / "problems.jsonl"
    train = {
        name: stages.add(
            f"problems.{name}",
            Prepare(sources=sources, exclude=(test,), contamination=s.contamination, seed=s.seed),
        )
        for name, sources in s.train.items()
    }
    solutions = {name: place / "labeled.jsonl" for name, place in train.items()}
    whole = train[s.main]
    if s.evaluator.problems is not None:
        excluded = (test, whole / "problems.jsonl")
        source = Prepare(sources=(s.evaluator.problems,), exclude=excluded, contamination=s.contamination, seed=s.seed)
        return _Problems(test, solutions, stages.add("problems.evaluator", source) / "problems.jsonl")
    split = stages.add(
        f"problems.{s.main}.split",
        Split(
            problems=whole / "problems.jsonl",
            labeled=whole / "labeled.jsonl",
            parts={"evaluator": s.evaluator.num_problems or EVALUATOR_PROBLEMS},
            at_most=EVALUATOR_SHARE if s.evaluator.num_problems is None else None,
            asked_by="evaluator.num_problems",
            seed=s.seed,
        ),
    )
    solutions[s.main] = split / "generator" / "labeled.jsonl"
    return _Problems(test, solutions, split / "evaluator" / "problems.jsonl")


# --- 2. to 5. training ------------------------------------------------------------------------------------------------


def _solutions(s: Paper, labeled: Path) -> Task:
    return Task(objective=SolutionLoss(), data=(labeled,), batch_size=s.batch_size)


def _finetune(s: Paper, model: str, training: Training, *tasks: Task, budget: tuple[Path, ...] = ()) -> Finetune:
    return Finetune(
        model=model,
        tasks=tasks,
        training=training,
        match_budget=budget,
        prompt=s.prompt,
        seed=s.seed,
        hardware=s.hardware,
    )


def _continued(s: Paper, model: str, references: Task, stages: tuple[Path, ...]) -> Finetune:
    """Solution fine-tuning for the steps and tokens that these stages took together."""
    unlimited = s.mtsft.generator.model_copy(update={"steps": None, "epochs": None})
    return _finetune(s, model, unlimited, references, budget=tuple(stage / "budget.json" for stage in stages))


def _style(s: Paper, source: str) -> str | None:
    return s.train[source][0].style


def _label(stages: Listing, s: Paper, problems: Path, model: str) -> Path:
    generator = _Generator("evaluator", model, _style(s, s.main))
    sample = _sampler(s, problems, generator, s.evaluator.num_candidates)
    candidates = stages.add("evaluator.candidates", sample) / "candidates.jsonl"
    cluster = Cluster(problems=problems, candidates=candidates, workers=s.workers)
    clusters = stages.add("evaluator.clusters", cluster) / "clusters.jsonl"
    label = Label(problems=problems, candidates=candidates, clusters=clusters, style=generator.style, seed=s.seed)
    return stages.add("evaluator.labels", label) / "labeled.jsonl"


# --- 6. and 7. candidates and scores ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Generator:
    """A model that writes solutions, and how it is asked; with what the paper reports of its like, in percent."""

    name: str
    model: str
    style: str | None
    demonstrations: Path | None = None
    paper: Mapping[str, float] = field(default_factory=dict)


def _generators(
    s: Paper, problems: _Problems, ssft: Mapping[str, str], sequential: Mapping[tuple[str, str], str], *, base: bool
) -> Iterator[_Generator]:
    """The few-shot bases, those fine-tuned on solutions, and what came of sequential training, in the report's order."""
    if base and s.few_shot:
        for name, demonstrations in problems.solutions.items():
            paper = published.DEMONSTRATIONS.get(("L", _paper_source(s, name)), {})
            yield _Generator(f"base.{name}", s.base, _style(s, name), demonstrations, paper)
    elif base:
        yield _Generator("base", s.base, None)
    for name, model in ssft.items():
        paper = published.GENERATORS.get(("L", _paper_source(s, name)), {})
        yield _Generator(f"ssft.{name}", model, _style(s, name), paper=paper)
    for (kind, loss), model in sequential.items():
        paper = published.MTSFT.get(loss, {}) if kind == "mtsft" else {}
        yield _Generator(f"{kind}.{loss}", model, _style(s, s.main), paper=paper)


def _paper_source(s: Paper, name: str) -> str:
    """Whose row of the paper: the first source stands for MATH, the second for PRM800K, the third for their union."""
    place = list(s.train).index(name)
    return ("MATH", "PRM800K", "MATH + PRM800K")[place] if len(s.train) > 1 and place < 3 else ""


@dataclass(frozen=True)
class _Pool:
    """A generator's candidates on the test problems."""

    problems: Path
    candidates: Path
    clusters: Path
    greedy: Path

    def of(self, scores: Path | None = None) -> PoolOf:
        """For the report: what an evaluation is made from."""
        return PoolOf(problems=self.problems, candidates=self.candidates, clusters=self.clusters, scores=scores)

    def evaluate(self, s: Paper, scores: Path | None = None) -> Evaluate:
        return Evaluate(
            problems=self.problems,
            candidates=self.candidates,
            clusters=self.clusters,
            greedy=self.greedy,
            scores=scores,
            strategies=with_further(s.strategies, scored=scores is not None),
            seed=s.seed,
        )


def _sampler(s: Paper, problems: Path, generator: _Generator, num_candidates: int) -> Sample:
    return Sample(
        problems=problems,
        model=generator.model,
        num_candidates=num_candidates,
        sampling=s.sampling,
        style=generator.style,
        demonstrations=generator.demonstrations,
        prompt=s.prompt,
        seed=s.seed,
        hardware=s.hardware,
        workers=s.workers,
        engine=s.engine,
    )


def _sample(stages: Listing, s: Paper, problems: Path, generator: _Generator) -> _Pool:
    """N candidates and one greedy solution per problem, clustered."""
    sample = _sampler(s, problems, generator, s.num_candidates)
    cold = s.sampling.model_copy(update={"temperature": 0.0})
    greedy = sample.model_copy(update={"num_candidates": 1, "sampling": cold})
    name = generator.name
    candidates = stages.add(f"{name}.candidates", sample) / "candidates.jsonl"
    clusters = stages.add(f"{name}.clusters", Cluster(problems=problems, candidates=candidates, workers=s.workers))
    one = stages.add(f"{name}.greedy", greedy) / "candidates.jsonl"
    of_one = stages.add(f"{name}.greedy.clusters", Cluster(problems=problems, candidates=one))
    return _Pool(problems, candidates, clusters / "clusters.jsonl", of_one / "clusters.jsonl")


def _score(s: Paper, pool: _Pool, model: str | None, signal: Signal = "likelihood") -> ScoreCandidates:
    return ScoreCandidates(
        problems=pool.problems,
        candidates=pool.candidates,
        model=model,
        signal=signal,
        prompt=s.prompt,
        hardware=s.scoring_hardware or s.hardware,
        workers=s.workers,
        engine=s.engine,
    )


def _score_by(s: Paper, pool: _Pool, other: Scorer | OwnScorer) -> ScoreCandidates:
    if isinstance(other, OwnScorer):
        return _score(s, pool, None).model_copy(update={"scorer": other})
    return _score(s, pool, other.model).model_copy(update={"reads": other.reads, "engine": Embedded()})
