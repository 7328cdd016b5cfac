"""The page of a run: evaluations of generators under scores, with the files that they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mathquorum.metrics.results import Results
from mathquorum.records import Selection
from mathquorum.report.page.data import Comparison, Cost, Facts, PageData, Points, Row, Scores, Sweep
from mathquorum.report.page.measures import by_subject, scores_of
from mathquorum.report.page.method import METHOD, settings_text
from mathquorum.report.page.provenance import MADE_BY, Made, file_print, made_by, together
from mathquorum.report.page.reading import PoolPlace, ReadPool, read_places
from mathquorum.report.page.spent import cost, trained
from mathquorum.report.page.verdict import scores_sentence, vote_sentence
from mathquorum.selection import Strategy, strategy
from mathquorum.selection.stored import StoredChoices
from mathquorum.store import read_records

__all__ = ["Measured", "RunReport", "page_of_run"]


@dataclass(frozen=True)
class Files:
    """What an evaluation was made from."""

    problems: Path
    candidates: Path
    clusters: Path
    scores: Path | None = None
    selections: Path | None = None


@dataclass(frozen=True)
class Measured:
    """One evaluation, a row of the headline table.

    Attributes:
        outcomes: Of the first training run, by figure, then by problem.
    """

    generator: str
    scorer: str | None
    results: Results
    outcomes: Mapping[str, Mapping[str, float]]
    files: Files | None = None
    paper: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RunReport:
    """What a run's page is made of.

    Attributes:
        evaluations: By name.
        main: The evaluation that the verdict speaks of.
        vote: Each generator's vote less one sample; `scored` each choice by scores less the vote; `controls` and `between`
            what training adds.
        logs: Of trained models, by name.
        about: Facts that the recipe gives, first on the page.
        num_runs: Training runs of each trained model.
    """

    title: str
    evaluations: Mapping[str, Measured]
    main: str
    vote: Comparison
    scored: Comparison
    others: Sequence[Comparison]
    logs: Mapping[str, Path]
    about: Mapping[str, str]
    num_runs: int
    published_sweep: Mapping[str, Mapping[int, float]]


def page_of_run(report: RunReport) -> PageData:
    """Reads the pools and logs, and fills in the page."""
    pools = {pool.name: pool for pool in read_places(_places(report.evaluations))}
    comparisons = [c for c in (report.vote, report.scored, *report.others) if c.rows]
    return PageData(
        title=report.title,
        kind="run",
        facts=_facts(report),
        verdict=_verdict(report),
        rows=[Row(name, m.generator, m.scorer, m.results.estimates, m.paper) for name, m in report.evaluations.items()],
        comparisons=comparisons,
        sweeps={name: sweep for name, m in report.evaluations.items() if (sweep := _sweep(m.results))},
        published_sweep=report.published_sweep,
        scores=_scores(report.evaluations, pools),
        by_subject=_subjects(report.evaluations, pools),
        trained=trained(report.logs),
        costs=_costs(report.evaluations, pools),
        inspected=sorted(
            (p.inspected for p in pools.values()), key=lambda p: p.name != report.evaluations[report.main].generator
        ),
        notes=_notes(report.evaluations),
        method=[*METHOD, *_settings(report.evaluations)],
    )


def _places(evaluations: Mapping[str, Measured]) -> dict[str, PoolPlace]:
    """The files of each generator, with all scores of it."""
    places: dict[str, PoolPlace] = {}
    for measured in evaluations.values():
        files = measured.files
        if files is None:
            continue
        before = places.get(measured.generator)
        scorer = measured.scorer or ""
        scores = {**(before.scores if before else {}), **({scorer: files.scores} if files.scores else {})}
        chosen = _strategies(measured.results, files.selections)
        strategies = {**(before.strategies if before else {}), scorer: chosen}
        places[measured.generator] = PoolPlace(files.problems, files.candidates, files.clusters, scores, strategies)
    return places


def _strategies(results: Results, selections: Path | None) -> list[Strategy]:
    """Of those that are not ours what they chose: their code is not asked for."""
    own = results.own_strategies
    answers: dict[str, dict[str, str | None]] = {name: {} for name in own}
    for made in read_records(selections, Selection) if own and selections else ():
        if made.strategy in answers:
            answers[made.strategy][made.problem_id] = made.answer
    return [
        StoredChoices(name, own[name], answers[name]) if name in own else strategy(name)
        for name in results.config["strategies"]
    ]


def _sweep(results: Results) -> Sweep:
    curves = results.curves
    return Sweep(
        candidates={curve.name: _points(curve.points) for curve in curves.candidates},
        clusters={curve.name: _points(curve.points) for curve in (*curves.clusters, *curves.kept)}
        if curves.kept
        else {},
        calls=_points(curves.calls.points) if curves.kept else (),
    )


def _points(points: Sequence[object]) -> Points:
    return [[p.x, p.value, p.low, p.high] for p in points]  # type: ignore[attr-defined]


def _scores(evaluations: Mapping[str, Measured], pools: Mapping[str, ReadPool]) -> dict[str, Scores]:
    """By scorer where one generator was scored, else by evaluation."""
    generators = {m.generator for m in evaluations.values() if m.scorer}
    found = {}
    for name, measured in evaluations.items():
        if not measured.results.evaluator or measured.scorer is None:
            continue
        shown = measured.scorer if len(generators) == 1 else name
        pool = pools.get(measured.generator)
        if pool and measured.scorer in pool.scores:
            found[shown] = scores_of(pool.scored(measured.scorer), measured.results.evaluator)
        else:
            found[shown] = Scores(measured.results.evaluator, measured.results.calibration)
    return found


def _subjects(evaluations: Mapping[str, Measured], pools: Mapping[str, ReadPool]) -> dict[str, object]:
    """Of the evaluations whose problems tell a subject or a level."""
    found: dict[str, object] = {}
    for name, measured in sorted(evaluations.items(), key=lambda item: item[1].scorer is None):
        problems = pools[measured.generator].problems if measured.generator in pools else {}
        if any(p.subject or p.level is not None for p in problems.values()):
            found[name] = by_subject(problems, measured.outcomes)
    return found


def _costs(evaluations: Mapping[str, Measured], pools: Mapping[str, ReadPool]) -> dict[str, Cost]:
    found = {}
    for name, measured in evaluations.items():
        if files := measured.files:
            pool = pools[measured.generator]
            spent = cost(files.candidates, files.scores, len(pool.inspected.problems), pool.num_texts)
            if spent:
                found[name] = spent
    return found


def _verdict(report: RunReport) -> list[str]:
    main = report.evaluations[report.main]
    sentences = []
    vote = next((d for name, d in report.vote.rows if name == main.generator), None)
    single = next((e for e in main.results.estimates if e.name == "pass@1"), None)
    if vote and single:
        size = int(vote.estimate.name.split(" - ")[0].split("@")[1])
        sentences.append(vote_sentence(vote, single.value, size))
    if report.scored.rows:
        sentences.append(scores_sentence(report.scored))
    return sentences


def _facts(report: RunReport) -> Facts:
    records: list[Made | None] = []
    prints: dict[str, str] = {}
    sampled: Made | None = None
    for name, measured in report.evaluations.items():
        files = measured.files
        if files is None:
            continue
        here = made_by(files.candidates)
        sampled = here if name == report.main or sampled is None else sampled
        records += [made_by(path) for path in (files.problems, files.candidates, files.clusters, files.scores) if path]
        problems = files.problems / "problems.jsonl" if files.problems.is_dir() else files.problems
        candidates = files.candidates / "candidates.jsonl" if files.candidates.is_dir() else files.candidates
        prints.setdefault("test problems", file_print(problems))
        prints.setdefault(f"candidates of {measured.generator}", file_print(candidates))
    all_of = together([*records, *(made_by(log) for log in report.logs.values())])
    first = report.evaluations[report.main].results.statistics
    size = round(first["num_candidates"] / first["num_problems"], 2)
    rows = [
        *report.about.items(),
        ("problems", f"{first['num_problems']:,}"),
        ("candidates per problem (N)", f"{size:g}"),
    ]
    rows += _sampling(sampled)
    rows.append(("training runs", str(report.num_runs)))
    if all_of.began:
        first_day, last_day = (time.replace("T", " ").removesuffix("Z") for time in all_of.began)
        rows.append(("begun", f"{first_day} UTC" + (f", last stage {last_day} UTC" if last_day != first_day else "")))
        rows.append(("work, all stages", f"{all_of.seconds / 60:,.1f} minutes"))
    if all_of.engines:
        rows.append((MADE_BY, "; ".join(all_of.engines)))
    if all_of.devices:
        rows.append(("device", "; ".join(all_of.devices)))
    if all_of.versions:
        rows.append(("versions", ", ".join(f"{name} {version}" for name, version in all_of.versions.items())))
    if all_of.commits:
        rows.append(("source", ", ".join(commit[:12] for commit in all_of.commits)))
    return Facts(rows, tuple(prints.items()))


def _sampling(made: Made | None) -> list[tuple[str, str]]:
    """How the main generator was asked."""
    if made is None:
        return []
    sampling, prompt = made.settings.get("sampling") or {}, made.settings.get("prompt") or {}
    rows = []
    if "temperature" in sampling:
        rows.append(("temperature, top-p", f"{sampling['temperature']}, {sampling.get('top_p')}"))
        rows.append(("most tokens", f"{sampling.get('max_tokens'):,}"))
    if "template" in prompt:
        rows.append(("template", str(prompt["template"])))
    if "seed" in made.settings:
        rows.append(("seed", str(made.settings["seed"])))
    return rows


def _notes(evaluations: Mapping[str, Measured]) -> list[str]:
    """What was left out, or has no answer, in words; equal sentences once."""
    notes: dict[str, None] = {}
    seen = set()
    for measured in evaluations.values():
        if measured.generator in seen:
            continue
        seen.add(measured.generator)
        s, read = measured.results.statistics, measured.results.num_read
        left = read - int(s["num_problems"])
        text = f"{measured.generator}: {100 * s['no_answer_rate']:.1f}% of candidates have no answer, {100 * s['tied_vote_rate']:.1f}% of votes are tied"
        notes[text + (f", {left:,} problems were left out (no reference, or not sampled)." if left else ".")] = None
    return list(notes)


def _settings(evaluations: Mapping[str, Measured]) -> list[tuple[str, str]]:
    """The settings of evaluations, those that share them together."""
    found: dict[str, list[str]] = {}
    for name, measured in evaluations.items():
        found.setdefault(settings_text(measured.results.config, measured.results.versions), []).append(name)
    return [(", ".join(names), text) for text, names in found.items()]
