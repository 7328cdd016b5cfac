"""How long a run will still take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from mathquorum.run.listener import PlannedStage

__all__ = ["Expected", "Forecast", "Left"]


@dataclass(frozen=True)
class Expected:
    """How long a stage should take by what it reads and makes.

    Attributes:
        seconds: Of the whole stage.
        in_proportion: Whether they are right only in proportion to each other, as those of models on a machine that was not measured.
    """

    seconds: float
    in_proportion: bool = False


@dataclass(frozen=True)
class Left:
    """What is still to come.

    Attributes:
        seconds: Of the stages that are counted.
        uncounted: How many stages are not: nothing is expected of them, and none of their kind has shown its speed.
    """

    seconds: float
    uncounted: int


class Forecast:
    """How long a plan will still take.

    A stage that is under way goes on as it went so far. One that is still to come lasts as the ended ones of its kind did, those whose
    names end alike first, in proportion to the work. Where none of its kind has ended, it lasts as expected, at the pace that the
    others had. How many run side by side is seen from the clock.

    Args:
        plan: All stages.
        began: Now, in seconds.
        expected: By name, as far as it is known.
    """

    def __init__(
        self, plan: Sequence[PlannedStage], began: float, expected: Mapping[str, Expected] | None = None
    ) -> None:
        self.expected: Mapping[str, Expected] = expected or {}
        self._waiting = {stage.name: stage for stage in plan if not stage.complete}
        self._began = began
        self._ended: list[_Shown] = []
        self._under_way: dict[str, _UnderWay] = {}
        self._busy = 0.0

    def advanced(self, name: str, done: int, total: int, now: float) -> float | None:
        """A stage has come so far. Returns the seconds that it will still take; None before it was seen to advance."""
        first = self._under_way.get(name)
        self._under_way[name] = going = _UnderWay(
            first.since if first else now, first.first if first else done, now, done, total
        )
        return going.left(now)

    def ended(self, name: str, seconds: float, skipped: bool = False) -> None:
        """A stage is done, or was before."""
        self._busy += seconds
        self._under_way.pop(name, None)
        stage = self._waiting.pop(name, None)
        if stage and not skipped and stage.amount() != 0:  # one that had nothing to do says nothing of the others
            self._ended.append(_Shown(stage, seconds, stage.amount()))

    def left(self, now: float) -> Left:
        """What is still to come."""
        lasting = [self._left_of(stage, now) for stage in self._waiting.values() if stage.amount() != 0]
        known = [seconds for seconds in lasting if seconds is not None]
        elapsed = max(now - self._began, 1e-9)
        busy = self._busy + sum(now - going.since for going in self._under_way.values())
        return Left(sum(known) / max(1.0, busy / elapsed), len(lasting) - len(known))

    def _left_of(self, stage: PlannedStage, now: float) -> float | None:
        going = self._under_way.get(stage.name)
        if going and (left := going.left(now)) is not None:
            return left
        whole = self._lasting(stage)
        return None if whole is None else max(whole - (now - going.since if going else 0.0), 0.0)

    def _lasting(self, stage: PlannedStage) -> float | None:
        shown = [*self._ended, *self._going_on()]
        for same in (_ending, _kind):
            if alike := [one for one in shown if same(one.stage) == same(stage)]:
                return self._as(stage, alike)
        expected = self.expected.get(stage.name)
        if expected is None:
            return None
        return expected.seconds if not expected.in_proportion else self._at_pace(expected.seconds, shown)

    def _going_on(self) -> Iterator[_Shown]:
        """Stages under way, as they will have been."""
        for name, going in self._under_way.items():
            if name in self._waiting and going.whole:
                yield _Shown(stage := self._waiting[name], going.whole, stage.amount())

    def _as(self, stage: PlannedStage, alike: Sequence[_Shown]) -> float:
        """As long as those, in proportion to what is expected of each, or to the amount of work, where stages can tell it."""
        if stage.name in self.expected:
            work: float | None = self.expected[stage.name].seconds
            known = [
                (one.seconds, self.expected[one.stage.name].seconds) for one in alike if one.stage.name in self.expected
            ]
        else:
            work = stage.amount()
            known = [(one.seconds, one.amount) for one in alike if one.amount]
        if not work or not known:
            return fmean(one.seconds for one in alike)
        return work * sum(seconds for seconds, _ in known) / sum(of for _, of in known)

    def _at_pace(self, expected: float, shown: Sequence[_Shown]) -> float | None:
        """Seconds that are right in proportion, made seconds of this machine by those that have shown how fast it is."""
        held = [(one.seconds, self.expected.get(one.stage.name)) for one in shown]
        pace = [(seconds, of.seconds) for seconds, of in held if of and of.in_proportion]
        return expected * sum(s for s, _ in pace) / sum(of for _, of in pace) if pace else None


@dataclass(frozen=True)
class _Shown:
    """A stage that has shown how long it takes, and its amount of work, where it can tell it."""

    stage: PlannedStage
    seconds: float
    amount: int | None


@dataclass(frozen=True)
class _UnderWay:
    """A stage that was seen to advance from `first`, `since` then, to `done`, at `at`."""

    since: float
    first: int
    at: float
    done: int
    total: int

    @property
    def whole(self) -> float | None:
        """Seconds from its beginning to its end."""
        return (self.at - self.since) / (self.done - self.first) * self.total if self.done > self.first else None

    def left(self, now: float) -> float | None:
        if self.done <= self.first:
            return None
        at_its_pace = (self.at - self.since) / (self.done - self.first) * (self.total - self.done)
        return max(at_its_pace - (now - self.at), 0.0)


def _ending(stage: PlannedStage) -> str:
    return f"{stage.kind} {stage.name.rpartition('.')[2]}"


def _kind(stage: PlannedStage) -> str:
    return stage.kind
