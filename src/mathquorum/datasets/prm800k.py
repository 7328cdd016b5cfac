r"""PRM800K (Lightman et al. 2023, arXiv 2305.20050): solutions to MATH problems, every step rated by a person.

One row, shortened (phase 1; "How many seconds are in 7.8 minutes?"):

    {"labeler": "e90a...", "is_quality_control_question": false, "is_initial_screening_question": false,
     "question": {"problem": "How many seconds are in 7.8 minutes?", "ground_truth_answer": "468"},
     "label": {"finish_reason": "solution", "steps": [
       {"completions": [{"text": "7.8 minutes is the same as 7 minutes and 0.8 minutes.", "rating": 1}],
        "human_completion": null, "chosen_completion": 0}, ...,
       {"completions": [{"text": "Right. Let's check our work. ...", "rating": 0},
                        {"text": "Exactly.\n\n# Answer\n\n468", "rating": 1}],
        "human_completion": null, "chosen_completion": 1}]}}

A solution is the path of the chosen completions, or of what a person wrote where none was good enough. It counts as
correct when the path ends in an "# Answer" that is equivalent to the ground truth. That heading becomes the sentence
"The answer is $\boxed{468}$.", so that solutions end as those of MATH do and `extract_answer` finds the answer.
Steps are joined by line breaks.

A wrong solution is such a path up to some step, with a completion in its place that was rated -1: it stops at its
first bad step, as the ratings do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from mathquorum.answers.equivalence import matches_reference
from mathquorum.answers.extract import extract_answer
from mathquorum.config import Settings
from mathquorum.datasets.contamination import text_fingerprint
from mathquorum.datasets.reading import Reading, Tally, step_lines
from mathquorum.datasets.tables import Row, read_files
from mathquorum.errors import DataError
from mathquorum.records import LabeledSolution, Problem

__all__ = ["Prm800k", "load", "read"]

_HEADING = "# Answer"


class Prm800k(Settings):
    """Which solutions to take from PRM800K. The paper says only that they reach the right answer (PAPER.md section 1)."""

    neutral: Literal["keep", "drop"] = "keep"
    """Solutions on whose path a step is rated 0 (neither good nor bad): "keep" takes them, "drop" leaves them out."""

    control_questions: Literal["keep", "drop"] = "drop"
    """Records that were used to screen or check the raters."""

    max_correct: int | None = Field(default=None, ge=1)
    """Correct solutions to take per problem, the first in the file; all without a number."""

    max_wrong: int | None = Field(default=0, ge=0)
    """Solutions with a wrong last step to take per problem, the first in the file; null takes all, 0 none."""


@dataclass(frozen=True, slots=True)
class _Step:
    text: str
    rating: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A solution of one record, or why it is none."""

    steps: tuple[_Step, ...]
    correct: bool
    fault: str | None = None


def load(path: Path | str, split: str | None = None) -> Iterator[Problem]:
    """The problems of PRM800K, each once, with ids like "prm800k/0f3a5c7e9b1d2f40" made from the text."""
    yield from read(path, split).problems


def read(path: Path | str, split: str | None = None, settings: Prm800k | None = None) -> Reading:
    """The problems and solutions of native PRM800K records.

    Args:
        path: A file, or a folder of them.
        split: With a folder, the files to read: those named after it.
        settings: Which solutions to take.

    Returns:
        Problems in the order of the file, and for each record first its correct solution, then its wrong ones. The
        tally counts solutions: one per record for its path, and, unless max_wrong is 0, one per completion rated -1.

    Raises:
        DataError: If a record is not one of PRM800K.
    """
    settings = settings or Prm800k()
    problems: dict[str, Problem] = {}
    solutions: list[LabeledSolution] = []
    dropped: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    taken: Counter[tuple[str, bool]] = Counter()
    for _, rows in read_files(Path(path), split if Path(path).is_dir() else None):
        for row in rows:
            problem = _problem(row)
            problem = problems.setdefault(problem.id, problem)
            for found in _solutions(row, problem, settings):
                solution = _labeled(problem, found)
                limit = settings.max_correct if found.correct else settings.max_wrong
                fault = found.fault
                if fault is None and (problem.id, solution.solution) in seen:
                    fault = "same text twice"
                elif fault is None and limit is not None and taken[problem.id, found.correct] >= limit:
                    fault = "beyond max_correct" if found.correct else "beyond max_wrong"
                if fault is not None:
                    dropped[fault] += 1
                    continue
                seen.add((problem.id, solution.solution))
                taken[problem.id, found.correct] += 1
                solutions.append(solution)
    tally = Tally("solutions", len(solutions) + dropped.total(), len(solutions), dict(sorted(dropped.items())))
    return Reading(tuple(problems.values()), tuple(solutions), tally)


def _problem(row: Row) -> Problem:
    question = row.values.get("question")
    if not isinstance(question, Mapping) or not isinstance(question.get("problem"), str):
        columns = ", ".join(row.values)
        raise DataError(
            f"{row.place}: not a PRM800K record: 'question' must hold a 'problem'. Columns there: {columns}."
        )
    text = question["problem"]
    answer = question.get("ground_truth_answer")
    return Problem(f"prm800k/{text_fingerprint(text)}", text, answer if isinstance(answer, str) else None)


def _labeled(problem: Problem, found: _Found) -> LabeledSolution:
    steps = step_lines([step.text for step in found.steps])
    return LabeledSolution(
        problem_id=problem.id,
        problem=problem.text,
        solution="".join(steps),
        correct=found.correct,
        steps=steps,
        ratings=tuple(step.rating for step in found.steps),
    )


# --- the paths of one record -----------------------------------------------------------------------------------------


def _solutions(row: Row, problem: Problem, settings: Prm800k) -> Iterator[_Found]:
    """The path of a record, and every completion rated -1 at the end of the path that leads to it."""
    control = row.values.get("is_quality_control_question") or row.values.get("is_initial_screening_question")
    if control and settings.control_questions == "drop":
        yield _Found((), True, "control question")
        return
    label = row.values.get("label")
    if not isinstance(label, Mapping) or not isinstance(label.get("steps"), list):
        raise DataError(f"{row.place}: not a PRM800K record: 'label' must hold a list 'steps'.")
    path: tuple[_Step, ...] = ()
    wrong: list[_Found] = []
    ended = True
    for number, step in enumerate(label["steps"], start=1):
        chosen, others = _read_step(step, f"{row.place}, step {number}")
        wrong += [_wrong(path, other, problem) for other in others]
        if chosen is None:
            ended = False
            break
        path += (chosen,)
    fault = _fault(path, problem, settings) if ended else str(label.get("finish_reason") or "no solution")
    yield _Found(_boxed(path), True, fault)
    if settings.max_wrong != 0:
        yield from wrong


def _read_step(step: Any, place: str) -> tuple[_Step | None, list[_Step]]:
    """The step that the path goes on with (None where it ends without one), and the completions rated -1."""
    try:
        # A missing rating (human completions, a few others) counts as good where the path was continued with it.
        completions = [
            _Step(c["text"].strip(), 1 if c.get("rating") is None else int(c["rating"]))
            for c in step.get("completions") or []
        ]
        chosen, human = step.get("chosen_completion"), step.get("human_completion")
        wrong = [c for c in completions if c.rating == -1 and c.text]
        if chosen is not None:
            return completions[chosen], [c for c in wrong if c is not completions[chosen]]
        return (_Step(human["text"].strip(), 1) if human else None), wrong
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{place}: not a step of PRM800K ({type(error).__name__}: {error}).") from error


def _fault(path: tuple[_Step, ...], problem: Problem, settings: Prm800k) -> str | None:
    """Why a path is no correct solution."""
    answer = _final_answer(path)
    if problem.answer is None:
        return "no ground truth answer"
    if not path:
        return "no steps"
    if any(not step.text for step in path):
        return "empty step"
    if answer is None:
        return "no final answer"
    if any(step.rating == -1 for step in path):
        return "bad step chosen"
    if settings.neutral == "drop" and any(step.rating == 0 for step in path):
        return "neutral step"
    written = extract_answer(_boxed(path)[-1].text)
    if written is None or not matches_reference(answer, written):
        return "answer does not fit into a box"
    return None if matches_reference(problem.answer, answer) else "wrong final answer"


def _wrong(path: tuple[_Step, ...], last: _Step, problem: Problem) -> _Found:
    steps = (*path, last)
    answer = _final_answer(steps)
    right = answer is not None and problem.answer is not None and matches_reference(problem.answer, answer)
    return _Found(_boxed(steps), False, "bad step with the right answer" if right else None)


def _final_answer(path: tuple[_Step, ...]) -> str | None:
    """What stands under the heading "# Answer" of the last step."""
    if not path or _HEADING not in path[-1].text:
        return None
    answer = path[-1].text.rpartition(_HEADING)[2].strip()
    if answer.startswith("$") and answer.endswith("$") and answer.count("$") == 2:
        answer = answer.strip("$").strip()
    return answer or None


def _boxed(path: tuple[_Step, ...]) -> tuple[_Step, ...]:
    r"""The path with the heading and the answer under it written as "The answer is $\boxed{...}$."."""
    answer = _final_answer(path)
    if answer is None:
        return path
    before = path[-1].text.rpartition(_HEADING)[0].strip()
    text = f"The answer is $\\boxed{{{answer}}}$."
    return (*path[:-1], _Step(f"{before}\n{text}" if before else text, path[-1].rating))
