r"""Math-Shepherd (Wang et al. 2023, arXiv 2312.08935): solutions whose steps were labelled by rolling them out.

One row, shortened (the sign after each step of `label` says whether the right answer was still reached from there):

    {"input": "Val cuts a watermelon ... seeds? Step 1: There are 20 x 40 = <<20*40=8000>>8000 black seeds. ки\nStep 2: ...",
     "label": "Val cuts a watermelon ... seeds? Step 1: There are 20 x 40 = <<20*40=8000>>8000 black seeds. -\nStep 2: ...",
     "task": "GSM8K"}

A solution is correct when its last step is: there the label says whether the final answer is right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mathquorum.datasets.contamination import text_fingerprint
from mathquorum.datasets.reading import Reading, Tally, step_lines
from mathquorum.datasets.tables import Row, read_files
from mathquorum.errors import DataError
from mathquorum.records import LabeledSolution, Problem

__all__ = ["load", "read"]

_STEP = re.compile(r"\s*Step \d+: ")
_SIGN = re.compile(r"\s*([+-])\s*$")
_CALCULATOR = re.compile(r"<<[^<>]*>>")


def load(path: Path | str, split: str | None = None) -> Iterator[Problem]:
    """The problems, each once, with ids made from the text. The data tell no reference answer."""
    yield from read(path, split).problems


def read(path: Path | str, split: str | None = None) -> Reading:
    """The problems and labelled solutions. Calculator marks and the words "Step 1:" are taken out.

    Raises:
        DataError: If a row has no steps, or a step has no sign.
    """
    problems: dict[str, Problem] = {}
    solutions: dict[tuple[str, str], LabeledSolution] = {}
    dropped: Counter[str] = Counter()
    for _, rows in read_files(Path(path), split if Path(path).is_dir() else None):
        for row in rows:
            problem, solution = _read_row(row)
            problem = problems.setdefault(problem.id, problem)
            if (problem.id, solution.solution) in solutions:
                dropped["same text twice"] += 1
            else:
                solutions[problem.id, solution.solution] = solution
    tally = Tally("solutions", len(solutions) + dropped.total(), len(solutions), dict(dropped))
    return Reading(tuple(problems.values()), tuple(solutions.values()), tally)


def _read_row(row: Row) -> tuple[Problem, LabeledSolution]:
    text, *parts = _STEP.split(row.text("label"))
    signs = [_SIGN.search(part) for part in parts]
    if not parts or not all(signs):
        raise DataError(f"{row.place}: field 'label' must be a problem and steps, each ended by ' +' or ' -'.")
    texts = [_CALCULATOR.sub("", _SIGN.sub("", part)) for part in parts]
    steps = step_lines(texts)
    ratings = tuple(1 if sign is not None and sign[1] == "+" else -1 for sign in signs)
    problem = Problem(f"math_shepherd/{text_fingerprint(text)}", text.strip())
    solution = LabeledSolution(problem.id, problem.text, "".join(steps), ratings[-1] == 1, steps=steps, ratings=ratings)
    return problem, solution
