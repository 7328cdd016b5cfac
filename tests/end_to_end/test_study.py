"""The study on a random two-layer model: every table is there, and a killed study ends in the same bytes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from end_to_end.test_paper_recipe import command, environment, results

from mathquorum.errors import SettingsError
from mathquorum.recipes.study import SmallStudy, study
from mathquorum.records import Candidate
from mathquorum.run import Run
from mathquorum.stopping.outlook import Outlook, read_outlook
from mathquorum.store import read_records

SETTINGS = [
    "--seeds", "[0, 1]", "--num_candidates", "4", "--main_candidates", "6", "--sampling.max_tokens", "24", "--workers", "2", "--batch_size", "4",
    "--generator.epochs", "null", "--generator.steps", "6", "--generator.learning_rate", "3e-3",
    "--evaluators.num_candidates", "4", "--evaluators.batch_size", "4",
    "--evaluators.averaged", "[margin, cross_entropy]", "--evaluators.combined", "[margin, mean]",
    "--evaluators.training.epochs", "null", "--evaluators.training.steps", "2",
    "--mtsft.evaluator.epochs", "null", "--mtsft.evaluator.steps", "2", "--mtsft.generator.steps", "2",
]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sums, each with a terse and a fine solution, in four parts that share no problem."""
    place = tmp_path_factory.mktemp("data")
    parts = {
        "terse": range(30),
        "fine": range(30),
        "evaluator": range(30, 42),
        "validation": range(42, 46),
        "test": range(46, 52),
    }
    for name, numbers in parts.items():
        rows = []
        for number in numbers:
            words = f"Add: ${number}+3={number + 3}$.\n" if name != "terse" else ""
            rows.append(
                {
                    "problem": f"What is ${number}+3$?",
                    "solution": f"{words}So $\\boxed{{{number + 3}}}$",
                    "answer": str(number + 3),
                    "unique_id": f"p/{number}",
                }
            )
        (place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place


def words(data: Path, model: Path, out: Path) -> list[str]:
    def at(name: str) -> str:
        return str(data / f"{name}.jsonl")

    train = f"{{terse: {at('terse')}, fine: {at('fine')}, both: [{at('terse')}, {at('fine')}]}}"
    return [
        "study", "--size", "own", "--bases", f"{{S: {model}, L: {model}}}", "--train", train,
        "--validation", at("validation"), "--test", at("test"), "--evaluators.problems", at("evaluator"),
        "--out", str(out), *SETTINGS,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def finished(data: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    result = subprocess.run(command(*words(data, tiny_model, out)), capture_output=True, text=True, env=environment())
    assert result.returncode == 0, result.stderr
    return out


def test_every_table_of_the_paper_is_filled(finished: Path) -> None:
    held = json.loads((finished / "report" / "study.json").read_text())
    assert [*held["tables"]] == [
        *(f"table{number}" for number in range(1, 8)), "evaluators", "controls", "clusters", "spending"
    ]  # fmt: skip
    for table in held["tables"].values():
        for row in table["rows"]:
            assert any("value" in cell or "text" in cell for cell in row["cells"]), row["name"]
    by_row = {row["name"]: row["cells"] for row in held["tables"]["table2"]["rows"]}
    assert by_row["L: both"][0]["paper"] == 35.6
    assert by_row["S: few-shot"][2]["paper"] == 27.2
    assert len(held["tables"]["table6"]["rows"]) == 4
    made = {"L: mean", "L: mean.with_likelihood_score", "L: margin.with_likelihood_score"}
    assert made < {row["name"] for row in held["tables"]["evaluators"]["rows"]}
    assert held["tables"]["table2"]["columns"][-1] == "Pass@4", "generators are compared on as many candidates"
    assert held["tables"]["spending"]["rows"][0]["name"] == "w.rr, first 6"


def test_what_stopping_rules_start_from_is_kept_for_solve(finished: Path) -> None:
    found = read_outlook(finished / "report" / "outlook.json")
    assert found.rate_exponent != Outlook().rate_exponent  # a random model gives no answers, whose scores would spread
    names = {
        row["name"]
        for row in json.loads((finished / "report" / "study.json").read_text())["tables"]["spending"]["rows"]
    }
    assert {"sure choice, 0.9", "worthwhile, 0.01", "w.rr, first 6, settled"} < names


def test_figure_1_stands_beside_the_papers(finished: Path) -> None:
    figure = json.loads((finished / "report" / "study.json").read_text())["figures"]["figure1"]
    rows = {row["name"]: dict(zip(figure["columns"], row["cells"], strict=True)) for row in figure["rows"]}
    assert list(rows) == ["1", "2", "3", "4", "5", "6"]  # up to N
    assert [rows["4"][name]["paper"] for name in figure["columns"]] == [57.2, 60.4, 60.0, 60]
    assert all("value" in cell for row in rows.values() for cell in row.values())
    for page in ("report.md", "report.html"):
        assert "beside the paper" in (finished / "report" / page).read_text()


def test_every_claim_is_decided_by_its_interval(finished: Path) -> None:
    claims = json.loads((finished / "report" / "study.json").read_text())["claims"]
    assert all(claim["verdict"] != "not measured" for claim in claims)
    for claim in claims:
        spans_zero = claim["low"] <= 0 <= claim["high"]
        assert spans_zero == (claim["verdict"] == "undecided"), claim
        assert claim["p_value"] <= claim["holm_p_value"] <= 1
        assert claim["corrected_verdict"] == (claim["verdict"] if claim["holm_p_value"] < 0.05 else "undecided")


def test_a_second_call_does_nothing_and_says_the_same(finished: Path, data: Path, tiny_model: Path) -> None:
    before = results(finished)
    result = subprocess.run(
        command(*words(data, tiny_model, finished), "--json"), capture_output=True, text=True, env=environment()
    )
    assert result.returncode == 0, result.stderr
    assert results(finished) == before
    figures = json.loads(result.stdout)["estimates"]
    assert {"table2: L: both", "table7: margin, K from validation"} <= {row["evaluation"] for row in figures}


def small(data: Path, model: Path, out: Path) -> list[str]:
    """One model, one seed and one evaluator: some thirty stages of every kind."""
    both = f"{{both: [{data / 'terse.jsonl'}, {data / 'fine.jsonl'}]}}"
    changes = {
        "--bases": f"{{L: {model}}}", "--train": both, "--seeds": "[0]", "--num_candidates": "2", "--main_candidates": "3",
        "--evaluators.averaged": "[]", "--evaluators.combined": "[]",
    }  # fmt: skip
    given = words(data, model, out)
    changed = [changes.get(before, word) for before, word in zip(["", *given], given, strict=False)]
    return [*changed, "--evaluators.losses", "[margin]", "--evaluators.transferred", "margin", *ONE_EVALUATOR]


ONE_EVALUATOR = [
    "--evaluators.variants",
    "{margin: {objective: {name: margin}}}",
    "--mtsft.losses",
    "[margin]",
    "--mtsft.mixed",
    "false",
]


def test_a_killed_study_ends_in_the_same_bytes(data: Path, tiny_model: Path, tmp_path: Path) -> None:
    """Killed early, while generators are trained, and late, while candidates are scored: at moments of the draw."""
    whole, killed, draws = tmp_path / "whole", tmp_path / "killed", random.Random(7)
    study_of(small(data, tiny_model, whole))
    num_stages = len(list(whole.glob("*/stage.json")))
    for share in (0.3, 0.7):
        process = subprocess.Popen(
            command(*small(data, tiny_model, killed)),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), start_new_session=True,
        )  # fmt: skip
        while process.poll() is None and len(list(killed.glob("*/stage.json"))) < share * num_stages:
            time.sleep(0.02)
        time.sleep(draws.uniform(0, 0.5))
        assert process.poll() is None, "it ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1.5)  # its worker processes notice and end
        assert len(list(killed.glob("*/stage.json"))) < num_stages
    study_of(small(data, tiny_model, killed))
    assert results(killed) == results(whole)


def study_of(given: list[str]) -> None:
    result = subprocess.run(command(*given), capture_output=True, text=True, env=environment())
    assert result.returncode == 0, result.stderr


def test_another_engine_samples_and_scores_for_the_study(data: Path, tiny_model: Path, tmp_path: Path) -> None:
    """All but the training is another engine's work, and every record says whose."""
    says = "{kind: scripted, texts: ['So $\\boxed{49}$', 'The answer is 50'], believed: '49'}"
    study_of([*small(data, tiny_model, tmp_path / "run"), "--engine", says, "--signals", "likelihood"])
    records = [json.loads(file.read_text()) for file in (tmp_path / "run").glob("*/stage.json")]
    asked = [
        r for r in records if r["stage"] == "Sample" or (r["stage"] == "ScoreCandidates" and "model" in r["inputs"])
    ]
    assert {r["stage"] for r in asked} == {"Sample", "ScoreCandidates"}
    assert {(r["settings"]["engine"]["kind"], r["device"]) for r in asked} == {("scripted", "scripted")}
    assert all(r["answered_by"] == [{"engine": "scripted", "address": None, "model": None}] for r in asked)
    texts = {
        c.text for c in read_records(tmp_path / "run" / "L.0.ssft.both.test.candidates" / "candidates.jsonl", Candidate)
    }
    assert texts == {"So $\\boxed{49}$", "The answer is 50"}
    report = tmp_path / "run" / "report"
    assert "<dt>sampled and scored by</dt><dd>scripted</dd>" in (report / "report.html").read_text()
    assert "| sampled and scored by | scripted |" in (report / "report.md").read_text()


def test_an_evaluator_named_like_another_stage_is_refused(tmp_path: Path) -> None:
    small = SmallStudy()
    variants = {**small.evaluators.variants, "labels": small.evaluators.variants["margin"]}
    settings = small.model_copy(update={"evaluators": small.evaluators.model_copy(update={"variants": variants})})
    with pytest.raises(SettingsError, match=r"L\.0\.evaluator\.labels"):
        study(Run(tmp_path / "run", dry=True), settings)
