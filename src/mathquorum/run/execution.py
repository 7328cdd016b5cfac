"""One stage, run in its directory from `started.json` to `stage.json`."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from mathquorum.errors import RunError
from mathquorum.run.earlier import link_outputs
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.identity import arguments_of, growth
from mathquorum.run.ledger import Begun, Identity, StageRecord, faults, in_words, outputs_of, read_begun, read_record
from mathquorum.stages.base import Asking, Placed, Progress, Sharded, Stage, Summary
from mathquorum.store import write_json
from mathquorum.versions import library_versions

__all__ = ["Work", "execute", "sweep"]

_TEMPORARY = re.compile(r"\..+\.(json|jsonl|yaml|md|html|svg|txt)\.[^.]+")
"""As `store` names a file that is being written: .NAME.RANDOM."""
_ASIDE = ".changed"


@dataclass(frozen=True)
class Work:
    """A stage that is ready to run: all that a process of its own needs.

    Attributes:
        place: Its directory.
        stage: Its settings.
        identity: What it is made from, as it was when the stage became ready.
        beginning: The directory of a smaller one, in another run, that it goes on from.
        shards: Directories of its shards that are complete.
    """

    place: Path
    stage: Stage
    identity: Identity
    beginning: Path | None = None
    shards: tuple[Path, ...] = ()


def execute(work: Work, progress: Progress, fingerprints: Fingerprints) -> Summary:
    """Runs the stage and records it.

    Raises:
        RunError: If the directory cannot be made, or the stage was begun where it would not go on.
    """
    place = work.place
    try:
        place.mkdir(parents=True, exist_ok=True)
        sweep(place)
    except OSError as error:
        raise RunError(f"{place} cannot be made: {error.strerror}.") from error
    device = work.stage.place() if isinstance(work.stage, Placed) else None
    _check_device(place, device)
    begun = Begun(**work.identity.model_dump(), device=device)
    write_json(place / "started.json", begun.model_dump())
    again = _make_way(work, fingerprints) | _begin_with(work)
    began, clock = time.time(), time.monotonic()
    summary = {**work.stage.run(place, progress), **again}
    record = StageRecord(
        **begun.model_dump(),
        format=2,
        arguments=arguments_of(work.stage),
        outputs=outputs_of(place, fingerprints),
        summary=summary,
        answered_by=tuple(work.stage.answerers(place)) if isinstance(work.stage, Asking) else (),
        versions=library_versions(),
        commit=_commit(),
        began=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        seconds=round(time.monotonic() - clock, 3),
    )
    write_json(place / "stage.json", record.model_dump())
    (place / "started.json").unlink()
    return summary


def sweep(folder: Path) -> None:
    """Removes what a writer that was killed left half-written."""
    for file in folder.iterdir():
        if _TEMPORARY.fullmatch(file.name) and not file.name.endswith(_ASIDE) and file.is_file():
            file.unlink()


def _check_device(place: Path, device: str | None) -> None:
    begun = read_begun(place)
    if begun and begun.device and begun.device != device:
        raise RunError(
            f"{place.name} was begun on {begun.device} and would go on on {device}, so its records would not belong together. "
            f"Set hardware.device, hardware.dtype and the number of processes to the former, or delete {place}."
        )


def _make_way(work: Work, fingerprints: Fingerprints) -> dict[str, int | float | str]:
    """Clears the directory of a finished stage whose files are not as it made them. The record goes last. Of one that grows the files
    stay.

    What somebody changed is set aside as .NAME.changed.

    Returns:
        What the summary should say of it.
    """
    place, record = work.place, read_record(work.place)
    if record is None:
        return {}
    found = faults(place, record, fingerprints)
    grown = None if found else growth(record, work.identity, work.stage)
    if grown:
        (place / "stage.json").unlink()
        return {"grown": grown}
    for name in record.outputs or {}:
        file = place / name
        if found.get(name) == "changed":
            file.replace(file.with_name(f".{file.name}{_ASIDE}"))
        else:
            file.unlink(missing_ok=True)
    for folder in sorted({(place / name).parent for name in record.outputs or {}} - {place}, reverse=True):
        with contextlib.suppress(OSError):  # it holds something that the stage did not make
            folder.rmdir()
    (place / "stage.json").unlink()
    return {"made again, since": in_words(found)}


def _begin_with(work: Work) -> dict[str, int | float | str]:
    """Takes over what was made elsewhere: a smaller stage of another run, and shards of this one.

    Returns:
        What the summary should say of it.
    """
    told: dict[str, int | float | str] = {}
    record = read_record(work.beginning) if work.beginning else None
    if record and work.beginning:
        link_outputs(work.beginning, record, work.place)
        told["grown"] = f"{growth(record, work.identity, work.stage)}, from {work.beginning.parent}"
    if work.shards:
        assert isinstance(work.stage, Sharded)
        work.stage.gather(work.shards, work.place)
        told["shards put together"] = len(work.shards)
    return told


def _commit() -> str | None:
    """The commit of the source tree that this code runs from; None for an installed package."""
    try:
        result = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
