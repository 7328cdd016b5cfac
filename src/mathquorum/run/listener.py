"""What a run tells of: its plan, and what happens to each stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from mathquorum.stages.base import Measurable, Stage, Summary

__all__ = ["Listener", "PlannedStage", "Silence", "planned"]


class Listener(Protocol):
    """Told of what happens in a run. The command line has one that draws progress bars."""

    def stage_began(self, name: str) -> None: ...

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None: ...

    def stage_ended(self, name: str, summary: Summary, seconds: float, skipped: bool) -> None: ...


class Silence:
    """The listener that says nothing."""

    def stage_began(self, name: str) -> None: ...

    def stage_advanced(self, name: str, done: int, total: int, note: str = "") -> None: ...

    def stage_ended(self, name: str, summary: Summary, seconds: float, skipped: bool) -> None: ...


@dataclass(frozen=True)
class PlannedStage:
    """One line of a plan."""

    name: str
    kind: str
    complete: bool
    stage: Stage | None = field(default=None, compare=False)
    """With its settings, the files that it reads among them; None where a plan was made by hand."""
    amount: Callable[[], int | None] = field(default=lambda: None, compare=False)
    """See `stages.base.Measurable`; None where the stage cannot tell, or not yet."""
    note: str = ""
    """What will become of it that is neither to run it whole nor to leave it: "taken over from runs/first"."""


def planned(name: str, stage: Stage, complete: bool, note: str = "") -> PlannedStage:
    """The line of a stage."""
    amount = stage.amount if isinstance(stage, Measurable) else lambda: None
    return PlannedStage(name, type(stage).__name__, complete, stage, amount, note)
