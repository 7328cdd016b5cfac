"""The whole recipe on a random two-layer model: it runs through, and a killed run ends in the same bytes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mathquorum.records import LabeledSolution, Problem
from mathquorum.store import write_records

SETTINGS = [
    "--num_candidates", "4", "--sampling.max_tokens", "24", "--workers", "2", "--batch_size", "4",
    "--generator.epochs", "null", "--generator.steps", "12", "--generator.learning_rate", "3e-3", "--generator.checkpoint_steps", "4",
    "--evaluator.num_problems", "10", "--evaluator.num_candidates", "6",
    "--evaluator.training.epochs", "null", "--evaluator.training.steps", "3", "--evaluator.batch_size", "4",
    "--mtsft.objectives", "[margin]", "--mtsft.evaluator.epochs", "null", "--mtsft.evaluator.steps", "3", "--mtsft.generator.steps", "3",
]  # fmt: skip


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from mathquorum.cli import main; main()", *words]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src"), "OMP_NUM_THREADS": "1"}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(command(*words), capture_output=True, text=True, env=environment())
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sums: 40 to train on in the MATH schema, 6 others to test on."""
    place = tmp_path_factory.mktemp("data")
    rows = []
    for number in range(46):
        solution = f"${number}+3={number + 3}$. So $\\boxed{{{number + 3}}}$"
        rows.append(
            {
                "problem": f"What is ${number}+3$?",
                "solution": solution,
                "answer": str(number + 3),
                "unique_id": f"p/{number}",
            }
        )
    for name, part in (("train", rows[:40]), ("test", rows[40:])):
        (place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return place


def words(data: Path, model: Path, out: Path) -> list[str]:
    sources = ["--train", f"{data / 'train.jsonl'}", "--test", f"{data / 'test.jsonl'}"]
    return ["run", "paper", "--base", str(model), *sources, "--out", str(out), *SETTINGS]


@pytest.fixture(scope="module")
def finished(data: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    run(*words(data, tiny_model, out))
    return out


def results(out: Path) -> dict[str, bytes]:
    """Every byte that a run is about: records, results and report; not ledgers, and not the page, which tells dates and seconds."""
    kept = {".jsonl", ".json", ".md", ".svg", ".safetensors"}
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file() and file.suffix in kept and file.name != "stage.json"
    }


def test_every_stage_is_complete_and_every_figure_is_there(finished: Path) -> None:
    stages = [place for place in finished.iterdir() if place.is_dir()]
    assert len(stages) > 20 and all((place / "stage.json").exists() for place in stages)
    rows = json.loads((finished / "report" / "figures.json").read_text())["estimates"]
    names = {(row["evaluation"], row["name"]) for row in rows}
    for generator in ("base.main", "ssft.main + margin", "mtsft.margin", "control.margin"):
        assert {(generator, f) for f in ("pass@1.greedy", "pass@1", "maj1@4", "pass@4")} <= names
    for score in ("likelihood", "margin", "cross_entropy"):
        assert {(f"ssft.main + {score}", f) for f in ("rr.all", "rr.top8", "w.rr", "ece")} <= names
    assert (finished / "report" / "report.md").exists() and list((finished / "report").glob("*.svg"))


def test_the_control_has_the_steps_and_tokens_of_both_stages(finished: Path) -> None:
    budgets = {
        n: json.loads((finished / n / "budget.json").read_text())
        for n in ("mtsft.margin.evaluator", "mtsft.margin", "control.margin")
    }
    both = {k: budgets["mtsft.margin.evaluator"][k] + budgets["mtsft.margin"][k] for k in ("steps", "tokens")}
    assert budgets["control.margin"]["steps"] == both["steps"]
    assert budgets["control.margin"]["tokens"] == pytest.approx(both["tokens"], rel=0.1)


def test_running_again_does_nothing_and_prints_the_figures(finished: Path, data: Path, tiny_model: Path) -> None:
    before = results(finished)
    printed = run(*words(data, tiny_model, finished), "--json").stdout
    assert json.loads(printed)["estimates"]
    assert results(finished) == before


def test_other_settings_are_refused_before_anything_is_done(finished: Path, data: Path, tiny_model: Path) -> None:
    result = subprocess.run(
        command(*words(data, tiny_model, finished), "--sampling.temperature", "0.5"),
        capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    assert result.returncode == 1
    assert "was made with other settings (sampling.temperature: 0.9, now 0.5)" in result.stderr


def test_one_process_makes_the_same_bytes_as_two(finished: Path, data: Path, tiny_model: Path, tmp_path: Path) -> None:
    run(*words(data, tiny_model, tmp_path / "alone"), "--workers", "1")
    alone = results(tmp_path / "alone")
    assert {k: v for k, v in alone.items() if k != "settings.yaml"} == results(finished)


def test_a_run_killed_at_random_moments_ends_in_the_same_bytes(
    finished: Path, data: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    draws = random.Random(5)
    num_killed = 0
    while num_killed < 3:
        process = subprocess.Popen(
            command(*words(data, tiny_model, out)),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(timeout=draws.uniform(6, 12))
            break  # a fast machine was done before it could be killed again
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            num_killed += 1
            time.sleep(1.5)  # its worker processes notice and end
    assert num_killed
    run(*words(data, tiny_model, out))
    assert results(out) == results(finished)


def test_a_model_that_solves_nothing_still_runs_through(tiny_model: Path, tmp_path: Path) -> None:
    problems = [Problem(f"p{i}", f"What is ${i}+3$?", "no number", "It is \\boxed{no number}") for i in range(8)]
    labeled = [LabeledSolution(p.id, p.text, p.solution or "", True) for p in problems]
    write_records(tmp_path / "problems.jsonl", problems)
    write_records(tmp_path / "labeled.jsonl", labeled)
    from mathquorum.engines.base import Sampling
    from mathquorum.run import Run
    from mathquorum.stages.cluster import Cluster
    from mathquorum.stages.label import Label
    from mathquorum.stages.sample import Sample

    ledger = Run(tmp_path / "run")
    at = tmp_path / "problems.jsonl"
    candidates = ledger.do(
        "c", Sample(problems=at, model=str(tiny_model), num_candidates=2, sampling=Sampling(max_tokens=8))
    )
    clusters = ledger.do("k", Cluster(problems=at, candidates=candidates / "candidates.jsonl"))
    label = Label(problems=at, candidates=candidates / "candidates.jsonl", clusters=clusters / "clusters.jsonl")
    place = ledger.do("l", label)
    summary = json.loads((place / "stage.json").read_text())["summary"]
    assert summary["no candidate correct"] == 8
    assert summary["references standing in for correct candidates"] == 8


def test_a_model_is_exported_with_its_card(finished: Path, data: Path, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run("export", str(finished), "--out", str(tmp_path / "shared"))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "shared", dtype="auto")
    assert AutoTokenizer.from_pretrained(tmp_path / "shared")("1+1")["input_ids"]
    assert model.num_parameters() > 0
    measured = json.loads((finished / "ssft.main.evaluation.margin" / "results.json").read_text())["results"]
    card = ModelCard.load(str(tmp_path / "shared" / "README.md"))
    values = {r.metric_name: (r.metric_value, r.metric_args["interval_95"]) for r in card.data.eval_results}
    for name in ("pass@1", "maj1@4"):
        held = measured[name]
        assert values[name][0] == round(100 * held["value"], 2)
        assert values[name][1] == [round(100 * held["low"], 2), round(100 * held["high"], 2)]
    assert "w.rr (margin)" in values and "w.rr (likelihood)" in values
    assert str(finished) not in card.content, "paths are nobody's business"
    settings = (tmp_path / "shared" / "mathquorum_settings.yaml").read_text()
    assert "path: train.jsonl" in settings and str(data) not in settings
    run("export", str(finished), "--out", str(tmp_path / "second"), "--stage", "mtsft.margin")
    second = ModelCard.load(str(tmp_path / "second" / "README.md"))
    assert "pass@1" in (names := {r.metric_name for r in second.data.eval_results})
    assert not any("(" in name for name in names), "the scores are of another model's candidates"
    refused = subprocess.run(
        command("export", str(finished), "--out", str(tmp_path / "x"), "--stage", "ssft.mian"),
        capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    assert refused.returncode == 2 and "ssft.main" in refused.stderr and not (tmp_path / "x").exists()


def test_the_run_has_an_index_of_its_folders(finished: Path) -> None:
    index = (finished / "index.md").read_text()
    folders = {place.parent.name for place in finished.glob("*/stage.json")}
    assert folders and all(f"| [{name}]({name}) |" in index for name in folders)
    assert "(report/report.html)" in index and "(ssft.main/model)" in index and "(problems.test/model)" not in index
