"""Published outputs with forms of their own: Qwen2.5-Math, ToRA and Rho, ZeroEval, MathCoder, OpenAI's samples for GSM8K."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from mathquorum.datasets.sample_formats.columns import PLAIN_PLACES, read_columns
from mathquorum.datasets.sample_formats.raw import Columns, Format, RawSample, RawSamples
from mathquorum.datasets.tables import Row
from mathquorum.datasets.values import answer_text, message_text

__all__ = ["PUBLISHED"]


def _zero_eval(row: Row, columns: Columns) -> RawSamples:
    """ZeroEval: one model's `output` list per problem, a JSON-like text with an "answer" field."""
    raw = read_columns(row, columns)
    return replace(raw, samples=tuple(replace(sample, answer=_json_answer(sample.text)) for sample in raw.samples))


def _json_answer(text: str) -> str | None:
    """The "answer" field of a text that is meant to be JSON but often is not quite."""
    found = re.findall(r'"answer"\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}"]+)', text)
    return found[-1].strip('"').strip() or None if found else None


def _math_coder(row: Row, columns: Columns) -> RawSamples:
    """MathCoder: the pieces of one solution (text, code and its output) in `debug_result` after the question."""
    said = [piece for piece in row.values["debug_result"] if isinstance(piece, Mapping)]
    contents = [
        message_text(piece.get("content")) or "" for piece in said if piece.get("role") not in ("system", "user")
    ]
    questions = [message_text(piece.get("content")) for piece in said if piece.get("role") == "user"]
    answer = answer_text(row.values.get("completion"), row.place, "completion")
    if len(contents) > 1 and contents[-1].strip() == (answer or ""):
        contents.pop()  # the last piece repeats the extracted answer
    truth = row.values["ground_truth"]
    given = truth if isinstance(truth, Mapping) else {"answer": truth}
    return RawSamples(
        id=str(row.values.get("id")),
        problem=questions[0] if questions else None,
        reference=answer_text(given.get("answer"), row.place, "ground_truth"),
        samples=(RawSample("\n".join(contents), answer),),
        solution=message_text(given.get("solution")),
    )


def _open_ai(row: Row, columns: Columns) -> RawSamples:
    """OpenAI's example_model_solutions.jsonl for GSM8K: one object per model, answers after "A:"."""
    made = {name: value for name, value in row.values.items() if isinstance(value, Mapping) and "solution" in value}
    samples = tuple(
        RawSample(m["solution"], _after_mark(m["solution"]), correct=m.get("is_correct"), model=name)
        for name, m in made.items()
    )
    truth = row.text("ground_truth")
    return RawSamples(None, row.text("question"), _after_mark(truth), samples, solution=truth)


def _after_mark(solution: str) -> str | None:
    return solution.rpartition("\nA:")[2].strip().replace(",", "") or None if "\nA:" in solution else None


PUBLISHED: tuple[Format, ...] = (
    Format(
        "qwen2.5-math",
        frozenset({"question", "gt", "code", "pred"}),
        {
            "samples": ("code",),
            "problem": ("question",),
            "reference": ("answer", "gt"),
            "answers": ("pred",),
            "correct": ("score",),
            "scores": ("pred_score",),
            "solution": ("solution",),
            "subject": ("subject", "type"),
            "level": ("level",),
        },
        read_columns,
    ),
    Format(
        "zeroeval",
        frozenset({"session_id", "output"}),
        {
            "samples": ("output",),
            "problem": PLAIN_PLACES["problem"],
            "reference": ("answer",),
            "id": ("session_id",),
            "model": PLAIN_PLACES["model"],
        },
        _zero_eval,
    ),
    Format(
        "mathcoder",
        frozenset({"debug_result", "ground_truth"}),
        {"samples": ("debug_result",), "reference": ("ground_truth",), "answers": ("completion",), "id": ("id",)},
        _math_coder,
    ),
    Format(
        "openai-gsm8k",
        frozenset({"question", "ground_truth", "6b_finetuning"}),
        {
            "problem": ("question",),
            "reference": ("ground_truth",),
            "samples": ("6b_finetuning",),
            "answers": ("6b_verification",),
            "scores": ("175b_finetuning",),
            "correct": ("175b_verification",),
        },
        _open_ai,
    ),
)
