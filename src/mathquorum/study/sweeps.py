"""Accuracy over K and N', the clusters considered and the candidates kept: Figure 1, and the best of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mathquorum.metrics.crossed import seeded_mean
from mathquorum.metrics.curves import Curve, CurvePoint
from mathquorum.metrics.evaluation import Curves
from mathquorum.selection import Rerank, Strategy, TopScored, WeightedVote
from mathquorum.study import published
from mathquorum.study.cells import Cell, StudyRow, StudyTable
from mathquorum.study.measured import Generator, Rows

__all__ = ["SWEEPS", "best_number", "figure_1", "figure_1_table", "sweep_numbers"]

SWEEPS: dict[str, Callable[[int], Strategy]] = {"rr.top": Rerank, "w.rr.top": WeightedVote, "maj1.top": TopScored}


def best_number(generator: Generator, evaluator: str, sweep: str) -> int:
    """The K, or N', with the best mean accuracy over seeds and problems; the smallest of equals."""
    found = {k: generator.strategy(SWEEPS[sweep](k), evaluator).mean() for k in sweep_numbers(generator)}
    return max(found, key=lambda k: (round(float(found[k]), 9), -k))


def sweep_numbers(generator: Generator) -> list[int]:
    """1 to 16 one by one, then in steps of about a fifth, up to N."""
    numbers = [1]
    while numbers[-1] < generator.num_candidates:
        numbers.append(
            min(generator.num_candidates, numbers[-1] + max(1, numbers[-1] // 5 if numbers[-1] >= 16 else 1))
        )
    return numbers


def figure_1(generator: Generator, evaluator: str) -> Curves:
    """Accuracy over K and N' with the share of evaluator calls, intervals over problems and seeds."""
    numbers = sweep_numbers(generator)
    sweeps = {
        name: _curve(name, numbers, (generator.strategy(make(k), evaluator) for k in numbers))
        for name, make in SWEEPS.items()
    }
    ceiling = _curve("maj", numbers, (generator.oracle(k) for k in numbers))
    calls = _curve("calls", numbers, (generator.calls(k) for k in numbers))
    return Curves((), (ceiling, sweeps["rr.top"], sweeps["w.rr.top"]), (sweeps["maj1.top"],), calls)


def _curve(name: str, numbers: Sequence[int], values: Iterable[Rows]) -> Curve:
    found = [seeded_mean(name, rows) for rows in values]
    return Curve(name, tuple(CurvePoint(k, e.value, e.low, e.high) for k, e in zip(numbers, found, strict=True)))


def figure_1_table(generator: Generator, evaluator: str, title: str) -> StudyTable:
    """The sweep at the numbers of clusters, or of candidates kept, that the paper's figure shows, beside what it shows there."""
    paper = published.FIGURE_1
    numbers = sorted(k for k in set().union(*paper.values()) if k <= generator.num_candidates)
    rows = []
    for k in numbers:
        cells = [
            Cell(seeded_mean(name, generator.strategy(make(k), evaluator)), paper[name].get(k))
            for name, make in SWEEPS.items()
        ]
        cells.append(Cell(seeded_mean("calls", generator.calls(k)), paper["calls"].get(k)))
        rows.append(StudyRow(str(k), tuple(cells)))
    return StudyTable(
        "figure1",
        title,
        ("RR.MajK", "W.RR.MajK", "Maj1.TopN", "evaluator calls"),
        tuple(rows),
        "By K, the clusters considered, or N', the candidates kept. The paper's values were read off its Figure 1.",
    )
