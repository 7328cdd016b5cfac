"""Your own problems: .jsonl, .jsonl.gz, .json or .parquet, with a column mapping or one of the schemas in common use.

One row of each schema that is recognised:

    math          {"problem": ..., "solution": ...[, "answer", "subject" or "type", "level", "unique_id"]}
    nemo          {"problem": ..., "expected_answer": ...}
    gsm8k         {"question": ..., "answer": "... #### 72"}, and {"question": ..., "answer": "72"[, "solution"]}
    question      {"question": ..., "solution": ...}
    metamath      {"query": ..., "response": "... The answer is: 72"}
    deepmath      {"question": ..., "final_answer": ..., "r1_solution_1": ..., "r1_solution_2": ...}
    own           {"id": ..., "text": ..., "answer": ...}   (the problems.jsonl of this library)
    labeled       {"problem_id": ..., "problem": ..., "solution": ..., "correct": true}   (its labeled.jsonl)
    verl          {"data_source": ..., "prompt": [messages], "reward_model": {"ground_truth": ...}}
    messages      {"messages": [{"role": "user", ...}, {"role": "assistant", ...}]}
    sharegpt      {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}]}
    alpaca        {"instruction": ..., "input": "", "output": ...}
    completion    {"prompt": ..., "completion": ...[, "label": true]}     texts or lists of messages
    openmathinstruct-1, -2  {"problem" or "question": ..., "generated_solution": ..., "expected_answer": ...}
    batch input   {"custom_id": ..., "body": {"messages": [...]}}         a problem without an answer
    preference    {"prompt": ..., "chosen": ..., "rejected": ...}
    steps         {"prompt": ..., "completions": [steps], "labels": [one for each]}, or problem, steps and labels: datasets/step_labels.py

A mapping goes first and names the columns: {"problem": "question", "answer": "target"}. A dot reaches into an object:
"reward_model.ground_truth".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from mathquorum.answers.equivalence import equivalent
from mathquorum.datasets.hub import is_hub_id, read_hub
from mathquorum.datasets.reading import Reading, Tally
from mathquorum.datasets.schemas import Example, Field, columns_of, detect, read_steps
from mathquorum.datasets.step_labels import SOFT_THRESHOLD
from mathquorum.datasets.suspects import without_contradictions
from mathquorum.datasets.tables import Row, columns_there, read_files, split_of, stem_of
from mathquorum.datasets.values import NO_ANSWERS, value_at
from mathquorum.errors import DataError, SettingsError, suggest
from mathquorum.records import LabeledSolution, Problem

__all__ = ["check_columns", "load", "read"]


def load(path: Path | str, split: str | None = None, columns: Mapping[str, str] | None = None) -> Iterator[Problem]:
    """The problems of any file, each once. The reference solution is the first one that is labelled correct."""
    yield from read(path, split, columns).problems


def read(
    path: Path | str,
    split: str | None = None,
    columns: Mapping[str, str] | None = None,
    soft_threshold: float = SOFT_THRESHOLD,
) -> Reading:
    """The problems and solutions of any file.

    Args:
        path: A file, a folder of files, or a hub id.
        split: With a folder, the files named after it; with a hub id, the split ("train" without one).
        columns: Which column holds what: keys are problem, answer, solution, id, subject, level. None or empty detects
            one of the schemas above from each row.
        soft_threshold: From which value on a soft label of a step is good.

    Returns:
        Problems in the order of the file. Ids are those of the file, or "train/0" by its name and the row. Rows with the
        same id, or without ids and with the same text, are one problem (the first row's) with several solutions. The tally counts rows; a row that
        adds neither a problem nor a solution is dropped and counted. A solution whose own answer contradicts the reference is
        left out; it is noted, as are rows that repeat a problem and references that contradict each other or say that there is none.

    Raises:
        DataError: If a column is not there, a problem is empty, or an id stands for two different problems.
        SettingsError: If `columns` maps something that is not a field of a problem.
    """
    check_columns(columns or {})
    problems: dict[str, Problem] = {}
    solutions: dict[tuple[str, str, bool], LabeledSolution] = {}
    dropped: Counter[str] = Counter()
    noted: Counter[str] = Counter()
    count = 0
    for name, rows in _sources(path, split):
        for row in rows:
            count += 1
            size = len(problems) + len(solutions)
            example = _example(row, columns, soft_threshold)
            noted[NO_REFERENCE] += _says_none(row, columns)
            known = len(problems)
            problem = problems.setdefault(example.id or example.problem, _problem(row, example, name))
            noted[REPEATED] += len(problems) == known
            if problem.text != example.problem:
                raise DataError(f"{row.place}: id {problem.id!r} already stands for another problem.")
            if problem.answer is not None and example.answer not in (None, problem.answer):
                noted[CONTRADICTING_REFERENCES] += not equivalent(str(example.answer), problem.answer)
            for labeled in example.solutions:
                key = (problem.id, labeled.text, labeled.correct)
                solutions.setdefault(
                    key,
                    LabeledSolution(
                        problem.id, problem.text, labeled.text, labeled.correct, None, labeled.steps, labeled.ratings
                    ),
                )
            if len(problems) + len(solutions) == size:
                dropped["same row twice"] += 1
    tally = Tally("rows", count, count - dropped.total(), dict(dropped), {k: n for k, n in noted.items() if n})
    return without_contradictions(Reading(tuple(problems.values()), tuple(solutions.values()), tally))


REPEATED = "rows about a problem of an earlier row"
NO_REFERENCE = "references that say there is none (proof, notfound)"
CONTRADICTING_REFERENCES = "rows whose reference contradicts an earlier one of the same problem, which is used"


def _says_none(row: Row, columns: Mapping[str, str] | None) -> bool:
    names = [columns["answer"]] if columns and "answer" in columns else ["answer", "expected_answer", "final_answer"]
    found = [value_at(row.values, name) for name in names]
    return any(isinstance(value, str) and value.strip().lower() in NO_ANSWERS for value in found)


def check_columns(columns: Mapping[str, str]) -> None:
    """Raises:
    SettingsError: If the mapping names an unknown field, or none for the problem.
    """
    for name in columns:
        if name not in get_args(Field):
            raise SettingsError(f"columns: unknown field {name!r}. {suggest(name, get_args(Field))}")
    if columns and "problem" not in columns:
        raise SettingsError(f"columns must say which column holds the problem. Got {dict(columns)!r} instead.")


def _sources(path: Path | str, split: str | None) -> Iterator[tuple[str, Iterator[Row]]]:
    if is_hub_id(path):
        yield str(path), read_hub(str(path), split or "train")
        return
    for file, rows in read_files(Path(path), split if Path(path).is_dir() else None):
        yield (split_of(file) if Path(path).is_dir() else stem_of(file)), rows


def _problem(row: Row, example: Example, name: str) -> Problem:
    return Problem(
        id=example.id or f"{name}/{row.number}",
        text=example.problem,
        answer=example.answer,
        solution=next((s.text for s in example.solutions if s.correct), None),
        subject=example.subject,
        level=example.level,
    )


def _example(row: Row, columns: Mapping[str, str] | None, soft_threshold: float) -> Example:
    if not columns:
        schema = detect(row)
        return read_steps(row, soft_threshold) if schema.name == "steps" else schema.read(row)
    for wanted, column in columns.items():
        if value_at(row.values, column) is None and column.partition(".")[0] not in row.values:
            raise DataError(
                f"{row.place}: there is no column {column!r} (for {wanted}). {columns_there(row.values, column)} "
                "Set columns to say which column holds what."
            )
    return columns_of(row, columns)
