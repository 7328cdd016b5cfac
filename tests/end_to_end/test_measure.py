"""The recipe `measure`: one settings file, whatever the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stand_in import Behaviour, StandIn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification

from mathquorum.assets import tiny_base_path
from mathquorum.config import build
from mathquorum.errors import SettingsError
from mathquorum.models import load_tokenizer
from mathquorum.recipes.measure import Measure, measure
from mathquorum.recipes.paper_settings import Paper
from mathquorum.recipes.study import Study
from mathquorum.records import Problem, Score
from mathquorum.run import Run
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import read_records, write_records


@pytest.fixture
def values(tmp_path: Path) -> dict[str, Any]:
    write_records(tmp_path / "test.jsonl", [Problem(f"p{n}", f"{n}+{n}=?", str(2 * n)) for n in range(6)])
    return {
        "model": "a-model",
        "evaluator": "another-model",
        "signals": ["likelihood"],
        "test": str(tmp_path / "test.jsonl"),
        "num_candidates": 4,
        "sampling": {"max_tokens": 16},
    }


def test_a_servers_model_is_measured_and_the_report_says_whose_it_is(values: dict[str, Any], tmp_path: Path) -> None:
    labels = {" correct": 0.6, " incorrect": 0.2}
    with StandIn(Behaviour(labels=labels)).running() as stand_in:
        engine = {"kind": "server", "url": stand_in.url}
        report = measure(Run(tmp_path / "run"), build(Measure, {**values, "engine": engine}))
    page = (report / "report.html").read_text()
    made_by = f"server at {stand_in.url} (stand-in-1)"
    assert f"<dt>sampled and scored by</dt><dd>{made_by}</dd>" in page
    assert f"Sampled and scored by: {made_by}." in (report / "report.md").read_text().replace("\\", "")
    figures = json.loads((report / "figures.json").read_text())["estimates"]
    vote = next(row for row in figures if row["name"] == "maj1@4" and row["evaluation"] == "model + evaluator")
    assert vote["value"] == pytest.approx(1 / 6, abs=1e-5)  # all say 4
    record = json.loads((tmp_path / "run" / "candidates" / "stage.json").read_text())
    assert record["inputs"]["model"] == "name:a-model" and record["device"] == "server"


def test_the_plan_is_the_same_for_any_engine(values: dict[str, Any], tmp_path: Path) -> None:
    plans = []
    for engine in ({"kind": "scripted", "texts": ["It is 4."]}, {"kind": "server", "url": "http://127.0.0.1:9/v1"}):
        run = Run(tmp_path / "run", dry=True)
        measure(run, build(Measure, {**values, "engine": engine}))
        plans.append([stage.name for stage in run.plan])
    assert plans[0] == plans[1]


def test_recipes_that_train_refuse_engines_that_cannot_serve_what_they_train(tmp_path: Path) -> None:
    given = {"base": "b", "train": "train.jsonl", "test": "test.jsonl"}
    with pytest.raises(SettingsError, match="cannot serve the models that this recipe trains"):
        build(Paper, {**given, "engine": {"kind": "server", "url": "http://127.0.0.1:9/v1"}})
    study = {
        "bases": {"L": "b"}, "train": "train.jsonl", "test": "test.jsonl", "validation": "v.jsonl", "evaluators": {"problems": "e.jsonl"}
    }  # fmt: skip
    with pytest.raises(SettingsError, match="cannot serve the models that this recipe trains"):
        build(Study, {**study, "engine": {"kind": "server", "url": "http://127.0.0.1:9/v1"}})
    vllm = {"kind": "vllm", "python": "python3"}
    with pytest.raises(SettingsError, match="signals has 'certainty'"):
        build(Study, {**study, "engine": vllm})
    with pytest.raises(SettingsError, match="would each start a vLLM on the same GPU"):
        build(Study, {**study, "engine": vllm, "workers": 2, "signals": ["likelihood"]})
    with pytest.raises(SettingsError, match="signals has 'certainty'"):
        build(Paper, {**given, "engine": vllm})
    told = {**given, "engine": vllm, "signals": ["likelihood", "confidence"]}
    with pytest.raises(SettingsError, match="would each start a vLLM on the same GPU"):
        build(Paper, {**told, "workers": 2})
    with pytest.raises(SettingsError, match="would each start a vLLM on the same GPU"):
        build(Measure, {"model": "m", "test": "test.jsonl", "engine": vllm, "workers": 2})
    assert build(Paper, told).engine.kind == "vllm"


def test_reward_models_are_rows_beside_the_evaluator(values: dict[str, Any], tmp_path: Path) -> None:
    kinds = {"rm": AutoModelForSequenceClassification, "prm": AutoModelForTokenClassification}
    for name, kind in kinds.items():
        config = AutoConfig.from_pretrained(tiny_base_path(), num_labels=1)
        kind.from_config(config).save_pretrained(tmp_path / name)
        load_tokenizer(str(tiny_base_path())).save_pretrained(tmp_path / name)
    engine = {"kind": "scripted", "texts": ["It is 4.", "So\nit is 6."]}
    scorer = [
        str(tmp_path / "rm"),
        {"model": str(tmp_path / "prm"), "name": "steps", "reads": {"kind": "process", "together": "minimum"}},
    ]
    run = Run(tmp_path / "run")
    report = measure(run, build(Measure, {**values, "evaluator": None, "engine": engine, "scorer": scorer}))
    figures = json.loads((report / "figures.json").read_text())["estimates"]
    assert {row["evaluation"] for row in figures} == {"model + likelihood", "model + rm", "model + steps"}
    read = (tmp_path / "run" / "scores.steps" / "prompt.txt").read_text()
    assert read == "<|endoftext|>0+0=?It is 4.\n"
    values_of = {
        name: {s.value for s in read_records(tmp_path / "run" / f"scores.{name}" / "scores.jsonl", Score)}
        for name in ("rm", "steps")
    }
    assert all(0 < value < 1 for found in values_of.values() for value in found)
    assert len(values_of["rm"]) > 6 and values_of["rm"] != values_of["steps"]  # one for each problem and text


@pytest.mark.parametrize("scorer", ["models/likelihood", {"model": "rm", "name": "evaluator"}])
def test_two_scores_of_one_name_are_refused(values: dict[str, Any], scorer: Any) -> None:
    with pytest.raises(SettingsError, match=r"two scores would be called .* Give the scorer another name"):
        build(Measure, {**values, "scorer": [scorer]})


def test_a_reward_model_is_not_read_through_a_server() -> None:
    given = {
        "problems": "p",
        "candidates": "c",
        "model": "rm",
        "engine": {"kind": "server", "url": "http://127.0.0.1:9/v1"},
    }
    with pytest.raises(SettingsError, match="engine must be embedded, not server"):
        build(ScoreCandidates, {**given, "reads": {"kind": "reward"}})
