"""The page of a study: its claims and tables, with the charts and the inspector of its main generators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mathquorum.metrics import Pool
from mathquorum.metrics.choices import Choices
from mathquorum.metrics.crossed import seeded_mean
from mathquorum.metrics.curves import curves_over_candidates
from mathquorum.metrics.differences import Difference
from mathquorum.records import Estimate
from mathquorum.report.page.data import Comparison, Cost, Facts, PageData, Points, Row, Scores, Sweep
from mathquorum.report.page.measures import by_subject, scores_of
from mathquorum.report.page.method import METHOD
from mathquorum.report.page.provenance import file_print, made_by, together
from mathquorum.report.page.reading import PoolPlace, ReadPool, read_places
from mathquorum.report.page.spent import cost, trained
from mathquorum.report.page.verdict import scores_sentence, vote_sentence
from mathquorum.selection import Majority, Rerank, Strategy, WeightedVote
from mathquorum.study import published
from mathquorum.study.measured import Generator, Measured, Rows, difference
from mathquorum.study.pages import StudyData
from mathquorum.study.plan import TOP, Plan
from mathquorum.study.sweeps import figure_1

__all__ = ["StudyFiles", "page_of_study"]

SCORED: tuple[Strategy, ...] = (Rerank(), Rerank(TOP), WeightedVote())

StudyFiles = Mapping[str, PoolPlace]
"""The files of each generator's first training seed, by its name ("L: ssft.both"); strategies are filled in here."""


def page_of_study(
    data: StudyData,
    measured: Measured,
    plan: Plan,
    files: StudyFiles,
    records: Sequence[Path],
    logs: Mapping[str, Path],
) -> PageData:
    """Fills in the page.

    Args:
        records: Files whose makers' records tell device, versions, dates and seconds.
        logs: Of trained models, by name.
    """
    mains = {role: found for role in reversed(plan.roles) if (found := measured.get(role, plan.main))}
    places = {role: files[main.name] for role, main in mains.items() if main.name in files}
    read = {pool.name: pool for pool in read_places({role: _asked(place) for role, place in places.items()})}
    comparisons = [c for c in (_votes(measured), _choices(mains)) if c.rows]
    return PageData(
        title=data.title,
        kind="study",
        facts=_facts(data, places, records),
        verdict=_verdict(mains, comparisons),
        rows=_rows(measured, mains),
        comparisons=comparisons,
        sweeps=_sweeps(measured, mains, plan),
        published_sweep=published.FIGURE_1,
        scores={f"{r}: {scorer}": found for r, pool in read.items() for scorer, found in _scores(pool).items()},
        by_subject={role: found for role, pool in read.items() if (found := _subjects(pool))},
        trained=trained(logs),
        costs=_costs(measured, files, {mains[role].name: pool for role, pool in read.items()}),
        inspected=[replace(pool.inspected, name=f"{role}: {plan.main}") for role, pool in read.items()],
        study=data,
        method=METHOD,
    )


def _asked(place: PoolPlace) -> PoolPlace:
    """With the strategies whose choices the inspector shows."""
    scorers: Mapping[str, Sequence[Strategy]] = {scorer: (Majority(), *SCORED) for scorer in place.scores}
    return replace(place, strategies=scorers or {"": (Majority(),)})


def _estimates(generator: Generator) -> list[Estimate]:
    size = generator.num_candidates
    rows: dict[str, Rows] = {
        "pass@1.greedy": generator.figure("pass@1.greedy"),
        "pass@1": generator.figure("pass@1"),
        f"maj1@{size}": generator.strategy(Majority()),
        f"pass@{size}": generator.figure("pass@N"),
    }
    return [seeded_mean(name, values) for name, values in rows.items()]


def _rows(measured: Measured, mains: Mapping[str, Generator]) -> list[Row]:
    """Every generator, and under a main one each of its evaluators."""
    rows = []
    for generator in measured.generators.values():
        rows.append(Row(generator.name, generator.name, None, _estimates(generator)))
        if generator in mains.values():
            for evaluator in generator.evaluators:
                scored = [seeded_mean(s.name, generator.strategy(s, evaluator)) for s in SCORED]
                name = _scored(generator, evaluator)
                rows.append(Row(name, generator.name, evaluator, [_estimates(generator)[2], *scored]))
    return rows


def _votes(measured: Measured) -> Comparison:
    rows: list[tuple[str, Difference]] = []
    for generator in measured.generators.values():
        if generator.num_candidates > 1:
            name = f"maj1@{generator.num_candidates} - pass@1"
            rows.append((generator.name, difference(name, generator.strategy(Majority()), generator.figure("pass@1"))))
    note = "The vote over all candidates less the share of correct candidates, over problems and training seeds."
    return Comparison("against-one", "The vote against one sample", note, rows)


def _choices(mains: Mapping[str, Generator]) -> Comparison:
    rows = [
        (_scored(main, evaluator), difference(s.name, main.strategy(s, evaluator), main.strategy(Majority())))
        for main in mains.values()
        for evaluator in main.evaluators
        for s in SCORED
    ]
    note = "Candidates of the main generators: each strategy under each score less the vote."
    return Comparison("against-vote", "Choices by scores against the vote", note, rows)


def _verdict(mains: Mapping[str, Generator], comparisons: Sequence[Comparison]) -> list[str]:
    """Of the larger model's main generator."""
    sentences = []
    largest = next(iter(mains.values()), None)
    for comparison in comparisons:
        if comparison.key == "against-vote":
            sentences.append(scores_sentence(comparison))
        elif largest:
            vote = next((d for name, d in comparison.rows if name == largest.name), None)
            single = float(largest.figure("pass@1").mean())
            sentences += [vote_sentence(vote, single, largest.num_candidates)] if vote else []
    return sentences


def _scored(generator: Generator, evaluator: str) -> str:
    """The row of a generator under an evaluator's scores."""
    return f"{generator.name} + {evaluator}"


def _sweeps(measured: Measured, mains: Mapping[str, Generator], plan: Plan) -> dict[str, Sweep]:
    """By row: of main generators under the transferred evaluator of their own, then of each generator its votes."""
    scored = {
        _scored(main, evaluator): _sweep(main, evaluator)
        for role, main in mains.items()
        for evaluator in main.evaluators
        if evaluator == f"{role}.{plan.transferred}"
    }
    return {**scored, **{g.name: _votes_by_number(g) for g in measured.generators.values() if g.num_candidates > 1}}


def _votes_by_number(generator: Generator) -> Sweep:
    """Over N of the first seed."""
    curves = curves_over_candidates(Choices(next(iter(generator.seeds.values())).pools), (Majority(),))
    return Sweep({curve.name: _points(curve.points) for curve in curves})


def _costs(measured: Measured, files: StudyFiles, read: Mapping[str, ReadPool]) -> dict[str, Cost]:
    """By row, of the first seed."""
    found: dict[str, Cost | None] = {}
    for generator in measured.generators.values():
        if place := files.get(generator.name):
            number = len(next(iter(generator.seeds.values())).pools)
            found[generator.name] = cost(place.candidates, None, number, None)
            texts = read[generator.name].num_texts if generator.name in read else None
            for evaluator in generator.evaluators if texts else ():
                scores = place.scores[evaluator]
                found[_scored(generator, evaluator)] = cost(place.candidates, scores, number, texts)
    return {name: spent for name, spent in found.items() if spent}


def _sweep(main: Generator, evaluator: str) -> Sweep:
    """Over N of the first seed; over K and N' of all."""
    first = next(iter(main.seeds.values()))
    candidates = curves_over_candidates(Choices(first.scored(evaluator)), (Majority(), *SCORED))
    sweep = figure_1(main, evaluator)
    return Sweep(
        {curve.name: _points(curve.points) for curve in candidates},
        {curve.name: _points(curve.points) for curve in (*sweep.clusters, *sweep.kept)},
        _points(sweep.calls.points),
    )


def _points(points: Sequence[Any]) -> Points:
    return [[p.x, p.value, p.low, p.high] for p in points]


def _scores(pool: ReadPool) -> dict[str, Scores]:
    return {scorer: scores_of(pool.scored(scorer)) for scorer in pool.scores}


def _subjects(pool: ReadPool) -> Any:
    if not any(p.subject or p.level is not None for p in pool.problems.values()):
        return None
    return by_subject(pool.problems, {"pass@1": _shares(pool.pools), "maj1": _right(pool.pools)})


def _shares(pools: Sequence[Pool]) -> dict[str, float]:
    return {pool.problem_id: pool.num_correct / pool.num_candidates for pool in pools}


def _right(pools: Sequence[Pool]) -> dict[str, float]:
    return {pool.problem_id: right for pool, right in zip(pools, Choices(pools).right(Majority()), strict=True)}


def _facts(data: StudyData, files: StudyFiles, records: Sequence[Path]) -> Facts:
    found = together(made_by(path) for path in records)
    rows = [("study", data.about), *((name, str(value)) for name, value in data.facts.items())]
    if found.began:
        rows.append(("begun", f"{found.began[0].replace('T', ' ').removesuffix('Z')} UTC"))
        rows.append(("work of the stages read here", f"{found.seconds / 60:,.1f} minutes"))
    if found.devices:
        rows.append(("device", "; ".join(found.devices)))
    if found.versions:
        rows.append(("versions", ", ".join(f"{name} {version}" for name, version in found.versions.items())))
    prints = {}
    for role, place in files.items():
        prints["test problems"] = file_print(place.problems)
        prints[f"candidates of {role}"] = file_print(place.candidates)
    return Facts(rows, tuple(prints.items()))
