"""All that is said of someone's samples: figures, differences, headroom, curves, rates, and the choices themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mathquorum.datasets.sample_formats import Columns
from mathquorum.errors import SettingsError, suggest
from mathquorum.metrics import evaluator_estimates, have_scores
from mathquorum.metrics.curves import Curve
from mathquorum.metrics.differences import Difference, paired_difference
from mathquorum.metrics.estimates import estimate_json, rounded
from mathquorum.metrics.evaluation import measure, outcomes
from mathquorum.records import Estimate
from mathquorum.scorers.own import GivenScorer, scorer_of
from mathquorum.selection import Strategy, default_strategies
from mathquorum.selection.own import GivenStrategy, strategies_of
from mathquorum.voting.curves import drawn_curves
from mathquorum.voting.picks import Pick, num_tied, pick_json, picks
from mathquorum.voting.pools import ReadPools, of_models, read_pools, read_run_pools

__all__ = ["Measured", "measure_pools", "measure_run", "measure_samples", "measured_json"]


@dataclass(frozen=True)
class Measured:
    """What the samples say. Without references only counts, rates and picks are there.

    Attributes:
        estimates: As `evaluation.measure` gives them, then those of the scores, where there are any.
        counts: What was read, and what was left out, has no answer, or should be known.
        columns: Which columns were read, in a line for each form of row.
        differences: Each scored strategy against the vote, and the vote against one sample, paired by problem.
        headroom: The oracle (any candidate is correct) against each strategy.
        curves: Accuracy against the number of candidates.
        rates: `no_answer_rate` over candidates; `tied_vote_rate` and `no_vote_rate` over problems.
        by_model: The figures of each model's candidates alone, where there are several models.
        picks: What every strategy chose, problem by problem.
    """

    estimates: Sequence[Estimate]
    counts: Mapping[str, int]
    columns: Sequence[str] = ()
    differences: Sequence[Difference] = ()
    headroom: Sequence[Difference] = ()
    curves: Sequence[Curve] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    by_model: Mapping[str, Sequence[Estimate]] = field(default_factory=dict)
    picks: Sequence[Pick] = ()

    def answers(self, strategy: str) -> dict[str, str | None]:
        """What a strategy answers to each problem; None where no candidate has an answer.

        Raises:
            SettingsError: If that strategy was not applied.
        """
        known = self.picks[0].chosen if self.picks else {}
        if strategy not in known:
            raise SettingsError(f"{strategy!r} was not applied. {suggest(strategy, known)}")
        chosen = {pick.item.samples.problem.id: pick.chosen[strategy] for pick in self.picks}
        return {name: cluster.answer if cluster else None for name, cluster in chosen.items()}


def measure_samples(
    paths: Sequence[Path],
    problems: Path | None = None,
    strategies: str | Sequence[GivenStrategy] | None = None,
    *,
    columns: Columns | None = None,
    answers: str = "extract_or_given",
    step_scores: str = "last",
    scorer: GivenScorer | None = None,
) -> Measured:
    """Reads the candidates, clusters their answers by equivalence, and measures and applies every strategy that fits.

    Raises:
        SettingsError: If a strategy or option is unknown, or needs scores that are not there.
        DataError: If a file cannot be read, or no problem has candidates.
    """
    chosen = _named(strategies)
    judge = scorer_of(scorer) if scorer is not None else None
    read = read_pools(paths, problems, columns=columns, answers=answers, step_scores=step_scores, scorer=judge)
    return measure_pools(read, chosen)


def measure_run(
    path: Path, strategies: str | Sequence[GivenStrategy] | None = None, *, scorer: GivenScorer | None = None
) -> dict[str, Measured]:
    """The same of each pool of a run of this library, by the name of its stage.

    Raises:
        SettingsError: If a strategy is unknown, or needs scores that are not there.
        DataError: If the run has no candidates, or their problems are not in it.
    """
    chosen = _named(strategies)
    judge = scorer_of(scorer) if scorer is not None else None
    return {name: measure_pools(read, chosen) for name, read in read_run_pools(path, judge).items()}


def _named(strategies: str | Sequence[GivenStrategy] | None) -> list[Strategy] | None:
    return strategies_of(strategies) if strategies else None


def measure_pools(read: ReadPools, strategies: Sequence[Strategy] | None = None) -> Measured:
    """All that can be said of pools that have been read.

    Raises:
        SettingsError: If a strategy needs scores that are not there.
    """
    everything = [item.pool for item in read.items]
    scored = have_scores(everything)
    chosen = list(strategies or default_strategies(scored))
    unscored = [s.name for s in chosen if s.needs_scores]
    if unscored and not scored:
        raise SettingsError(f"{', '.join(unscored)} need scores, and none were given. Give scores, or use maj1 alone.")
    voted = picks(read.items, chosen)
    rates = _rates(voted)
    graded = read.pools
    if not graded:
        return Measured((), read.counts, read.columns, rates=rates, picks=voted)
    estimates = measure(graded, chosen)
    if scored:
        estimates += evaluator_estimates(read.scored_pools)
    values = outcomes(graded, chosen)
    of_strategies = [name for name in values if not name.startswith(("pass@", "maj8@"))]
    vote = next((name for name in of_strategies if name.startswith("maj1@")), None)
    oracle = next((name for name in reversed(values) if name.startswith("pass@") and name != "pass@1"), None)
    pairs = [(vote, "pass@1")] if vote else []
    pairs += [(name, vote) for name in of_strategies if vote and name != vote]
    return Measured(
        estimates,
        read.counts,
        read.columns,
        differences=[_difference(values, first, second) for first, second in pairs],
        headroom=[_difference(values, oracle, name) for name in of_strategies] if oracle else [],
        curves=drawn_curves(graded),
        rates=rates,
        by_model={
            model: measure(pools, default_strategies(have_scores(pools))) for model, pools in of_models(read).items()
        },
        picks=voted,
    )


def _difference(values: Mapping[str, Sequence[float]], first: str, second: str) -> Difference:
    return paired_difference(f"{first} - {second}", values[first], values[second])


def _rates(voted: Sequence[Pick]) -> dict[str, float]:
    pools = [pick.item.pool for pick in voted]
    candidates = sum(pool.num_candidates for pool in pools)
    return {
        "no_answer_rate": 1 - sum(pool.num_answered for pool in pools) / candidates,
        "tied_vote_rate": sum(num_tied(pool) > 1 for pool in pools) / len(pools),
        "no_vote_rate": sum(not pool.clusters for pool in pools) / len(pools),
    }


def measured_json(measured: Measured) -> dict[str, Any]:
    """Everything, as `--json` prints it."""
    return {
        "estimates": [{"name": e.name, **estimate_json(e)} for e in measured.estimates],
        "counts": dict(measured.counts),
        "columns": list(measured.columns),
        "rates": {name: rounded(rate) for name, rate in measured.rates.items()},
        "differences": [_difference_json(d) for d in measured.differences],
        "headroom": [_difference_json(d) for d in measured.headroom],
        "curves": {curve.name: [_point_json(p) for p in curve.points] for curve in measured.curves},
        "models": {m: [{"name": e.name, **estimate_json(e)} for e in found] for m, found in measured.by_model.items()},
        "picks": [pick_json(pick) for pick in measured.picks],
    }


def _point_json(point: Any) -> dict[str, float]:
    return {"k": point.x, "value": rounded(point.value), "low": rounded(point.low), "high": rounded(point.high)}


def _difference_json(difference: Difference) -> dict[str, Any]:
    return {
        "name": difference.estimate.name,
        **estimate_json(difference.estimate),
        "wins": difference.num_wins,
        "losses": difference.num_losses,
        "p": rounded(difference.p_value),
    }
