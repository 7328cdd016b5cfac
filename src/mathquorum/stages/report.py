"""Report: a page for people from one or more evaluations, with every difference paired on the same problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from mathquorum.config import InputPath, Settings
from mathquorum.differences import Difference, paired_difference
from mathquorum.errors import DataError, suggest
from mathquorum.inspection import read_inspection
from mathquorum.metrics.estimates import estimate_json, rounded
from mathquorum.report.pages import ReportData, make_plots, render_html, render_markdown, slugify
from mathquorum.report.tables import estimates_json
from mathquorum.results import Results, read_outcomes, read_results
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import write_json, write_text

__all__ = ["Report"]

Table = Mapping[str, Mapping[str, float]]  # figure, problem, value


class Report(Settings):
    """Makes report.md with its plots (SVG), report.html in one file, differences.json, and figures.json: all estimates."""

    evaluations: dict[str, InputPath] = Field(min_length=1)
    """Directories made by Evaluate, by the name that each is to have in the report, in its order."""
    baseline: str | None = None
    """The evaluation that the others are compared with; by default the first."""
    controls: dict[str, str] = {}
    """Evaluations that are compared with another one besides: {mtsft.margin: control}."""
    title: str = "mathquorum report"
    seed: int = 0
    """Of the bootstrap of differences."""

    @model_validator(mode="after")
    def _names(self) -> Report:
        if self.baseline is not None and self.baseline not in self.evaluations:
            raise ValueError(f"Unknown baseline {self.baseline!r}. {suggest(self.baseline, self.evaluations)}")
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
        tables = {name: read_outcomes(path / "outcomes.jsonl") for name, path in self.evaluations.items()}
        evaluations, plots = {}, {}
        for number, (name, path) in enumerate(self.evaluations.items(), start=1):
            evaluations[name] = read_results(path / "results.json")
            plots[name] = make_plots(name, evaluations[name])
            for plot in plots[name]:
                write_text(out / plot.file, plot.svg)
            progress(number, total)
        data = ReportData(
            title=self.title,
            evaluations=evaluations,
            baseline=baseline,
            within={name: self._against_vote(table) for name, table in tables.items()},
            controls={
                f"{name} less {control}": self._against(tables[name], tables[control], f"{name} and {control}")
                for name, control in self.controls.items()
            },
            between={
                name: self._against(table, tables[baseline], f"{name} and {baseline}")
                for name, table in tables.items()
                if name != baseline
            },
            plots=plots,
            inspected={name: read_inspection(path / "inspection.json") for name, path in self.evaluations.items()},
        )
        write_text(out / "report.md", render_markdown(data))
        write_text(out / "report.html", render_html(data))
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
        progress(total, total)
        return {"evaluations": len(evaluations), "plots": sum(map(len, plots.values()))}

    def _against_vote(self, table: Table) -> list[Difference]:
        """Every other selection less Maj1; oracles and single samples do not choose, so they are left out."""
        vote = next((name for name in table if name.startswith("maj1@")), None)
        chosen = [name for name in table if not name.startswith(("pass@", "maj1@")) and "@" not in name]
        return [] if vote is None else [self._difference(name, table[name], table[vote]) for name in chosen]

    def _against(self, table: Table, baseline: Table, names: str) -> list[Difference]:
        common = [name for name in table if name in baseline]
        if table["pass@1"] == baseline["pass@1"]:  # the same candidates under other scores: only strategies can differ
            common = [name for name in common if "@" not in name]
        if common and not table[common[0]].keys() & baseline[common[0]].keys():
            raise DataError(f"{names} have no problem in common, so they cannot be compared.")
        return [self._difference(name, table[name], baseline[name]) for name in common]

    def _difference(self, name: str, first: Mapping[str, float], second: Mapping[str, float]) -> Difference:
        problems = [problem for problem in first if problem in second]
        return paired_difference(name, [first[p] for p in problems], [second[p] for p in problems], seed=self.seed)


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
