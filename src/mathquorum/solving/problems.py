"""Many problems from a file, each answer written as soon as it is there, so that a stopped run goes on where it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mathquorum import datasets
from mathquorum.config import build
from mathquorum.datasets.source import Source, read_source
from mathquorum.errors import DataError, RunError, SettingsError
from mathquorum.records import Problem
from mathquorum.solving.method import Solved
from mathquorum.solving.verdict import solved_json
from mathquorum.store import Appender, read_json, read_rows, write_json

__all__ = ["Standing", "answers_file", "problems_of", "solve_problems", "source_of"]

_FILE = re.compile(r"\S+\.(jsonl?|csv|tsv|parquet|ya?ml|md|txt|tex|html|py|ipynb|zip|zst|gguf|safetensors)(\.gz)?")


# --- what was given ---------------------------------------------------------------------------------------------------


def source_of(text: str) -> Source | None:
    """The problems that an argument names: a file, a folder, or DATASET:PATH. None where it is the text of a problem.

    Raises:
        SettingsError: If it looks like a file and there is none.
    """
    dataset, colon, path = text.partition(":")
    if colon and dataset in datasets.DATASETS and _exists(path):
        return build(Source, {"dataset": dataset, "path": path})
    if _exists(text):
        return build(Source, {"dataset": "jsonl", "path": text})
    if _FILE.fullmatch(text):
        raise SettingsError(f"There is no file {text!r}. Give a file of problems, or the text of a problem.")
    return None


def _exists(text: str) -> bool:
    try:
        return bool(text) and len(text) < 4096 and "\n" not in text and Path(text).exists()
    except (OSError, ValueError):  # a text that no file could be named by
        return False


def problems_of(source: Source, limit: int | None = None) -> list[Problem]:
    """The problems, in order.

    Raises:
        DataError: If the file holds none, or is not read as problems.
    """
    problems = list(read_source(source, 0).problems)[:limit]
    if not problems:
        raise DataError(f"{source.path} holds no problem. Known layouts: docs/datasets.md.")
    return problems


# --- answers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How far a file of problems is.

    Attributes:
        num_problems: In the file.
        num_done: That have been through, earlier runs included.
        num_answered: That have an answer.
        num_tied: Whose vote was a tie.
        num_graded: Answered or not, with a reference.
        num_correct: Of these.
    """

    num_problems: int
    num_done: int = 0
    num_answered: int = 0
    num_tied: int = 0
    num_graded: int = 0
    num_correct: int = 0

    def after(self, row: dict[str, Any]) -> Standing:
        """With one more problem's row of the answers."""
        return Standing(
            self.num_problems,
            self.num_done + 1,
            self.num_answered + (row.get("answer") is not None),
            self.num_tied + (row.get("num_tied", 0) > 1),
            self.num_graded + (row.get("reference") is not None),
            self.num_correct + (row.get("correct") is True),
        )

    def words(self) -> str:
        """A line for the end."""
        graded = f", {self.num_correct} of {self.num_graded} correct" if self.num_graded else ""
        tied = f", {self.num_tied} by a tie" if self.num_tied else ""
        none = self.num_done - self.num_answered
        return f"{self.num_done} problems: {self.num_answered} answered{tied}, {none} without an answer{graded}."


def answers_file(source: Source) -> Path:
    """Where answers go that nobody gave a place: NAME.solved.jsonl, where the command is run."""
    from mathquorum.datasets.tables import stem_of

    return Path(f"{stem_of(source.path or Path(source.dataset))}.solved.jsonl")


def solve_problems(
    problems: Sequence[Problem],
    answer: Callable[[Problem], Solved],
    strategy: str,
    out: Path,
    settings: dict[str, Any],
) -> Iterator[tuple[Standing, dict[str, Any] | None]]:
    """Answers what has no answer in `out` yet, and appends a line for each. `out` has its settings beside it: OUT.settings.json.

    Yields:
        How far it is, and the line that was written; first the standing at the beginning, without a line.

    Raises:
        RunError: If `out` was made with other settings or other problems.
    """
    done = _rows_there(out, settings)
    known = {problem.id: problem for problem in problems}
    foreign = [row for row in done if getattr(known.get(row["problem_id"]), "text", None) != row["problem"]]
    if foreign:
        raise RunError(
            f"{out} has answers to other problems (first: {foreign[0]['problem_id']!r}). Give another --out, or delete it."
        )
    standing = Standing(len(problems))
    for row in done:
        standing = standing.after(row)
    yield standing, None
    answered = {row["problem_id"] for row in done}
    with Appender(out) as file:
        for problem in problems:
            if problem.id not in answered:
                row = _row(problem, answer(problem), strategy)
                file.append_rows([row])
                standing = standing.after(row)
                yield standing, row


def _row(problem: Problem, solved: Solved, strategy: str) -> dict[str, Any]:
    correct = None if problem.answer is None else bool(solved.chosen and solved.chosen.correct)
    known = {"problem_id": problem.id, "problem": problem.text, "reference": problem.answer}
    return {**known, "correct": correct, **solved_json(solved, strategy)}


def _rows_there(out: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    beside = out.with_name(out.name + ".settings.json")
    if not out.exists() or out.stat().st_size == 0:
        write_json(beside, settings)
        return []
    before = read_json(beside) if beside.exists() else None
    if before != settings:
        held = before if isinstance(before, dict) else {}
        names = [name for name in {**held, **settings} if held.get(name) != settings.get(name)]
        raise RunError(f"{out} was made with other settings ({', '.join(names)}). Give another --out, or delete it.")
    Appender(out).__exit__(None, None, None)  # a last line that was cut off is removed
    rows = []
    for number, row in read_rows(out):
        if not isinstance(row.get("problem_id"), str) or not isinstance(row.get("problem"), str):
            raise RunError(f"{out}, line {number}: is no line of answers. Give another --out, or delete it.")
        rows.append(row)
    return rows
