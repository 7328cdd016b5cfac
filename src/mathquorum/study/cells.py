"""A table of a study: what stands in each place, and its form in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mathquorum.metrics.estimates import estimate_json, read_estimate
from mathquorum.records import Estimate

__all__ = ["Cell", "StudyRow", "StudyTable", "read_table", "table_json"]


@dataclass(frozen=True)
class Cell:
    """One place of a table: a figure in percent or a difference in points, a text, or nothing; and what the paper has."""

    estimate: Estimate | None = None
    paper: float | None = None
    text: str = ""
    is_difference: bool = False


@dataclass(frozen=True)
class StudyRow:
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class StudyTable:
    """A table.

    Attributes:
        key: "table2", "controls"; stable, for programs.
        columns: Headings, the row's name not among them.
        note: What a reader must know to read it.
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[StudyRow, ...]
    note: str = ""


def table_json(table: StudyTable) -> dict[str, Any]:
    """The table for programs: fractions, and the paper's figures in percent as it prints them."""
    return {
        "title": table.title,
        "note": table.note,
        "columns": list(table.columns),
        "rows": [{"name": row.name, "cells": [_cell_json(cell) for cell in row.cells]} for row in table.rows],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    held: dict[str, Any] = {}
    if cell.estimate:
        held |= estimate_json(cell.estimate)
    if cell.text:
        held["text"] = cell.text
    if cell.paper is not None:
        held["paper"] = cell.paper
    if cell.is_difference:
        held["difference"] = True
    return held


def read_table(key: str, held: Mapping[str, Any]) -> StudyTable:
    """The table that `table_json` gave. An estimate takes the heading of its column for its name."""
    rows = tuple(
        StudyRow(row["name"], tuple(_read_cell(*pair) for pair in zip(held["columns"], row["cells"], strict=True)))
        for row in held["rows"]
    )
    return StudyTable(key, held["title"], tuple(held["columns"]), rows, held["note"])


def _read_cell(column: str, held: Mapping[str, Any]) -> Cell:
    found = read_estimate(column, held, f"study.json, {column}") if "value" in held else None
    return Cell(found, held.get("paper"), held.get("text", ""), held.get("difference", False))
