"""`results.json` and the files beside it: what an evaluation leaves on disk, and what a report reads.

    results      {figure: {value, low, high, count}}; figures as in `evaluation.Evaluation.estimates`
    evaluator    likewise, about the scores: auc.within, auc.pairs, auc, ece, brier
    curves       {candidates | clusters | kept: {strategy: {exact, points: [[x, value, low, high], ...]}}, calls: {...}}
    calibration  [[low, high, mean score, accuracy, count], ...]
    statistics   counts and shares
    n-samples    {original: problems read, effective: problems with a reference, which were measured}
    config       the settings that the figures depend on; strategies that are not ours under own_strategies
    versions     of mathquorum and numpy

`results`, `n-samples`, `config` and `versions` are lm-evaluation-harness's names. Fractions are rounded to six decimals
and there is no time or path in the file, so that a run that was stopped and continued ends in the same bytes.
`outcomes.jsonl` has one value per problem and figure, for paired differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mathquorum.errors import DataError
from mathquorum.metrics.curves import Curve, CurvePoint
from mathquorum.metrics.estimates import estimate_json, read_estimate, rounded
from mathquorum.metrics.evaluation import Curves, Evaluation
from mathquorum.metrics.scores import CalibrationBin
from mathquorum.records import Estimate
from mathquorum.selection import strategy
from mathquorum.store import read_json, read_rows

__all__ = [
    "Evaluated",
    "Outcome",
    "Results",
    "outcome_records",
    "read_evaluated",
    "read_outcomes",
    "read_results",
    "results_json",
]


@dataclass(frozen=True)
class Outcome:
    """The values of one problem by figure: a line of `outcomes.jsonl`."""

    problem_id: str
    outcomes: Mapping[str, float]


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation is of.

    Attributes:
        generator: Whose candidates were measured.
        scorer: Whose scores of them; None where only the vote was.
        candidates_print: Fingerprint of the candidates: equal ones are the same candidates under other scores.
    """

    generator: str
    scorer: str | None
    candidates_print: str


@dataclass(frozen=True)
class Results:
    """What `results.json` holds."""

    estimates: tuple[Estimate, ...]
    evaluator: tuple[Estimate, ...]
    curves: Curves
    calibration: tuple[CalibrationBin, ...]
    statistics: Mapping[str, float]
    num_read: int
    config: Mapping[str, Any]
    versions: Mapping[str, str]

    @property
    def scored_figures(self) -> list[str]:
        """The names of the figures that scores decide."""
        own = self.own_strategies
        return [
            name for name in self.config["strategies"] if (own[name] if name in own else strategy(name).needs_scores)
        ]

    @property
    def own_strategies(self) -> Mapping[str, bool]:
        """Strategies that are not ours, and whether each needs scores. Their code may not be here, and is not asked for."""
        found: Mapping[str, bool] = self.config.get("own_strategies", {})
        return found


def results_json(
    evaluation: Evaluation, *, num_read: int, config: Mapping[str, Any], versions: Mapping[str, str]
) -> dict[str, Any]:
    """The content of `results.json`."""
    curves = evaluation.curves
    return {
        "results": _estimates(evaluation.estimates),
        "evaluator": _estimates(evaluation.evaluator),
        "curves": {
            "candidates": {curve.name: _curve(curve) for curve in curves.candidates},
            "clusters": {curve.name: _curve(curve) for curve in curves.clusters},
            "kept": {curve.name: _curve(curve) for curve in curves.kept},
            "calls": _curve(curves.calls),
        },
        "calibration": [
            [rounded(b.low), rounded(b.high), rounded(b.mean_score), rounded(b.accuracy), b.count]
            for b in evaluation.calibration
        ],
        "statistics": {name: rounded(value) for name, value in evaluation.statistics.items()},
        "n-samples": {"original": num_read, "effective": len(evaluation.problem_ids)},
        "config": dict(config),
        "versions": dict(versions),
    }


def outcome_records(evaluation: Evaluation) -> list[Outcome]:
    """The lines of `outcomes.jsonl`."""
    return [
        Outcome(problem, {name: rounded(values[place]) for name, values in evaluation.outcomes.items()})
        for place, problem in enumerate(evaluation.problem_ids)
    ]


def read_results(path: Path) -> Results:
    """Reads a `results.json`.

    Raises:
        DataError: If it cannot be read, or was written by another version in another form.
    """
    held = read_json(path)
    try:
        curves = held["curves"]
        return Results(
            estimates=_read_estimates(held["results"], path),
            evaluator=_read_estimates(held["evaluator"], path),
            curves=Curves(
                candidates=_read_curves(curves["candidates"]),
                clusters=_read_curves(curves["clusters"]),
                kept=_read_curves(curves["kept"]),
                calls=_read_curve("calls", curves["calls"]),
            ),
            calibration=tuple(CalibrationBin(*row) for row in held["calibration"]),
            statistics=held["statistics"],
            num_read=held["n-samples"]["original"],
            config=held["config"],
            versions=held["versions"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} does not hold results that this version reads ({error!r}). Evaluate again.") from error


def read_evaluated(folder: Path, generator: str, scorer: str | None) -> Evaluated:
    """The record of an evaluation that was made in this folder.

    Raises:
        DataError: If its `evaluated.json` is missing or cannot be read.
    """
    held = read_json(folder / "evaluated.json")
    if not isinstance(held, dict) or not isinstance(held.get("candidates"), str):
        raise DataError(f"{folder / 'evaluated.json'} does not say which candidates were evaluated. Evaluate again.")
    return Evaluated(generator, scorer, held["candidates"])


def read_outcomes(path: Path) -> dict[str, dict[str, float]]:
    """The values of an `outcomes.jsonl`: by figure, then by problem.

    Raises:
        DataError: If it cannot be read or a line is not an outcome.
    """
    table: dict[str, dict[str, float]] = {}
    for number, row in read_rows(path):
        values, problem = row.get("outcomes"), row.get("problem_id")
        if not isinstance(values, dict) or not isinstance(problem, str):
            raise DataError(f"{path}, line {number}: must hold a problem_id and its outcomes by figure.")
        for name, value in values.items():
            table.setdefault(name, {})[problem] = float(value)
    return table


def _estimates(estimates: Sequence[Estimate]) -> dict[str, dict[str, float]]:
    return {estimate.name: estimate_json(estimate) for estimate in estimates}


def _read_estimates(rows: Mapping[str, Mapping[str, Any]], path: Path) -> tuple[Estimate, ...]:
    return tuple(read_estimate(name, row, f"{path}, {name}") for name, row in rows.items())


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "exact": curve.exact,
        "points": [[p.x, rounded(p.value), rounded(p.low), rounded(p.high)] for p in curve.points],
    }


def _read_curves(held: Mapping[str, Mapping[str, Any]]) -> tuple[Curve, ...]:
    return tuple(_read_curve(name, curve) for name, curve in held.items())


def _read_curve(name: str, held: Mapping[str, Any]) -> Curve:
    return Curve(name, tuple(CurvePoint(*point) for point in held["points"]), held["exact"])
