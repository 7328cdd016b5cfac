"""The schemas of problem files in common use, and how a row of each is read. `datasets.jsonl` lists one row of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from mathquorum.answers.extract import extract_answer
from mathquorum.datasets import gsm8k, hendrycks_math
from mathquorum.datasets.hendrycks_math import math_id, read_level
from mathquorum.datasets.reading import step_lines
from mathquorum.datasets.step_labels import SOFT_THRESHOLD, read_ratings
from mathquorum.datasets.tables import Row, columns_there
from mathquorum.datasets.values import NO_ANSWERS, answer_text, is_missing, value_at
from mathquorum.errors import DataError
from mathquorum.records import LabeledSolution
from mathquorum.store import from_row

__all__ = ["SCHEMAS", "Example", "Field", "Labeled", "Schema", "columns_of", "detect", "read_steps"]

Field = Literal["problem", "answer", "solution", "id", "subject", "level"]


@dataclass(frozen=True, slots=True)
class Labeled:
    """One solution of a row, with its label and, where the row has them, its rated steps."""

    text: str
    correct: bool = True
    steps: tuple[str, ...] = ()
    ratings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """What a row says of its problem."""

    problem: str
    answer: str | None = None
    solutions: tuple[Labeled, ...] = ()
    id: str | None = None
    subject: str | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema is recognised by the columns that must be there; the first that fits is taken."""

    name: str
    columns: frozenset[str]
    read: Callable[[Row], Example]


def detect(row: Row) -> Schema:
    """The schema of a row.

    Raises:
        DataError: If it is none of the known ones, naming the columns that are there.
    """
    for schema in SCHEMAS:
        if schema.columns <= row.values.keys():
            return schema
    raise DataError(
        f"{row.place}: cannot tell which column holds the problem. {columns_there(row.values, 'problem')} "
        "Set columns to say which column holds what: {problem: NAME, answer: NAME, solution: NAME}. "
        f"Known layouts: {', '.join(dict.fromkeys(schema.name for schema in SCHEMAS))} (docs/datasets.md)."
    )


# --- reading by column names -----------------------------------------------------------------------------------------


def columns_of(row: Row, columns: Mapping[str, str]) -> Example:
    """The example of a row whose columns are named."""
    found = {name: value_at(row.values, column) for name, column in columns.items()}
    problem = _plain(found["problem"], row, columns["problem"])
    if problem is None:
        raise DataError(f"{row.place}: field {columns['problem']!r} must be a text that is not empty.")
    solution = _plain(found.get("solution"), row, columns.get("solution", ""))
    given = found.get("answer")
    if isinstance(given, list) and given and all(isinstance(turn, Mapping) for turn in given):
        given = _message(given[-1], row, columns["answer"])
    answer = answer_text(given, row.place, columns.get("answer", ""))
    if answer is not None and answer.lower() in NO_ANSWERS:
        answer = None
    if answer is not None and "####" in answer and solution is None:
        solution = answer
    if solution is not None and "####" in solution and "<<" in solution:
        solution = gsm8k.read_solution(solution)
    if answer is None or "####" in answer:
        answer = extract_answer(solution) if solution is not None else None
    name = _plain(found.get("id"), row, columns.get("id", ""))
    return Example(
        problem=problem,
        answer=answer,
        solutions=() if solution is None else (Labeled(solution),),
        id=math_id(name) if name is not None and name.endswith(".json") else name,
        subject=found["subject"] if isinstance(found.get("subject"), str) else None,
        level=read_level(found.get("level")),
    )


def _plain(value: Any, row: Row, column: str) -> str | None:
    """A text, a number written as a text, or the text of messages; None for nothing and for white space."""
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None:
        return None
    if is_missing(value) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return answer_text(value, row.place, column)
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value) and len(value) == 1:
        return _plain(value[0], row, column)
    if isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        return _plain(_message(value[-1], row, column), row, column)
    raise DataError(f"{row.place}: field {column!r} must be a text. Got {value!r:.60} instead.")


def _message(message: Mapping[str, Any], row: Row, column: str) -> Any:
    content = message.get("content", message.get("value"))
    if isinstance(content, list):  # parts, as in [{"type": "text", "text": "..."}]
        content = "".join(str(part.get("text", part.get("content", ""))) for part in content)
    if not isinstance(content, str):
        raise DataError(f"{row.place}: field {column!r} must hold messages with a text 'content'.")
    return content


# --- the schemas -----------------------------------------------------------------------------------------------------


def _named(**columns: str) -> Callable[[Row], Example]:
    return lambda row: columns_of(row, columns)


def _hendrycks_math(row: Row) -> Example:
    problem = hendrycks_math.read_row(row, "unknown")
    known = problem.id if "unique_id" in row.values else _plain(row.values.get("id"), row, "id")
    solutions = (Labeled(problem.solution),) if problem.solution else ()
    return Example(problem.text, problem.answer, solutions, known, problem.subject, problem.level)


def _problem(row: Row) -> Example:
    subject = "subject" if "subject" in row.values else "type"
    name = "unique_id" if "unique_id" in row.values else "id"
    same = {column: column for column in ("problem", "answer", "solution", "level")}
    return columns_of(row, {**same, "subject": subject, "id": name})


_QUESTION = _named(problem="question", **{n: n for n in ("answer", "solution", "id", "subject", "level")})
_REFERENCES = ("expected_answer", "ground_truth", "gold_answer", "reference_answer", "final_answer", "answer")
_SPEAKERS = {"human": "user", "gpt": "assistant", "model": "assistant"}


def _messages(column: str, speaker: str) -> Callable[[Row], Example]:
    ask, reply = "user", "assistant"

    def read(row: Row) -> Example:
        turns = row.values[column]
        if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
            raise DataError(f"{row.place}: field {column!r} must be a list of messages.")
        names = [str(turn.get(speaker)) for turn in turns]
        said = {_SPEAKERS.get(n, n): t for n, t in reversed(list(zip(names, turns, strict=True)))}  # the first of each
        if ask not in said:
            raise DataError(f"{row.place}: field {column!r} has no message from {ask!r}.")
        values: dict[str, Any] = {"problem": [said[ask]], "solution": [said[reply]] if reply in said else None}
        reference = next((name for name in _REFERENCES if name in row.values), None)
        columns = {"problem": "problem", "solution": "solution"}
        if reference is not None and reply in said:
            columns["answer"] = reference
        elif reference == "answer" and isinstance(row.values["answer"], str):  # AceMath: the reply stands in `answer`
            values["solution"] = row.values["answer"]
        return columns_of(Row(row.place, row.number, {**row.values, **values}), columns)

    return read


def _labeled(row: Row) -> Example:
    record = from_row(LabeledSolution, row.values, row.place)
    answer = extract_answer(record.solution) if record.correct else None
    labeled = Labeled(record.solution, record.correct, record.steps, record.ratings)
    return Example(record.problem, answer, (labeled,), record.problem_id)


def _alpaca(row: Row) -> Example:
    more = row.values.get("input") or ""
    problem = f"{row.text('instruction')}\n{more}" if str(more).strip() else row.text("instruction")
    return Example(problem, extract_answer(row.text("output")), (Labeled(row.text("output")),))


def _completion(row: Row) -> Example:
    example = columns_of(row, {"problem": "prompt", "solution": "completion"})
    label = row.values.get("label", True)
    if not isinstance(label, bool):
        raise DataError(f"{row.place}: field 'label' must be true or false. Got {label!r:.60} instead.")
    if label:
        return example
    return Example(example.problem, None, tuple(Labeled(s.text, correct=False) for s in example.solutions))


def _preference(row: Row) -> Example:
    chosen = columns_of(row, {"problem": "prompt", "solution": "chosen"})
    rejected = columns_of(row, {"problem": "prompt", "solution": "rejected"})
    wrong = tuple(Labeled(s.text, correct=False) for s in rejected.solutions)
    return Example(chosen.problem, chosen.answer, chosen.solutions + wrong)


def read_steps(row: Row, soft_threshold: float = SOFT_THRESHOLD) -> Example:
    column = "prompt" if "prompt" in row.values else "problem"
    listed = "completions" if "completions" in row.values else "steps"
    asked = columns_of(row, {"problem": column, "answer": "answer"})
    texts, labels = row.values[listed], row.values["labels"]
    if not isinstance(texts, list) or not isinstance(labels, list) or len(texts) != len(labels) or not texts:
        raise DataError(f"{row.place}: fields {listed!r} and 'labels' must be lists of the same length, not empty.")
    steps = step_lines([str(text) for text in texts])
    ratings = read_ratings(labels, row.place, soft_threshold)
    return replace(asked, solutions=(Labeled("".join(steps), all(r >= 0 for r in ratings), steps, ratings),))


def _generated(problem: str) -> Callable[[Row], Example]:
    """OpenMathInstruct: one generated solution per row, which its maker may have found wrong."""

    def read(row: Row) -> Example:
        answer = next((name for name in ("expected_answer", "answer") if name in row.values), "")
        example = columns_of(row, {"problem": problem, "answer": answer, "solution": "generated_solution"})
        if row.values.get("is_correct") is not False:
            return example
        return replace(example, solutions=tuple(Labeled(s.text, correct=False) for s in example.solutions))

    return read


def _deepmath(row: Row) -> Example:
    """DeepMath: one question with the solutions r1_solution_1, r1_solution_2, ..."""
    example = _QUESTION(Row(row.place, row.number, {**row.values, "answer": row.values["final_answer"]}))
    written = [row.values[name] for name in sorted(row.values) if name.startswith("r1_solution_")]
    texts = dict.fromkeys(text for text in written if isinstance(text, str) and text.strip())
    return replace(example, solutions=(*example.solutions, *map(Labeled, texts)))


def _batch_input(row: Row) -> Example:
    """A request of OpenAI's or vLLM's batch: its problem alone, so that outputs can be joined with it by custom_id."""
    asked = "body.messages" if value_at(row.values, "body.messages") is not None else "body.prompt"
    return columns_of(row, {"problem": asked, "id": "custom_id", "answer": "answer"})


def _schema(name: str, columns: str, read: Callable[[Row], Example]) -> Schema:
    return Schema(name, frozenset(columns.split()), read)


SCHEMAS: tuple[Schema, ...] = (
    _schema("labeled", "problem_id problem solution correct", _labeled),
    _schema(
        "openmathinstruct-2",
        "problem generated_solution",
        _generated("problem"),
    ),
    _schema("openmathinstruct-1", "question generated_solution", _generated("question")),
    _schema("steps", "problem steps labels", read_steps),
    _schema("batch input", "custom_id body", _batch_input),
    _schema(
        "nemo", "problem expected_answer", _named(problem="problem", answer="expected_answer", solution="solution")
    ),
    _schema("math", "problem solution level", _hendrycks_math),
    _schema("problem", "problem", _problem),
    _schema(
        "own", "id text", _named(problem="text", **{n: n for n in ("id", "answer", "solution", "subject", "level")})
    ),
    _schema("gsm8k", "question answer", _QUESTION),
    _schema("question", "question solution", _QUESTION),
    _schema("deepmath", "question final_answer", _deepmath),
    _schema("metamath", "query response", _named(problem="query", solution="response")),
    _schema("verl", "data_source prompt reward_model", _named(problem="prompt", answer="reward_model.ground_truth")),
    _schema("preference", "prompt chosen rejected", _preference),
    _schema("steps", "prompt completions labels", read_steps),
    _schema("completion", "prompt completion", _completion),
    _schema("messages", "messages", _messages("messages", "role")),
    _schema("sharegpt", "conversations", _messages("conversations", "from")),
    _schema("alpaca", "instruction output", _alpaca),
)
