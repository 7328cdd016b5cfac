"""The engine that a stage asks, as settings: what fixes its bytes, how it cuts the work, how it is opened.

To add an engine, copy `embedded.py` or `scripted.py` and add its class to the union in `engines/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from mathquorum.engines.base import Engine
from mathquorum.models import Hardware
from mathquorum.models.sources import prints_of
from mathquorum.processes import Handler
from mathquorum.prompts import Prompt, Shown
from mathquorum.spreading import Workers

__all__ = ["Answerer", "Cut", "EngineSettings", "ModelUse", "Share", "Unit", "Writing"]

U = TypeVar("U")
R = TypeVar("R")


@dataclass(frozen=True)
class ModelUse:
    """The model that a stage asks for, as its settings name it. An engine takes what it has a use for.

    Attributes:
        model: Folder, hub id, or the name under which a server knows it.
        wording: How problems are put to it.
        hardware: Where it runs, for an engine that runs here.
        batch_rows: Texts continued together at most; None leaves it to the engine.
        batch_tokens: Tokens scored together at most.
        folder: Where an engine may keep what it found out of a server and what it spent there; None for nowhere.
    """

    model: str
    wording: Prompt
    hardware: Hardware
    batch_rows: int | None = None
    batch_tokens: int = 16384
    folder: Path | None = None

    def workers(self, number: int, cluster: str | None, lost: Callable[[str], None]) -> Workers:
        """Workers of which each opens this model. See `spreading.Workers`; `lost` is told of each that a cluster loses."""
        if cluster is None:
            return Workers(number)
        gpu = self.hardware.torch_device().type == "cuda"
        return Workers(number, cluster, self.hardware.threads, gpu, lost, partial(prints_of, self.model))


@dataclass(frozen=True)
class Answerer:
    """Who made what a stage has, for its record.

    Attributes:
        engine: The kind.
        address: Of a server that is not ours, without anything secret; None where the engine is ours.
        model: What the server called its model; None where nobody said.
    """

    engine: str
    address: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class Writing:
    """What a stage wants written: so many candidates for each prompt.

    Attributes:
        prompts: One for each problem.
        num_candidates: N.
        max_tokens: Tokens after which a candidate is cut off.
    """

    prompts: Sequence[Shown]
    num_candidates: int
    max_tokens: int


@dataclass(frozen=True)
class Share:
    """Candidates of one problem: the problem's place in the stage's list (from 0), and their indices."""

    place: int
    indices: tuple[int, ...]


Unit = tuple[Share, ...]
"""What is asked in one call, and kept or lost together when a stage is killed."""


@dataclass(frozen=True)
class Cut:
    """How an engine cuts the work of a stage. It is a function of settings, problems and what was noted, never of workers.

    Attributes:
        units: Each candidate is in one.
        use: What to open the engine with.
        alone: Whether a candidate's bytes are its own. If not, those that share a unit fix one another's last digits, and a
            unit of which a part is missing is asked again whole.
        shown: Counts for the stage's summary.
    """

    units: Sequence[Unit]
    use: ModelUse
    alone: bool = False
    shown: tuple[tuple[str, int], ...] = ()

    def left(self, is_done: Callable[[int, int], bool]) -> list[Unit]:
        """The units that are still to be asked.

        Args:
            is_done: Tells of a problem's place and a candidate's index whether it is there.
        """
        waiting = []
        for unit in self.units:
            missing = tuple(_missing(share, is_done) for share in unit)
            if any(share.indices for share in missing):
                waiting.append(tuple(share for share in missing if share.indices) if self.alone else unit)
        return waiting


def _missing(share: Share, is_done: Callable[[int, int], bool]) -> Share:
    return Share(share.place, tuple(index for index in share.indices if not is_done(share.place, index)))


class EngineSettings(Protocol):
    """The settings of one kind of engine. `tests/contract/test_engine_settings.py` holds the laws that every kind passes.

    None of it but `open` loads a model, and importing it loads nothing heavy. Prompts are texts or conversations: an engine has its own tokenizer.
    """

    @property
    def takes_names(self) -> bool:
        """Whether a model is known to the engine by name, so that it need not be a folder here or on the hub."""
        ...

    def place(self, use: ModelUse) -> str:
        """What fixes the engine's bytes besides the settings: a stage that was begun in one place is not continued in another."""
        ...

    def cut_writing(self, use: ModelUse, writing: Writing, note: Path) -> Cut:
        """The units of sampling. What is measured to find them is fixed once: it is written to `note`, and read from there."""
        ...

    def cut_judging(self, use: ModelUse, num_candidates: Sequence[int]) -> Cut:
        """The units of scoring, from the number of candidates of each problem."""
        ...

    def spread(
        self,
        job: Callable[[], Handler[U, R]],
        units: Sequence[U],
        workers: Workers,
        heard: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[int, R]]:
        """The number of each unit and what came of it, as they are finished. Arguments as in `spreading.spread_units`."""
        ...

    def exactly(self, use: ModelUse, shown: Shown) -> str:
        """What the model is shown, as far as the engine knows: with the special tokens where it has the tokenizer."""
        ...

    def open(self, use: ModelUse) -> Engine:
        """The engine, ready to be asked.

        Raises:
            ModelError: If there is no such model, or it cannot be used.
        """
        ...

    def shown(self, use: ModelUse) -> Mapping[str, int | float | str]:
        """What a stage's summary should say when all is done: requests, tokens and price. Nothing for an engine that costs nothing."""
        ...

    def answerers(self, use: ModelUse) -> Sequence[Answerer]:
        """Who answered, in the order of their first answers; nobody where nothing was asked of a server."""
        ...

    def gather(self, shards: Sequence[Path], out: Path) -> None:
        """Puts together in `out` what the engine kept in the folders of shards, such as what they cost. Nothing where it kept nothing."""
        ...
