"""The records of stages: `started.json` while one is being made, `stage.json` when, and only when, it is complete.

A record tells what a stage was made from (its identity), and of a finished one what it made, with what and when. It is read
as what it is said to be, or refused. Records of format 1, from before outputs were recorded, are taken over as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mathquorum.engines.settings import Answerer
from mathquorum.errors import DataError, RunError
from mathquorum.run.fingerprints import LARGE, Fingerprints, stamp_of, visible_files
from mathquorum.store import read_json

__all__ = [
    "Begun",
    "Identity",
    "Output",
    "StageRecord",
    "check_made",
    "faults",
    "in_words",
    "outputs_of",
    "read_begun",
    "read_record",
]


# --- the records ------------------------------------------------------------------------------------------------------


class Identity(BaseModel):
    """What must be equal for a result to be taken over."""

    model_config = ConfigDict(frozen=True)

    stage: str
    """The kind of stage, by the name of its class."""
    settings: dict[str, Any]
    """Those that fix bytes, nested as they are given."""
    inputs: dict[str, str]
    """By dotted name of the setting that names it, the fingerprint of a file or folder, or "hub:OWNER/NAME", or "name:NAME" of a model that a server knows."""


class Begun(Identity):
    """started.json."""

    device: str | None
    """Where it runs (`stages.base.Placed`); None for a stage that runs the same everywhere."""


class Output(BaseModel):
    """A file that a stage made."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    size: int
    """Bytes."""
    modified: int
    """Time of its last change, in nanoseconds since 1970."""


class StageRecord(Begun):
    """stage.json."""

    format: Literal[1, 2] = 1
    """1 has neither arguments nor outputs."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Settings that change no byte, such as workers."""
    outputs: dict[str, Output] | None = None
    """By name within the stage's directory: every file that is not hidden."""
    summary: dict[str, int | float | str]
    """Counts of what was made, left out or cut off."""
    answered_by: tuple[Answerer, ...] | None = None
    """The engines that were asked: their kinds, and of servers addresses and the names that these gave their models. None in records from
    before it was kept."""
    versions: dict[str, str]
    """Of the libraries that results depend on."""
    commit: str | None
    """Of the source tree; None for an installed package."""
    began: str
    """UTC."""
    seconds: float
    taken_from: str | None = None
    """The run that made it, where this one took it over."""

    @model_validator(mode="after")
    def _has_outputs(self) -> StageRecord:
        if self.format > 1 and self.outputs is None:
            raise ValueError("field 'outputs' is missing")
        return self


B = TypeVar("B", Begun, StageRecord)


def read_record(place: Path) -> StageRecord | None:
    """The stage.json in a directory; None where there is none.

    Raises:
        RunError: If it is not one.
    """
    return _read(place / "stage.json", StageRecord)


def read_begun(place: Path) -> Begun | None:
    """The started.json in a directory, in like manner."""
    return _read(place / "started.json", Begun)


def _read(file: Path, kind: type[B]) -> B | None:
    if not file.exists():
        return None
    try:
        return kind.model_validate(read_json(file))
    except DataError as error:
        reason = str(error)
    except ValidationError as error:
        reason = f"{file} is not the record of a stage: {_first_fault(error)}."
    raise RunError(f"{reason} Delete {file.parent} to make the stage again, or put the record back as it was.")


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"field {field!r} is missing"
    text = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"field {field!r} {text}" if field else text


# --- outputs ----------------------------------------------------------------------------------------------------------


def outputs_of(place: Path, fingerprints: Fingerprints) -> dict[str, Output]:
    """The files in a stage's directory."""
    made = {}
    for name, file in visible_files(place):
        size, modified = stamp_of(file)
        made[name] = Output(sha256=fingerprints.sha256(file), size=size, modified=modified)
    return made


def faults(place: Path, record: StageRecord, fingerprints: Fingerprints) -> dict[str, str]:
    """Files that are not as the stage made them: by name "gone" or "changed"."""
    found = {}
    for name, output in (record.outputs or {}).items():
        if not (place / name).is_file():
            found[name] = "gone"
        elif not _is_as_made(place / name, output, fingerprints):
            found[name] = "changed"
    return found


def _is_as_made(file: Path, output: Output, fingerprints: Fingerprints) -> bool:
    size, modified = stamp_of(file)
    if size != output.size:
        return False
    return (size > LARGE and modified == output.modified) or fingerprints.sha256(file) == output.sha256


def check_made(path: Path, run: Path, fingerprints: Fingerprints) -> None:
    """Makes sure that what a stage reads is what another made, where it lies in the directory of one.

    Raises:
        DataError: If it holds other bytes than its maker recorded, or files that its maker did not make.
        RunError: If a stage of this run made it and its record is none; elsewhere a stage.json may be anybody's.
    """
    maker = next((place for place in (path, *path.parents) if (place / "stage.json").is_file()), None)
    if maker is None:
        return
    try:
        record = read_record(maker)
    except RunError:
        if maker.is_relative_to(run):
            raise
        return
    if record is None or record.outputs is None:
        return  # of a version that kept no outputs
    wrong = dict(_faults_below(maker, path, record, fingerprints))
    if wrong:
        raise DataError(
            f"{path} is not what {maker.name} made: {in_words(wrong)}. "
            f"Put it back as it was, or delete {maker} to make it again."
        )


def _faults_below(
    maker: Path, path: Path, record: StageRecord, fingerprints: Fingerprints
) -> Iterator[tuple[str, str]]:
    inside, outputs = path.relative_to(maker), record.outputs or {}
    below = {name: output for name, output in outputs.items() if Path(name).is_relative_to(inside)}
    yield from faults(maker, record.model_copy(update={"outputs": below}), fingerprints).items()
    here = [path] if path.is_file() else [file for _, file in visible_files(path)]
    yield from ((name, "new") for file in here if (name := file.relative_to(maker).as_posix()) not in outputs)


def in_words(found: Mapping[str, str]) -> str:
    """Faults as a sentence's part: "candidates.jsonl is changed, report.md is gone"."""
    words = [f"{name} is {fault}" for name, fault in found.items()]
    return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
