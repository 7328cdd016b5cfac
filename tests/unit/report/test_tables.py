"""Tables for the terminal, JSON, and the plots' bytes."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from mathquorum.metrics.curves import Curve, CurvePoint
from mathquorum.metrics.differences import paired_difference
from mathquorum.metrics.evaluation import Curves
from mathquorum.metrics.results import Evaluated
from mathquorum.records import Estimate
from mathquorum.report.plots import candidates_plot
from mathquorum.report.tables import (
    comparison_table,
    differences_table,
    estimates_json,
    estimates_table,
    points,
    run_tables,
)

ESTIMATES = [Estimate("pass@1", 0.356, 0.315, 0.399, 500), Estimate("maj1@64", 0.552, 0.508, 0.595, 500)]


def shown(table: Table) -> str:
    text = io.StringIO()
    Console(file=text, width=120).print(table)
    return text.getvalue()


def test_json_has_the_promised_shape() -> None:
    first = {"name": "pass@1", "value": 0.356, "low": 0.315, "high": 0.399, "count": 500}
    assert estimates_json(ESTIMATES)["estimates"][0] == first


def test_an_estimate_is_shown_in_percent_with_its_interval() -> None:
    assert "maj1@64" in shown(estimates_table(ESTIMATES))
    assert "55.2" in shown(estimates_table(ESTIMATES))
    assert "50.8 to 59.5" in shown(estimates_table(ESTIMATES))


def test_models_may_differ_in_their_figures() -> None:
    text = shown(comparison_table({"SSFT [fine]": ESTIMATES, "base": ESTIMATES[1:]}))
    assert "SSFT [fine]" in text
    assert text.count("55.2") == 2
    assert text.count("35.6") == 1


def test_a_run_is_shown_by_generator_and_score_whatever_their_names_hold() -> None:
    scored = [*ESTIMATES, Estimate("w.rr", 0.6, 0.5, 0.7, 500), Estimate("ece", 0.1, 0.1, 0.1, 500)]
    evaluated = {name: Evaluated("base + LoRA", name, "0") for name in ("one", "two")}
    generators, strategies, scores = run_tables({"one": scored, "two": scored}, evaluated)
    assert shown(generators).count("base + LoRA") == 1
    assert "Strategies on base + LoRA, by score" in shown(strategies)
    for table, figure in ((strategies, "w.rr"), (scores, "ece")):
        assert "one" in shown(table) and "two" in shown(table) and figure in shown(table)


def test_differences_are_shown_in_points() -> None:
    text = shown(differences_table([paired_difference("w.rr", [1, 1, 1, 0], [1, 0, 0, 0])]))
    assert "+50.0" in text
    assert "0.273" in text


def test_no_difference_has_no_sign() -> None:
    assert points(0.0) == points(-0.0001) == "0.0"
    assert points(-0.1) == "-10.0"


def test_a_plot_is_a_function_of_its_figures() -> None:
    curve = Curve("maj1", tuple(CurvePoint(k, 0.4 + k / 100, 0.3, 0.7) for k in (1, 2, 4, 8)))
    curves = Curves((curve,), (), (), Curve("calls", ()))
    svg = candidates_plot(curves, "A & B <c> -- $x$")
    assert svg == candidates_plot(curves, "A & B <c> -- $x$")
    assert "<dc:date>" not in svg
    assert svg != candidates_plot(curves, "another title")
