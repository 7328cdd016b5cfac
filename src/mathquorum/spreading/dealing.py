"""Which worker does which unit, where workers come and go: the rules of a cluster's scheduler, without the cluster."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable

from mathquorum.errors import RunError

__all__ = ["TRIES", "Dealer"]

TRIES = 3
"""Workers that may be lost over one unit. A unit whose memory no worker has would take them all, one after the other. Our choice."""


class Dealer:
    """Deals units in their order. One whose worker was lost is dealt next, to another.

    Args:
        num_units: Units, by number from 0.
    """

    def __init__(self, num_units: int) -> None:
        self._waiting = deque(range(num_units))
        self._running: dict[Hashable, int] = {}
        self._losses: Counter[int] = Counter()

    @property
    def num_waiting(self) -> int:
        """Units that nobody works on."""
        return len(self._waiting)

    @property
    def num_left(self) -> int:
        """Units that are not finished."""
        return len(self._waiting) + len(self._running)

    def deal(self, worker: Hashable) -> int | None:
        """The unit that a free worker does next; None where none waits."""
        if not self._waiting:
            return None
        assert worker not in self._running
        self._running[worker] = self._waiting.popleft()
        return self._running[worker]

    def unit_of(self, worker: Hashable) -> int | None:
        """What a worker is at."""
        return self._running.get(worker)

    def finished(self, worker: Hashable) -> int:
        """The unit that a worker has done; it is free."""
        return self._running.pop(worker)

    def lost(self, worker: Hashable, why: str) -> int | None:
        """The unit that a lost worker was at, which waits again; None where it was free.

        Args:
            worker: It is not dealt to again.
            why: In words.

        Raises:
            RunError: If the unit has cost as many workers as it may.
        """
        unit = self._running.pop(worker, None)
        if unit is None:
            return None
        self._losses[unit] += 1
        if self._losses[unit] >= TRIES:
            raise RunError(
                f"{TRIES} workers were lost over the same unit of work, the last since {why} What was finished is kept. If memory ran "
                "out, use smaller batches or machines with more of it; then run the same command again."
            )
        self._waiting.appendleft(unit)
        return unit
