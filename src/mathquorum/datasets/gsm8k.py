r"""GSM8K (Cobbe et al. 2021, arXiv 2110.14168): 7,473 + 1,319 grade-school word problems.

One row (the first of train):

    {"question": "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. How many
                  clips did Natalia sell altogether in April and May?",
     "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nNatalia sold 48+24 = <<48+24=72>>72 clips altogether in
                April and May.\n#### 72"}

The calculator marks <<...>> are taken out. The last line stays "#### 72" by default, which `extract_answer` reads; in a
union with MATH, `final_line="boxed"` writes "The answer is $\boxed{72}$." so that both end alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mathquorum.datasets.hub import is_hub_id, read_hub
from mathquorum.datasets.tables import Row, read_files, split_of
from mathquorum.errors import DataError
from mathquorum.records import Problem

__all__ = ["FinalLine", "final_answer", "load", "read_solution"]

FinalLine = Literal["marked", "boxed"]

_CALCULATOR = re.compile(r"<<[^<>]*>>")


def load(path: Path | str, split: str | None = None, final_line: FinalLine = "marked") -> Iterator[Problem]:
    r"""The problems of GSM8K, from .jsonl, .jsonl.gz, .json or .parquet, a folder of one file per split, or the hub.

    Args:
        path: Where they are.
        split: "train" or "test"; None takes all there is (from the hub: "train").
        final_line: How the solution ends: "marked" is "#### 72", "boxed" is "The answer is $\boxed{72}$."

    Yields:
        Problems with ids like "gsm8k/train/0", numbered as in the official file.

    Raises:
        DataError: If the path cannot be read, or an answer has no line that begins with "####".
    """
    if is_hub_id(path):
        wanted = split or "train"
        for row in read_hub(str(path), wanted):
            yield _problem(row, wanted, final_line)
    else:
        for file, rows in read_files(Path(path), split if Path(path).is_dir() else None):
            for row in rows:
                yield _problem(row, split or split_of(file), final_line)


def _problem(row: Row, split: str, final_line: FinalLine) -> Problem:
    given = row.values.get("id")
    text, solution = row.text("question"), row.text("answer")
    try:
        answer = final_answer(solution)
    except ValueError as error:
        raise DataError(f"{row.place}: field 'answer' {error}.") from error
    return Problem(
        id=given if isinstance(given, str) and given.startswith("gsm8k/") else f"gsm8k/{split}/{row.number}",
        text=text,
        answer=answer,
        solution=read_solution(solution, final_line),
    )


def final_answer(solution: str) -> str:
    """What follows "####", without thousands commas.

    Raises:
        ValueError: If there is no such mark.
    """
    _, mark, answer = solution.rpartition("####")
    if not mark or not answer.strip():
        raise ValueError('must end in a line "#### NUMBER"')
    return answer.strip().replace(",", "")


def read_solution(solution: str, final_line: FinalLine = "marked") -> str:
    """The solution without calculator marks, and with the last line in the wanted form.

    Example:
        >>> read_solution("48/2 = <<48/2=24>>24 clips.\\n#### 24")
        '48/2 = 24 clips.\\n#### 24'
    """
    steps = _CALCULATOR.sub("", solution.rpartition("####")[0]).rstrip()
    answer = final_answer(solution)
    return f"{steps}\n#### {answer}" if final_line == "marked" else f"{steps}\nThe answer is $\\boxed{{{answer}}}$."
