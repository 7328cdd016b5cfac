"""The settings of the embedded engine: a transformers model in this process, or in several beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar

from mathquorum.config import Settings
from mathquorum.engines.base import Engine
from mathquorum.engines.settings import Answerer, Cut, ModelUse, Share, Unit, Writing
from mathquorum.errors import DataError
from mathquorum.models import load_tokenizer
from mathquorum.models.codec import Codec
from mathquorum.processes import Handler
from mathquorum.prompts import Shown
from mathquorum.spreading import Workers, spread_units
from mathquorum.store import read_json, write_json

__all__ = ["Embedded"]

_BATCHES_PER_UNIT = 4  # the next problem moves in when candidates have ended; a unit ends with fewer and fewer rows
_PROBLEMS_PER_UNIT = 64  # so that greedy decoding, with one row per problem, still has units to share out and resume by

U = TypeVar("U")
R = TypeVar("R")


class Embedded(Settings):
    """See `engines.settings.EngineSettings`. The model, the wording and the hardware are settings of the stage."""

    kind: Literal["embedded"] = "embedded"

    @property
    def takes_names(self) -> bool:
        """See `EngineSettings.takes_names`."""
        return False

    def place(self, use: ModelUse) -> str:
        """Device and number type, with "auto" resolved."""
        return use.hardware.resolved()

    def cut_writing(self, use: ModelUse, writing: Writing, note: Path) -> Cut:
        """A few problems with all their candidates, those with like prompt lengths beside each other, so that a shared batch has
        little padding. How many is fixed by the rows that fit into memory and by the time that a unit may take (`engines.embedded.pace`), which
        the note keeps. Of a large model, a unit is a part of a problem's candidates."""
        rows, most = _noted(use, writing.max_tokens, note)
        size = min(_BATCHES_PER_UNIT * max(1, rows // writing.num_candidates), _PROBLEMS_PER_UNIT)
        units = _units(_by_length(use, writing.prompts), writing.num_candidates, size, most)
        return Cut(units, replace(use, batch_rows=rows), shown=(("candidates at once", rows),))

    def cut_judging(self, use: ModelUse, num_candidates: Sequence[int]) -> Cut:
        """Each problem with all its candidates, whose texts share the question's beginning."""
        return Cut([(Share(place, tuple(range(number))),) for place, number in enumerate(num_candidates)], use)

    def spread(
        self,
        job: Callable[[], Handler[U, R]],
        units: Sequence[U],
        workers: Workers,
        heard: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[int, R]]:
        """Processes, or actors of a cluster, each with a copy of the model."""
        return spread_units(job, units, workers, heard)

    def exactly(self, use: ModelUse, shown: Shown) -> str:
        """See `Codec.exactly`."""
        return Codec(load_tokenizer(use.model), use.wording).exactly(shown)

    def open(self, use: ModelUse) -> Engine:
        """See `EngineSettings.open`."""
        from mathquorum.engines.embedded.hf import HuggingFaceEngine
        from mathquorum.models import load_model
        from mathquorum.models.packing import packed

        loaded = packed(load_model(use.model, use.hardware, use.wording))
        if use.batch_rows is None:
            return HuggingFaceEngine(loaded, batch_tokens=use.batch_tokens)
        return HuggingFaceEngine(loaded, batch_rows=use.batch_rows, batch_tokens=use.batch_tokens)

    def shown(self, use: ModelUse) -> Mapping[str, int | float | str]:
        """Nothing."""
        return {}

    def answerers(self, use: ModelUse) -> Sequence[Answerer]:
        """Itself."""
        return (Answerer(self.kind),)

    def gather(self, shards: Sequence[Path], out: Path) -> None:
        """Nothing is kept."""


def _units(order: Sequence[int], num_candidates: int, size: int, most: int) -> list[Unit]:
    """Problems by place, `size` in a unit or as few as have at most `most` candidates together; less than one where that is too many."""
    if most >= num_candidates:
        size = min(size, most // num_candidates)
        everyone = tuple(range(num_candidates))
        return [
            tuple(Share(place, everyone) for place in order[start : start + size])
            for start in range(0, len(order), size)
        ]
    parts = [tuple(range(first, min(first + most, num_candidates))) for first in range(0, num_candidates, most)]
    return [(Share(place, part),) for place in order for part in parts]


def _noted(use: ModelUse, max_tokens: int, note: Path) -> tuple[int, int]:
    """Rows in a batch and candidates in a unit, at most. Noted beside the candidates, so that a stage that goes on elsewhere keeps both."""
    if not note.exists():
        from mathquorum.engines.embedded.memory import rows_that_fit
        from mathquorum.engines.embedded.pace import candidates_in_time

        rows = use.batch_rows or rows_that_fit(use.model, use.hardware, max_tokens)
        most = candidates_in_time(use.model, use.hardware, max_tokens)
        write_json(note, {"batch_rows": rows, "unit_candidates": most})
    held = read_json(note)
    held = {"unit_candidates": sys.maxsize, **held} if isinstance(held, dict) else {}  # older notes had rows alone
    for name in ("batch_rows", "unit_candidates"):
        if type(held.get(name)) is not int or held[name] < 1:
            raise DataError(
                f"{note}: field {name!r} must be an integer of at least 1. Delete {note.parent} to begin anew."
            )
    return held["batch_rows"], held["unit_candidates"]


def _by_length(use: ModelUse, prompts: Sequence[Shown]) -> list[int]:
    """Places of the prompts, shortest first, in the model's own tokens."""
    codec = Codec(load_tokenizer(use.model), use.wording)
    lengths = [len(codec.prompt(prompt)) for prompt in prompts]
    return sorted(range(len(prompts)), key=lambda place: (lengths[place], place))
