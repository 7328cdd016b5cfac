"""What sampling and scoring share: records made unit by unit, kept as they come, and put in order at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from mathquorum.engines.settings import Cut, Share, Unit
from mathquorum.errors import DataError, RunError
from mathquorum.store import Appender, read_records, write_records, write_text

__all__ = ["LOST", "Made", "gather_units", "make_by_units", "partial_of", "read_made", "shifted"]


class Made(Protocol):
    """A record that belongs to a candidate."""

    @property
    def problem_id(self) -> str: ...

    @property
    def index(self) -> int: ...


M = TypeVar("M", bound=Made)

LOST = "workers lost, their units done by others"
"""What a summary counts where a cluster loses some."""

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


def shifted(unit: Unit, first: int) -> Unit:
    """The unit of as many candidates of the same problems, from that index on."""
    return tuple(Share(share.place, tuple(first + index for index in share.indices)) for share in unit)


def gather_units(whole: Path, kind: type[M], shards: Sequence[Path], note: str | None = None) -> None:
    """Puts the records of shards where `make_by_units` takes them over.

    Args:
        whole: The file that is to hold them in the end; each shard has one of that name.
        kind: Of record.
        shards: Directories.
        note: The name of the file in which the engine noted how it cut the work, where it does.

    Raises:
        RunError: If two were cut differently: their records would not be those of one stage.
    """
    if note:
        files = [place / note for place in (*shards, whole.parent) if (place / note).exists()]
        notes = {file.read_text(encoding="utf-8") for file in files}
        if len(notes) > 1:
            told = " and ".join(sorted(" ".join(text.split()) for text in notes)[:2])
            raise RunError(
                f"The shards in {whole.parent.parent} were cut differently ({told}), as machines with unlike memory do. "
                "Set batch_rows, and make those that differ again."
            )
        for text in notes:
            write_text(whole.with_name(note), text)
    partial = partial_of(whole)
    made = read_made([file for file in (partial, *(place / whole.name for place in shards)) if file.exists()], kind)
    write_records(partial, made.values())
