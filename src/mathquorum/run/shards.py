"""Parts of a stage that several machines make, each as a stage of its own beside it: `candidates.shard-3-of-16`."""

from __future__ import annotations

import re
from pathlib import Path

from mathquorum.config import Settings
from mathquorum.errors import RunError, SettingsError
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.identity import differences, identity_of
from mathquorum.run.ledger import faults, read_record
from mathquorum.stages.base import Shard, Sharded, Stage

__all__ = ["missing_shards", "shard_name", "shard_of", "shards_there"]


def shard_name(stage: str, shard: Shard) -> str:
    """What a shard of a stage is called."""
    return f"{stage}.shard-{shard.number}-of-{shard.of}"


def shard_of(name: str, stage: Stage, shard: Shard) -> Stage:
    """The stage that makes a shard of another.

    Raises:
        SettingsError: If that kind of stage has none.
    """
    if not isinstance(stage, Sharded):
        raise SettingsError(
            f"{name} is a {type(stage).__name__} stage and is not cut into shards: only sampling and scoring are."
        )
    assert isinstance(stage, Settings)
    values = {field: getattr(stage, field) for field in type(stage).model_fields}
    made: Stage = type(stage)(**{**values, "shard": shard})  # its ranges are looked at once more
    return made


def shards_there(run: Path, name: str, stage: Stage, fingerprints: Fingerprints) -> tuple[Path, ...]:
    """The directories of the complete shards of a stage.

    Raises:
        RunError: If one was made with other settings, or is not as it was made.
    """
    if not isinstance(stage, Sharded) or stage.shard:
        return ()
    found = []
    for shard in _shards_named(run, name):
        place = run / shard_name(name, shard)
        record = read_record(place)
        if record is None:
            continue
        part = shard_of(name, stage, shard)
        different = differences(record, identity_of(part, fingerprints), part)
        wrong = [f"{file} is {fault}" for file, fault in faults(place, record, fingerprints).items()]
        if different or wrong:
            raise RunError(
                f"{place.name} is no shard of {name} as it is now ({'; '.join(different or wrong)}). Delete {place}, or put back what it "
                "was made with."
            )
        found.append(place)
    return tuple(found)


def missing_shards(run: Path, name: str) -> list[Shard]:
    """Those that are not complete, of a stage that was cut into shards; all of one where none is."""
    named = _shards_named(run, name)
    of = max((shard.of for shard in named), default=1)
    there = {shard.number for shard in named if shard.of == of and read_record(run / shard_name(name, shard))}
    return [Shard(number=number, of=of) for number in range(1, of + 1) if number not in there]


def _shards_named(run: Path, name: str) -> list[Shard]:
    """By the names of directories, in order."""
    pattern = re.compile(re.escape(name) + r"\.shard-(\d+)-of-(\d+)")
    found = [pattern.fullmatch(place.name) for place in run.glob("*.shard-*-of-*")]
    shards = [Shard(number=int(match[1]), of=int(match[2])) for match in found if match]
    return sorted(shards, key=lambda shard: (shard.of, shard.number))
