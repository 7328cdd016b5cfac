r"""MATH (Hendrycks et al. 2021, arXiv 2103.03874): 12,500 competition problems with worked solutions.

One row (train/algebra/24014.json):

    {"problem": "What is the largest value of $x$, if $\\frac{x}{5} + \\frac{1}{5x} = \\frac{1}{2}$?",
     "level": "Level 3", "type": "Algebra", "solution": "We multiply both sides ... our answer is $\\boxed 2$."}

The reference answer is what stands in the last \boxed of the solution, unless the file has a column `answer`. Two
problems have an empty box: their answer is None. In one the last box is not the answer: it is corrected here. In some
20 with several boxes, such as train/algebra/152, the last is only a part of the answer or another form of it; that stays,
as everyone who reports figures on MATH grades by the last box.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from mathquorum.datasets.contamination import text_fingerprint
from mathquorum.datasets.hub import is_hub_id, read_hub
from mathquorum.datasets.tables import Row, read_files, split_of
from mathquorum.datasets.values import NO_ANSWERS, answer_text
from mathquorum.errors import DataError
from mathquorum.records import Problem

__all__ = [
    "LightmanSplit",
    "last_box",
    "lightman_split",
    "lightman_test_ids",
    "load",
    "math_id",
    "read_level",
    "read_row",
]

# Its solution ends "Please note that we have not boxed the correct answer as we normally do".
_ANSWERS_NOT_IN_THE_LAST_BOX = {"Let $\\boxed{N}$ mean the number of whole number divisors of $N$.": "6"}


def load(path: Path | str, split: str | None = None) -> Iterator[Problem]:
    """The problems of MATH, from any of its forms.

    Args:
        path: The original folder (MATH/<split>/<subject>/<n>.json), a .jsonl, .jsonl.gz, .json or .parquet file, a folder
            of such files named after their splits, or a Hugging Face hub id.
        split: "train" or "test"; None takes all there is (from the hub: "train"). "lightman_train" and "lightman_test"
            take the part of all there is that `lightman_split` gives.

    Yields:
        Problems with ids like "math/test/algebra/24". A copy without the original numbers gets ids like
        "math/test/row/24", by the position in its file.

    Raises:
        DataError: If the path cannot be read, or a row has no problem or solution.
    """
    if split in ("lightman_train", "lightman_test"):
        parts = lightman_split(load(path))
        yield from parts.train if split == "lightman_train" else parts.test
    elif is_hub_id(path):
        wanted = split or "train"
        for row in read_hub(str(path), wanted):
            yield read_row(row, wanted)
    elif (folders := _original_folders(Path(path), split)) is not None:
        for folder in folders:
            yield from _read_original(folder)
    else:
        for file, rows in read_files(Path(path), _file_split(Path(path), split)):
            for row in rows:
                problem = read_row(row, split_of(file))
                if split is None or not _other_split(problem.id, split):
                    yield problem


def _file_split(path: Path, split: str | None) -> str | None:
    return None if path.is_file() else split


def _other_split(problem_id: str, split: str) -> bool:
    known = problem_id.split("/")[1]
    return known in ("train", "test") and split in ("train", "test") and known != split


# --- the original folder ---------------------------------------------------------------------------------------------


def _original_folders(path: Path, split: str | None) -> list[Path] | None:
    """The split folders of MATH/<split>/<subject>/<n>.json; None when the path is not such a folder."""
    if not path.is_dir():
        return None
    if path.name in ("train", "test") and any(path.glob("*/*.json")):
        return [path] if split in (None, path.name) else []
    found = [path / name for name in ("train", "test") if any((path / name).glob("*/*.json"))]
    if not found:
        return None
    chosen = [folder for folder in found if split in (None, folder.name)]
    if not chosen:
        raise DataError(f"{path} has no split {split!r}. There: {', '.join(folder.name for folder in found)}.")
    return chosen


def _read_original(folder: Path) -> Iterator[Problem]:
    for subject in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        for file in sorted(subject.glob("*.json"), key=_number):
            try:
                values = json.loads(file.read_bytes())
            except (OSError, ValueError) as error:
                raise DataError(f"{file} cannot be read as JSON: {error}.") from error
            if not isinstance(values, dict):
                raise DataError(f"{file}: must hold a JSON object.")
            inside = f"{folder.name}/{subject.name}/{file.name}"
            yield read_row(Row(str(file), 0, {**values, "unique_id": inside}), folder.name)


def _number(file: Path) -> tuple[int, str]:
    return (int(file.stem), "") if file.stem.isdigit() else (10**9, file.stem)


# --- a row -----------------------------------------------------------------------------------------------------------


def read_row(row: Row, split: str) -> Problem:
    """The problem in a row; `split` is a part of its id when the row does not tell its original place.

    Raises:
        DataError: If it has no problem or solution.
    """
    text, solution = row.text("problem"), row.text("solution")
    unique = row.values.get("unique_id")
    return Problem(
        id=math_id(unique) if isinstance(unique, str) else f"math/{split}/row/{row.number}",
        text=text,
        answer=_answer(text, solution, row.values, row.place),
        solution=solution,
        subject=row.values.get("subject") or row.values.get("type"),
        level=read_level(row.values.get("level")),
    )


def _answer(text: str, solution: str, values: Mapping[str, Any], place: str) -> str | None:
    for beginning, answer in _ANSWERS_NOT_IN_THE_LAST_BOX.items():
        if text.startswith(beginning):
            return answer
    if "answer" in values and values["answer"] is not None:
        given = answer_text(values["answer"], place, "answer")
        return None if given is None or given.lower() in NO_ANSWERS else given
    return last_box(solution)


def last_box(solution: str) -> str | None:
    r"""The content of the last \boxed or \fbox; None when it is empty or there is none.

    Example:
        >>> last_box("$\\boxed{1}$, no: $\\boxed{x^{2}}$"), last_box("our answer is $\\boxed 2$.")
        ('x^{2}', '2')
    """
    boxes = list(re.finditer(r"\\(?:boxed|fbox)\s*", solution))
    if not boxes:
        return None
    rest = solution[boxes[-1].end() :]
    if not rest.startswith("{"):
        return re.split(r"[\s$]", rest, maxsplit=1)[0].rstrip(".,") or None
    depth = 0
    for brace in re.finditer(r"\\.|[{}]", rest, re.DOTALL):  # \\{ and \\} are braces that are shown: \\left\\{
        depth += (brace[0] == "{") - (brace[0] == "}")
        if depth == 0 and brace[0] == "}":
            return rest[1 : brace.start()].strip() or None
    return None


def math_id(unique_id: str) -> str:
    """The problem id for "test/algebra/24.json", however much of it is written out.

    Example:
        >>> math_id("test/algebra/24.json"), math_id("math/test/algebra/24")
        ('math/test/algebra/24', 'math/test/algebra/24')
    """
    return "math/" + unique_id.removeprefix("math/").removesuffix(".json")


def read_level(value: object) -> int | None:
    """5 for "Level 5", "5" or 5; None for "Level ?" and whatever else is no numbered level."""
    found = re.fullmatch(r"(?:Level )?(\d{1,3})(?:\.0)?", str(value).strip())
    return int(found[1]) if found else None


# --- the split of Lightman et al. ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LightmanSplit:
    """12,000 problems to train on and 500 (MATH-500) to evaluate on, of a complete MATH."""

    train: tuple[Problem, ...]
    test: tuple[Problem, ...]


def lightman_test_ids() -> Mapping[str, str]:
    """The 500 test problems of Lightman et al. 2023 (arXiv 2305.20050): problem id and fingerprint of its text."""
    lines = files("mathquorum.datasets").joinpath("lightman_test_ids.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ") for line in lines if not line.startswith("#"))


def lightman_split(problems: Iterable[Problem], test_ids: Iterable[str] | None = None) -> LightmanSplit:
    """MATH cut by problem id into the training and test problems of Lightman et al. 2023, both in the given order.

    A problem from a copy of MATH without the original numbers ("math/test/row/24") is recognised by its text.

    Args:
        problems: Both splits of MATH.
        test_ids: Other ids to put aside; None takes the 500.
    """
    known = lightman_test_ids() if test_ids is None else {}
    ids = set(known) if test_ids is None else set(test_ids)
    texts = set(known.values())
    train: list[Problem] = []
    test: list[Problem] = []
    for problem in problems:
        numbered = "/row/" not in problem.id
        aside = problem.id in ids if numbered or not texts else text_fingerprint(problem.text) in texts
        (test if aside else train).append(problem)
    return LightmanSplit(tuple(train), tuple(test))
