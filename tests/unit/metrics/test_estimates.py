"""An estimate has one form in JSON, whatever file it stands in."""

from __future__ import annotations

import pytest

from mathquorum.errors import DataError
from mathquorum.metrics.differences import Difference
from mathquorum.metrics.estimates import estimate_json, read_estimate
from mathquorum.records import Estimate
from mathquorum.report.tables import estimates_json
from mathquorum.study.cells import Cell, StudyRow, StudyTable, read_table, table_json
from mathquorum.study.claims import Claim, claim_json

THIRD = Estimate("Maj1", 1 / 3, 0.1 + 0.2, 2 / 3, 500)
TABLE = StudyTable("t", "Title", ("Maj1", "none"), (StudyRow("row", (Cell(THIRD, 55.2), Cell(text="-"))),))


def test_every_file_has_the_same_digits() -> None:
    form = estimate_json(THIRD)
    assert form == {"value": 0.333333, "low": 0.3, "high": 0.666667, "count": 500}
    claim = claim_json(Claim("c", "2", 1.0, Difference(THIRD, 1, 0, 1.0)))
    for held in (estimates_json([THIRD])["estimates"][0], table_json(TABLE)["rows"][0]["cells"][0], claim):
        assert {key: held[key] for key in form} == form


def test_what_was_written_is_read_with_its_name() -> None:
    assert read_estimate("Maj1", estimate_json(THIRD), "here") == Estimate("Maj1", 0.333333, 0.3, 0.666667, 500)
    cells = read_table("t", table_json(TABLE)).rows[0].cells
    assert cells[0].estimate == Estimate("Maj1", 0.333333, 0.3, 0.666667, 500)
    assert cells[0].paper == 55.2 and cells[1] == Cell(text="-")


def test_a_figure_that_is_missing_is_named() -> None:
    with pytest.raises(DataError, match=r"results\.json, maj1: field 'high' is missing"):
        read_estimate("maj1", {"value": 0.5, "low": 0.4, "count": 7}, "results.json, maj1")
