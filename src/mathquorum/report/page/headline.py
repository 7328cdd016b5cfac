"""The headline tables: generators by figure, and strategies by score, each narrow enough for a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mathquorum.records import Estimate
from mathquorum.report.page.data import Row
from mathquorum.report.tables import figure_names, is_about_scores

__all__ = ["HeadlineTable", "headline_tables"]


@dataclass(frozen=True)
class HeadlineTable:
    """One table.

    Attributes:
        rows: By name: cells by column.
        paper: By row and column what the paper has, in percent.
    """

    title: str
    first: str
    columns: Sequence[str]
    rows: Mapping[str, Mapping[str, Estimate]]
    paper: Mapping[tuple[str, str], float] = field(default_factory=dict)


def headline_tables(rows: Sequence[Row]) -> list[HeadlineTable]:
    """What does not hang on scores, a generator a line; then for each generator with scores, a strategy a line and a score a column."""
    generators: dict[str, Row] = {}
    scored: dict[str, list[Row]] = {}
    for row in rows:
        generators.setdefault(row.generator, row)
        if row.scorer is not None:
            scored.setdefault(row.generator, []).append(row)
    tables = [_generators(generators)] if rows else []
    return tables + [_strategies(name, found) for name, found in scored.items()]


def _plain(row: Row) -> dict[str, Estimate]:
    return {e.name: e for e in row.estimates if "@" in e.name and not is_about_scores(e.name)}


def _generators(rows: Mapping[str, Row]) -> HeadlineTable:
    cells = {name: _plain(row) for name, row in rows.items()}
    columns = figure_names({name: list(found.values()) for name, found in cells.items()})
    paper = {
        (name, column): value
        for name, row in rows.items()
        for column in columns
        if (value := _paper(row, column)) is not None
    }
    return HeadlineTable("Generators", "model", columns, cells, paper)


def _strategies(generator: str, rows: Sequence[Row]) -> HeadlineTable:
    """One strategy per line; the vote first, which no score changes."""
    names = figure_names({row.name: row.estimates for row in rows})
    chosen = [name for name in names if "@" not in name or name.startswith("maj1@")]
    columns = [row.scorer or "" for row in rows]
    cells: dict[str, dict[str, Estimate]] = {}
    paper: dict[tuple[str, str], float] = {}
    for name in chosen:
        for row in rows:
            found = next((e for e in row.estimates if e.name == name), None)
            if found is not None and not is_about_scores(name):
                cells.setdefault(name, {})[row.scorer or ""] = found
                ranked = any(figure.startswith(("rr.", "w.rr")) for figure in row.paper)  # by this score
                if ranked and (value := _paper(row, name)) is not None:
                    paper[name, row.scorer or ""] = value
    return HeadlineTable(f"Strategies on {generator}, by score", "strategy", columns, cells, paper)


def _paper(row: Row, figure: str) -> float | None:
    """What the paper has: its figures have no N."""
    if figure in row.paper:
        return row.paper[figure]
    stem, _, number = figure.partition("@")
    if not number.isdigit():
        return None
    return row.paper.get("pass@N") if stem == "pass" and number != "1" else row.paper.get(stem)
