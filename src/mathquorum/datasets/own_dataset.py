"""Datasets of your own: see docs/extending.md."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from mathquorum.config import Kind, NamesOwn, Own
from mathquorum.config.own_kinds import text_of
from mathquorum.datasets import DATASETS
from mathquorum.datasets.reading import Reading, Tally, reference_solutions
from mathquorum.datasets.suspects import without_contradictions
from mathquorum.errors import DataError, SettingsError
from mathquorum.records import LabeledSolution, Problem

__all__ = ["OWN_DATASETS", "DatasetName", "OwnDataset", "own_dataset", "read_own_dataset", "split_place"]


class OwnDataset(Own):
    """Problems from wherever you have them. Fields are its settings; `problems` is yours to write."""

    group: ClassVar[str] = "mathquorum.datasets"

    @abstractmethod
    def problems(self, path: Path | None, split: str | None) -> Iterable[Problem]:
        """All problems, each with an id of its own; equal arguments give equal problems.

        Args:
            path: As the source gives it, whose contents then count in the identity of what is made of it; None where it gives none.
            split: As the source gives it; None takes all there is.
        """

    def solutions(self, path: Path | None, split: str | None) -> Iterable[LabeledSolution] | None:
        """Solutions of these problems to learn from. None, unless you say otherwise, takes each problem's reference solution."""
        return None


OWN_DATASETS = Kind("dataset", OwnDataset, DATASETS.__contains__, lambda: DATASETS)  # type: ignore[type-abstract]
_PLACED = re.compile(r"(?P<dataset>[A-Za-z_][\w.]*:[A-Za-z_]\w*(?:\(.*\))?)(?::(?P<path>.+))?", re.DOTALL)


def own_dataset(name: str) -> OwnDataset | None:
    """The dataset of somebody's own that a name in settings means; None where it is one of ours.

    Raises:
        SettingsError: If it is none, or cannot be used.
    """
    if OWN_DATASETS.names(name.partition("(")[0]):
        return OWN_DATASETS.read(name)
    if name not in DATASETS:
        raise OWN_DATASETS.unknown(name)
    return None


def split_place(text: str) -> tuple[str, str | None] | None:
    """The name and the path of MODULE:CLASS, MODULE:CLASS:PATH, and of an entry point's name with or without a path; None where a text
    names no dataset of somebody's own. Nothing is imported.

    Example:
        >>> split_place("mypkg.data:Sums(largest=9):sums.csv"), split_place("math:test.jsonl")
        (('mypkg.data:Sums(largest=9)', 'sums.csv'), None)
    """
    head, _, rest = text.partition(":")
    if head in DATASETS:
        return None
    if OWN_DATASETS.names(head.partition("(")[0]):
        return head, rest or None
    found = _PLACED.fullmatch(text)
    if found is None or Path(rest).exists():  # else a dataset of ours that is not spelled right, and its file
        return None
    return found["dataset"], found["path"]


def _name(given: Any) -> Any:
    if isinstance(given, OwnDataset):
        return text_of(given)
    if not isinstance(given, str | Mapping):
        return given
    try:
        found = own_dataset(given) if isinstance(given, str) else OWN_DATASETS.read(given)
    except SettingsError as error:
        raise ValueError(str(error)) from error
    return text_of(found) if found else given


DatasetName = Annotated[str, BeforeValidator(_name), NamesOwn(OWN_DATASETS)]
"""A dataset as a setting: its name, whoever wrote it."""


def read_own_dataset(dataset: OwnDataset, path: Path | None, split: str | None) -> Reading:
    """Its problems and solutions.

    Raises:
        DataError: If it gives something else than problems and their solutions.
    """
    problems = tuple(
        _checked_problem(dataset, n, item) for n, item in enumerate(dataset.problems(path, split), start=1)
    )
    ids = {problem.id for problem in problems}
    if len(ids) < len(problems):
        seen: set[str] = set()
        twice = next(problem.id for problem in problems if problem.id in seen or seen.add(problem.id))  # type: ignore[func-returns-value]
        raise DataError(f"{dataset.name} gave two problems with the id {twice!r}. Give each an id of its own.")
    given = dataset.solutions(path, split)
    if given is None:
        return without_contradictions(reference_solutions(problems))
    solutions = tuple(given)
    for number, item in enumerate(solutions, start=1):
        if not isinstance(item, LabeledSolution):
            raise DataError(f"{dataset.name}: solution {number} is {item!r:.100}, not a mathquorum.LabeledSolution.")
        if item.problem_id not in ids:
            raise DataError(
                f"{dataset.name}: solution {number} is of problem {item.problem_id!r}, which problems did not give."
            )
    return without_contradictions(Reading(problems, solutions, Tally("solutions", len(solutions), len(solutions))))


def _checked_problem(dataset: OwnDataset, number: int, item: object) -> Problem:
    if not isinstance(item, Problem):
        raise DataError(f"{dataset.name}: problem {number} is {item!r:.100}, not a mathquorum.Problem.")
    wrong = [
        f"{field} {value!r:.60}"
        for field, value, optional in (
            ("id", item.id, False),
            ("text", item.text, False),
            ("answer", item.answer, True),
            ("solution", item.solution, True),
            ("subject", item.subject, True),
        )
        if not ((isinstance(value, str) and (value.strip() or optional)) or (value is None and optional))
    ]
    if wrong:
        raise DataError(
            f"{dataset.name}: problem {number} has {', '.join(wrong)}, where a text must stand: answers, too, are texts."
        )
    return item
