"""Who answered: each server and each name that it gave its model, once. Kept in the stage's folder, so that a stage that is continued
with another server tells of both."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mathquorum.store import read_records, write_records

__all__ = ["FILE", "Answered", "Answerers", "gather_answered", "read_answered"]

FILE = "answered_by.jsonl"
_MOST = 32  # names: some servers tell of each of their machines, and one may make up a name for each answer
_LONGEST = 200  # characters of a name
_FURTHER = "further names, which are not kept"


@dataclass(frozen=True, slots=True)
class Answered:
    """A server that answered.

    Attributes:
        server: Its address, or what it is known by, should that change.
        model: What it called its model; None where it did not say.
    """

    server: str
    model: str | None


class Answerers:
    """Keeps who answered. Threads may share it.

    Args:
        folder: None keeps nothing.
        server: As in `Answered`.
    """

    def __init__(self, folder: Path | None, server: str) -> None:
        self._folder, self._server = folder, server
        self._known = dict.fromkeys(read_answered(folder)) if folder else {}
        self._lock = threading.Lock()

    def note(self, model: str | None) -> None:
        """The server answered, as this model."""
        found = Answered(self._server, None if model is None else model[:_LONGEST])
        with self._lock:
            if found not in self._known and len(self._known) >= _MOST:
                found = Answered(self._server, _FURTHER)
            if found not in self._known:
                self._known[found] = None
                if self._folder:
                    write_records(self._folder / FILE, self._known)


def read_answered(folder: Path) -> Sequence[Answered]:
    """Who answered a stage, in the order of their first answers."""
    file = folder / FILE
    return list(read_records(file, Answered)) if file.exists() else []


def gather_answered(shards: Sequence[Path], out: Path) -> None:
    """Puts together who answered the shards of a stage."""
    found = dict.fromkeys(one for place in (*shards, out) for one in read_answered(place))
    if found:
        write_records(out / FILE, found)
