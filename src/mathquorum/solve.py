"""The method for one problem: sample, cluster, score, select. The file to read first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mathquorum.answers import cluster_candidates, extract_answer
from mathquorum.engines.base import Engine, Request, Sampling, candidate_seed
from mathquorum.evaluator import evaluator_scores
from mathquorum.prompts import STOP_STRINGS, generator_prompt
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.selection import Strategy

__all__ = ["Solved", "solve"]


@dataclass(frozen=True)
class Solved:
    """A problem with what led to its answer.

    Attributes:
        chosen: The cluster that the strategy chose; None when no candidate had an answer.
        clusters: All clusters, largest first.
        candidates: All candidates.
        scores: P(correct) by candidate index; empty without an evaluator.
    """

    problem: Problem
    chosen: AnswerCluster | None
    clusters: Sequence[AnswerCluster]
    candidates: Sequence[Candidate]
    scores: dict[int, float]


def solve(
    problem: Problem,
    generator: Engine,
    strategy: Strategy,
    evaluator: Engine | None = None,
    *,
    num_candidates: int = 64,
    sampling: Sampling | None = None,
    style: str | None = None,
    seed: int = 0,
) -> Solved:
    """Samples candidates, groups them by equivalent answers, scores them where there is an evaluator, and chooses.

    Raises:
        SettingsError: If the strategy needs scores and there is no evaluator.
    """
    seeds = tuple(candidate_seed(seed, problem.id, index) for index in range(num_candidates))
    request = Request(generator_prompt(problem.text, style), seeds)
    (completions,) = generator.generate([request], sampling or Sampling(), STOP_STRINGS)
    candidates = [
        Candidate(problem.id, i, c.text, extract_answer(c.text), c.logprob, c.num_tokens, c.finished, s)
        for i, (c, s) in enumerate(zip(completions, seeds, strict=True))
    ]
    clusters = cluster_candidates(problem.id, candidates, problem.answer)
    scores = evaluator_scores(evaluator, problem, candidates) if evaluator else []
    values = {score.index: score.value for score in scores}
    return Solved(problem, strategy.select(clusters, values), clusters, candidates, values)
