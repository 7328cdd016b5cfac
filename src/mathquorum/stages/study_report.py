"""StudyReport: every table of the paper from the pools of a study, with its claims checked by interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from mathquorum.config import InputPath, Settings
from mathquorum.errors import DataError
from mathquorum.metrics.estimates import estimate_json
from mathquorum.metrics.pool_files import PoolFiles, StoredPool, read_pool
from mathquorum.records import Problem
from mathquorum.report.page.provenance import MADE_BY, made_by, together
from mathquorum.report.page.reading import PoolPlace
from mathquorum.report.pages import Plot
from mathquorum.report.plots import clusters_plot
from mathquorum.stages.base import Progress, Summary
from mathquorum.store import read_json, read_records, write_json, write_text
from mathquorum.study import Generator, Measured, Plan, all_tables, check_claims, figure_1, figure_1_table
from mathquorum.study.cells import StudyTable, table_json
from mathquorum.study.claims import claim_json
from mathquorum.study.page import page_of_study
from mathquorum.study.pages import StudyData, render_study, render_study_page
from mathquorum.study.spending import outlook_of

__all__ = ["MeasuredPool", "StudyReport"]


class MeasuredPool(Settings):
    """The files of one generator, trained with one seed."""

    role: str
    generator: str
    seed: int
    candidates: InputPath
    clusters: InputPath
    greedy: InputPath | None = None
    """Clusters of one greedy solution per problem."""
    scores: dict[str, InputPath] = Field(default_factory=dict)
    """scores.jsonl by evaluator: "ROLE.NAME", or by a signal of the generator's own: "likelihood"."""


class StudyReport(Settings):
    """Makes report.md, report.html, study.json (claims, tables), figures.json (every figure, for programs) and, where scores of
    validation candidates were measured, outlook.json (what stopping rules start from, for `mathquorum solve --outlook`)."""

    problems: InputPath
    """Test problems, of `pools`."""
    validation: InputPath
    """Validation problems, of `validation_pools`."""
    pools: tuple[MeasuredPool, ...] = Field(min_length=1)
    validation_pools: tuple[MeasuredPool, ...] = ()
    data: InputPath | None = None
    """data.json of `Describe`."""
    logs: dict[str, InputPath] = {}
    """log.jsonl of the models of the first training seed, by name."""
    roles: tuple[str, ...] = Field(min_length=1)
    """From the smaller model to the larger."""
    sources: tuple[str, ...] = Field(min_length=1)
    losses: tuple[str, ...] = ()
    transferred: str = "cross_entropy"
    mtsft: tuple[str, ...] = ()
    title: str = "The study"
    about: str = ""
    seed: int = 0

    def run(self, out: Path, progress: Progress) -> Summary:
        """See `Stage.run`."""
        measured = _measured(self.problems, self.pools)
        progress(1, 4)
        validation = _measured(self.validation, self.validation_pools)
        progress(2, 4)
        role = self.roles[-1]
        main, evaluator = validation.get(role, f"ssft.{self.sources[-1]}"), f"{role}.{self.transferred}"
        outlook = outlook_of(main, evaluator)
        plan = Plan(
            roles=self.roles,
            sources=self.sources,
            losses=self.losses,
            transferred=self.transferred,
            mtsft=self.mtsft,
            validation=validation,
            data=_data_rows(read_json(self.data)) if self.data else {},
            outlook=outlook,
        )
        tables = all_tables(measured, plan)
        claims = check_claims(measured, plan)
        progress(3, 4)
        plots = _plots(measured, plan)
        for plot in plots:
            write_text(out / plot.file, plot.svg)
        sweeps = _sweeps(measured, plan)
        data = StudyData(self.title, self.about, claims, tables, plots, sweeps, self._facts(measured))
        write_text(out / "report.md", render_study(data))
        records = [*(path for pool in self.pools for path in _paths(pool)), *self.logs.values()]
        page = page_of_study(data, measured, plan, self._files(), records, self.logs)
        write_text(out / "report.html", render_study_page(page))
        held = {
            "title": self.title,
            "claims": [claim_json(claim) for claim in claims],
            "tables": {table.key: table_json(table) for table in tables},
            "figures": {table.key: table_json(table) for table in sweeps},
        }
        write_json(out / "study.json", held)
        write_json(out / "figures.json", {"estimates": _figures(tables)})
        if main and evaluator in main.evaluators:
            write_json(out / "outlook.json", outlook.model_dump())
        progress(4, 4)
        return {"tables": len(tables), **data.verdicts}

    def _files(self) -> dict[str, PoolPlace]:
        """Of each generator's first training seed."""
        found: dict[str, PoolPlace] = {}
        for pool in self.pools:
            place = PoolPlace(self.problems, pool.candidates, pool.clusters, pool.scores, {})
            found.setdefault(_name(pool.role, pool.generator), place)
        return found

    def _facts(self, measured: Measured) -> Mapping[str, Any]:
        pools = {p.generator: p for p in self.pools}
        first = next(iter(measured.generators.values()))
        engines = together(made_by(path) for pool in self.pools for path in _paths(pool)).engines
        numbers = sorted({g.num_candidates for g in measured.generators.values()})
        return {
            "problems": len(next(iter(first.seeds.values())).pools),
            "candidates per problem": " or ".join(map(str, numbers)),
            "training seeds": ", ".join(map(str, sorted({p.seed for p in self.pools}))),
            "roles": ", ".join(self.roles),
            "generators": ", ".join(pools),
            **({MADE_BY: "; ".join(engines)} if engines else {}),
        }


def _paths(pool: MeasuredPool) -> list[Path]:
    return [pool.candidates, pool.clusters, *pool.scores.values()]


def _measured(problems: Path, pools: Iterable[MeasuredPool]) -> Measured:
    """Generators by role and name, each with all its seeds."""
    graded = [problem for problem in read_records(problems, Problem) if problem.answer is not None]
    seeds: dict[tuple[str, str], dict[int, StoredPool]] = {}
    for pool in pools:
        seeds.setdefault((pool.role, pool.generator), {})[pool.seed] = _stored(pool, graded)
    return Measured({key: Generator(_name(*key), of_key) for key, of_key in seeds.items()})


def _name(role: str, generator: str) -> str:
    return f"{role}: {generator}"


def _stored(pool: MeasuredPool, problems: list[Problem]) -> StoredPool:
    stored = read_pool(PoolFiles(pool.candidates, pool.clusters, pool.greedy, pool.scores), problems)
    if missing := stored.unsampled:
        raise DataError(f"{pool.candidates}: {len(missing)} problems have no candidates (first: {missing[0]}).")
    return stored


def _data_rows(held: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Rows of Table 1: sources with their solutions, then the parts of problems."""
    rows = {
        name: {"train": f["solutions"], "problem tokens": f["problem tokens"], "solution tokens": f["solution tokens"]}
        for name, f in held["solutions"].items()
    }
    for part, f in held["problems"].items():
        rows[f"problems: {part}"] = {part: f["problems"], "problem tokens": f["problem tokens"]}
    return rows


def _plots(measured: Measured, plan: Plan) -> list[Plot]:
    """Figure 1, for each role that has the evaluator."""
    plots = []
    for role in reversed(plan.roles):
        generator, evaluator = measured.get(role, plan.main), f"{role}.{plan.transferred}"
        if generator and evaluator in generator.evaluators:
            title = f"Figure 1: {role}, {plan.transferred}"
            caption = f"{title}. Accuracy over the clusters considered, and the evaluator calls that they cost."
            svg = clusters_plot(figure_1(generator, evaluator), title)
            plots.append(Plot(f"figure-1-{role.lower()}.svg", caption, svg))
    return plots


def _sweeps(measured: Measured, plan: Plan) -> list[StudyTable]:
    """The figures of Figure 1 beside the paper's, for the model in the role of its larger one."""
    role = plan.roles[-1]
    generator, evaluator = measured.get(role, plan.main), f"{role}.{plan.transferred}"
    if not generator or evaluator not in generator.evaluators:
        return []
    return [figure_1_table(generator, evaluator, f"Figure 1: {role}, {plan.transferred}, beside the paper's")]


def _figures(tables: Iterable[StudyTable]) -> list[dict[str, Any]]:
    return [
        {"evaluation": f"{table.key}: {row.name}", "name": column, **estimate_json(cell.estimate)}
        for table in tables
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
        if cell.estimate
    ]
