"""A generator's own correct candidates as training data: rejection sampling, as in STaR (Zelikman et al. 2022, arXiv 2203.14465) and
RFT (Yuan et al. 2023, arXiv 2308.01825).

Read from a run of ours: the folder of a stage that sampled (NAME.candidates, with NAME.clusters beside it), or a run, whose
evaluator.candidates are taken: the main generator's on problems that it was not fine-tuned on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.datasets.reading import Reading, Tally
from mathquorum.errors import DataError
from mathquorum.records import AnswerCluster, Candidate, LabeledSolution, Problem
from mathquorum.store import read_records

__all__ = ["Own", "equations", "load", "read", "sampled_in"]

_SAMPLED, _CLUSTERED = ".candidates", ".clusters"
_EQUATION = re.compile(r"[^\s=,;:<>]*\d[^=,;:\n<>]*=\s*[^\s=]+")
_DECORATION = re.compile(r"[\s$,]|\\(?:left|right|cdot|times|,|!|;|\(|\)|\[|\])|[*·×]")  # fmt: skip


class Own(Settings):
    """Which of a generator's own solutions to take."""

    per_problem: int = Field(default=4, ge=1)
    """At most so many for each problem, the first that were sampled. Our choice: RFT takes all that differ, of up to 100 samples, and gains
    less from each."""
    same: Literal["text", "equations"] = "equations"
    """When two solutions are one: with the same text, or with the same equations in the same order, as in RFT."""


def load(path: Path | str, split: str | None = None) -> Iterator[Problem]:
    """The problems that were sampled for, in order.

    Raises:
        DataError: If there is no such stage, or its files cannot be read.
    """
    yield from read(path, Own()).problems


def read(path: Path | str, own: Own) -> Reading:
    """The problems, and the correct solutions that differ.

    Raises:
        DataError: If there is no such stage, its files cannot be read, or its problems are not among the run's.
    """
    place = sampled_in(Path(path))
    clusters = place.with_name(place.name.removesuffix(_SAMPLED) + _CLUSTERED) / "clusters.jsonl"
    candidates = list(read_records(place / "candidates.jsonl", Candidate))
    correct = {
        (cluster.problem_id, index)
        for cluster in read_records(clusters, AnswerCluster)
        if cluster.correct
        for index in cluster.members
    }
    sampled = {candidate.problem_id for candidate in candidates}
    problems = {name: problem for name, problem in _problems_of(place.parent, sampled).items() if name in sampled}
    dropped: Counter[str] = Counter()
    solutions = list(_chosen(candidates, correct, problems, own, dropped))
    solved = len({solution.problem_id for solution in solutions})
    noted = {f"problems solved by own candidates, of {len(problems)}": solved}
    tally = Tally("candidates", len(candidates), len(solutions), dict(dropped), noted)
    return Reading(tuple(problems.values()), tuple(solutions), tally)


def sampled_in(path: Path) -> Path:
    """The folder of a stage that sampled: the path itself, or the evaluator's of a run. A path that is neither stays as it is."""
    return path if (path / "candidates.jsonl").exists() else path / f"evaluator{_SAMPLED}"


def _problems_of(run: Path, wanted: set[str]) -> Mapping[str, Problem]:
    """The problems of the one stage of the run that has all that are wanted."""
    for file in sorted(run.glob("problems*/**/problems.jsonl")):
        problems = {problem.id: problem for problem in read_records(file, Problem)}
        if wanted <= problems.keys():
            return problems
    raise DataError(
        f"{run}: no problems.jsonl of this run has the {len(wanted)} problems that were sampled for. Give the folder of a stage "
        "NAME.candidates in a run whose problems are there too."
    )


def _chosen(
    candidates: Iterable[Candidate],
    correct: set[tuple[str, int]],
    problems: Mapping[str, Problem],
    own: Own,
    dropped: Counter[str],
) -> Iterator[LabeledSolution]:
    kept: dict[str, set[Sequence[str]]] = {}
    for candidate in candidates:
        name, text = candidate.problem_id, candidate.text.strip()
        have = kept.setdefault(name, set())
        signature = (text,) if own.same == "text" else equations(text) or (text,)
        if (name, candidate.index) not in correct:
            dropped["not correct"] += 1
        elif not candidate.finished:
            dropped["cut off"] += 1
        elif signature in have:
            dropped[f"same {own.same} as another"] += 1
        elif len(have) >= own.per_problem:
            dropped[f"more than {own.per_problem} of a problem"] += 1
        else:
            have.add(signature)
            yield LabeledSolution(name, problems[name].text, text, correct=True)


def equations(text: str) -> tuple[str, ...]:
    r"""The equations of a solution in order, without spaces, dollars and signs of multiplication.

    Example:
        >>> equations("She sold 48 / 2 = $24$ clips, so $48+24=72$ in all.")
        ('48/2=24', '48+24=72')
    """
    return tuple(_DECORATION.sub("", match[0]).rstrip(".") for match in _EQUATION.finditer(text))
