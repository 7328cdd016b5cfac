"""The vote on solutions that someone already has: read, cluster, measure. No model and no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from mathquorum.answers import cluster_candidates
from mathquorum.datasets.sample_formats import Columns
from mathquorum.datasets.samples import Answers, Samples, StepScores, probabilities, read_samples
from mathquorum.errors import DataError, SettingsError, suggest
from mathquorum.evaluation import measure
from mathquorum.metrics import Pool, evaluator_estimates, have_scores
from mathquorum.records import Estimate
from mathquorum.selection import default_strategies, strategy

__all__ = ["Measured", "ReadPools", "measure_samples", "read_pools"]


@dataclass(frozen=True)
class Measured:
    """Figures of a candidate file.

    Attributes:
        estimates: As `evaluation.measure` gives them, then those of the scores, where there are any.
        counts: What was read, and what was left out or has no answer.
        columns: Which columns were read, in a line.
    """

    estimates: list[Estimate]
    counts: dict[str, int]
    columns: Sequence[str] = ()


def measure_samples(
    paths: Sequence[Path],
    problems: Path | None = None,
    strategies: Sequence[str] | None = None,
    *,
    columns: Columns | None = None,
    answers: str = "extract_or_given",
    step_scores: str = "last",
) -> Measured:
    """Reads the candidates, clusters their answers by equivalence and measures every strategy that fits.

    Scores are used when every candidate with an answer has one.

    Raises:
        SettingsError: If a strategy or option is unknown, or needs scores that are not there.
        DataError: If a file cannot be read, or no problem has a reference answer.
    """
    chosen = [strategy(name) for name in strategies] if strategies else None
    read = read_pools(paths, problems, columns=columns, answers=answers, step_scores=step_scores)
    estimates = measure(read.pools, chosen or default_strategies(have_scores(read.pools)))
    if have_scores(read.pools):
        estimates += evaluator_estimates(read.pools)
    return Measured(estimates, read.counts, read.columns)


@dataclass(frozen=True)
class ReadPools:
    """The pools of a candidate file.

    Attributes:
        pools: Of the problems that have a reference answer, with scores where every candidate with an answer has one.
        counts: What was read, and what was left out or has no answer.
        columns: Which columns were read, in a line.
    """

    pools: list[Pool]
    counts: dict[str, int]
    columns: Sequence[str] = ()


def read_pools(
    paths: Sequence[Path],
    problems: Path | None = None,
    *,
    columns: Columns | None = None,
    answers: str = "extract_or_given",
    step_scores: str = "last",
) -> ReadPools:
    """Reads the candidates and clusters their answers by equivalence.

    Raises:
        SettingsError: If an option is unknown.
        DataError: If a file cannot be read, or no problem has a reference answer.
    """
    _check("answers", answers, get_args(Answers))
    _check("step_scores", step_scores, get_args(StepScores))
    found = read_samples(paths, problems, cast(Answers, answers), cast(StepScores, step_scores), columns)
    read = probabilities(found.samples)
    graded = [item for item in read if item.problem.answer is not None and item.candidates]
    if not graded:
        raise DataError(
            f"None of the {len(read)} problems has a reference answer and candidates, so none can be graded."
        )
    pools = [_pool(item) for item in graded]
    unscored = sum(i not in pool.scores for pool in pools for cluster in pool.clusters for i in cluster.members)
    if unscored:
        pools = [Pool(pool.problem_id, pool.num_candidates, pool.clusters) for pool in pools]
    candidates = [candidate for item in graded for candidate in item.candidates]
    counts = {
        "problems": len(graded),
        "candidates": len(candidates),
        "candidates without an answer": sum(candidate.answer is None for candidate in candidates),
        "problems left out (no reference answer or no candidates)": len(read) - len(graded),
        "answered candidates without a score (scores are not used)": unscored if _any_scores(graded) else 0,
        **(found.notices or {}),
    }
    return ReadPools(
        pools, {name: count for name, count in counts.items() if count or name in ("problems",)}, found.columns
    )


def _check(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise SettingsError(f"Unknown {name} {value!r}. {suggest(value, known)}")


def _any_scores(read: Sequence[Samples]) -> bool:
    return any(item.scores is not None for item in read)


def _pool(item: Samples) -> Pool:
    clusters = cluster_candidates(item.problem.id, item.candidates, item.problem.answer)
    scores = {
        candidate.index: score
        for candidate, score in zip(item.candidates, item.scores or (), strict=False)
        if score is not None
    }
    return Pool(item.problem.id, len(item.candidates), clusters, scores)
