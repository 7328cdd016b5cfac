"""The laws that every dataset keeps: `load` gives the same problems each time, with unique ids and texts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mathquorum import datasets
from mathquorum.records import AnswerCluster, Candidate, Problem
from mathquorum.store import write_records

# name -> where it lies in the shared data, and the split
MEMBERS: dict[str, tuple[str | None, str | None]] = {
    "candidates": ("own", None),  # made here
    "gsm8k": ("gsm8k", "test"),
    "jsonl": ("math/math500.jsonl.gz", None),
    "math": ("math/math500.jsonl.gz", None),
    "math_shepherd": ("prm800k/math_shepherd_sample.jsonl", None),
    "minimath": (None, "validation"),
    "prm800k": ("prm800k/native_sample.jsonl", None),
}

Load = Callable[[], Iterator[Problem]]


@pytest.fixture(params=sorted(datasets.DATASETS))
def load(request: pytest.FixtureRequest, real_data: Path, tmp_path: Path) -> Load:
    path, split = MEMBERS[request.param]
    place = None if path is None else real_data / path
    if request.param == "candidates":
        place = _own_candidates(tmp_path)
    return lambda: datasets.load(request.param, place, split)


def _own_candidates(run: Path) -> Path:
    """A run of ours, as far as it matters."""
    for name, records in {
        "problems.train/problems": [Problem(f"x/{n}", f"{n}+1?", str(n + 1)) for n in range(3)],
        "evaluator.candidates/candidates": [Candidate(f"x/{n}", 0, f"{n}+1={n + 1}", str(n + 1)) for n in range(3)],
        "evaluator.clusters/clusters": [AnswerCluster(f"x/{n}", str(n + 1), (0,), True) for n in range(3)],
    }.items():
        (run / name).parent.mkdir(parents=True)
        write_records(run / f"{name}.jsonl", records)
    return run


def test_ids_are_unique_and_texts_are_there(load: Load) -> None:
    problems = list(load())
    assert problems
    assert len({problem.id for problem in problems}) == len(problems)
    for problem in problems:
        assert "/" in problem.id and problem.text.strip()
        assert problem.answer is None or problem.answer.strip()
        assert problem.level is None or 1 <= problem.level <= 5


def test_two_calls_give_the_same_records(load: Load) -> None:
    assert list(load()) == list(load())


def test_ids_are_stable() -> None:
    """Ids are written into candidates and scores: a change here breaks every run directory there is."""
    assert next(datasets.load("minimath", split="test")).id == "minimath/test/arithmetic/0"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("gsm8k", "gsm8k/test/0"),
        ("math", "math/test/precalculus/807"),
        ("jsonl", "math/test/precalculus/807"),
        ("prm800k", "prm800k/2ebd3d009973d115"),
    ],
)
def test_ids_of_real_files_are_stable(name: str, first: str, real_data: Path) -> None:
    path, split = MEMBERS[name]
    assert next(datasets.load(name, real_data / str(path), split)).id == first


def test_importing_datasets_stays_light() -> None:
    code = (
        "import sys, mathquorum.datasets, mathquorum.datasets.samples, mathquorum.datasets.source;"
        "print([m for m in ('torch', 'pyarrow', 'datasets', 'sympy', 'numpy', 'transformers') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
