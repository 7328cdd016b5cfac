"""Your own files: the schemas that are recognised, the column mapping, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mathquorum import datasets
from mathquorum.datasets.jsonl import load, read
from mathquorum.errors import DataError, SettingsError
from mathquorum.records import LabeledSolution, Problem
from mathquorum.store import write_records

Q, S = "What is $2+3$?", "It is $\\boxed{5}$."


def write(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


SCHEMAS: dict[str, dict[str, Any]] = {
    "math": {"problem": Q, "solution": S, "type": "Algebra", "level": "Level 2"},
    "math, answer": {"problem": Q, "answer": "5", "subject": "Algebra", "level": 2, "unique_id": "test/algebra/1.json"},
    "nemo": {"problem": Q, "expected_answer": 5},
    "gsm8k": {"question": Q, "answer": "2+3=<<2+3=5>>5\n#### 5"},
    "question, answer": {"question": Q, "answer": "5"},
    "own": {"id": "x/1", "text": Q, "answer": "5"},
    "labeled": {"problem_id": "x/1", "problem": Q, "solution": S, "correct": True},
    "verl": {"data_source": "m", "prompt": [user(Q)], "reward_model": {"ground_truth": "5"}, "extra_info": {}},
    "messages": {"messages": [{"role": "system", "content": "Hi"}, user(Q), assistant(S)]},
    "messages of parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": Q}]}, assistant(S)]},
    "sharegpt": {"conversations": [{"from": "human", "value": Q}, {"from": "gpt", "value": S}]},
    "alpaca": {"instruction": Q, "input": "", "output": S},
    "completion": {"prompt": Q, "completion": S},
    "completion of messages": {"prompt": [user(Q)], "completion": [assistant(S)]},
    "preference": {"prompt": Q, "chosen": S, "rejected": "It is $\\boxed{6}$."},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_common_schemas_are_recognised(name: str, tmp_path: Path) -> None:
    (problem,) = load(write(tmp_path, SCHEMAS[name]))
    assert (problem.text, problem.answer) == (Q, "5")
    assert problem.id == {"math, answer": "math/test/algebra/1", "own": "x/1", "labeled": "x/1"}.get(name, "mine/0")


def test_math_is_read_alike_by_its_own_name_and_as_any_file(real_data: Path) -> None:
    path = real_data / "math" / "test.jsonl.gz"
    assert list(load(path)) == list(datasets.load("math", path))


def test_a_preference_gives_both_labels(tmp_path: Path) -> None:
    assert [s.correct for s in read(write(tmp_path, SCHEMAS["preference"])).solutions] == [True, False]


def test_rows_of_one_problem_are_joined(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"prompt": Q, "completion": "It is 6.", "label": False},
        {"prompt": Q, "completion": S, "label": True},
        {"prompt": Q, "completion": S, "label": True},
    )
    reading = read(path)
    assert [p.id for p in reading.problems] == ["mine/0"]
    assert [s.correct for s in reading.solutions] == [False, True]
    assert (reading.tally.read, reading.tally.dropped) == (3, {"same row twice": 1})


def test_step_labels_become_ratings(tmp_path: Path) -> None:
    (solution,) = read(
        write(tmp_path, {"prompt": Q, "completions": ["2+3=6", "So 6."], "labels": [False, True]})
    ).solutions
    assert (solution.steps, solution.ratings, solution.correct) == (("2+3=6\n", "So 6."), (-1, 1), False)


def test_columns_are_mapped(tmp_path: Path) -> None:
    path = write(tmp_path, {"q": Q, "meta": {"target": 5.0}, "why": S, "n": 7})
    columns = {"problem": "q", "answer": "meta.target", "solution": "why", "id": "n"}
    assert list(load(path, columns=columns)) == [Problem("7", Q, "5", S)]


def test_records_of_this_library_come_back(tmp_path: Path) -> None:
    problems = [Problem("a/1", "One?", "1", "So 1.", "Algebra", 1), Problem("a/2", "Two?")]
    labeled = [
        LabeledSolution("a/1", "One?", "x\ny", False, steps=("x\n", "y"), ratings=(1, -1)),
        LabeledSolution("a/1", "One?", "So \\boxed{1}", True),
    ]
    write_records(tmp_path / "problems.jsonl", problems)
    write_records(tmp_path / "labeled.jsonl", labeled)
    assert list(load(tmp_path / "problems.jsonl")) == problems
    assert list(read(tmp_path / "labeled.jsonl").solutions) == labeled


def test_problems_without_an_answer_are_read(tmp_path: Path) -> None:
    assert [p.answer for p in load(write(tmp_path, {"problem": Q}, {"problem": "Why?", "answer": None}))] == [
        None,
        None,
    ]


def test_two_ids_with_one_text_stay_two_problems(tmp_path: Path) -> None:
    rows = [{"id": "1", "problem": Q, "answer": "5"}, {"id": "2", "problem": Q, "answer": "6"}]
    assert [(p.id, p.answer) for p in load(write(tmp_path, *rows))] == [("1", "5"), ("2", "6")]


# --- bad input -------------------------------------------------------------------------------------------------------


def test_a_wrong_column_gets_a_suggestion(tmp_path: Path) -> None:
    path = write(tmp_path, {"question": Q, "target": "5"})
    with pytest.raises(
        DataError, match=r"no column 'questions' \(for problem\). Did you mean 'question'\? Columns there"
    ):
        list(load(path, columns={"problem": "questions"}))


def test_an_unknown_schema_names_the_columns(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"line 1: cannot tell .* Did you mean 'problem_text'\? Columns there: problem_text"
    ):
        list(load(write(tmp_path, {"problem_text": Q})))


@pytest.mark.parametrize("columns", [{"question": "q"}, {"answer": "a"}])
def test_an_unusable_mapping_is_a_settings_error(columns: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^columns"):
        list(load(write(tmp_path, {"q": Q}), columns=columns))


@pytest.mark.parametrize("text", ["", "  ", None, {"a": 1}, True, ["a", "b"]])
def test_a_problem_that_is_no_text_is_refused(text: object, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1: field 'problem' must be a text"):
        list(load(write(tmp_path, {"problem": text})))


def test_one_id_for_two_problems_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: id '1' already stands for another problem"):
        list(load(write(tmp_path, {"id": "1", "problem": Q}, {"id": "1", "problem": "Else?"})))


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"messages": "hello"}, "field 'messages' must be a list of messages"),
        ({"messages": [assistant(S)]}, "has no message from 'user'"),
        ({"messages": [{"role": "user", "content": 3}]}, "must hold messages with a text 'content'"),
        ({"prompt": Q, "completion": S, "label": "yes"}, "field 'label' must be true or false"),
        ({"prompt": Q, "completions": ["a"], "labels": []}, "must be lists of the same length"),
    ],
)
def test_a_malformed_row_is_refused(row: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=text):
        list(load(write(tmp_path, row)))


def test_datasets_have_names() -> None:
    with pytest.raises(SettingsError, match=r"Unknown dataset 'mth'. Did you mean 'math'\?"):
        datasets.load("mth", "x")
    with pytest.raises(SettingsError, match=r"path is required for dataset 'math'"):
        datasets.load("math")
    assert next(datasets.load("minimath", split="test")).id.startswith("minimath/test/")
