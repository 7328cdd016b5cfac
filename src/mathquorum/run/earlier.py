"""Results of an earlier run that another takes over: a stage of the same name and identity as it is, and a smaller one as a beginning."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from mathquorum.errors import RunError
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.identity import differences, growth
from mathquorum.run.ledger import Identity, StageRecord, faults, read_record
from mathquorum.stages.base import Placed, Sharded, Stage
from mathquorum.store import write_json

__all__ = ["Earlier", "link_outputs"]


class Earlier:
    """Another run, to take results from. It is only read.

    Args:
        directory: Of the run.
        fingerprints: Of files.

    Raises:
        RunError: If there is no run.
    """

    def __init__(self, directory: Path, fingerprints: Fingerprints) -> None:
        if not any(directory.glob("*/stage.json")):
            raise RunError(f"{directory} is no run to take results from: no stage in it is complete.")
        self.directory = directory
        self._fingerprints = fingerprints

    def same(self, name: str, stage: Stage, identity: Identity) -> StageRecord | None:
        """The record of the stage of that name, where it is the same and its files are as it made them."""
        record = self._sound(name)
        return record if record and not differences(record, identity, stage) else None

    def smaller(self, name: str, stage: Stage, identity: Identity) -> str | None:
        """In words what would grow, where the stage of that name is a beginning of this one; see `identity.growth`. A shard does not
        grow, nor what was made on another device."""
        record = self._sound(name)
        if record is None or (isinstance(stage, Sharded) and stage.shard):
            return None
        if isinstance(stage, Placed) and record.device != stage.place():
            return None
        return growth(record, identity, stage)

    def _sound(self, name: str) -> StageRecord | None:
        place = self.directory / name
        record = read_record(place)
        return (
            record if record and record.outputs is not None and not faults(place, record, self._fingerprints) else None
        )

    def take(self, name: str, record: StageRecord, run: Path) -> dict[str, int | float | str]:
        """Puts the stage into a run: its files as links where the disk allows it, else as copies, and its record, which names the
        earlier run.

        Returns:
            What is to be shown of it.
        """
        place = run / name
        files = link_outputs(self.directory / name, record, place)
        write_json(place / "stage.json", record.model_copy(update={"taken_from": str(self.directory)}).model_dump())
        return {f"taken over from {self.directory}, files": files}


def link_outputs(source: Path, record: StageRecord, place: Path) -> int:
    """Puts the files that a stage made into another directory, those that are there left alone, and returns how many there are.

    A link is safe: no stage writes into a file that is complete, but puts another in its place.

    Raises:
        RunError: If it cannot be written.
    """
    outputs = record.outputs or {}
    try:
        for file in outputs:
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            if not (place / file).exists():
                _link(source / file, place / file)
    except OSError as error:
        raise RunError(f"{place} cannot be written: {error.strerror}.") from error
    return len(outputs)


def _link(source: Path, target: Path) -> None:
    with contextlib.suppress(OSError):  # another disk, or one without links
        os.link(source, target)
        return
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.copy2(source, unfinished)  # with its time of change, by which a large file is known
    unfinished.replace(target)
