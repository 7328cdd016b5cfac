"""The page of someone's own samples: the report's page, with what samples can tell."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mathquorum import __version__
from mathquorum.errors import SettingsError
from mathquorum.metrics import Pool, have_scores
from mathquorum.metrics.curves import call_shares, curves_over_clusters, curves_over_kept
from mathquorum.metrics.estimates import estimate_json
from mathquorum.report.page import Comparison, Facts, PageData, Row, render_page
from mathquorum.report.page.data import Cost, Points, Scores, Sweep
from mathquorum.report.page.inspector import InspectedPool, Looked
from mathquorum.report.page.markdown import render_markdown
from mathquorum.report.page.measures import by_subject, scores_of
from mathquorum.report.page.method import METHOD
from mathquorum.report.page.provenance import file_print
from mathquorum.report.page.verdict import scores_sentence, ungraded_sentences, vote_sentence
from mathquorum.report.tables import is_about_scores
from mathquorum.store import write_json, write_text
from mathquorum.study import published
from mathquorum.voting.measured import Measured
from mathquorum.voting.picks import Pick
from mathquorum.voting.pools import ReadPools

__all__ = ["page_of_samples", "write_report"]

SCORES = "scores"


def write_report(pools: Mapping[str, Measured], files: Sequence[Path], out: Path) -> None:
    """Writes report.html, report.md and results.json into a directory, which is made where there is none.

    Args:
        pools: By the name that each is to have.
        files: What was read, for their fingerprints.

    Raises:
        SettingsError: If the directory cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"--report {out} cannot be made: {error.strerror}. Give a folder, or a new name."
        ) from error
    data = page_of_samples(pools, files)
    write_text(out / "report.html", render_page(data))
    write_text(out / "report.md", render_markdown(data))
    write_json(out / "results.json", _results(pools))


def page_of_samples(pools: Mapping[str, Measured], files: Sequence[Path]) -> PageData:
    """Fills in the page."""
    scored = {name for name, m in pools.items() if any(pick.item.scored for pick in m.picks)}
    graded = {name: m for name, m in pools.items() if m.estimates}
    comparisons = [c for c in (_votes(graded), _choices(graded)) if c.rows]
    return PageData(
        title=f"The vote on {', '.join(pools)}" if len(pools) < 4 else f"The vote on {len(pools)} pools of candidates",
        kind="samples",
        facts=_facts(pools, files),
        verdict=_verdict(pools, graded, comparisons),
        rows=_rows(graded, scored),
        comparisons=comparisons,
        sweeps={name: _sweep(m) for name, m in graded.items()},
        published_sweep=published.FIGURE_1,
        scores=_scores({name: m for name, m in graded.items() if name in scored}),
        by_subject={name: found for name, m in graded.items() if (found := _subjects(m))},
        costs={name: cost for name, m in graded.items() if (cost := _cost(m))},
        inspected=[_inspected(name, m, name in scored) for name, m in pools.items()],
        notes=[note for name, m in pools.items() for note in _notes(name if len(pools) > 1 else "", m)],
        method=METHOD,
    )


def _rows(graded: Mapping[str, Measured], scored: set[str]) -> list[Row]:
    """One for each pool, and one for each model where a file has several."""
    rows = []
    for name, measured in graded.items():
        rows.append(Row(name, name, SCORES if name in scored else None, measured.estimates))
        rows += [
            Row(model, model, None, [e for e in found if "@" in e.name]) for model, found in measured.by_model.items()
        ]
    return rows


def _votes(graded: Mapping[str, Measured]) -> Comparison:
    rows = [(name, d) for name, m in graded.items() for d in m.differences if d.estimate.name.endswith(" - pass@1")]
    note = "The vote over all candidates less the share of correct candidates."
    return Comparison("against-one", "The vote against one sample", note, rows)


def _choices(graded: Mapping[str, Measured]) -> Comparison:
    """Each choice by scores less the vote."""
    rows = []
    for name, measured in graded.items():
        for d in measured.differences:
            first, _, second = d.estimate.name.partition(" - ")
            if second.startswith("maj1@"):
                rows.append((name, replace(d, estimate=replace(d.estimate, name=first))))
    note = "Each strategy that reads scores less the vote over the same candidates."
    return Comparison("against-vote", "Choices by scores against the vote", note, rows)


def _verdict(
    pools: Mapping[str, Measured], graded: Mapping[str, Measured], comparisons: Sequence[Comparison]
) -> list[str]:
    if not graded:
        rates = next(iter(pools.values())).rates
        picks = [pick for m in pools.values() for pick in m.picks]
        return ungraded_sentences(len(picks), sum(p.item.pool.num_candidates for p in picks), rates)
    sentences = []
    for comparison in comparisons:
        if comparison.key == "against-vote":
            sentences.append(scores_sentence(comparison))
            continue
        name, difference = comparison.rows[0]
        single = next(e for e in graded[name].estimates if e.name == "pass@1")
        size = int(difference.estimate.name.split(" - ")[0].split("@")[1])
        sentences.append(vote_sentence(difference, single.value, size))
    return sentences


def _graded_pools(measured: Measured) -> list[Pool]:
    return [pick.item.pool for pick in measured.picks if pick.item.samples.problem.answer is not None]


def _sweep(measured: Measured) -> Sweep:
    pools = _graded_pools(measured)
    candidates = {curve.name: _points(curve.points) for curve in measured.curves}
    if not have_scores(pools):
        return Sweep(candidates)
    clusters = (*curves_over_clusters(pools), *curves_over_kept(pools))
    return Sweep(candidates, {c.name: _points(c.points) for c in clusters}, _points(call_shares(pools).points))


def _points(points: Sequence[Any]) -> Points:
    return [[p.x, p.value, p.low, p.high] for p in points]


def _scores(scored: Mapping[str, Measured]) -> dict[str, Scores]:
    found = {}
    for name, measured in scored.items():
        pools = ReadPools([pick.item for pick in measured.picks], {}).scored_pools
        if pools:
            figures = [e for e in measured.estimates if is_about_scores(e.name)]
            found[SCORES if len(scored) == 1 else name] = scores_of(pools, figures)
    return found


def _subjects(measured: Measured) -> Any:
    """Of the vote and the other strategies, where problems tell a subject or a level; else None."""
    problems = {pick.item.samples.problem.id: pick.item.samples.problem for pick in measured.picks}
    if not any(p.subject or p.level is not None for p in problems.values()):
        return None
    outcomes: dict[str, dict[str, float]] = {}
    for pick in measured.picks:
        if pick.item.samples.problem.answer is None:
            continue
        pool = pick.item.pool
        outcomes.setdefault("pass@1", {})[pool.problem_id] = pool.num_correct / pool.num_candidates
        for name, cluster in pick.chosen.items():
            outcomes.setdefault(name, {})[pool.problem_id] = float(cluster is not None and bool(cluster.correct))
    return by_subject(problems, outcomes)


def _cost(measured: Measured) -> Cost | None:
    """Tokens per problem, where the file tells the tokens of every candidate."""
    tokens = [c.num_tokens for pick in measured.picks for c in pick.item.samples.candidates]
    known = [number for number in tokens if number is not None]
    if not tokens or len(known) < len(tokens):
        return None
    return Cost(sum(known) / len(measured.picks), None, None, None)


def _inspected(name: str, measured: Measured, scored: bool) -> InspectedPool:
    scorer = SCORES if scored else ""
    return InspectedPool(name, [scorer], [_looked(pick, scorer) for pick in measured.picks])


def _looked(pick: Pick, scorer: str) -> Looked:
    pool, samples = pick.item.pool, pick.item.samples
    known = {index: value for index, value in pool.scores.items() if index in pick.item.scored}
    places = {id(cluster): place for place, cluster in enumerate(pool.clusters)}
    return Looked(
        samples.problem,
        pool.num_candidates,
        pool.clusters,
        {c.index: c for c in samples.candidates},
        {scorer: known} if scorer else {},
        {scorer: {name: -1 if c is None else places.get(id(c), -1) for name, c in pick.chosen.items()}},
    )


def _facts(pools: Mapping[str, Measured], files: Sequence[Path]) -> Facts:
    picks = [pick for m in pools.values() for pick in m.picks]
    sizes = sorted({pick.item.pool.num_candidates for pick in picks})
    graded = sum(pick.item.samples.problem.answer is not None for pick in picks)
    models = dict.fromkeys(m for pick in picks for m in pick.item.samples.models or () if m)
    rows = [
        ("problems", f"{len(picks):,}" + ("" if graded == len(picks) else f", {graded:,} with a reference answer")),
        ("candidates per problem (N)", f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"),
        ("candidates", f"{sum(pick.item.pool.num_candidates for pick in picks):,}"),
        ("models", ", ".join(models) or "the files name none"),
        ("measured", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("versions", f"mathquorum {__version__}, python {platform.python_version()}, numpy {version('numpy')}"),
    ]
    return Facts(rows, tuple((path.name, file_print(path)) for path in files if path.is_file()))


def _notes(name: str, measured: Measured) -> list[str]:
    """What was read as what, and what was left out or should be known."""
    before = f"{name}: " if name else ""
    counts = [
        f"{before}{words}: {count:,}"
        for words, count in measured.counts.items()
        if words not in ("problems", "candidates")
    ]
    tied = f"{before}{100 * measured.rates['tied_vote_rate']:.1f}% of votes are tied."
    return [*(f"{before}{line}" for line in measured.columns), *counts, tied]


def _results(pools: Mapping[str, Measured]) -> dict[str, Any]:
    """All figures under the key names of lm-evaluation-harness."""
    return {
        "results": {name: {e.name: estimate_json(e) for e in m.estimates} for name, m in pools.items()},
        "n-samples": {
            name: {"original": len(m.picks), "effective": len(_graded_pools(m))} for name, m in pools.items()
        },
        "versions": {"mathquorum": __version__, "numpy": version("numpy")},
    }
