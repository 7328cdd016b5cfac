"""What evaluation harnesses write down: lm-evaluation-harness, lighteval and inspect_ai."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mathquorum.datasets.sample_formats.columns import read_columns, reference_text, without
from mathquorum.datasets.sample_formats.raw import Columns, Format, RawSamples
from mathquorum.datasets.sample_formats.solutions import unpacked
from mathquorum.datasets.tables import Row
from mathquorum.datasets.values import value_at
from mathquorum.errors import DataError

__all__ = ["HARNESSES"]

# --- lm-evaluation-harness -------------------------------------------------------------------------------------------


def _lm_eval(row: Row, columns: Columns) -> RawSamples:
    """`samples_TASK_DATE.jsonl`: {"doc_id", "doc": {...}, "target", "resps": [["text", ...]], "filtered_resps", "filter"}.

    One list of texts per request, of one text per repeat. Each filter has a row of its own with the same responses.
    """
    responses = row.values["resps"]
    inner = responses[0] if isinstance(responses, list) and responses else None
    if isinstance(inner, list) and inner and isinstance(inner[0], list) and len(inner[0]) == 2:
        raise DataError(
            f"{row.place}: holds log-likelihoods of choices, and no solutions. Only generation tasks can be voted on."
        )
    raw = read_columns(row, without(columns, "answers"))
    filtered = _flat(row.values.get("filtered_resps"))
    if len(filtered) == len(raw.samples):  # else a filter has chosen among them
        given = [None if not isinstance(a, str) or a.strip() in ("", "[invalid]") else a.strip() for a in filtered]
        raw = replace(raw, samples=tuple(replace(s, answer=a) for s, a in zip(raw.samples, given, strict=True)))
    view = row.values.get("filter")
    return replace(raw, view=view if isinstance(view, str) else None)


def _flat(value: Any) -> list[Any]:
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    return value if isinstance(value, list) else []


# --- lighteval -------------------------------------------------------------------------------------------------------


def _lighteval(row: Row, columns: Columns) -> RawSamples:
    """`details_TASK_DATE.parquet` of lighteval 0.10 and later: {"doc": {"query", "choices", "gold_index"}, "model_response": {"text"}, "metric"}."""
    raw = read_columns(row, without(columns, "reference"))
    return _with_gold(raw, value_at(row.values, "doc.choices"), value_at(row.values, "doc.gold_index"), row)


def _lighteval_before(row: Row, columns: Columns) -> RawSamples:
    """The details of earlier versions: {"full_prompt", "example", "predictions", "gold", "choices", "gold_index", "metrics"}."""
    return _with_gold(read_columns(row, without(columns, "reference")), row.values.get("gold"), None, row)


def _with_gold(raw: RawSamples, choices: Any, gold: Any, row: Row) -> RawSamples:
    choices = unpacked(choices)
    choices = choices if isinstance(choices, list) else [choices]
    indices = gold if isinstance(gold, list) else [gold] if type(gold) is int else range(len(choices))
    golds = [choices[index] for index in indices if type(index) is int and 0 <= index < len(choices)]
    return _of_several(raw, golds, row, "gold")


def _of_several(raw: RawSamples, golds: list[Any], row: Row, column: str) -> RawSamples:
    """The first of several references; the others are told."""
    found = [text for gold in golds if (text := reference_text(gold, row.place, column)) is not None]
    return replace(raw, reference=found[0] if found else None, alternatives=tuple(dict.fromkeys(found[1:])))


# --- inspect_ai ------------------------------------------------------------------------------------------------------


def _inspect(row: Row, columns: Columns) -> RawSamples:
    """A sample of a log: {"id", "epoch", "input": text or messages, "target", "output": {"choices": [...]}, "scores"}."""
    output = row.values.get("output")
    failed = not (isinstance(output, Mapping) and output.get("choices"))  # the sample ended in an error
    raw = read_columns(row, without(columns, "reference", "samples") if failed else without(columns, "reference"))
    target = row.values.get("target")
    return replace(
        _of_several(raw, target if isinstance(target, list) else [target], row, "target"), num_failed=int(failed)
    )


_DOC_PROBLEMS = ("doc.problem", "doc.question", "doc.prompt", "doc.input", "doc.query", "doc.instruction")
_DOC_ANSWERS = ("target", "doc.answer", "doc.final_answer", "doc.expected_answer", "doc.solution")

HARNESSES: tuple[Format, ...] = (
    Format(
        "lm-evaluation-harness",
        frozenset({"resps", "doc"}),
        {
            "samples": ("resps",),
            "problem": _DOC_PROBLEMS,
            "reference": _DOC_ANSWERS,
            "answers": ("filtered_resps",),
            "id": ("doc_id",),
            "subject": ("doc.subject", "doc.type"),
            "level": ("doc.level",),
        },
        _lm_eval,
    ),
    Format(
        "lighteval",
        frozenset({"doc", "model_response"}),
        {
            "samples": ("model_response.text",),
            "problem": ("doc.query",),
            "reference": ("doc.choices",),
            "id": ("doc.id",),
        },
        _lighteval,
    ),
    Format(
        "lighteval (before 0.10)",
        frozenset({"predictions", "full_prompt"}),
        {"samples": ("predictions",), "problem": ("example", "full_prompt"), "reference": ("gold",)},
        _lighteval_before,
    ),
    Format(
        "inspect_ai",
        frozenset({"epoch", "input", "target"}),
        {
            "samples": ("output",),
            "problem": ("input",),
            "reference": ("target",),
            "id": ("id",),
            "model": ("output.model", "model"),
        },
        _inspect,
    ),
)
