"""The settings of the embedded engine: a transformers model in this process, or in several beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar

from mathquorum.config import Settings
from mathquorum.engines.base import Engine
from mathquorum.engines.settings import Cut, ModelUse, Share, Writing
from mathquorum.errors import DataError
from mathquorum.models import load_tokenizer
from mathquorum.models.codec import Codec
from mathquorum.processes import map_units
from mathquorum.prompts import Shown
from mathquorum.store import read_json, write_json

__all__ = ["Embedded"]

_BATCHES_PER_UNIT = 4  # the next problem moves in when candidates have ended; a unit ends with fewer and fewer rows
_PROBLEMS_PER_UNIT = 64  # so that greedy decoding, with one row per problem, still has units to share out and resume by

U = TypeVar("U")
R = TypeVar("R")


class Embedded(Settings):
    """See `engines.settings.EngineSettings`. The model, the wording and the hardware are settings of the stage."""

    kind: Literal["embedded"] = "embedded"

    def place(self, use: ModelUse) -> str:
        """Device and number type, with "auto" resolved."""
        return use.hardware.resolved()

    def cut_writing(self, use: ModelUse, writing: Writing, note: Path) -> Cut:
        """A few problems with all their candidates, those with like prompt lengths beside each other, so that a shared batch has
        little padding. How many is fixed by the rows that fit into memory, which the note keeps."""
        rows = use.batch_rows or _rows_that_fit(use, writing.max_tokens, note)
        size = min(_BATCHES_PER_UNIT * max(1, rows // writing.num_candidates), _PROBLEMS_PER_UNIT)
        order, everyone = _by_length(use, writing.prompts), tuple(range(writing.num_candidates))
        units = [
            tuple(Share(place, everyone) for place in order[start : start + size])
            for start in range(0, len(order), size)
        ]
        return Cut(units, replace(use, batch_rows=rows), shown=(("candidates at once", rows),))

    def cut_judging(self, use: ModelUse, num_candidates: Sequence[int]) -> Cut:
        """Each problem with all its candidates, whose texts share the question's beginning."""
        return Cut([(Share(place, tuple(range(number))),) for place, number in enumerate(num_candidates)], use)

    def spread(self, job: Callable[[], Callable[[U], R]], units: Sequence[U], workers: int) -> Iterator[tuple[int, R]]:
        """Processes, each with a copy of the model."""
        return map_units(job, units, workers)

    def exactly(self, use: ModelUse, shown: Shown) -> str:
        """See `Codec.exactly`."""
        return Codec(load_tokenizer(use.model), use.wording).exactly(shown)

    def open(self, use: ModelUse) -> Engine:
        """See `EngineSettings.open`."""
        from mathquorum.engines.embedded.hf import HuggingFaceEngine
        from mathquorum.models import load_model

        loaded = load_model(use.model, use.hardware, use.wording)
        if use.batch_rows is None:
            return HuggingFaceEngine(loaded, batch_tokens=use.batch_tokens)
        return HuggingFaceEngine(loaded, batch_rows=use.batch_rows, batch_tokens=use.batch_tokens)


def _rows_that_fit(use: ModelUse, max_tokens: int, note: Path) -> int:
    """Noted beside the candidates, so that a stage that goes on elsewhere keeps its batches."""
    if not note.exists():
        from mathquorum.engines.embedded.memory import rows_that_fit

        write_json(note, {"batch_rows": rows_that_fit(use.model, use.hardware, max_tokens)})
    held = read_json(note)
    rows = held.get("batch_rows") if isinstance(held, dict) else None
    if type(rows) is not int or rows < 1:
        raise DataError(
            f"{note}: field 'batch_rows' must be an integer of at least 1. Delete {note.parent} to begin anew."
        )
    return rows


def _by_length(use: ModelUse, prompts: Sequence[Shown]) -> list[int]:
    """Places of the prompts, shortest first, in the model's own tokens."""
    codec = Codec(load_tokenizer(use.model), use.wording)
    lengths = [len(codec.prompt(prompt)) for prompt in prompts]
    return sorted(range(len(prompts)), key=lambda place: (lengths[place], place))
