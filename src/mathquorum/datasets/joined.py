"""Rows about one problem put together: by id and text, whichever file and row they stand in, and with the user's problems."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mathquorum.answers.equivalence import equivalent
from mathquorum.datasets import jsonl
from mathquorum.datasets.contamination import normalize_text
from mathquorum.datasets.hendrycks_math import math_id
from mathquorum.datasets.sample_formats import RawSamples
from mathquorum.datasets.tables import Row
from mathquorum.datasets.values import NO_ANSWERS
from mathquorum.errors import DataError
from mathquorum.records import Problem

__all__ = ["Joined", "PlacedRow", "Together", "joined"]

PlacedRow = tuple[str, Row, RawSamples]
"""The name of the file, the row, and what was read from it."""
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Joined:
    """A problem with the solutions of all its rows."""

    id: str
    raw: RawSamples


@dataclass(frozen=True)
class Together:
    """All problems, and what happened on the way: in words, with how often."""

    problems: tuple[Joined, ...]
    notices: dict[str, int]


def joined(rows: Sequence[PlacedRow], problems: Path | None = None) -> Together:
    """The problems of all rows, in order of appearance, each with all its solutions.

    Rows are of one problem when they have the same id and text; without an id the same text, without a text the same id. Where
    each row has one solution and an id of its own, and texts stand in two rows on average, the ids are those of solutions.

    Raises:
        DataError: If `problems` cannot be read, or has none of the problems.
    """
    notices: Counter[str] = Counter()
    named: dict[str, Problem] = {}
    if problems is not None:
        named = {problem.id: problem for problem in jsonl.load(problems)}
        rows = _with_problems(rows, problems, named, notices)
    elif _ids_of_solutions(rows):
        rows = [(name, row, replace(raw, id=None)) for name, row, raw in rows]
        notices["rows whose ids are of solutions: problems are told by their texts"] = len(rows)
    groups = _grouped(rows)
    texts = Counter(identity for identity, text in groups if identity and text)
    notices["ids that stand for several texts: these are several problems"] = sum(count > 1 for count in texts.values())
    used: set[str] = set()
    together = []
    for group in groups.values():
        raw = group[0][2]
        name = _unused(raw.id if raw.id is not None and raw.id in named else _problem_id(*group[0]), used)
        together.append(Joined(name, _one(group, notices)))
    return Together(tuple(together), {notice: count for notice, count in notices.items() if count})


def _ids_of_solutions(rows: Sequence[PlacedRow]) -> bool:
    if any(raw.id is None or not raw.problem or len(raw.samples) != 1 for _, _, raw in rows):
        return False
    ids = {(name, raw.id) for name, _, raw in rows}
    return len(rows) > 1 and len(ids) == len(rows) and len({raw.problem for _, _, raw in rows}) * 2 <= len(rows)


def _grouped(rows: Sequence[PlacedRow]) -> dict[_Key, list[PlacedRow]]:
    groups: dict[_Key, list[PlacedRow]] = {}
    by_id: dict[str, list[_Key]] = {}
    by_text: dict[str, list[_Key]] = {}
    for placed in rows:
        raw = placed[2]
        key = (raw.id or "", (raw.problem or "").strip())
        if key[0] and key[1] and key not in groups:
            by_id.setdefault(key[0], []).append(key)
            by_text.setdefault(key[1], []).append(key)
    for placed in rows:
        raw = placed[2]
        key = (raw.id or "", (raw.problem or "").strip())
        if not key[0] and not key[1]:
            key = ("", f"row {placed[1].number}")
        elif not key[1] or not key[0]:  # one of the two is missing: a row that has both tells
            known = by_id.get(key[0], []) if key[0] else by_text.get(key[1], [])
            key = known[0] if len(set(known)) == 1 else key
        groups.setdefault(key, []).append(placed)
    return groups


def _one(group: Sequence[PlacedRow], notices: Counter[str]) -> RawSamples:
    """The rows of one problem as one."""
    first = group[0][2]
    kept = [placed for placed in group if placed[2].view == first.view]
    notices["rows of further answer filters: the same solutions again, left out"] += len(group) - len(kept)
    raws = [raw for _, _, raw in kept]
    per_file = Counter(name for name, _, raw in kept if len(raw.samples) > 1)
    notices["problems that stand in several rows of a file: their solutions are put together"] += any(
        n > 1 for n in per_file.values()
    )
    notices["requests that failed: no solution"] += sum(raw.num_failed for raw in raws)
    notices["problems with several accepted references: the first is used"] += any(raw.alternatives for raw in raws)
    references = [reference for raw in raws if (reference := _reference(raw, notices)) is not None]
    distinct = list(dict.fromkeys(references))
    contradict = any(not equivalent(distinct[0], other) for other in distinct[1:])
    notices["problems whose references contradict each other: the first is used"] += contradict
    return replace(
        first,
        problem=next((raw.problem for raw in raws if raw.problem), None),
        reference=references[0] if references else None,
        samples=tuple(sample for raw in raws for sample in raw.samples),
        solution=next((raw.solution for raw in raws if raw.solution), None),
    )


def _reference(raw: RawSamples, notices: Counter[str]) -> str | None:
    if raw.reference is not None and raw.reference.strip().lower() in NO_ANSWERS:
        notices["references that say there is none (proof, notfound): not graded"] += 1
        return None
    return raw.reference


def _problem_id(name: str, row: Row, raw: RawSamples) -> str:
    if raw.id is None:
        return f"{name}/{row.number}"
    if raw.id.endswith(".json"):  # MATH's own, as in "test/algebra/24.json"
        return math_id(raw.id)
    return raw.id if "/" in raw.id else f"{name}/{raw.id}"


def _unused(name: str, used: set[str]) -> str:
    number, free = 2, name
    while free in used:
        free, number = f"{name}#{number}", number + 1
    used.add(free)
    return free


# --- the user's problems ---------------------------------------------------------------------------------------------

_OF_SAMPLE = re.compile(r"[-_.:/#](?:sample|s|rs|try|run|rollout|rep|n|k|seed|gen|completion|c)?[-_.:]?\d{1,5}$")


def _with_problems(
    rows: Sequence[PlacedRow], path: Path, by_id: Mapping[str, Problem], notices: Counter[str]
) -> list[PlacedRow]:
    """The rows with text and reference of the problem that they are about: by id, by id without the number of a solution
    ("p17-3"), or by text.

    Raises:
        DataError: If no row is about a problem of the file.
    """
    by_text = {normalize_text(problem.text): problem for problem in by_id.values()}
    found: list[PlacedRow] = []
    matched = 0
    for name, row, raw in rows:
        problem = _about(raw, by_id, by_text)
        if problem is None:
            notices[f"rows about no problem of {path.name}"] += 1
            found.append((name, row, raw))
            continue
        matched += 1
        if raw.reference and problem.answer and not equivalent(raw.reference, problem.answer):
            notices[f"rows whose reference is another than that of {path.name}, which is used"] += 1
        found.append((name, row, _about_problem(raw, problem)))
    if not matched:
        here = ", ".join(repr(raw.id or raw.problem or row.place)[:40] for _, row, raw in rows[:3])
        raise DataError(
            f"{path}: none of its {len(by_id)} problems is that of a row. Ids there: {', '.join(list(by_id)[:3])}. Rows are about: "
            f"{here}. Ids or texts must be equal."
        )
    return found


def _about(raw: RawSamples, by_id: Mapping[str, Problem], by_text: Mapping[str, Problem]) -> Problem | None:
    name = None if raw.id is None else math_id(raw.id) if raw.id.endswith(".json") else raw.id
    if name is not None:
        found = by_id.get(name) or by_id.get(_OF_SAMPLE.sub("", name))
        if found is not None:
            return found
    return by_text.get(normalize_text(raw.problem)) if raw.problem else None


def _about_problem(raw: RawSamples, problem: Problem) -> RawSamples:
    return replace(
        raw,
        id=problem.id,
        problem=problem.text,
        reference=raw.reference if problem.answer is None else problem.answer,
        solution=problem.solution or raw.solution,
        subject=problem.subject or raw.subject,
        level=raw.level if problem.level is None else problem.level,
    )
