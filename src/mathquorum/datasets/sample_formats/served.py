"""What servers answer, and how conversations are kept: OpenAI's and vLLM's batches, chat logs, AceMath, ShareGPT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mathquorum.datasets.sample_formats.columns import PLAIN_PLACES, read_columns, without
from mathquorum.datasets.sample_formats.raw import Columns, Format, RawSample, RawSamples
from mathquorum.datasets.sample_formats.solutions import asked, is_messages, replies, solutions, unpacked
from mathquorum.datasets.tables import Row
from mathquorum.datasets.values import value_at
from mathquorum.errors import DataError

__all__ = ["BATCHES", "TURNS", "is_said"]


def _batch(row: Row, columns: Columns) -> RawSamples:
    """A line of a batch's output: {"custom_id", "response": {"status_code": 200, "body": {"choices": [...]}}, "error"}.

    OpenAI and vLLM (`run_batch`) write `response.body`, Anthropic `result.message`. A request that failed brings no
    solution and is counted.
    """
    raw = read_columns(row, without(columns, "samples"))
    body = value_at(row.values, "response.body") or value_at(row.values, "result.message")
    status = value_at(row.values, "response.status_code")
    if not isinstance(body, Mapping) or (type(status) is int and status >= 400):
        return replace(raw, num_failed=1)
    model = body.get("model")
    said = _anthropic(body) if isinstance(body.get("content"), list) else solutions(body, f"{row.place}, response")
    return replace(raw, samples=tuple(replace(s, model=model) if isinstance(model, str) else s for s in said))


def _anthropic(message: Mapping[str, Any]) -> list[RawSample]:
    return solutions([{"content": message["content"], "stop_reason": message.get("stop_reason")}], "result")


def _completion(row: Row, columns: Columns) -> RawSamples:
    """A response of a server as it came, {"id", "choices": [{"message": {"content"}, "finish_reason"}]}, with columns beside it."""
    raw = read_columns(row, without(columns, "samples", "id"))
    return replace(raw, samples=tuple(solutions({"choices": unpacked(row.values["choices"])}, f"{row.place}, choices")))


def _conversation(row: Row, columns: Columns) -> RawSamples:
    """Messages of which the last reply is the solution; AceMath keeps it apart, in `answer`.

    Raises:
        DataError: If nobody replies.
    """
    turns = unpacked(row.values[columns["samples"]])
    if not is_messages(turns):
        raise DataError(
            f"{row.place}: field {columns['samples']!r} must be a list of messages. Got {turns!r:.60} instead."
        )
    said = replies(turns)
    if said:
        raw = read_columns(row, without(columns, "samples", "problem"))
        sample = RawSample(said[-1])
    elif isinstance(row.values.get("answer"), str):
        raw = read_columns(row, {r: c for r, c in columns.items() if r not in ("samples", "problem") and c != "answer"})
        sample = RawSample(row.values["answer"])
    else:
        raise DataError(f"{row.place}: field {columns['samples']!r} has no reply: it holds no solution.")
    return replace(raw, samples=(sample,), problem=asked(turns))


_BESIDE = {
    role: places for role, places in PLAIN_PLACES.items() if role not in ("samples", "problem", "answers", "solution")
}

BATCHES: tuple[Format, ...] = tuple(
    Format("batch output", frozenset({"custom_id", body}), {**PLAIN_PLACES, "samples": (body,), "id": ("custom_id",), "model": (model,)}, _batch)
    for body, model in (("response", "response.body.model"), ("result", "result.message.model"))
)  # fmt: skip

TURNS: tuple[Format, ...] = (
    Format("server response", frozenset({"choices"}), {**PLAIN_PLACES, "samples": ("choices",)}, _completion),
    *(
        Format("conversation", frozenset({column}), {"samples": (column,), **_BESIDE}, _conversation)
        for column in ("messages", "conversations", "conversation")
    ),
)
"""Tried where no column has the name of one that holds solutions."""


def is_said(value: Any) -> bool:
    """Whether a value can be choices or messages, written down as a list or as a text."""
    value = unpacked(value)
    return isinstance(value, list) and bool(value) and all(isinstance(part, Mapping) for part in value)
