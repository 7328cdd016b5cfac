"""What sampling and scoring share: records made unit by unit, kept as they come, and put in order at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from mathquorum.engines.settings import Cut, Unit
from mathquorum.errors import DataError
from mathquorum.store import Appender, read_records, write_records

__all__ = ["Made", "make_by_units", "partial_of", "read_made"]


class Made(Protocol):
    """A record that belongs to a candidate."""

    @property
    def problem_id(self) -> str: ...

    @property
    def index(self) -> int: ...


M = TypeVar("M", bound=Made)

Key = tuple[str, int]
"""A candidate: its problem's id and its index."""


def make_by_units(
    whole: Path,
    kind: type[M],
    cut: Cut,
    key: Callable[[int, int], Key],
    spread: Callable[[list[Unit]], Iterator[tuple[int, Sequence[M]]]],
    begins: Callable[[int], None],
) -> dict[Key, M]:
    """The records of all units. Those of an earlier call are taken over, save of units that it did not finish.

    They are appended to NAME.partial.jsonl beside `whole` as each unit is finished; the caller writes the whole file, in its
    order, and deletes the other.

    Args:
        whole: The file that is to hold them in the end.
        kind: Of record.
        cut: The units.
        key: The candidate that stands at a place and index of a `Share`.
        spread: Works through units, and gives the number and the records of each.
        begins: Told once how many records are taken over.
    """
    file = partial_of(whole)
    done, waiting = _taken_over(whole, file, kind, cut, key)
    begins(len(done))
    with Appender(file) as appender:
        for _, records in spread(waiting):
            appender.append(records)
            done.update({(record.problem_id, record.index): record for record in records})
    return done


def _taken_over(
    whole: Path, file: Path, kind: type[M], cut: Cut, key: Callable[[int, int], Key]
) -> tuple[dict[Key, M], list[Unit]]:
    """What is there, and the units that are still to be asked. A part of one of these is forgotten: it comes again whole."""
    with Appender(file):
        pass  # a line that was cut off is gone
    done = read_made([path for path in (whole, file) if path.exists()], kind)
    waiting = cut.left(lambda place, index: key(place, index) in done)
    asked = {key(share.place, index) for unit in waiting for share in unit for index in share.indices}
    if asked & done.keys():
        done = {name: record for name, record in done.items() if name not in asked}
        write_records(file, done.values())
    return done, waiting


def partial_of(whole: Path) -> Path:
    """The place where the records of finished units are kept while others are made."""
    return whole.with_suffix(f".partial{whole.suffix}")


def read_made(files: Sequence[Path], kind: type[M]) -> dict[Key, M]:
    """Records by candidate.

    Raises:
        DataError: If two records of one candidate differ: one of them is not what the engine made.
    """
    made: dict[Key, M] = {}
    for file in files:
        for record in read_records(file, kind):
            first = made.setdefault((record.problem_id, record.index), record)
            if first != record:
                raise DataError(
                    f"{file} holds two different records of candidate {record.index} of {record.problem_id!r}. "
                    f"Delete {file.parent} and run the same command again."
                )
    return made
