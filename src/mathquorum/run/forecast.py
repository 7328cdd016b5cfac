"""How long a run will still take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from mathquorum.run.listener import PlannedStage

__all__ = ["Forecast"]


class Forecast:
    """How long a plan will still take, from the stages that have ended.

    A stage that is still to come is taken to last as long as the ended ones of its kind did, those whose names end alike
    first, in proportion to the amount of work where stages can tell it. How many run side by side is seen from the clock.

    Args:
        plan: All stages.
        began: Now, in seconds.
    """

    def __init__(self, plan: Sequence[PlannedStage], began: float) -> None:
        self._waiting = {stage.name: stage for stage in plan if not stage.complete}
        self._began = began
        self._ended: dict[str, list[_Ended]] = {}  # by key
        self._done = 0.0

    def ended(self, name: str, seconds: float) -> None:
        """A stage is done."""
        self._done += seconds
        stage = self._waiting.pop(name, None)
        if stage and stage.amount() != 0:  # one that had nothing to do says nothing of the others
            for key in _keys(stage):
                self._ended.setdefault(key, []).append(_Ended(seconds, stage.amount()))

    def left(self, now: float) -> tuple[float, bool]:
        """Seconds, and whether that counts every stage: none of a kind of which none has ended."""
        total, whole = 0.0, True
        for stage in self._waiting.values():
            if stage.amount() == 0:
                continue
            known = next((self._ended[key] for key in _keys(stage) if key in self._ended), None)
            total += _expected(known, stage.amount()) if known else 0.0
            whole = whole and known is not None
        side_by_side = max(1.0, self._done / max(now - self._began, 1e-9))
        return total / side_by_side, whole


@dataclass(frozen=True)
class _Ended:
    seconds: float
    amount: int | None


def _expected(ended: Sequence[_Ended], amount: int | None) -> float:
    known = [stage for stage in ended if stage.amount]
    if not known or amount is None:
        return fmean(stage.seconds for stage in ended)
    return amount * sum(stage.seconds for stage in known) / sum(stage.amount or 0 for stage in known)


def _keys(stage: PlannedStage) -> tuple[str, str]:
    return f"{stage.kind} {stage.name.rpartition('.')[2]}", stage.kind
