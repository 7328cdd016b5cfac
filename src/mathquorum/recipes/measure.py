"""A model as it is: sampled, voted, scored where there is an evaluator, and reported. Nothing is trained, so that any engine will do.

 1. Problems: the test problems, and those that are shown solved before each (few-shot prompting), if any.
 2. Candidates: N and one greedy solution of each problem, clustered.
 3. Scores: by an evaluator, or by the model's own likelihood or confidence, where asked for.
 4. Report: every figure with its interval, and which engine made the candidates.

The same settings measure one model in this process, on a cluster and on servers: mathquorum run measure --config FILE --engine.kind server
--engine.url URL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from mathquorum.config import Runtime, Settings
from mathquorum.engines import AnyEngine, Embedded
from mathquorum.engines.base import Sampling
from mathquorum.evaluator import Signal
from mathquorum.models import Hardware
from mathquorum.prompts import AnyPrompt, Prompt
from mathquorum.recipes.paper_settings import AnySource, check_one_server
from mathquorum.run import Run
from mathquorum.run.listing import Listing
from mathquorum.scorers import AnyScorer, OwnScorer, check_names
from mathquorum.selection.own import StrategyNames, with_further
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.prepare import Prepare
from mathquorum.stages.report import EvaluationOf, PoolOf, Report
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates

__all__ = ["Measure", "measure"]


class Measure(Settings):
    """Everything that the recipe can be told."""

    model: str
    """The generator: a local folder, a hub id, or the name under which a server knows it."""
    evaluator: str | None = None
    """What scores the candidates, likewise; None leaves scores out."""
    signals: tuple[Signal, ...] = ()
    """Which of the model's own signals the candidates are scored by, too. A server may tell none of them."""
    strategies: StrategyNames = ()
    """Further strategies, beside those of the paper's tables: other numbers (w.rr.top3), or MODULE:CLASS of your own."""
    scorer: tuple[AnyScorer, ...] = ()
    """What else scores the candidates in this process: reward models, process reward models and evaluators of others, and MODULE:CLASS of your
    own."""
    test: AnySource
    demonstrations: AnySource | None = None
    """Where solved problems come from that are shown before each; None shows none."""
    num_demonstrations: int = Field(default=4, ge=1)
    """4 as in the usual MATH prompt (Minerva)."""
    style: str | None = None
    """The style tag shown in the prompt."""
    num_candidates: int = Field(default=64, ge=1)
    """N; 64 in the paper."""
    sampling: Sampling = Sampling()
    prompt: AnyPrompt = Prompt()
    """How problems are put to the model: as plain text, or in its chat template."""
    seed: int = 0
    hardware: Hardware = Hardware()
    scoring_hardware: Hardware | None = None
    """Where candidates are scored; null: as hardware. Scores want float32 where candidates are written in bfloat16 (docs/models.md)."""
    workers: Annotated[int, Runtime()] = Field(default=1, ge=1)
    """Processes side by side; a server is asked by engine.concurrency."""
    engine: AnyEngine = Embedded()
    """What samples and scores."""

    @model_validator(mode="after")
    def _one_server(self) -> Measure:
        check_one_server(self.engine, self.workers)
        check_names(self.scorer, [*self.signals, *(("evaluator",) if self.evaluator else ())])
        return self


def measure(run: Run, settings: Measure) -> Path:
    """Lists the stages in order, calls them, and returns the directory of the report."""
    s, stages = settings, Listing(run.directory)

    # 1. Problems
    test = stages.add("problems.test", Prepare(sources=(s.test,), seed=s.seed)) / "problems.jsonl"
    shown = None
    if s.demonstrations:
        solved = Prepare(sources=(s.demonstrations,), exclude=(test,), seed=s.seed)
        shown = stages.add("problems.demonstrations", solved) / "labeled.jsonl"

    # 2. Candidates
    sample = Sample(
        problems=test,
        model=s.model,
        num_candidates=s.num_candidates,
        sampling=s.sampling,
        style=s.style,
        demonstrations=shown,
        num_demonstrations=s.num_demonstrations,
        prompt=s.prompt,
        seed=s.seed,
        hardware=s.hardware,
        workers=s.workers,
        engine=s.engine,
    )
    cold = s.sampling.model_copy(update={"temperature": 0.0})
    candidates, clusters = _pool(stages, "", sample)
    _, greedy = _pool(stages, "greedy.", sample.model_copy(update={"num_candidates": 1, "sampling": cold}))

    # 3. Scores
    told = ScoreCandidates(
        problems=test,
        candidates=candidates,
        prompt=s.prompt,
        hardware=s.scoring_hardware or s.hardware,
        workers=s.workers,
    )
    scorers = {str(signal): told.model_copy(update={"signal": signal}) for signal in s.signals}
    if s.evaluator:
        scorers["evaluator"] = told.model_copy(update={"model": s.evaluator, "engine": s.engine})
    for other in s.scorer:
        by = {"scorer": other} if isinstance(other, OwnScorer) else {"model": other.model, "reads": other.reads}
        scorers[other.shown_as] = told.model_copy(update=by)
    scores: dict[str, Path | None] = {
        name: stages.add(f"scores.{name}", stage) / "scores.jsonl" for name, stage in scorers.items()
    } or {"": None}

    # 4. Report
    evaluations = {}
    for scorer, file in scores.items():
        evaluation = Evaluate(
            problems=test,
            candidates=candidates,
            clusters=clusters,
            greedy=greedy,
            scores=file,
            strategies=with_further(s.strategies, scored=file is not None),
            seed=s.seed,
        )
        place = stages.add(f"evaluation.{scorer}" if scorer else "evaluation", evaluation)
        evaluations[f"model + {scorer}" if scorer else "model"] = EvaluationOf(
            results=place,
            generator="model",
            scorer=scorer or None,
            pool=PoolOf(problems=test, candidates=candidates, clusters=clusters, scores=file),
        )
    about = {"model": Path(s.model).name if Path(s.model).exists() else s.model, "engine": s.engine.kind}
    report = stages.add("report", Report(evaluations=evaluations, about=about))
    run.do_together(stages.stages)
    return report


def _pool(stages: Listing, prefix: str, sample: Sample) -> tuple[Path, Path]:
    """Candidates and their clusters."""
    candidates = stages.add(f"{prefix}candidates", sample) / "candidates.jsonl"
    cluster = Cluster(problems=sample.problems, candidates=candidates, workers=sample.workers)
    return candidates, stages.add(f"{prefix}clusters", cluster) / "clusters.jsonl"
