"""Commands as a person types them: exit codes, messages, and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typed import mathquorum

SAMPLES = [
    {"id": "a", "problem": "What is $1/4+1/4$?", "answer": "\\frac{1}{2}",
     "samples": ["It is \\boxed{0.5}.", "So \\boxed{\\frac12}.", "\\boxed{2}"], "scores": [0.9, 0.5, 0.1]},
    {"id": "b", "problem": "What is $2+2$?", "answer": "4",
     "samples": ["\\boxed{5}", "\\boxed{5}", "I think \\boxed{4}"], "scores": [0.1, 0.1, 0.8]},
    {"id": "c", "problem": "What is $1+1$?", "answer": "2", "samples": ["no idea", "", "\\boxed{3}"], "scores": [0, 0, 0]},
]  # fmt: skip


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in SAMPLES))
    return path


def test_help_lists_the_commands() -> None:
    text = mathquorum("--help").stdout
    assert all(command in text for command in ("run", "demo", "vote", "solve", "grade"))


def test_vote_measures_by_equivalence_not_by_string(samples: Path) -> None:
    rows = json.loads(mathquorum("vote", str(samples), "--json").stdout)
    values = {row["name"]: row["value"] for row in rows["estimates"]}
    assert values["maj1@3"] == pytest.approx(1 / 3), "0.5 and \\frac12 are one cluster; 5 outvotes 4; 3 is wrong"
    assert values["pass@1"] == pytest.approx((2 / 3 + 1 / 3) / 3)
    assert values["pass@3"] == values["rr.all"] == values["w.rr"] == pytest.approx(2 / 3)
    assert all(set(row) == {"name", "value", "low", "high", "count"} for row in rows["estimates"])
    assert rows["counts"]["candidates without an answer"] == 2


def test_vote_prints_a_table(samples: Path) -> None:
    text = mathquorum("vote", str(samples), "--strategies", "maj1,rr.top1").stdout
    assert "maj1@3" in text and "rr.top1" in text and "33.3" in text and "without an answer: 2" in text


def test_vote_reads_standard_input_and_writes_every_choice(samples: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from mathquorum.cli import main; main()",
            "vote",
            "-",
            "--out",
            str(tmp_path / "picks.jsonl"),
        ],
        input=samples.read_bytes(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    assert result.returncode == 0, result.stderr
    assert b"columns read: id=id, problem=problem, reference=answer, samples=samples, scores=scores" in result.stdout
    rows = [json.loads(line) for line in (tmp_path / "picks.jsonl").read_text().splitlines()]
    assert [row["picks"]["maj1"]["answer"] for row in rows] == ["0.5", "5", "3"]


def test_vote_needs_no_references_and_shows_choices(samples: Path) -> None:
    rows = [{name: value for name, value in row.items() if name != "answer"} for row in SAMPLES]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = mathquorum("vote", str(samples)).stdout
    assert "rr.all: 4" in text and "2/3" in text and "not graded: 3" in text
    found = json.loads(mathquorum("vote", str(samples), "--json").stdout)
    assert found["estimates"] == [] and len(found["picks"]) == 3


def test_grade_says_which_rule_decided() -> None:
    assert mathquorum("grade", "\\frac{1}{2}", "0.5").stdout.startswith("equal:")
    assert mathquorum("grade", "\\frac{1}{2}", "0.6", check=1).stdout.startswith("different:")
    assert json.loads(mathquorum("grade", "2", "2", "--json").stdout)["equal"] is True


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["vote", "absent.jsonl"], 1, "absent.jsonl cannot be read: No such file"),
        (["vote", "SAMPLES", "--strategies", "maj9000"], 2, "Known:"),
        (["vote", "SAMPLES", "--answers", "gven"], 2, "Did you mean 'given'?"),
        (["vote", "TORN"], 1, "line 2: not valid JSON"),
        (["vote"], 2, "Missing argument"),
        (["vote", "SAMPLES", "--columns", "sample=x"], 2, "unknown role 'sample'. Did you mean 'samples'?"),
        (["vote", "SAMPLES", "--columns", "samples=x"], 1, "there is no column 'x' (for samples)"),
        (["vote", "SAMPLES", "--no-such-option"], 2, "No such option"),
        (["run", "papr"], 2, "Did you mean 'paper'?"),
        (["run", "paper", "--show"], 2, "base is required"),
        (["run", "paper", "--base", "x", "--train", "a", "--test", "b", "--sampling.temprature", "1"], 2, "Did you mean 'temperature'?"),
        (["run", "demo", "--num_candidates", "0"], 2, "num_candidates should be greater than or equal to 1. Got 0"),
        (["run", "demo", "--config", "absent.yaml"], 2, "absent.yaml cannot be read"),
        (["run", "paper", "--base", "./absent", "--train", "SAMPLES", "--test", "SAMPLES"], 1, "There is no model folder './absent'"),
        (["solve", "1+1?", "--model", "./absent"], 1, "There is no model folder './absent'"),
        (["solve", "1+1?", "--strategy", "w.r"], 2, "Did you mean"),
        (["solve", "1+1?", "--stop", "setled"], 2, "Did you mean 'settled'"),
        (["solve", "1+1?", "--stop", "sure", "--strategy", "w.rr"], 2, "leave one out"),
        (["solve", "1+1?", "--stop", "settled"], 2, "asks for scores: give --evaluator"),
        (["solve", "1+1?", "--stop", "adaptive", "--evaluator", "x"], 2, "only votes: leave --evaluator out"),
        (["solve", "1+1?", "--outlook", "x.json"], 2, "Give --stop sure or --stop worthwhile"),
        (["solve", "1+1?", "--stop", "sure", "--evaluator", "x", "--outlook", "absent.json"], 1, "absent.json cannot be read"),
        (["solve", "1+1?", "--stop", "sure", "--evaluator", "x", "--outlook", "SAMPLES"], 1, "is not valid JSON"),
        (["solve", "1+1?", "--style", "weird"], 2, "Known: fine, terse"),
        (["solve", "1+1?", "--temprature", "3"], 2, "Unknown setting 'temprature'"),
        (["solve", "--temprature", "3", "1+1?"], 2, "Give the problem first"),
        (["solve", "1+1?", "--strategy", "w.rr"], 2, "needs scores: give --evaluator"),
        (["solve", "1+1?", "--pool", "x"], 2, "--pool goes with a run"),
        (["solve", "1+1?", "--limit", "2"], 2, "go with a file of problems"),
        (["solve", "absent.jsonl"], 2, "There is no file 'absent.jsonl'"),
        (["solve", "1+1?", "--system", "x"], 2, "needs template 'chat'"),
        (["study", "--num_candidates", "128"], 2, "main_candidates must be at least num_candidates. Got 64 and 128"),
    ],
)  # fmt: skip
def test_misuse_and_failures_say_what_to_do(
    words: list[str], code: int, text: str, samples: Path, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.jsonl"
    torn.write_text(samples.read_text()[:300])
    words = [{"SAMPLES": str(samples), "TORN": str(torn)}.get(word, word) for word in words]
    result = mathquorum(*words, check=code)
    assert text in result.stderr and result.stderr.count("\n") < 12


def test_show_prints_settings_and_plan_and_makes_nothing(tmp_path: Path) -> None:
    text = mathquorum("demo", "--show", "--out", str(tmp_path / "run"), "--sampling.temperature", "0.7").stdout
    assert "temperature: 0.7" in text and "ssft.fine" in text and "control" in text and "report" in text
    assert not (tmp_path / "run").exists()


def test_version_names_what_a_bug_report_needs() -> None:
    assert "torch " in mathquorum("version").stdout


def test_settings_lists_every_setting_with_default_and_meaning() -> None:
    text = mathquorum("settings", "paper").stdout
    assert "base: required" in text and "--sampling.top_p 0.95" in text and "--num_candidates 64" in text
    assert "--generator.learning_rate 1.0e-05" in text and "--mtsft.generator.steps 200" in text
    assert "mtsft.generator: as generator, but for what follows" in text
    assert "64 in the paper" in text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["grade", "5", "-5"], 1, "different"),
        (["grade", "-5", "-5.0"], 0, "equal"),
        (["grade", "-x+1", "1-x", "--json"], 0, '"equal": true'),
        (["grade", r"-\frac12", "-0.5"], 0, "equal"),
        (["solve", ""], 2, "The problem is empty"),
        (["--version"], 0, "mathquorum 0."),
        (["grade", "5", "--jsonn"], 2, "No such option"),
    ],
)
def test_arguments_that_begin_like_options(words: list[str], code: int, said: str) -> None:
    done = mathquorum(*words, check=code)
    assert said in done.stdout + done.stderr


def test_solve_tells_that_nothing_answered_by_its_exit_code() -> None:
    silent = ("--model", "x", "--engine.kind", "scripted", "--engine.texts", '[""]', "-n", "3")
    done = mathquorum("solve", "1+1?", *silent, check=3)
    assert "No answer: none of the 3 candidates ended in one." in done.stdout
    assert json.loads(mathquorum("solve", "1+1?", *silent, "--json", check=3).stdout)["answer"] is None


def test_solve_says_that_the_embedded_model_is_a_toy_and_shows_votes() -> None:
    done = mathquorum("solve", "Find t if 5t-12=23.", "-n", "8", "--json")
    assert "toy" in done.stderr
    held = json.loads(done.stdout)
    assert sum(cluster["votes"] for cluster in held["clusters"]) == held["num_answered"] <= held["num_candidates"] == 8
    assert [cluster["answer"] for cluster in held["clusters"] if cluster["chosen"]] == [held["answer"]]


def test_solve_writes_no_control_characters_of_a_model() -> None:
    done = mathquorum(
        "solve",
        "1+1?",
        "--model",
        "x",
        "--engine.kind",
        "scripted",
        "--engine.texts",
        '["\\e[31mred \\\\boxed{2}"]',
        "-n",
        "1",
    )
    assert "\\x1b[31mred" in done.stdout and "\x1b" not in done.stdout


def test_solve_answers_a_file_and_goes_on(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    words = (
        "solve",
        str(samples),
        "--model",
        "x",
        "--engine.kind",
        "scripted",
        "--engine.texts",
        '["\\\\boxed{4}"]',
        "-n",
        "2",
    )
    done = mathquorum(*words, "--out", str(out), "--limit", "2")
    assert "2 problems: 2 answered, 0 without an answer, 1 of 2 correct." in done.stdout
    assert [json.loads(line)["correct"] for line in out.read_text().splitlines()] == [False, True]
    again = mathquorum(*words, "--out", str(out))
    assert "2 are done already" in again.stderr and "3 problems: 3 answered" in again.stdout
    assert "made with other settings" in mathquorum(*words, "--seed", "1", "--out", str(out), check=1).stderr


def test_every_exit_code_is_told_by_help() -> None:
    text = " ".join(mathquorum("--help").stdout.split())
    assert "0 done, 1 failed (grade: not equal), 2 misuse, 3 no answer (solve), 130 stopped by Ctrl-C" in text
