"""Estimates as tables for a terminal, and as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from mathquorum.metrics.differences import Difference
from mathquorum.metrics.estimates import estimate_json
from mathquorum.metrics.results import Evaluated
from mathquorum.records import Estimate

__all__ = [
    "comparison_table",
    "differences_table",
    "estimates_json",
    "estimates_table",
    "is_about_scores",
    "percent",
    "percent_interval",
    "points",
    "run_tables",
]


_SCORE_FIGURES = re.compile(r"auc(\.within|\.pairs)?|ece|brier")


def estimates_json(estimates: Sequence[Estimate]) -> dict[str, Any]:
    """What every command prints for `--json`: `{"estimates": [{"name", "value", "low", "high", "count"}, ...]}`."""
    return {"estimates": [{"name": estimate.name, **estimate_json(estimate)} for estimate in estimates]}


def estimates_table(estimates: Sequence[Estimate], title: str | None = None) -> Table:
    """One figure per row, in percent with its 95% interval.

    Example:
        rich.print(estimates_table(estimates, "math500.jsonl"))
    """
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    table.add_column("%", justify="right")
    table.add_column("95% interval", justify="right")
    table.add_column("problems", justify="right")
    for estimate in estimates:
        table.add_row(_plain(estimate.name), percent(estimate.value), percent_interval(estimate), str(estimate.count))
    return table


def comparison_table(named: Mapping[str, Sequence[Estimate]], title: str | None = None) -> Table:
    """One model per row and one figure per column, as the tables of the paper; a figure that a model lacks is blank."""
    names = figure_names(named)
    table = Table(title=title, title_justify="left", caption="% with 95% interval, clustered by problem")
    table.add_column("model", overflow="fold")
    for name in names:
        table.add_column(_plain(name), justify="right", overflow="fold")
    for model, estimates in named.items():
        cells = {e.name: f"{percent(e.value)}\n[dim]{percent_interval(e)}[/dim]" for e in estimates}
        table.add_row(_plain(model), *(cells.get(name, "") for name in names))
    return table


def run_tables(named: Mapping[str, Sequence[Estimate]], evaluated: Mapping[str, Evaluated]) -> list[Table]:
    """A run's figures in tables that fit a terminal: generators, then strategies by score, then the scores themselves.

    Args:
        named: Estimates by evaluation.
        evaluated: What each is of; the figures of a generator under several scores are shown once.
    """
    generators: dict[str, list[Estimate]] = {}
    strategies: dict[str, dict[str, list[Estimate]]] = {}
    scores: dict[str, dict[str, list[Estimate]]] = {}
    for name, estimates in named.items():
        generator, score = evaluated[name].generator, evaluated[name].scorer
        sampled = [e for e in estimates if "@" in e.name]
        generators.setdefault(generator, [e for e in sampled if not e.name.startswith("maj8@")])
        if score:
            rest = [e for e in estimates if e not in sampled]
            of_scores = [e for e in rest if is_about_scores(e.name)]
            strategies.setdefault(generator, {})[score] = [e for e in rest if e not in of_scores]
            scores.setdefault(generator, {})[score] = of_scores
    tables = [comparison_table(generators, "Generators")]
    for generator in strategies:
        tables.append(_by_figure(strategies[generator], f"Strategies on {generator}, by score"))
        tables.append(_by_figure(scores[generator], f"The scores themselves, on {generator}"))
    return tables


def _by_figure(named: Mapping[str, Sequence[Estimate]], title: str) -> Table:
    """One figure per row and one model per column."""
    table = Table(title=title, title_justify="left", caption="% with 95% interval, clustered by problem")
    table.add_column("figure", overflow="fold")
    for model in named:
        table.add_column(_plain(model), justify="right", overflow="fold")
    for name in figure_names(named):
        found = [next((e for e in estimates if e.name == name), None) for estimates in named.values()]
        cells = ["" if e is None else f"{percent(e.value)} [dim]{percent_interval(e)}[/dim]" for e in found]
        table.add_row(_plain(name), *cells)
    return table


def differences_table(differences: Sequence[Difference], title: str | None = None) -> Table:
    """One paired difference per row, in points."""
    table = Table(title=title, title_justify="left", caption="p goes with the interval; not corrected for many tests")
    table.add_column("difference")
    for heading in ("points", "95% interval", "better", "worse", "p"):
        table.add_column(heading, justify="right")
    for d in differences:
        interval = f"{points(d.estimate.low)} to {points(d.estimate.high)}"
        style = "bold" if d.estimate.low > 0 or d.estimate.high < 0 else None
        cells = (points(d.estimate.value), interval, str(d.num_wins), str(d.num_losses), p_text(d.p_value))
        table.add_row(_plain(d.estimate.name), *cells, style=style)
    return table


def figure_names(named: Mapping[str, Sequence[Estimate]]) -> list[str]:
    """All figures of all models; one that the first model lacks stands after the figure that it follows elsewhere."""
    names: list[str] = []
    for estimates in named.values():
        before = -1
        for estimate in estimates:
            if estimate.name not in names:
                names.insert(before + 1, estimate.name)
            before = names.index(estimate.name)
    return names


def percent(fraction: float) -> str:
    """One decimal, without the sign: 0.588 is "58.8"."""
    return f"{100 * fraction:.1f}"


def percent_interval(estimate: Estimate) -> str:
    """For example "54.4 to 63.0"."""
    return f"{percent(estimate.low)} to {percent(estimate.high)}"


def points(fraction: float) -> str:
    """A difference in points with its sign: 0.036 is "+3.6"."""
    return f"{100 * fraction + 0.0:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0")


def p_text(p_value: float) -> str:
    """Three decimals, or "<0.001"."""
    return "<0.001" if p_value < 0.0005 else f"{p_value:.3f}"


def is_about_scores(figure: str) -> bool:
    """Whether a figure is about the scores themselves, not about the answers that are chosen with them."""
    return _SCORE_FIGURES.fullmatch(figure) is not None


def _plain(text: str) -> str:
    """Square brackets are marks to rich."""
    return text.replace("[", r"\[")
