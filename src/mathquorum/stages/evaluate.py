"""Evaluate: from clusters and scores to selections, figures with intervals, curves and per-problem outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from pydantic import Field

from mathquorum import __version__
from mathquorum.config import InputPath, Settings
from mathquorum.metrics import Pool, have_scores
from mathquorum.metrics.curves import NUM_DRAWS
from mathquorum.metrics.evaluation import evaluate
from mathquorum.metrics.intervals import NUM_RESAMPLES
from mathquorum.metrics.pool_files import PoolFiles, read_pool
from mathquorum.metrics.results import outcome_records, results_json
from mathquorum.records import Problem
from mathquorum.selection import Strategy, default_strategies
from mathquorum.selection.own import OwnStrategy, StrategyNames, strategies_of
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_records, write_json, write_records

__all__ = ["Evaluate"]


class Evaluate(Settings):
    """Makes selections.jsonl, outcomes.jsonl, results.json, and evaluated.json: a fingerprint of the candidates' texts.

    Each input is a file, or the directory of the stage that made it. A problem without a reference answer cannot be
    measured, and one without candidates was not sampled: both are left out and counted. A problem whose candidates have
    no answer is incorrect.
    """

    former = frozenset({"num_inspected"})  # of inspection.json, which nothing read
    problems: InputPath
    """problems.jsonl."""
    candidates: InputPath
    """candidates.jsonl."""
    clusters: InputPath
    """clusters.jsonl, of these candidates."""
    scores: InputPath | None = None
    """scores.jsonl, of these candidates; without it only the vote is measured."""
    greedy: InputPath | None = None
    """clusters.jsonl of one greedy solution per problem, for the paper's Pass@1."""
    strategies: StrategyNames | None = None
    """Names as in the paper, or MODULE:CLASS of your own; by default those of the paper's Tables 3 and 7 that the inputs allow."""
    seed: int = 0
    """Of bootstrap and draws."""
    num_resamples: int = Field(default=NUM_RESAMPLES, ge=100)
    """Of the bootstrap over problems."""
    num_draws: int = Field(default=NUM_DRAWS, ge=1)
    """Subsets per point of a curve that has no formula, over all problems together."""

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        file = self.problems / "problems.jsonl" if self.problems.is_dir() else self.problems
        problems = {problem.id: problem for problem in read_records(file, Problem)}
        scores = {"evaluator": self.scores} if self.scores else {}
        stored = read_pool(PoolFiles(self.candidates, self.clusters, self.greedy, scores), problems.values())
        pools = stored.scored("evaluator") if scores else stored.pools
        progress(1, 3)
        strategies = self._strategies(pools)
        evaluation = evaluate(
            pools, strategies, seed=self.seed, num_resamples=self.num_resamples, num_draws=self.num_draws
        )
        progress(2, 3)
        config = {
            "strategies": [strategy.name for strategy in strategies],
            "seed": self.seed,
            "num_resamples": self.num_resamples,
            "num_draws": self.num_draws,
            **_own_strategies(strategies),
        }
        versions = {"mathquorum": __version__, "numpy": version("numpy")}
        write_json(out / "evaluated.json", {"candidates": stored.candidates_print})
        write_records(out / "selections.jsonl", evaluation.selections)
        write_records(out / "outcomes.jsonl", outcome_records(evaluation))
        write_json(
            out / "results.json", results_json(evaluation, num_read=len(problems), config=config, versions=versions)
        )
        progress(3, 3)
        return {
            "problems": len(pools),
            "without a reference": sum(problem.answer is None for problem in problems.values()),
            "without candidates": len(stored.unsampled),
            "candidates": int(evaluation.statistics["num_candidates"]),
            "candidates without an answer": sum(pool.num_candidates - pool.num_answered for pool in pools),
        }

    def _strategies(self, pools: Sequence[Pool]) -> Sequence[Strategy]:
        if self.strategies is None:
            return default_strategies(with_scores=have_scores(pools))
        return strategies_of(self.strategies)


def _own_strategies(strategies: Sequence[Strategy]) -> dict[str, dict[str, bool]]:
    """What readers must know of strategies that they do not have."""
    own = {strategy.name: strategy.needs_scores for strategy in strategies if isinstance(strategy, OwnStrategy)}
    return {"own_strategies": own} if own else {}
