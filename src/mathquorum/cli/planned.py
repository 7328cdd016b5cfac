"""How a plan is printed: sums first, then a line for each kind of work or for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from mathquorum.config import Settings
from mathquorum.errors import MathquorumError
from mathquorum.planning.assumptions import Assumptions
from mathquorum.planning.demand import Demand, Range
from mathquorum.planning.groups import Group, groups
from mathquorum.planning.plan import Plan, make_plan
from mathquorum.run import PlannedStage

__all__ = ["plan_json", "show_plan", "show_stages", "span", "workers_of"]


_FEW = 12  # stages that are shown one by one in any case
_LONGEST = 3  # stages of a kind of work that are named


def workers_of(settings: Settings) -> int:
    """Processes that a recipe's stages share."""
    workers: int = getattr(settings, "workers", 1)
    return workers


def show_stages(planned: Sequence[PlannedStage], run: Path, workers: int, cache: Path, console: Console) -> None:
    """Prints the stages with what they take, as far as that is known without measuring anything."""
    try:
        plan = make_plan(planned, run, Assumptions(), workers, cache, calibrating=False)
    except MathquorumError as error:
        for number, item in enumerate(planned, start=1):
            _say(console, f"{number:3d}  {item.name}  ({item.kind}, {_state(item)})")
        _say(console, f"What they take is not known: {error}")
        return
    show_plan(plan, planned, console, one_by_one=True)


def show_plan(plan: Plan, planned: Sequence[PlannedStage], console: Console, *, one_by_one: bool) -> None:
    """Prints a plan.

    Args:
        plan: What the stages take.
        planned: The stages.
        console: Where.
        one_by_one: Whether each stage gets a line, also where they are many.
    """
    done = sum(demand.complete for demand in plan.stages)
    stages = (
        f"{len(plan.stages)} stages{f', {done} of them done' if done else ''}" if len(plan.stages) > 1 else "1 stage"
    )
    _say(console, f"Together, {stages}: {'; '.join(_told(plan.total, whole=True)) or 'nothing to speak of'}")
    if one_by_one or len(planned) <= _FEW:
        _show_stages(plan, planned, console)
    else:
        for group in groups(plan.stages, plan.workers):
            _show_group(group, console)
        _say(console, "A line for each stage: --stages.")
    if plan.speeds:
        _say(console, f"Times: {', '.join(plan.speeds)}, with nothing else on it.")
    elif plan.total.trained.high or plan.total.written.high:
        _say(console, "Times: not known. `mathquorum plan` measures this machine for some seconds.")
    assumed = list(dict.fromkeys(why for demand in plan.stages if not demand.complete for why in demand.assumed))
    if assumed:
        _say(console, f"Taken for granted: {'; '.join(assumed)}.")


def _show_stages(plan: Plan, planned: Sequence[PlannedStage], console: Console) -> None:
    for number, (demand, item) in enumerate(zip(plan.stages, planned, strict=True), start=1):
        told = "" if item.complete else "; ".join(_told(demand))
        _say(console, f"{number:3d}  {demand.name}  ({demand.kind}, {_state(item)}){': ' if told else ''}{told}")


def _show_group(group: Group, console: Console) -> None:
    """A kind of work with its sums, and its longest stages where they are not all of it."""
    left, there = sum(not demand.complete for demand in group.stages), len(group.stages)
    number = f"{left} of {there} stages to do" if left < there else f"{there} stage{'s' if there > 1 else ''}"
    told = "; ".join(_told(group.total, whole=True))
    _say(console, f"{group.name}, {number}{': ' if told else ''}{told}")
    first = [f"{d.name} {span(d.seconds.expected)}" for d in group.longest[:_LONGEST] if d.seconds]
    if left > 1 and first:
        _say(console, f"    longest: {', '.join(first)}")


def _state(item: PlannedStage) -> str:
    return "done" if item.complete else item.note or "to do"


def _told(demand: Demand, *, whole: bool = False) -> list[str]:
    calls = {"Sample": "samples", "ScoreCandidates": "judged", "Finetune": "examples"}.get(demand.kind, "calls")
    parts = [
        (demand.calls, calls, _count),
        (demand.read, "tokens read", _count),
        (demand.written, "written", _count),
        (demand.trained, "trained", _count),
    ]
    told = [
        f"{_ranged(value, shown)} {what}"
        for value, what, shown in parts
        if value.high and not (whole and what == "calls")
    ]
    if demand.models and whole:
        told.append(f"{demand.models} models saved")
    if demand.memory:
        told.append(f"{gigabytes(demand.memory)} memory")
    if demand.disk.high >= 5e5:
        told.append(f"{_ranged(demand.disk, gigabytes)} disk")
    if demand.scratch >= 5e5:
        told.append(f"{gigabytes(demand.scratch)} of checkpoints meanwhile")
    if demand.seconds and demand.seconds.high >= 0.5:
        told.append(_ranged(demand.seconds, span))
    if demand.price:
        told.append(f"price {_ranged(demand.price, lambda value: f'{value:,.2f}')}")
    return told


def _ranged(value: Range, shown: Any) -> str:
    low, expected, high = (shown(number) for number in (value.low, value.expected, value.high))
    return str(expected) if low == high else f"{expected} ({low} to {high})"


def _count(value: float) -> str:
    return (
        f"{value:,.0f}"
        if value < 1e5
        else f"{value / 1e3:,.0f} k"
        if value < 1e7
        else f"{value / 1e6:,.0f} M"
        if value < 1e10
        else f"{value / 1e9:,.0f} G"
    )


def gigabytes(size: float) -> str:
    """Bytes in words: MB below a tenth of a GB."""
    return f"{size / 1e6:,.0f} MB" if size < 1e8 else f"{size / 1e9:,.1f} GB"


def span(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def plan_json(plan: Plan) -> dict[str, Any]:
    """All figures: bytes, seconds, tokens."""
    return {
        "stages": [asdict(demand) for demand in plan.stages],
        "total": asdict(plan.total),
        "speeds": list(plan.speeds),
    }


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
