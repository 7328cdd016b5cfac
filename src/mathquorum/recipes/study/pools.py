"""The candidates of a study's generators, and their scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mathquorum.recipes.study.parts import Trained, sampler
from mathquorum.recipes.study.settings import MEAN, Study
from mathquorum.recipes.study.training import Evaluators
from mathquorum.run.listing import Listing
from mathquorum.stages.base import Stage
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.combine import CombineScores
from mathquorum.stages.score import ScoreCandidates
from mathquorum.stages.study_report import MeasuredPool

__all__ = ["Sampled", "sample", "score"]

WITH_LIKELIHOOD = ".with_likelihood_score"
"""Ends the name of an evaluator's scores where the likelihood is added to them."""

Part = Literal["test", "validation"]


@dataclass(frozen=True)
class Sampled:
    """A generator's candidates on one part of the problems, and of them the greedy one on test problems."""

    generator: Trained
    part: Part
    candidates: Path
    clusters: Path
    greedy: Path | None

    @property
    def key(self) -> str:
        return f"{self.generator.key}.{self.part}"


def sample(stages: Listing, s: Study, problems: Path, generators: Sequence[Trained], part: Part) -> list[Sampled]:
    """N candidates of each generator, and on test problems one greedy solution, clustered."""
    wanted: dict[str, Stage] = {}
    for g in generators:
        deep = g.role == s.largest and (g.kind, g.of) == ("ssft", s.main)
        number = (s.main_candidates if deep else None) or s.num_candidates
        wanted[f"{g.key}.{part}.candidates"] = sampler(s, problems, g, number)
    if part == "test":
        for g in generators:
            wanted[f"{g.key}.{part}.greedy"] = sampler(s, problems, g, 1, greedy=True)
    candidates = {name: stages.add(name, stage) / "candidates.jsonl" for name, stage in wanted.items()}
    clusters = {
        name: stages.add(f"{name}.clusters", Cluster(problems=problems, candidates=file)) / "clusters.jsonl"
        for name, file in candidates.items()
    }
    return [
        Sampled(
            generator=g,
            part=part,
            candidates=candidates[f"{g.key}.{part}.candidates"],
            clusters=clusters[f"{g.key}.{part}.candidates"],
            greedy=clusters.get(f"{g.key}.{part}.greedy"),
        )
        for g in generators
    ]


def score(
    stages: Listing, s: Study, problems: Path, pools: Sequence[Sampled], evaluators: Evaluators
) -> tuple[MeasuredPool, ...]:
    """The pools with their scores. Main generators get all evaluators of their own model, the transferred one of the others, and
    their own signals; what came of sequential training gets the transferred one of its own model."""
    scored: dict[str, dict[str, Path]] = {}
    for pool in pools:
        scored[pool.key] = {
            name: stages.add(
                f"{pool.key}.scores.{name}",
                ScoreCandidates(
                    problems=problems,
                    candidates=pool.candidates,
                    **scorer,
                    prompt=s.prompt,
                    hardware=s.scoring_hardware or s.hardware,
                    engine=s.engine,
                ),
            )
            / "scores.jsonl"
            for name, scorer in _scorers(s, pool, evaluators)
        }
    for pool in pools:
        scores = scored[pool.key]
        scores |= {
            name: stages.add(f"{pool.key}.scores.{name}", stage) / "scores.jsonl"
            for name, stage in list(_combined(s, pool, scores))
        }
    return tuple(
        MeasuredPool(
            role=pool.generator.role,
            generator=pool.generator.name,
            seed=pool.generator.seed,
            candidates=pool.candidates,
            clusters=pool.clusters,
            greedy=pool.greedy,
            scores=scored[pool.key],
        )
        for pool in pools
    )


def _scorers(s: Study, pool: Sampled, evaluators: Evaluators) -> Iterator[tuple[str, dict[str, Any]]]:
    """What scores a pool: names, and the model or the signal."""
    g, transferred = pool.generator, s.evaluators.transferred
    if g.kind == "ssft" and g.of == s.main:
        for signal in s.signals:
            yield str(signal), {"signal": signal}
        for (role, seed, name), model in evaluators.items():
            if seed == g.seed and (role == g.role or (name == transferred and pool.part == "test")):
                yield f"{role}.{name}", {"model": model}
    elif g.kind in ("mtsft", "control", "mixed"):
        yield f"{g.role}.{transferred}", {"model": evaluators[g.role, g.seed, transferred]}


def _combined(s: Study, pool: Sampled, scores: Mapping[str, Path]) -> Iterator[tuple[str, CombineScores]]:
    """The scores that are made of others, for a main generator: by name."""
    g = pool.generator
    if (g.kind, g.of) != ("ssft", s.main):
        return

    def stage(names: Sequence[str], weight: float) -> CombineScores:
        files = tuple(scores[f"{g.role}.{name}"] for name in names)
        return CombineScores(candidates=pool.candidates, scores=files, likelihood_weight=weight)

    averaged = s.evaluators.averaged if g.role == s.largest else ()
    if averaged:
        yield f"{g.role}.{MEAN}", stage(averaged, 0.0)
    for name in s.evaluators.combined:
        parts = averaged if name == MEAN else (name,)
        if parts and all(f"{g.role}.{one}" in scores for one in parts):
            yield f"{g.role}.{name}{WITH_LIKELIHOOD}", stage(parts, s.evaluators.likelihood_weight)
