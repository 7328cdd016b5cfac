"""What a stage takes, as numbers, and sums of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Demand", "Range", "total"]


@dataclass(frozen=True)
class Range:
    """A number that is not known yet: what is expected, and between which it may come out."""

    low: float
    expected: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> Range:
        """A number that is known."""
        return cls(value, value, value)

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def __mul__(self, factor: float) -> Range:
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    def times(self, other: Range) -> Range:
        """The product, of positive numbers."""
        return Range(self.low * other.low, self.expected * other.expected, self.high * other.high)

    def at_most(self, bound: float) -> Range:
        """Cut off at a number."""
        return Range(min(self.low, bound), min(self.expected, bound), min(self.high, bound))

    @property
    def known(self) -> bool:
        return self.low == self.high


NOTHING = Range.exactly(0.0)


@dataclass(frozen=True)
class Demand:
    """What a stage takes, or all of them.

    Attributes:
        name: Of the stage.
        kind: Of the stage.
        calls: Of a model: candidates that are written or judged, examples that are learned; requests, where an engine asks a server.
        read: Tokens that a model reads, what several candidates share counted once where the engine computes it once.
        written: Tokens that it writes.
        trained: Tokens that go forward and backward.
        memory: Bytes at the peak of one process; 0 where no model runs here.
        disk: Bytes that stay.
        scratch: Bytes of checkpoints, which go when the stage is done.
        seconds: None where no speed is known.
        price: In the currency of the prices; None where there is none.
        models: Models that are saved.
        assumed: What was taken for granted, in words.
        complete: Whether it is done, so that it takes nothing more.
    """

    name: str
    kind: str
    calls: Range = NOTHING
    read: Range = NOTHING
    written: Range = NOTHING
    trained: Range = NOTHING
    memory: float = 0.0
    disk: Range = NOTHING
    scratch: float = 0.0
    seconds: Range | None = NOTHING
    price: Range | None = None
    models: int = 0
    assumed: tuple[str, ...] = ()
    complete: bool = False


def total(demands: Iterable[Demand], at_once: int = 1) -> Demand:
    """All stages together.

    Args:
        demands: Of each stage. Those that are complete take nothing.
        at_once: Stages side by side at most: the largest of so many are in memory together.
    """
    left = [demand for demand in demands if not demand.complete]
    known = [demand.seconds for demand in left if demand.seconds is not None]
    prices = [demand.price for demand in left if demand.price is not None]
    return Demand(
        name="all stages",
        kind=f"{len(left)} to do",
        calls=sum((demand.calls for demand in left), NOTHING),
        read=sum((demand.read for demand in left), NOTHING),
        written=sum((demand.written for demand in left), NOTHING),
        trained=sum((demand.trained for demand in left), NOTHING),
        disk=sum((demand.disk for demand in left), NOTHING),
        memory=sum(sorted(demand.memory for demand in left)[-at_once:]),
        scratch=max((demand.scratch for demand in left), default=0.0),
        seconds=sum(known, NOTHING) if len(known) == len(left) else None,
        price=sum(prices, NOTHING) if prices else None,
        models=sum(demand.models for demand in left),
    )
