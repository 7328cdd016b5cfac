"""The way from pools of candidates to figures: what every strategy, oracle and curve gives, with intervals, from one sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mathquorum.errors import SettingsError
from mathquorum.metrics import Pool, calibration_bins, check_pools, evaluator_estimates, have_scores
from mathquorum.metrics.choices import Choices
from mathquorum.metrics.curves import (
    NUM_DRAWS,
    Curve,
    call_shares,
    curves_over_candidates,
    curves_over_clusters,
    curves_over_kept,
    oracle,
)
from mathquorum.metrics.intervals import NUM_RESAMPLES, mean_estimate
from mathquorum.metrics.scores import CalibrationBin
from mathquorum.records import Estimate, Selection
from mathquorum.selection import Strategy

__all__ = ["Curves", "Evaluation", "evaluate", "measure", "outcomes"]

ORACLE_CLUSTERS = 8  # MajK@N beside the paper's RR.Top-8: what that could reach at most


@dataclass(frozen=True)
class Curves:
    """All curves of one evaluation. Without scores some are empty."""

    candidates: tuple[Curve, ...]
    clusters: tuple[Curve, ...]
    kept: tuple[Curve, ...]
    calls: Curve


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        estimates: Accuracies: `pass@1.greedy` (where known), `pass@1`, each strategy, `maj8@N`, `pass@N`.
        outcomes: For each of these names one value per problem, in the order of `problem_ids`: what paired differences
            are made of.
        evaluator: Figures about the scores; empty without any.
        statistics: Counts and shares that describe the pools.
    """

    problem_ids: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    outcomes: Mapping[str, Sequence[float]]
    selections: tuple[Selection, ...]
    evaluator: tuple[Estimate, ...]
    calibration: tuple[CalibrationBin, ...]
    curves: Curves
    statistics: Mapping[str, float]


def evaluate(
    pools: Sequence[Pool],
    strategies: Sequence[Strategy],
    *,
    seed: int = 0,
    num_resamples: int = NUM_RESAMPLES,
    num_draws: int = NUM_DRAWS,
) -> Evaluation:
    """Measures everything. Accuracies and curves do not depend on the order of the pools.

    Raises:
        DataError: If the pools are not fit to measure (`metrics.check_pools`).
        SettingsError: If a strategy needs scores and there are none.
    """
    choices = Choices(pools)
    table = _outcomes(choices, strategies)
    scored = have_scores(pools)
    return Evaluation(
        problem_ids=tuple(pool.problem_id for pool in pools),
        estimates=tuple(mean_estimate(name, values) for name, values in table.items()),
        outcomes=table,
        selections=tuple(_selections(choices, strategies)),
        evaluator=tuple(evaluator_estimates(pools, seed=seed, num_resamples=num_resamples)) if scored else (),
        calibration=tuple(calibration_bins(pools)) if scored else (),
        curves=Curves(
            tuple(curves_over_candidates(choices, strategies, seed=seed, num_draws=num_draws)),
            tuple(curves_over_clusters(pools)),
            tuple(curves_over_kept(pools)),
            call_shares(pools),
        ),
        statistics=_statistics(pools),
    )


def measure(pools: Sequence[Pool], strategies: Sequence[Strategy]) -> list[Estimate]:
    """The accuracies alone, without curves: what a table of one pool of candidates shows.

    Raises:
        DataError: If the pools are not fit to measure (`metrics.check_pools`).
        SettingsError: If a strategy needs scores and there are none.
    """
    return [mean_estimate(name, values) for name, values in outcomes(pools, strategies).items()]


def outcomes(pools: Sequence[Pool], strategies: Sequence[Strategy]) -> dict[str, list[float]]:
    """One value in [0, 1] per problem for every figure, by name, in the order of a table.

    `pass@1` is the share of correct candidates: the expected accuracy of one sample. The paper's Pass@1 is that of the
    one greedy solution; it is `pass@1.greedy` here. N in a name is the size of the largest pool; where pools differ in
    size every problem uses all it has.
    """
    return _outcomes(Choices(pools), strategies)


def _outcomes(choices: Choices, strategies: Sequence[Strategy]) -> dict[str, list[float]]:
    pools = choices.pools
    check_pools(pools)
    _check_strategies(pools, strategies)
    size = max(pool.num_candidates for pool in pools)
    table: dict[str, list[float]] = {}
    if all(pool.greedy_correct is not None for pool in pools):
        table["pass@1.greedy"] = [float(bool(pool.greedy_correct)) for pool in pools]
    table["pass@1"] = [pool.num_correct / pool.num_candidates for pool in pools]
    for strategy in strategies:
        table[_figure_name(strategy, size)] = choices.right(strategy)
    if size > ORACLE_CLUSTERS:
        table[f"maj{ORACLE_CLUSTERS}@{size}"] = [oracle(pool, ORACLE_CLUSTERS) for pool in pools]
    if size > 1:
        table[f"pass@{size}"] = [oracle(pool) for pool in pools]
    return table


def _figure_name(strategy: Strategy, num_candidates: int) -> str:
    return strategy.name if strategy.needs_scores else f"{strategy.name}@{num_candidates}"


def _selections(choices: Choices, strategies: Sequence[Strategy]) -> list[Selection]:
    """What each strategy answers to each problem."""
    selections = []
    for place, pool in enumerate(choices.pools):
        for strategy in strategies:
            chosen = choices.of(strategy)[place]
            answer, correct = (None, False) if chosen is None else (chosen.answer, chosen.correct)
            selections.append(Selection(pool.problem_id, strategy.name, answer, correct))
    return selections


def _check_strategies(pools: Sequence[Pool], strategies: Sequence[Strategy]) -> None:
    unscored = [strategy.name for strategy in strategies if strategy.needs_scores]
    if unscored and not have_scores(pools):
        raise SettingsError(f"{', '.join(unscored)} need scores, and none were given. Give scores, or use maj1 alone.")
    names = [strategy.name for strategy in strategies]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(f"strategies must be given once each. Got {', '.join(twice)} more than once.")


def _statistics(pools: Sequence[Pool]) -> dict[str, float]:
    candidates = sum(pool.num_candidates for pool in pools)
    answered = sum(pool.num_answered for pool in pools)
    largest = [len(pool.clusters[0].members) / pool.num_candidates if pool.clusters else 0.0 for pool in pools]
    ties = sum(len(p.clusters) > 1 and len(p.clusters[0].members) == len(p.clusters[1].members) for p in pools)
    return {
        "num_problems": len(pools),
        "num_candidates": candidates,
        "no_answer_rate": 1 - answered / candidates,
        "num_problems_without_answer": sum(not pool.clusters for pool in pools),
        "mean_clusters": sum(len(pool.clusters) for pool in pools) / len(pools),
        "mean_largest_share": sum(largest) / len(pools),
        "tied_vote_rate": ties / len(pools),
    }
