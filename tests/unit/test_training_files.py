"""Training files as people have them: labels of steps, odd answers, contradictions, and what is told of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mathquorum import datasets
from mathquorum.datasets.hendrycks_math import last_box
from mathquorum.datasets.jsonl import load, read
from mathquorum.datasets.source import Source, read_source
from mathquorum.datasets.step_labels import read_ratings
from mathquorum.errors import DataError
from mathquorum.run import Run
from mathquorum.stages.prepare import Prepare

Q, S = "What is $2+3$?", "It is $\\boxed{5}$."
USER, REPLY = {"role": "user", "content": Q}, {"role": "assistant", "content": S}


def write(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    "row",
    [
        {"problem": Q, "generated_solution": S, "expected_answer": "5", "problem_source": "math"},
        {"question": Q, "generated_solution": S, "expected_answer": "5", "predicted_answer": "5", "is_correct": True},
        {"messages": [USER, REPLY], "answer": "5"},
        {"messages": [USER, REPLY], "answer": 5},
        {"messages": [USER], "answer": S},
        {"conversations": [{"from": "user", "value": Q}, {"from": "assistant", "value": S}]},
        {"conversations": [{"from": "human", "value": Q}, {"from": "gpt", "value": S}], "answer": "5"},
        {"problem": Q, "solution": S, "level": "Level 1", "answer": 5},
        {"problem": Q, "solution": S, "level": "Level 1", "answer": 5.0},
        {"problem": Q, "solution": S, "answer": ["5"]},
        {"question": Q, "solution": S, "answer": "5"},
        {"question": Q, "solution": S, "attempt": "..."},
        {"type": "GSM_Rephrased", "query": Q, "response": S},
        {"question": Q, "final_answer": "5", "r1_solution_1": S, "r1_solution_2": S},
    ],
)
def test_a_training_row_gives_problem_reference_and_solution(row: dict[str, Any], tmp_path: Path) -> None:
    reading = read(write(tmp_path, row))
    assert [(p.text, p.answer, p.solution) for p in reading.problems] == [(Q, "5", S)]
    assert [(s.solution, s.correct) for s in reading.solutions] == [(S, True)]


@pytest.mark.parametrize("answer", [10**400, 0.125, -3.5])
def test_numbers_are_read_in_math_rows_too(answer: float, tmp_path: Path) -> None:
    path = write(tmp_path, {"problem": Q, "solution": "So it is.", "level": "Level 1", "answer": answer})
    assert [p.answer for p in datasets.load("math", path)] == [str(answer)]


@pytest.mark.parametrize("answer", [True, ["1", "2"], {"a": 1}, float("inf")])
@pytest.mark.parametrize("name", ["math", "jsonl"])
def test_what_is_no_answer_is_refused_by_file_and_line(name: str, answer: object, tmp_path: Path) -> None:
    path = write(tmp_path, {"problem": Q, "solution": S, "level": "Level 1", "answer": answer})
    with pytest.raises(DataError, match=r"mine.jsonl, line 1: field 'answer' must be one answer"):
        list(datasets.load(name, path))


@pytest.mark.parametrize("answer", [None, float("nan"), "  "])
def test_a_missing_answer_is_none(answer: object, tmp_path: Path) -> None:
    assert [p.answer for p in load(write(tmp_path, {"problem": Q, "answer": answer}))] == [None]


def test_a_box_with_braces_that_are_shown() -> None:
    inside = r"\left\{\begin{array}{l}x=1\\y=2\end{array}\right."
    assert last_box(f"So $\\boxed{{{inside}}}$.") == inside
    assert last_box(r"So $\boxed{\{1,2\}}$.") == r"\{1,2\}"


def test_json_is_told_by_its_content(tmp_path: Path) -> None:
    rows = [{"problem": Q, "answer": "5"}, {"problem": "Two?", "answer": "2"}]
    (tmp_path / "lines.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "list.jsonl").write_text(json.dumps(rows))
    assert [[p.answer for p in load(tmp_path / name)] for name in ("lines.json", "list.jsonl")] == [["5", "2"]] * 2


@pytest.mark.parametrize("name", ["gsm8k", "jsonl", "math", "math_shepherd", "prm800k"])
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (json.dumps({"problem": Q}).encode("utf-16"), "is UTF-16 text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "is a Git LFS pointer"),
    ],
)
def test_every_dataset_names_what_is_no_data(name: str, content: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=text):
        list(datasets.load(name, tmp_path / "x.jsonl"))


# --- labels of steps -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "ratings"),
    [
        (["+", "+"], (1, 1)),
        (["+", "-"], (1, -1)),
        ([True, False], (1, -1)),
        (["true", "False"], (1, -1)),
        ([1, 0], (1, -1)),
        ([1, 0, -1], (1, 0, -1)),
        (["1", "0", "-1"], (1, 0, -1)),
        ([1.0, 0.0], (1, -1)),
        ([0.9, 0.2], (1, -1)),
        ([0.5, 1, 0], (1, 1, -1)),
        (["good", "neutral", "bad"], (1, 0, -1)),
    ],
)
def test_labels_of_steps(labels: list[Any], ratings: tuple[int, ...]) -> None:
    assert read_ratings(labels, "x") == ratings


@pytest.mark.parametrize(
    "labels", [[None], ["+", None], [float("nan")], [2], [-0.5], ["maybe"], [[1]], [0.5, -1], [{}], [""]]
)
def test_unknown_labels_are_refused(labels: list[Any]) -> None:
    with pytest.raises(DataError, match=r"^x, line 3"):
        read_ratings(labels, "x, line 3")


@pytest.mark.parametrize(("threshold", "correct"), [(0.3, True), (0.5, False)])
def test_the_threshold_of_soft_labels_is_a_setting(threshold: float, correct: bool, tmp_path: Path) -> None:
    path = write(tmp_path, {"prompt": Q, "completions": ["2+3=5", "So 5."], "labels": [0.9, 0.4]})
    (solution,) = read_source(Source(dataset="jsonl", path=path, soft_threshold=threshold), 0).solutions
    assert (solution.correct, solution.ratings) == (correct, (1, 1 if correct else -1))


# --- what is told ----------------------------------------------------------------------------------------------------


def test_a_solution_that_contradicts_its_reference_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        {"problem": Q, "solution": "It is $\\boxed{6}$.", "answer": "5"},
        {"problem": Q, "solution": "It is $\\boxed{10/2}$.", "answer": "5"},
        {"problem": "Two?", "solution": "It is $\\boxed{3}$.", "answer": "2"},
    ]
    reading = read(write(tmp_path, *rows))
    assert [s.solution for s in reading.solutions] == ["It is $\\boxed{10/2}$."]
    assert reading.tally.noted == {
        "rows about a problem of an earlier row": 1,
        "solutions left out: their own answer contradicts the reference": 2,
    }


def test_references_that_contradict_or_say_there_is_none_are_noted(tmp_path: Path) -> None:
    rows = [{"problem": Q, "answer": a} for a in ("5", "10/2", "6")] + [{"problem": "Show.", "answer": "proof"}]
    reading = read(write(tmp_path, *rows))
    assert [p.answer for p in reading.problems] == ["5", None]
    assert reading.tally.noted == {
        "rows about a problem of an earlier row": 2,
        "rows whose reference contradicts an earlier one of the same problem, which is used": 1,
        "references that say there is none (proof, notfound)": 1,
    }


def test_prepare_shows_what_is_noted_and_texts_with_control_tokens(tmp_path: Path) -> None:
    rows = [
        {"problem": Q + "<|im_end|>", "solution": S, "answer": "5"},
        {"problem": "Two?", "solution": "It is $\\boxed{3}$.", "answer": "2"},
    ]
    summary: dict[str, Any] = {}
    stage = Prepare(sources=(Source(dataset="jsonl", path=write(tmp_path, *rows)),))
    place = Run(tmp_path / "run").do("data", stage)
    summary = json.loads((place / "stage.json").read_text())["summary"]
    assert summary["solutions left out: their own answer contradicts the reference"] == 1
    assert summary["texts that hold control tokens of common tokenizers"] == 1
    assert "<|im_end|>" in (place / "problems.jsonl").read_text()


def test_prepare_shows_html_and_repeated_problems(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "problem": Q, "solution": S, "answer": "5"},
        {"id": "a", "problem": Q, "solution": "Three<br>more: $\\boxed{5}$.", "answer": "5"},
        {"id": "b", "problem": Q.upper(), "solution": S, "answer": "5"},
        {"id": "c", "problem": "Is 2 &lt; 3? Say <b>1</b>. Not a < b > c.", "solution": "$\\boxed{1}$", "answer": "1"},
    ]
    place = Run(tmp_path / "run").do("data", Prepare(sources=(Source(dataset="jsonl", path=write(tmp_path, *rows)),)))
    summary = json.loads((place / "stage.json").read_text())["summary"]
    assert summary["texts that hold HTML (it stays as it is)"] == 2
    assert summary["rows about a problem of an earlier row"] == 1
    assert summary["problems whose text stands there before under another id"] == 1


def test_steps_and_labels_beside_a_problem_are_read(tmp_path: Path) -> None:
    reading = read(write(tmp_path, {"problem": Q, "steps": ["2+3=5", "So 6."], "labels": ["+", "-"], "answer": "5"}))
    assert [(p.text, p.answer) for p in reading.problems] == [(Q, "5")]
    assert [(s.correct, s.ratings) for s in reading.solutions] == [(False, (1, -1))]


def test_control_tokens_in_a_solution_stay_text() -> None:
    from mathquorum.assets import tiny_base_path
    from mathquorum.models import load_tokenizer
    from mathquorum.models.codec import Codec
    from mathquorum.objectives.examples import solution_sequence
    from mathquorum.records import LabeledSolution

    codec = Codec(load_tokenizer(str(tiny_base_path())))
    sequence = solution_sequence(codec, LabeledSolution("a", Q, f"2+3{codec.tokenizer.eos_token}=5", True))
    assert [read.token for read in sequence.reads].count(codec.end) == 1 and sequence.reads[-1].token == codec.end
    assert codec.written("2+3=5") == codec.continuation("2+3=5")


def test_control_tokens_in_a_problem_stay_text_for_every_engine() -> None:
    from mathquorum.assets import tiny_base_path
    from mathquorum.engines.small.engine import _Tokenizer
    from mathquorum.models import load_tokenizer
    from mathquorum.models.codec import Codec

    codec = Codec(load_tokenizer(str(tiny_base_path())))
    small = _Tokenizer.from_folder(Path(tiny_base_path()))
    assert small is not None
    text = f"Problem: 2+3{codec.tokenizer.eos_token}=?"
    ids = codec.prompt(text)
    assert codec.end not in ids[1:] and Codec(small).prompt(text) == ids
    assert codec.continuation(str(codec.tokenizer.eos_token)) == [codec.end], (
        "of what we write ourselves they are tokens"
    )
    assert Codec(small).continuation(str(small.eos_token)) == [codec.end]
