"""Parts of the recipe as commands of their own, from problems to an evaluator's scores, on the embedded base."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typed import mathquorum

from mathquorum.assets import tiny_base_path

BASE = str(tiny_base_path())
SHORT = ("--training.steps", "2", "--training.epochs", "null", "--training.max_length", "256")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Problems, a pool of 4 candidates of each, and the pool once more with 6."""
    place = tmp_path_factory.mktemp("runs")
    source = "[{dataset: minimath, split: train, limit: 10}]"
    mathquorum("prepare", "--sources", source, "--out", str(place / "data"))
    for number, name, more in ((4, "pool", ()), (6, "larger", ("--from", str(place / "pool")))):
        mathquorum("sample", *asked(place), "--num_candidates", str(number), "--out", str(place / name), *more)
    return place


def asked(runs: Path) -> tuple[str, ...]:
    problems = str(runs / "data" / "problems" / "problems.jsonl")
    return ("--problems", problems, "--model", BASE, "--sampling.max_tokens", "80", "--batch_rows", "8")


def test_a_pool_grows_from_another_run(runs: Path) -> None:
    first, grown = (
        (runs / name / "candidates" / "candidates.jsonl").read_text().splitlines() for name in ("pool", "larger")
    )
    assert len(first) == 40 and len(grown) == 60
    assert [line for line in grown if json.loads(line)["index"] < 4] == first


def test_shards_are_gathered_and_a_missing_one_is_named(runs: Path) -> None:
    command = (*asked(runs), "--num_candidates", "4", "--out", str(runs / "shards"))
    shown = mathquorum("sample", *command, "--shard", "2/2").stdout
    assert "[1/1] candidates.shard-2-of-2: done" in shown
    assert f"{BASE} is a local folder: 1 million weights, " in shown.split("[1/1]")[0]  # told before it is loaded
    refused = mathquorum("gather", "sample", *command, check=1)
    assert "lacks shards of candidates: 1/2" in refused.stderr
    mathquorum("sample", *command, "--shard", "1/2")
    mathquorum("gather", "sample", *command)
    made, whole = (runs / name / "candidates" / "candidates.jsonl" for name in ("shards", "pool"))
    assert made.read_bytes() == whole.read_bytes()


def test_a_generator_and_an_evaluator_are_trained_and_judge(runs: Path) -> None:
    problems, pool = asked(runs)[1], runs / "pool" / "candidates" / "candidates.jsonl"
    labeled = str(runs / "data" / "problems" / "labeled.jsonl")
    mathquorum("train", "generator", "--model", BASE, "--data", labeled, *SHORT, "--out", str(runs / "generator"))
    graded = ("--problems", problems, "--candidates", str(pool))
    place = runs / "evaluator"
    mathquorum("train", "evaluator", "--model", BASE, *graded, *SHORT, "--references", labeled, "--out", str(place))
    assert {folder.name for folder in place.iterdir() if folder.is_dir()} == {"clusters", "labels", "evaluator"}
    model = str(place / "evaluator" / "model")
    mathquorum("score", *graded, "--model", model, "--out", str(runs / "scores"))
    scores = [json.loads(line) for line in (runs / "scores" / "scores" / "scores.jsonl").read_text().splitlines()]
    assert len(scores) == 40 and len({row["value"] for row in scores}) > 10
    again = ("--model", BASE, *graded, *SHORT, "--references", labeled, "--batch_size", "8")
    shown = mathquorum("train", "evaluator", *again, "--from", str(place), "--out", str(runs / "other")).stdout
    assert shown.count("taken over from") == 3, "in the plan, and of clusters and labels"


def test_what_is_asked_wrongly_is_said(runs: Path) -> None:
    assert "There is no training of 'judge'" in mathquorum("train", "judge", check=2).stderr
    text = mathquorum("train", "evaluator", "--model", BASE, check=2).stderr
    assert "give data (labelled solutions), or problems and candidates" in text
    assert "--only is missing" in mathquorum("run", "demo", "--shard", "1/2", check=2).stderr
    assert (
        "There is no stage 'report.x'. Did you mean" in mathquorum("run", "demo", "--only", "report.x", check=2).stderr
    )
