"""Report: a page for people from one or more evaluations, with every difference paired on the same problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from mathquorum.config import InputPath, Settings
from mathquorum.errors import DataError, suggest
from mathquorum.metrics.crossed import seeded_mean
from mathquorum.metrics.differences import Difference, paired_difference
from mathquorum.metrics.estimates import estimate_json, rounded
from mathquorum.metrics.results import Evaluated, Results, read_evaluated, read_outcomes, read_results
from mathquorum.report.page import Comparison, render_page
from mathquorum.report.page.of_run import Files, Measured, RunReport, page_of_run
from mathquorum.report.page.provenance import made_by, together
from mathquorum.report.pages import ReportData, make_plots, render_markdown, slugify
from mathquorum.report.tables import estimates_json
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import write_json, write_text
from mathquorum.study import published
from mathquorum.study.measured import difference

__all__ = ["EvaluationOf", "PoolOf", "Report", "TrainingRun"]

ONE_RUN = (
    "Each side is one training run: another run of the same settings may differ, and the intervals do not say by how much. In "
    "our small study, three training seeds put MTSFT less its control between -14.4 and +11.7 points (greedy, 120 problems). "
    "With --seeds 3 the recipe trains three."
)

Table = Mapping[str, Mapping[str, float]]  # figure, problem, value
Runs = Sequence[Table]  # one for each training run


class TrainingRun(Settings):
    """The same evaluations after another training run."""

    evaluations: dict[str, InputPath] = Field(min_length=1)
    """Directories made by Evaluate, by the name that each has in the report; of models that are not trained there is none."""


class PoolOf(Settings):
    """The files that an evaluation was made from, for what the page shows of single problems and of scores. Each is a file, or the
    directory of the stage that made it, whose record tells what it cost."""

    problems: InputPath
    candidates: InputPath
    clusters: InputPath
    scores: InputPath | None = None


class EvaluationOf(Settings):
    """An evaluation, and what it is of."""

    results: InputPath
    """The directory made by Evaluate."""
    generator: str
    """Whose candidates were measured."""
    scorer: str | None = None
    """Whose scores of them; None where only the vote was."""
    pool: PoolOf | None = None
    """What it was made from; without it the page has no inspector."""
    paper: dict[str, float] = {}
    """What the paper reports of the like, in percent: {"maj1": 55.2, "rr.top8": 58.8}. Shown beside ours."""


def _named(values: Any) -> Any:
    """A path alone is an evaluation of the generator of that name."""
    if not isinstance(values, Mapping):
        return values
    return {n: {"results": v, "generator": n} if isinstance(v, str | Path) else v for n, v in values.items()}


class Report(Settings):
    """Makes report.html, one page for people that needs no network; report.md with its plots (SVG); results.json (all figures, under the
    key names of lm-evaluation-harness), figures.json, differences.json and evaluations.json (what each is of)."""

    evaluations: Annotated[dict[str, EvaluationOf], BeforeValidator(_named)] = Field(min_length=1)
    """By the name that each is to have in the report, in its order. A directory made by Evaluate alone is one of a generator of
    that name."""
    baseline: str | None = None
    """The evaluation that the others are compared with; by default the first."""
    controls: dict[str, str] = {}
    """Evaluations that are compared with another one besides: {mtsft.margin: control}."""
    repeats: tuple[TrainingRun, ...] = ()
    """Further training runs with other seeds. Intervals are then over problems and training runs; plots, clusters and figures about
    scores are those of the first run."""
    logs: dict[str, InputPath] = {}
    """log.jsonl of models that were trained, by name."""
    about: dict[str, str] = {}
    """What the page says first of what was measured: {"base model": "tiny-base"}."""
    title: str = "mathquorum report"
    seed: int = 0
    """Of the bootstrap of differences."""

    @model_validator(mode="after")
    def _names(self) -> Report:
        if self.baseline is not None and self.baseline not in self.evaluations:
            raise ValueError(f"Unknown baseline {self.baseline!r}. {suggest(self.baseline, self.evaluations)}")
        for again in self.repeats:
            if again.evaluations.keys() != self.repeats[0].evaluations.keys():
                raise ValueError("repeats must have the same evaluations in each training run.")
            for name in again.evaluations:
                if name not in self.evaluations:
                    raise ValueError(f"repeats names an unknown evaluation {name!r}. {suggest(name, self.evaluations)}")
        for name in (*self.controls, *self.controls.values()):
            if name not in self.evaluations:
                raise ValueError(f"controls names an unknown evaluation {name!r}. {suggest(name, self.evaluations)}")
        slugs: dict[str, str] = {}
        for name in self.evaluations:
            other = slugs.setdefault(slugify(name), name)
            if other != name:
                raise ValueError(f"evaluations {other!r} and {name!r} would have the same file names. Rename one.")
        return self

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        total = len(self.evaluations) + 1
        baseline = self.baseline or next(iter(self.evaluations))
        measured = {name: self._read(name, item) for name, item in self.evaluations.items()}
        evaluations = {name: item.results for name, item in measured.items()}
        plots = {}
        for number, name in enumerate(measured, start=1):
            plots[name] = make_plots(name, evaluations[name])
            for plot in plots[name]:
                write_text(out / plot.file, plot.svg)
            progress(number, total)
        data = ReportData(
            title=self.title,
            num_runs=1 + len(self.repeats),
            evaluations=evaluations,
            baseline=baseline,
            within={name: self._against_vote(item) for name, item in measured.items()},
            controls={
                f"{name} less {control}": self._against(measured[name], measured[control], f"{name} and {control}")
                for name, control in self.controls.items()
            },
            between={
                name: self._against(item, measured[baseline], f"{name} and {baseline}")
                for name, item in measured.items()
                if name != baseline
            },
            plots=plots,
            engines=self._engines(),
        )
        write_text(out / "report.md", render_markdown(data))
        write_text(out / "report.html", render_page(page_of_run(self._page(measured, data))))
        write_json(
            out / "differences.json",
            {
                "baseline": baseline,
                "within": _rows(data.within),
                "controls": _rows(data.controls),
                "between": _rows(data.between),
            },
        )
        write_json(out / "figures.json", _figures(evaluations))
        write_json(out / "results.json", _harness(evaluations))
        write_json(out / "evaluations.json", {name: asdict(item.evaluated[0]) for name, item in measured.items()})
        progress(total, total)
        return {"evaluations": len(evaluations), "plots": sum(map(len, plots.values()))}

    def _engines(self) -> Sequence[str]:
        """What sampled and scored."""
        pools = [item.pool for item in self.evaluations.values() if item.pool]
        files = [file for pool in pools for file in (pool.candidates, pool.scores) if file]
        return together(made_by(file) for file in files).engines

    def _page(self, measured: Mapping[str, _Measured], data: ReportData) -> RunReport:
        """What the page of these evaluations is made of."""
        size = " and training runs" if data.num_runs > 1 else ""
        return RunReport(
            title=self.title,
            evaluations={name: _of_page(self.evaluations[name], item) for name, item in measured.items()},
            main=data.baseline or next(iter(measured)),
            vote=Comparison(
                "against-one",
                "The vote against one sample",
                f"The vote over all candidates less the share of correct candidates, over problems{size}.",
                self._votes(measured),
            ),
            scored=Comparison(
                "against-vote",
                "Choices by scores against the vote",
                "Each strategy under each score less the vote over the same candidates.",
                [(name, d) for name, rows in data.within.items() for d in rows],
            ),
            others=[
                Comparison(
                    "against-control",
                    "Against its control",
                    "What a method adds beyond equal training without it. " + ("" if data.num_runs > 1 else ONE_RUN),
                    [(name, d) for name, rows in data.controls.items() for d in rows],
                ),
                Comparison(
                    "against-baseline",
                    f"Against {data.baseline}",
                    "Each model on the same problems.",
                    [(name, d) for name, rows in data.between.items() for d in rows],
                ),
            ],
            logs=self.logs,
            about=self.about,
            num_runs=data.num_runs,
            published_sweep=published.FIGURE_1,
        )

    def _votes(self, measured: Mapping[str, _Measured]) -> list[tuple[str, Difference]]:
        """Of each generator once the vote less one sample."""
        rows: dict[str, Difference] = {}
        for item in measured.values():
            names, generator = _common(item.runs), item.evaluated[0].generator
            vote = next((name for name in names if name.startswith("maj1@")), None)
            if vote and "pass@1" in names and generator not in rows:
                found = self._difference(vote, item.runs, item.runs, "pass@1")
                rows[generator] = replace(found, estimate=replace(found.estimate, name=f"{vote} - pass@1"))
        return list(rows.items())

    def _read(self, name: str, item: EvaluationOf) -> _Measured:
        """The evaluation, with those of further training runs."""
        places = [item.results, *(r.evaluations[name] for r in self.repeats if name in r.evaluations)]
        evaluated = [read_evaluated(place, item.generator, item.scorer) for place in places]
        runs = [read_outcomes(place / "outcomes.jsonl") for place in places]
        return _Measured(evaluated, _over_runs(read_results(item.results / "results.json"), runs), runs)

    def _against_vote(self, measured: _Measured) -> list[Difference]:
        """Every choice that scores decide less Maj1; oracles and single samples do not choose, so they are left out."""
        names = _common(measured.runs)
        vote = next((name for name in names if name.startswith("maj1@")), None)
        chosen = [name for name in names if name in measured.results.scored_figures]
        return [] if vote is None else [self._difference(name, measured.runs, measured.runs, vote) for name in chosen]

    def _against(self, measured: _Measured, other: _Measured, names: str) -> list[Difference]:
        runs, baseline = measured.runs, other.runs
        common = [name for name in _common(runs) if name in _common(baseline)]
        if measured.prints == other.prints:  # the same candidates: only choices by scores can differ
            common = [name for name in common if name in measured.results.scored_figures]
        if common and not runs[0][common[0]].keys() & baseline[0][common[0]].keys():
            raise DataError(f"{names} have no problem in common, so they cannot be compared.")
        return [self._difference(name, runs, baseline, name) for name in common]

    def _difference(self, name: str, runs: Runs, others: Runs, other: str) -> Difference:
        """The difference of one figure and another, paired by problem and, where there are several, by training run."""
        problems = [p for p in runs[0][name] if all(p in table[name] for table in runs)]
        problems = [p for p in problems if all(p in table[other] for table in others)]
        first, second = _rows_of(runs, name, problems), _rows_of(others, other, problems)
        if max(len(first), len(second)) == 1 or len(problems) < 2:
            return paired_difference(name, first[0], second[0], seed=self.seed)
        return difference(name, np.array(first), np.array(second))


def _of_page(item: EvaluationOf, measured: _Measured) -> Measured:
    pool = item.pool
    made = item.results / "selections.jsonl"
    files = None if pool is None else Files(pool.problems, pool.candidates, pool.clusters, pool.scores, made)
    return Measured(item.generator, item.scorer, measured.results, measured.runs[0], files, item.paper)


def _harness(evaluations: Mapping[str, Results]) -> dict[str, Any]:
    """All figures under the key names of lm-evaluation-harness: results, configs, n-samples and versions, by evaluation."""
    return {
        "results": {
            name: {e.name: estimate_json(e) for e in (*item.estimates, *item.evaluator)}
            for name, item in evaluations.items()
        },
        "configs": {name: dict(item.config) for name, item in evaluations.items()},
        "n-samples": {
            name: {"original": item.num_read, "effective": int(item.statistics["num_problems"])}
            for name, item in evaluations.items()
        },
        "versions": {name: dict(item.versions) for name, item in evaluations.items()},
    }


def _common(runs: Runs) -> list[str]:
    return [name for name in runs[0] if all(name in table for table in runs)]


def _rows_of(runs: Runs, name: str, problems: Sequence[str]) -> list[list[float]]:
    """(runs, problems)."""
    return [[table[name][problem] for problem in problems] for table in runs]


def _over_runs(results: Results, runs: Runs) -> Results:
    """The first run's results with the figures of all runs, where there are several."""
    if len(runs) == 1:
        return results
    names = _common(runs)
    estimates = []
    for found in results.estimates:
        if found.name in names:
            problems = [p for p in runs[0][found.name] if all(p in table[found.name] for table in runs)]
            found = seeded_mean(found.name, _rows_of(runs, found.name, problems))
        estimates.append(found)
    return replace(results, estimates=tuple(estimates))


@dataclass(frozen=True)
class _Measured:
    """All that an evaluation left."""

    evaluated: Sequence[Evaluated]
    """One for each training run, as the next but one."""
    results: Results
    runs: Runs

    @property
    def prints(self) -> list[str]:
        """Which candidates were measured."""
        return [item.candidates_print for item in self.evaluated]


def _figures(evaluations: Mapping[str, Results]) -> dict[str, Any]:
    """What `--json` prints for a whole run: every estimate, with the evaluation that it belongs to."""
    return {
        "estimates": [
            {"evaluation": name, **row}
            for name, results in evaluations.items()
            for row in estimates_json([*results.estimates, *results.evaluator])["estimates"]
        ]
    }


def _rows(differences: Mapping[str, Sequence[Difference]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [_row(difference) for difference in rows] for name, rows in differences.items()}


def _row(difference: Difference) -> dict[str, Any]:
    return {
        "name": difference.estimate.name,
        **estimate_json(difference.estimate),
        "num_wins": difference.num_wins,
        "num_losses": difference.num_losses,
        "p_value": rounded(difference.p_value),
    }
