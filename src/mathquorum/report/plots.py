"""The plots of a report, as SVG text: the same figures make the same bytes.

One strategy has one colour, marker and dash in every plot. The colours are those of Okabe and Ito, which colour-blind
readers can tell apart; markers and labels at the lines' ends serve print. Bands are 95% intervals clustered by problem.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from mathquorum.metrics.curves import Curve
from mathquorum.metrics.evaluation import Curves
from mathquorum.metrics.scores import CalibrationBin

__all__ = ["calibration_plot", "candidates_plot", "clusters_plot"]


@dataclass(frozen=True)
class _Look:
    color: str
    marker: str
    dashes: str = "-"


# By the name of the strategy without its number.
_LOOKS = {
    "pass": _Look("#7f7f7f", "", "--"),
    "maj": _Look("#7f7f7f", "", "--"),
    "maj1": _Look("#0072B2", "o"),
    "w.rr": _Look("#009E73", "s"),
    "rr.top": _Look("#E69F00", "^"),
    "rr.all": _Look("#D55E00", "v"),
    "maj1.top": _Look("#CC79A7", "D"),
    "w.rr.top": _Look("#009E73", "s"),
    "pv": _Look("#56B4E9", "P"),
    "calls": _Look("#4d4d4d", ""),
}
_OVER_CANDIDATES = ("pass", "maj1", "w.rr", "rr.top", "rr.all")
_SWEEP_LABELS = {"rr.top": "rr.topK", "w.rr.top": "w.rr.topK", "maj1.top": "maj1.topN'"}

# Text becomes paths, so that a plot looks alike everywhere; ids come from the salt, not from chance.
_STYLE = {
    "svg.fonttype": "path",
    "svg.hashsalt": "mathquorum",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": "#333333",
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": "#1a1a1a",
    "axes.axisbelow": True,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8,
    "path.simplify": False,
}


def candidates_plot(curves: Curves, title: str) -> str:
    """Accuracy over the number of candidates on a log2 axis, with pass@k as the ceiling. SVG text."""
    shown = {_stem(curve.name): curve for curve in curves.candidates}
    drawn = [shown[stem] for stem in _OVER_CANDIDATES if stem in shown]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(7.4, 4.5), layout="constrained")
        axes = figure.add_subplot()
        ends = [_draw(axes, curve, "pass@k" if curve.name == "pass" else curve.name) for curve in drawn]
        _log2_axis(axes, max((curve.points[-1].x for curve in drawn), default=1), "candidates per problem")
        _percent_axis(axes, "accuracy (%)")
        _label_ends(axes, ends)
        axes.set_title(title, parse_math=False)
        return _svg(figure)


def clusters_plot(curves: Curves, title: str) -> str:
    """Figure 1 of the paper: accuracy over the number of clusters considered (or of candidates kept), and below it the
    share of evaluator calls that considering so few clusters costs. SVG text; for an evaluation with scores."""
    drawn = [curve for curve in (*curves.clusters, *curves.kept) if curve.name in _SWEEP_LABELS]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(7.4, 5.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        ends = [_draw(upper, curve, _SWEEP_LABELS[curve.name]) for curve in drawn]
        for curve in drawn:
            if curve.name == "rr.top":  # its first point is Maj1
                upper.axhline(100 * curve.points[0].value, color=_LOOKS["maj1"].color, linewidth=1.1, linestyle=":")
                upper.annotate(
                    "maj1",
                    (0.985, 100 * curve.points[0].value),
                    xycoords=("axes fraction", "data"),
                    xytext=(0, -3),
                    textcoords="offset points",
                    color=_LOOKS["maj1"].color,
                    ha="right",
                    va="top",
                    bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.6},
                )
        places = [point.x for point in curves.calls.points]
        shares = [100 * point.value for point in curves.calls.points]
        lower.plot(places, shares, color=_LOOKS["calls"].color, linewidth=1.8)
        lower.fill_between(places, shares, color=_LOOKS["calls"].color, alpha=0.12, linewidth=0)
        lower.set_ylim(0, 105)
        widest = max((curve.points[-1].x for curve in drawn), default=1)
        _log2_axis(lower, widest, "clusters considered (K), or candidates kept (N')")
        _percent_axis(upper, "accuracy (%)")
        _percent_axis(lower, "evaluator calls (%)")
        _label_ends(upper, ends)
        upper.set_title(title, parse_math=False)
        return _svg(figure)


def calibration_plot(bins: Sequence[CalibrationBin], title: str) -> str:
    """What share of candidates with such a score is correct, and how many there are. SVG text."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.6, 4.9), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        upper.plot([0, 100], [0, 100], color="#b0b0b0", linewidth=1.1, linestyle=":")
        scores, shares = [100 * b.mean_score for b in bins], [100 * b.accuracy for b in bins]
        upper.plot(scores, shares, color="#0072B2", marker="o", markersize=5, linewidth=1.8)
        middles, counts = [50 * (b.low + b.high) for b in bins], [b.count for b in bins]
        lower.bar(middles, counts, width=[90 * (b.high - b.low) for b in bins], color="#0072B2", alpha=0.45)
        upper.set_ylim(-3, 103)
        lower.set_xlabel("score (%)")
        lower.set_ylabel("candidates")
        lower.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(3, integer=True))
        lower.grid(axis="y")
        _percent_axis(upper, "correct (%)")
        upper.set_title(title, parse_math=False)
        return _svg(figure)


def _draw(axes: Any, curve: Curve, label: str) -> tuple[str, float, str]:
    """Draws line and band; returns label, height and colour of the line's end."""
    look = _LOOKS[_stem(curve.name)]
    places = [point.x for point in curve.points]
    values = [100 * point.value for point in curve.points]
    axes.fill_between(
        places,
        [100 * point.low for point in curve.points],
        [100 * point.high for point in curve.points],
        color=look.color,
        alpha=0.09,
        linewidth=0,
    )
    marker = look.marker if len(places) <= 14 else ""
    axes.plot(
        places, values, color=look.color, linestyle=look.dashes, marker=marker, markersize=4.5, linewidth=1.9, zorder=3
    )
    return label, values[-1], look.color


def _label_ends(axes: Any, ends: Sequence[tuple[str, float, str]]) -> None:
    """Names each line at its right end, moved apart where ends are close."""
    low, high = axes.get_ylim()
    gap = 0.052 * (high - low) * (4.5 / axes.figure.get_figheight())
    groups: list[list[tuple[str, float, str]]] = []
    for end in sorted(ends, key=lambda end: end[1]):
        groups.append([end])
        while len(groups) > 1 and _foot(groups[-1], gap) < _foot(groups[-2], gap) + len(groups[-2]) * gap:
            groups[-2:] = [groups[-2] + groups[-1]]
    for group in groups:
        for place, (label, _, color) in enumerate(group):
            axes.annotate(
                label,
                (1.0, _foot(group, gap) + place * gap),
                xycoords=("axes fraction", "data"),
                xytext=(5, 0),
                textcoords="offset points",
                color=color,
                va="center",
                fontweight="bold",
                annotation_clip=False,
            )


def _foot(group: Sequence[tuple[str, float, str]], gap: float) -> float:
    """Height of the lowest label of a group that stands around the mean of its lines' ends."""
    return sum(value for _, value, _ in group) / len(group) - gap * (len(group) - 1) / 2


def _log2_axis(axes: Any, largest: int, label: str) -> None:
    axes.set_xscale("log", base=2)
    ticks = [2**power for power in range(largest.bit_length())]
    if largest > 1.4 * ticks[-1]:
        ticks.append(largest)
    axes.set_xticks(ticks)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{place:g}"))
    axes.set_xlim(0.93, max(2, largest) * 1.05)
    axes.set_xlabel(label)


def _percent_axis(axes: Any, label: str) -> None:
    axes.set_ylabel(label)
    axes.grid(axis="y")
    axes.tick_params(length=3)


def _stem(name: str) -> str:
    return name if name in _LOOKS else name.rstrip("0123456789").removesuffix(".alpha0.").removesuffix(".alpha")


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
