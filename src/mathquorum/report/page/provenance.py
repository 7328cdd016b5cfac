"""What the page tells of how its figures came to be, read from the records (`stage.json`) of the stages that made them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mathquorum.errors import DataError
from mathquorum.store import read_json

__all__ = ["MADE_BY", "Made", "file_print", "made_by", "together"]


MADE_BY = "sampled and scored by"
"""What a report calls the engines."""


class MadeBy(BaseModel):
    """An engine that a stage asked; see `engines.settings.Answerer`."""

    engine: str
    address: str | None = None
    model: str | None = None

    @property
    def words(self) -> str:
        """ "server at http://127.0.0.1:8000/v1 (Qwen2.5-7B-Instruct)"."""
        at = f" at {self.address}" if self.address else ""
        return f"{self.engine}{at}{f' ({self.model})' if self.model else ''}"


class Made(BaseModel):
    """The part of a stage's record that a page shows."""

    settings: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    summary: dict[str, int | float | str] = {}
    versions: dict[str, str] = {}
    device: str | None = None
    began: str | None = None
    seconds: float | None = None
    commit: str | None = None
    answered_by: tuple[MadeBy, ...] | None = None

    @property
    def engines(self) -> tuple[str, ...]:
        """Which engines were asked, in words. None where none was; of an older record, the kind that its settings name."""
        if self.answered_by is not None:
            return tuple(one.words for one in self.answered_by)
        kind = (self.settings.get("engine") or {}).get("kind")
        return (kind,) if kind else ()


@dataclass(frozen=True)
class Together:
    """What several records have in common, or each of.

    Attributes:
        engines: All that candidates and scores came from, with what servers call themselves.
        devices: All that models ran on.
        began: The first and the last beginning, UTC.
        seconds: Of all stages, one after another.
    """

    engines: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    began: tuple[str, str] | None = None
    seconds: float = 0.0
    commits: tuple[str, ...] = ()


def made_by(path: Path) -> Made | None:
    """The record of the stage whose directory this is, or holds this file; None where there is none."""
    folder = path if path.is_dir() else path.parent
    try:
        return Made.model_validate(read_json(folder / "stage.json"))
    except (DataError, ValidationError):
        return None


def together(records: Iterable[Made | None]) -> Together:
    """The records put together."""
    found = [record for record in records if record is not None]
    times = sorted(record.began for record in found if record.began)
    return Together(
        engines=tuple(dict.fromkeys(engine for r in found for engine in r.engines)),
        devices=tuple(dict.fromkeys(r.device for r in found if r.device)),
        versions={name: version for record in found for name, version in record.versions.items()},
        began=(times[0], times[-1]) if times else None,
        seconds=sum(record.seconds or 0.0 for record in found),
        commits=tuple(dict.fromkeys(r.commit for r in found if r.commit)),
    )


def file_print(path: Path) -> str:
    """The beginning of the SHA-256 of a file: enough to tell two data files apart."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(2**20):
            digest.update(block)
    return digest.hexdigest()[:16]
