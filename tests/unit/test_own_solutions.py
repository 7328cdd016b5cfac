"""A generator's own correct candidates as training data."""

from __future__ import annotations

from pathlib import Path

import pytest

from mathquorum.datasets.own import equations
from mathquorum.datasets.source import Source, read_source
from mathquorum.errors import DataError
from mathquorum.records import AnswerCluster, Candidate, LabeledSolution, Problem
from mathquorum.stages.base import no_progress
from mathquorum.stages.prepare import Prepare
from mathquorum.store import read_records, write_records

TEXTS = [
    "2+2=4, so \\boxed{4}.",
    "We have 2 + 2 = 4. Thus \\boxed{4}.",  # the same equations
    "2*2=4, so \\boxed{4}.",
    "1+3=4, so \\boxed{4}.",
    "2+2=5, so \\boxed{5}.",
    "4-0=4, so \\boxed{4}, and",  # cut off
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    problems = [Problem("x/a", "What is 2+2?", "4"), Problem("x/b", "What is 1+1?", "2"), Problem("x/c", "Other?", "1")]
    candidates = [Candidate("x/a", i, text, "4" if i != 4 else "5", finished=i != 5) for i, text in enumerate(TEXTS)]
    candidates.append(Candidate("x/b", 0, "1+1=3", "3"))
    clusters = [
        AnswerCluster("x/a", "4", (0, 1, 2, 3, 5), True),
        AnswerCluster("x/a", "5", (4,), False),
        AnswerCluster("x/b", "3", (0,), False),
    ]
    for name, records in (
        ("problems.train/problems", problems),
        ("evaluator.candidates/candidates", candidates),
        ("evaluator.clusters/clusters", clusters),
    ):
        file = tmp_path / f"{name}.jsonl"
        file.parent.mkdir(parents=True)
        write_records(file, records)
    return tmp_path


def test_correct_solutions_with_other_equations_are_taken_and_the_rest_is_counted(run: Path) -> None:
    reading = read_source(Source(dataset="candidates", path=run, own={"per_problem": 2}), seed=0)
    assert [s.solution for s in reading.solutions] == [TEXTS[0], TEXTS[2]]
    assert all(s == LabeledSolution("x/a", "What is 2+2?", s.solution, True) for s in reading.solutions)
    assert reading.tally.dropped == {
        "same equations as another": 1,
        "more than 2 of a problem": 1,
        "not correct": 2,
        "cut off": 1,
    }
    assert reading.tally.read == reading.tally.kept + sum(reading.tally.dropped.values())
    assert reading.tally.noted == {"problems solved by own candidates, of 2": 1}


def test_solutions_of_the_same_text_alone_are_one_where_that_is_asked_for(run: Path) -> None:
    source = Source(dataset="candidates", path=run / "evaluator.candidates", own={"same": "text", "per_problem": 9})
    assert [s.solution for s in read_source(source, 0).solutions] == TEXTS[:4]


def test_a_style_of_their_own_and_the_rules_of_contamination_hold_for_them(run: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.jsonl"
    write_records(test, [Problem("t", "What is 2+2?", "4")])
    source = Source(dataset="candidates", path=run, style="own")
    with pytest.raises(DataError, match="have the same text as a test problem"):
        Prepare(sources=(source,), exclude=(test,)).run(tmp_path, no_progress)
    Prepare(sources=(source,), exclude=(test,), contamination="allow").run(tmp_path, no_progress)
    assert {s.style for s in read_records(tmp_path / "labeled.jsonl", LabeledSolution)} == {"own"}


def test_a_run_without_the_problems_is_refused(run: Path) -> None:
    (run / "problems.train" / "problems.jsonl").unlink()
    with pytest.raises(DataError, match=r"no problems.jsonl of this run has the 2 problems"):
        read_source(Source(dataset="candidates", path=run), 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("No equation.", ()),
        ("$3 \\times 4 = 12$. Then 12 + 1 = 13!", ("34=12", "12+1=13!")),
        ("x = 5", ()),
    ],
)
def test_equations_of_a_solution(text: str, found: tuple[str, ...]) -> None:
    assert equations(text) == found
