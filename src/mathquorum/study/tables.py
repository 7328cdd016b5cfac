"""All tables of a study: the paper's, then what it lacks."""

from __future__ import annotations

from dataclasses import replace

from mathquorum.study.cells import StudyTable
from mathquorum.study.further_tables import clusters, controls, evaluators, spending
from mathquorum.study.measured import Measured
from mathquorum.study.paper_tables import (
    data_table,
    demonstrations,
    generators,
    mtsft,
    reranking,
    strategies,
    transfer,
)
from mathquorum.study.plan import Plan

__all__ = ["all_tables"]


def all_tables(measured: Measured, plan: Plan) -> list[StudyTable]:
    """Tables 1 to 7 in the paper's order, then what it lacks. A table without a single row is left out."""
    even = measured.evened()
    fewest = min((g.num_candidates for g in even.generators.values()), default=0)
    of_first = f"Of each generator its first {fewest} candidates." if even is not measured else ""
    tables = [
        data_table(plan),
        _with_note(generators(even, plan), of_first),
        reranking(measured, plan),
        _with_note(mtsft(even, plan), of_first),
        _with_note(demonstrations(even, plan), of_first),
        _with_note(transfer(even, plan), of_first),
        strategies(measured, plan),
        evaluators(measured, plan),
        _with_note(controls(even, plan), of_first),
        clusters(measured, plan),
        spending(measured, plan),
    ]
    return [table for table in tables if table.rows]


def _with_note(table: StudyTable, note: str) -> StudyTable:
    return replace(table, note=f"{table.note} {note}".strip())
