"""How the first process of a launch tells the others what to help with: a board that they look at, and no collective, whose time would run
out while the first samples for hours."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from mathquorum.training.ranks import rank, world

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

__all__ = ["close", "post", "posted"]

_LOOK_EVERY = 0.3  # seconds
_FAREWELL = 30.0  # seconds that the first waits for the others to have read that it ends
_END = ""


def post(notice: str) -> None:
    """The first process tells the others. Nothing happens where it is alone.

    Args:
        notice: Not empty.
    """
    if world() > 1:
        _board().post(notice)


def posted() -> str | None:
    """The next notice, as soon as it is there; None when the first process has ended."""
    return _board().read() or None


def close(in_peace: bool) -> None:
    """The first process tells that no notice will come.

    Args:
        in_peace: It waits until the others have read it; after a failure the launcher ends them.
    """
    if world() > 1:
        _board().post(_END)
        if in_peace:
            _board().wait_for_readers()


@dataclass
class _Board:
    store: Store
    number: int = 0

    def post(self, notice: str) -> None:
        self.store.set(f"notice/{self.number}", notice)
        self.number += 1

    def read(self) -> str:
        key = f"notice/{self.number}"
        while not self.store.check([key]):
            time.sleep(_LOOK_EVERY)
        self.number += 1
        notice = self.store.get(key).decode()
        if notice == _END:
            self.store.add("readers", 1)
        return notice

    def wait_for_readers(self) -> None:
        """The board may hang in this process."""
        until = time.monotonic() + _FAREWELL
        while self.store.add("readers", 0) < world() - 1 and time.monotonic() < until:
            time.sleep(_LOOK_EVERY / 10)


@cache
def _board() -> _Board:
    """Beside what torch keeps in the launch's store."""
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    store, _, _ = next(rendezvous("env://", rank(), world(), timeout=timedelta(minutes=30)))
    return _Board(PrefixStore("mathquorum", store))
