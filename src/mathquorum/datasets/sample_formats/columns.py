"""The general reader: a row whose columns are known, by their usual names or by the user's mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mathquorum.answers.extract import extract_answer
from mathquorum.datasets.hendrycks_math import last_box, read_level
from mathquorum.datasets.sample_formats.raw import Columns, Format, RawSample, RawSamples, Role
from mathquorum.datasets.sample_formats.solutions import (
    asked,
    ended,
    is_messages,
    read_scores,
    solutions,
    spread,
    unpacked,
)
from mathquorum.datasets.tables import Row
from mathquorum.datasets.values import answer_text, message_text, number, value_at
from mathquorum.errors import DataError

__all__ = [
    "PLAIN",
    "PLAIN_PLACES",
    "SAMPLES",
    "check_solutions",
    "numbered_columns",
    "problem_text",
    "read_columns",
    "reference_text",
    "without",
]

SAMPLES = (
    "samples", "completions", "candidates", "responses", "outputs", "generations", "predictions", "model_outputs",
    "model_responses", "generated_solutions", "generated_responses", "generated_texts", "rollouts", "resps", "solutions",
    "response", "output", "generation", "completion", "generated_solution", "generated_text", "generated_response", "model_output",
    "model_response", "model_solution", "prediction", "model_generation", "candidate", "sample",
)  # fmt: skip

PLAIN_PLACES: Mapping[Role, tuple[str, ...]] = {
    "samples": SAMPLES,
    "problem": ("problem", "question", "prompt", "instruction", "query", "problem_text", "input", "messages"),
    "reference": (
        "gold_answer", "expected_answer", "ground_truth", "reference_answer", "correct_answer", "gt_answer", "reward_model.ground_truth",
        "reference", "gold", "target", "gt", "gts", "label_answer", "final_answer", "answer",
    ),
    "answers": (
        "answers", "predicted_answers", "extracted_answers", "preds", "predicted_answer", "extracted_answer", "model_answer",
        "parsed_answer", "pred", "answer",
    ),
    "id": ("problem_id", "question_id", "id", "unique_id", "idx", "uid", "doc_id", "custom_id", "task_id", "index"),
    "scores": ("scores", "prm_scores", "rm_scores", "verifier_scores", "prm_score", "rm_score", "verifier_score"),
    "correct": ("is_correct", "correct", "symbolic_correct"),
    "model": ("model", "model_name", "generator", "models"),
    "finished": ("finish_reason", "finish_reasons", "stop_reason", "finished"),
    "tokens": ("num_generated_tokens", "num_tokens"),
    "logprob": ("logprob", "cumulative_logprob", "logprobs"),
    "solution": ("solution", "reference_solution"),
    "subject": ("subject", "type"),
    "level": ("level",),
}  # fmt: skip


def read_columns(row: Row, columns: Columns) -> RawSamples:
    """The problem and solutions of a row. Without a column of solutions, the answers in it are solutions without a text.

    Raises:
        DataError: If a column holds something else than its role asks for.
    """
    held: dict[Role, Any] = {role: value_at(row.values, column) for role, column in columns.items()}
    if "samples" in columns:
        found = solutions(held["samples"], f"{row.place}, {columns['samples']}")
    else:
        found = [RawSample("") for _ in _as_list(held["answers"])] if "answers" in columns else []
    unique = held.get("id")
    reference = reference_text(held.get("reference"), row.place, columns.get("reference", ""))
    return RawSamples(
        id=None if unique is None else str(unique),
        problem=problem_text(held.get("problem")),
        reference=reference,
        samples=_completed(found, held, columns, row),
        solution=message_text(held.get("solution")),
        subject=message_text(held.get("subject")),
        level=read_level(held.get("level")),
    )


def without(columns: Columns, *roles: Role) -> Columns:
    """The columns of the other roles, where a format reads these itself."""
    return {role: column for role, column in columns.items() if role not in roles}


def _as_list(value: Any) -> list[Any]:
    value = unpacked(value)
    return value if isinstance(value, list) else [value]


def _completed(found: list[RawSample], held: Mapping[Role, Any], columns: Columns, row: Row) -> tuple[RawSample, ...]:
    """The solutions with what stands in lists beside them; what a solution says of itself stays where there is no list."""
    listed = isinstance(unpacked(held.get("samples", held.get("answers"))), list)
    beside: dict[Role, Sequence[Any]] = {}
    for role in (*_BESIDE, "model") if found else ():
        value = held.get(role)
        values = None if value is None else spread(value, len(found), listed, shared=role in ("model", "finished"))
        if values is not None:
            beside[role] = values
        elif value is not None and _must_fit(role, value):
            given = f"{len(value)} values" if isinstance(value, list) else f"{value!r:.60}"
            raise DataError(
                f"{row.place}: field {columns[role]!r} must hold one value for each of {len(found)} solutions. Got {given}."
            )
    if not beside:
        return tuple(found)
    completed = []
    for index, sample in enumerate(found):
        changes: dict[str, Any] = {}
        for role, values in beside.items():
            name, value = _read_beside(role, values[index], f"{row.place}, {columns[role]} entry {index + 1}")
            if value is not None:
                changes[name] = value
        completed.append(replace(sample, **changes) if changes else sample)
    return tuple(completed)


def _must_fit(role: Role, value: Any) -> bool:
    """Whether a value that does not fit beside the solutions is a fault of the file, and not of another subject."""
    return role == "scores" or (role == "answers" and isinstance(value, list))


_BESIDE: tuple[Role, ...] = ("answers", "scores", "correct", "finished", "tokens", "logprob")


def _read_beside(role: Role, value: Any, place: str) -> tuple[str, Any]:
    """The field of a solution that a value of this role fills, and with what."""
    match role:
        case "answers":
            return "answer", answer_text(value, place, "answers")
        case "scores":
            return "scores", read_scores(value, place)
        case "correct":
            return "correct", value if isinstance(value, bool) else None
        case "finished":
            return "finished", ended(value)
        case "tokens":
            return "num_tokens", value if type(value) is int else None
        case "logprob":
            return "logprob", number(value)
        case _:
            return "model", value if isinstance(value, str) else None


def problem_text(value: Any) -> str | None:
    """A problem as a text, or as what was asked in messages."""
    value = unpacked(value) if isinstance(value, str) and value.startswith("[{") else value
    if is_messages(value):
        return asked(value)
    return message_text(value)


def reference_text(value: Any, place: str, column: str) -> str | None:
    r"""A reference answer, alone or at the end of a solution: after "####", or in the last \boxed.

    Raises:
        DataError: If it is no answer, or several.
    """
    if isinstance(value, Mapping):
        value = next(
            (value[name] for name in ("answer", "ground_truth", "final_answer") if value.get(name) is not None), value
        )
    answer = answer_text(value, place, column)
    if answer is None:
        return None
    if "####" in answer:
        return answer.rpartition("####")[2].strip().replace(",", "") or None
    if "boxed" in answer:
        return last_box(answer) or extract_answer(answer)
    return answer


# --- columns that are numbered ---------------------------------------------------------------------------------------

_NUMBERED = re.compile(r"(?P<stem>[a-z_]+?)[ _\-]?(?P<number>\d{1,4})", re.IGNORECASE)


def numbered_columns(row: Row) -> tuple[Row, str | None]:
    """The row with columns like response_1 to response_4 as one list, and the name that it has there ("response_1..4")."""
    stems: dict[str, list[tuple[int, str]]] = {}
    for name in row.values:
        match = _NUMBERED.fullmatch(name)
        if match and match["stem"].lower().rstrip("s") in _SINGULAR:
            stems.setdefault(match["stem"], []).append((int(match["number"]), name))
    if not stems:
        return row, None
    most = max(map(len, stems.values()))
    numbered = sorted(next(names for names in stems.values() if len(names) == most))
    names = [name for _, name in numbered]
    values = [row.values[name] for name in names if row.values[name] is not None]
    joined = f"{names[0]}..{numbered[-1][0]}"
    rest = {name: value for name, value in row.values.items() if name not in names}
    return Row(row.place, row.number, {**rest, joined: values}), joined


_SINGULAR = frozenset(name.rstrip("s") for name in SAMPLES)

PLAIN = Format("columns", frozenset(), PLAIN_PLACES, read_columns)


def check_solutions(row: Row, columns: Columns, layouts: Sequence[str]) -> None:
    """Raises:
    DataError: If nothing in a row can hold solutions, naming its columns and the known layouts.
    """
    if "samples" not in columns and "answers" not in columns:
        raise DataError(
            f"{row.place}: cannot tell which column holds the solutions. It must be a list, or one text per row, called for example "
            f"{', '.join(SAMPLES[:6])}; or say which: --columns problem=NAME,reference=NAME,samples=NAME. "
            f"Columns there: {', '.join(row.values) or 'none'}. Known layouts: {', '.join(layouts)} (docs/datasets.md)."
        )
