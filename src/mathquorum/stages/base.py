"""What a stage is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar, runtime_checkable

from pydantic import BeforeValidator, Field, model_validator

from mathquorum.config import Settings, build
from mathquorum.engines.settings import Answerer
from mathquorum.errors import SettingsError

__all__ = [
    "AnyShard",
    "Asking",
    "Clustered",
    "Exclusive",
    "Measurable",
    "Parallel",
    "Placed",
    "Progress",
    "Shard",
    "Sharded",
    "Stage",
    "Summary",
    "no_progress",
    "read_shard",
]


U = TypeVar("U")


class Progress(Protocol):
    """Told of how much is done and how much there is to do, in whatever unit the stage counts."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """note: what else moves meanwhile, in words ("1,234 tokens, 84 a second")."""
        ...


Summary = Mapping[str, int | float | str]
"""What a stage wants shown when it has ended: counts of what was made, left out or cut off."""


class Stage(Protocol):
    """Frozen settings that can be run. All concrete stages are `mathquorum.config.Settings`.

    The files that a stage reads are fields declared as `InputPath`, and models that may have a hub id as `InputModel`, so that
    the run's ledger can tell when one changed. What a stage may be besides is said by the protocols below.
    Called again on a directory that holds a part of its work, a stage goes on from there and ends in the same bytes.
    """

    def run(self, out: Path, progress: Progress) -> Summary:
        """Does the work and leaves its files in the existing directory `out`."""
        ...


@runtime_checkable
class Placed(Protocol):
    """A stage whose bytes depend on where it runs, so that it is not begun in one place and continued in another."""

    def place(self) -> str | None:
        """Device and number type ("cpu, float32"), or what an engine has instead; None where no model runs after all."""
        ...


@runtime_checkable
class Exclusive(Protocol):
    """A stage that may start processes of its own, which want all of the machine's GPUs or cores."""

    def takes_all(self) -> bool:
        """Whether it does, so that nothing may run beside it."""
        ...


@runtime_checkable
class Asking(Protocol):
    """A stage that asks a model, which may be far away."""

    @property
    def by_name(self) -> bool:
        """Whether the model's name is all that is known of it, where no folder here has it."""
        ...

    def answerers(self, out: Path) -> Sequence[Answerer]:
        """Who made what the directory holds, when all is done; nobody where nothing was asked."""
        ...


@runtime_checkable
class Parallel(Protocol):
    """A stage that shares its work among processes: as many as it says, or fewer if a run has none to spare."""

    @property
    def workers(self) -> int: ...


@runtime_checkable
class Clustered(Protocol):
    """A stage that can share its work among the machines of a Ray cluster, where the run is told of one."""

    @property
    def cluster(self) -> str | None: ...


@runtime_checkable
class Measurable(Protocol):
    """A stage that can tell how much work it is, so that those of its kind can be compared: for a forecast only."""

    def amount(self) -> int | None:
        """The amount in a unit of the kind's own, such as candidates; None while a file that decides it is not there."""
        ...


class Shard(Settings):
    """One of several parts of a stage's work: 3/16 is the third of sixteen."""

    number: int = Field(ge=1)
    """From 1."""
    of: int = Field(ge=1, le=100_000)
    """How many there are."""

    @model_validator(mode="after")
    def _there_is_one(self) -> Shard:
        if self.number > self.of:
            raise ValueError(f"there is no shard {self}: the last one is {self.of}/{self.of}.")
        return self

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def cut(self, units: Sequence[U]) -> Sequence[U]:
        """Its share of units: every `of`-th, so that shards are of like size where units are in order of theirs."""
        return units[self.number - 1 :: self.of]


def _from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    number, slash, of = value.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal()):
        raise ValueError(f"a shard is given as NUMBER/OF, such as 3/16. Got {value!r} instead.")
    return {"number": int(number), "of": int(of)}


AnyShard = Annotated[Shard, BeforeValidator(_from_text)]
"""A shard, or its text."""


def read_shard(text: str) -> Shard:
    """The shard of a text, NUMBER/OF.

    Raises:
        SettingsError: If it is none.
    """
    try:
        return build(Shard, _from_text(text))
    except (ValueError, SettingsError) as error:
        raise SettingsError(f"--shard {text}: {error}") from error


@runtime_checkable
class Sharded(Protocol):
    """A stage that can do a part of its units, so that several machines share them, and put the parts together."""

    @property
    def shard(self) -> Shard | None:
        """The part that is done; None for the whole. It is a setting, so that a shard has an identity of its own."""
        ...

    def gather(self, shards: Sequence[Path], out: Path) -> None:
        """Takes over what was made in the directories of shards, before `run` makes the rest, or nothing, and the whole file.

        Raises:
            RunError: If the shards were cut differently.
        """
        ...


def no_progress(done: int, total: int, note: str = "") -> None:
    """Does nothing: for callers that do not want to know."""
