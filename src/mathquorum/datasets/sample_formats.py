"""How other systems write down many solutions per problem. One function per format: a row in, `RawSamples` out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mathquorum.datasets.hendrycks_math import read_level
from mathquorum.datasets.tables import Row
from mathquorum.errors import DataError

__all__ = ["FORMATS", "Format", "RawSample", "RawSamples", "find_format"]


@dataclass(frozen=True, slots=True)
class RawSample:
    """One solution as the file has it: its text, the answer that its maker extracted, its score or step scores."""

    text: str
    answer: str | None = None
    scores: tuple[float, ...] = ()
    label: bool | None = None
    finished: bool = True
    num_tokens: int | None = None
    logprob: float | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class RawSamples:
    """The problem and its solutions as the file has them."""

    id: str | None
    problem: str | None
    reference: str | None
    samples: tuple[RawSample, ...]
    solution: str | None = None
    subject: str | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """A format is recognised by columns that must be there."""

    name: str
    columns: frozenset[str]
    read: Callable[[Row], RawSamples]


_TEXTS = ("samples", "completions", "candidates", "responses", "outputs", "generations")
_IDS = ("problem_id", "id", "unique_id", "idx")
_PROBLEMS = ("problem", "question", "prompt")
_REFERENCES = ("gold_answer", "expected_answer", "ground_truth", "reference", "answer", "gold", "target")


def find_format(row: Row) -> Format:
    """The format of a row.

    Raises:
        DataError: If it is none of the known ones, naming the columns that are there.
    """
    for known in FORMATS:
        if known.columns <= row.values.keys():
            return known
    if any(name in row.values for name in _TEXTS):
        return Format("plain", frozenset(), _plain)
    raise DataError(
        f"{row.place}: cannot tell which column holds the solutions. It must be a list called one of "
        f"{', '.join(_TEXTS)}. Columns there: {', '.join(row.values) or 'none'}."
    )


# --- the formats -----------------------------------------------------------------------------------------------------


def _plain(row: Row) -> RawSamples:
    """{"id", "problem", "answer", "samples": [texts or objects]}, with "scores" beside or within; also the shared pools'
    {"problem_id", "gold_answer", "candidates"} and search-and-learn's {"completions", "scores"}."""
    values = row.values
    column = next(name for name in _TEXTS if name in values)
    entries = values[column]
    if not isinstance(entries, list):
        raise DataError(f"{row.place}: field {column!r} must be a list of solutions. Got {entries!r:.60} instead.")
    beside = _beside(row, "scores", len(entries))
    answers = _beside(row, "answers", len(entries)) if "answers" in values else [None] * len(entries)
    samples = tuple(
        _entry(entry, score, answer, f"{row.place}, {column} entry {number}")
        for number, (entry, score, answer) in enumerate(zip(entries, beside, answers, strict=True), start=1)
    )
    unique = _first(values, _IDS)
    return RawSamples(
        id=None if unique is None else str(unique),
        problem=_text(_first(values, _PROBLEMS)),
        reference=_text(_first(values, _REFERENCES)),
        samples=samples,
        solution=_text(values.get("solution")),
        subject=_text(values.get("subject")),
        level=read_level(values.get("level")),
    )


def _entry(entry: Any, score: Any, answer: Any, place: str) -> RawSample:
    if isinstance(entry, str):
        return RawSample(entry, _text(answer), _scores(score, place))
    text = _first(entry, ("text", "completion", "generation", "solution", "response")) if _is_object(entry) else None
    if not isinstance(text, str):
        raise DataError(f"{place}: must be a text, or an object with a 'text'. Got {entry!r:.60} instead.")
    label = _first(entry, ("upstream_correct", "correct", "is_correct"))
    return RawSample(
        text=text,
        answer=_text(_first(entry, ("answer", "predicted_answer", "pred"))),
        scores=_scores(_first(entry, ("score", "scores", "reward")) if score is None else score, place),
        label=label if isinstance(label, bool) else None,
        finished=entry.get("finish_reason") != "length",
    )


def _qwen(row: Row) -> RawSamples:
    """The evaluation scripts of Qwen2.5-Math, ToRA and Rho: lists `code` (texts), `pred`, `score` (labels), and from a
    reward model `pred_score`."""
    values = row.values
    texts = values["code"]
    preds, labels = _beside(row, "pred", len(texts)), _beside(row, "score", len(texts))
    rewards = _beside(row, "pred_score", len(texts))
    samples = tuple(
        RawSample(str(text), _text(pred), _scores(reward, row.place), label if isinstance(label, bool) else None)
        for text, pred, label, reward in zip(texts, preds, labels, rewards, strict=True)
    )
    return RawSamples(
        id=None,
        problem=row.text("question"),
        reference=_text(values.get("answer")) or _text(values["gt"]),
        samples=samples,
        solution=_text(values.get("solution")),
        subject=_text(values.get("subject") or values.get("type")),
        level=read_level(values.get("level")),
    )


def _zero_eval(row: Row) -> RawSamples:
    """ZeroEval: one model's `output` list per problem, a JSON-like text with an "answer" field."""
    outputs = row.values["output"]
    if not isinstance(outputs, list):
        raise DataError(f"{row.place}: field 'output' must be a list of texts. Got {outputs!r:.60} instead.")
    samples = tuple(RawSample(str(text), _json_answer(str(text))) for text in outputs)
    problem = _text(_first(row.values, _PROBLEMS))
    return RawSamples(str(row.values["session_id"]), problem, _text(row.values.get("answer")), samples)


def _json_answer(text: str) -> str | None:
    """The "answer" field of a text that is meant to be JSON but often is not quite."""
    found = re.findall(r'"answer"\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}"]+)', text)
    return found[-1].strip('"').strip() or None if found else None


def _math_coder(row: Row) -> RawSamples:
    """MathCoder: the pieces of one solution (text, code and its output) in `debug_result` after the question."""
    values = row.values
    pieces = [p for p in values["debug_result"] if _is_object(p) and p.get("role") not in ("system", "user")]
    answer, truth = _text(values.get("completion")), values["ground_truth"]
    contents = [str(piece.get("content", "")) for piece in pieces]
    if len(contents) > 1 and contents[-1].strip() == (answer or ""):
        contents.pop()  # the last piece repeats the extracted answer
    asked = [p for p in values["debug_result"] if _is_object(p) and p.get("role") == "user"]
    return RawSamples(
        id=str(values.get("id")),
        problem=str(asked[0].get("content")) if asked else None,
        reference=_text(truth.get("answer")) if _is_object(truth) else _text(truth),
        samples=(RawSample("\n".join(contents), answer),),
        solution=_text(truth.get("solution")) if _is_object(truth) else None,
    )


def _nemo(row: Row) -> RawSamples:
    """NeMo-Skills: one `generation` per line; output-rs0.jsonl, output-rs1.jsonl, ... hold the samples of one problem."""
    values = row.values
    label = _first(values, ("symbolic_correct", "is_correct"))
    tokens = values.get("num_generated_tokens")
    sample = RawSample(
        text=str(values["generation"]),
        answer=_text(values.get("predicted_answer")),
        label=label if isinstance(label, bool) else None,
        num_tokens=tokens if isinstance(tokens, int) else None,
        finished=values.get("finish_reason") != "length",
    )
    return RawSamples(
        id=_text(_first(values, ("unique_id", "problem_id", "id"))),
        problem=_text(_first(values, _PROBLEMS)),
        reference=_text(_first(values, ("expected_answer", "answer"))),
        samples=(sample,),
        solution=_text(_first(values, ("reference_solution", "solution"))),
        subject=_text(_first(values, ("subject", "type"))),
        level=read_level(values.get("level")),
    )


def _open_ai(row: Row) -> RawSamples:
    """OpenAI's example_model_solutions.jsonl for GSM8K: one object per model, answers after "A:"."""
    made = [value for value in row.values.values() if _is_object(value) and "solution" in value]
    samples = tuple(RawSample(m["solution"], _after_mark(m["solution"]), label=m.get("is_correct")) for m in made)
    truth = row.text("ground_truth")
    return RawSamples(None, row.text("question"), _after_mark(truth), samples, solution=truth)


def _after_mark(solution: str) -> str | None:
    return solution.rpartition("\nA:")[2].strip().replace(",", "") or None if "\nA:" in solution else None


FORMATS: tuple[Format, ...] = (
    Format("qwen2.5-math", frozenset({"question", "gt", "code", "pred"}), _qwen),
    Format("zeroeval", frozenset({"session_id", "output"}), _zero_eval),
    Format("mathcoder", frozenset({"debug_result", "ground_truth"}), _math_coder),
    Format("nemo-skills", frozenset({"generation"}), _nemo),
    Format("openai-gsm8k", frozenset({"question", "ground_truth", "6b_finetuning"}), _open_ai),
)


# --- values ----------------------------------------------------------------------------------------------------------


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _first(values: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value.strip() or None if value else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value)) if float(value).is_integer() else str(value)
    return None


def _beside(row: Row, column: str, count: int) -> Sequence[Any]:
    """A list of one value per solution; nothing for each when the column is not there."""
    values = row.values.get(column)
    if values is None:
        return [None] * count
    if not isinstance(values, list) or len(values) != count:
        given = f"{len(values)} values" if isinstance(values, list) else f"{values!r:.60}"
        raise DataError(
            f"{row.place}: field {column!r} must hold one value for each of {count} solutions. Got {given}."
        )
    return values


def _scores(value: Any, place: str) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise DataError(f"{place}: a score must be a number or a list of numbers. Got {value!r:.60} instead.")
    return tuple(float(v) for v in values)
