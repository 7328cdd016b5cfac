"""Evaluate and Report on small stage directories: what they write, count and refuse, and that they repeat themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mathquorum.config import build
from mathquorum.errors import DataError, SettingsError
from mathquorum.metrics.crossed import seeded_mean
from mathquorum.metrics.differences import seeded_difference
from mathquorum.metrics.results import read_outcomes, read_results
from mathquorum.records import AnswerCluster, Candidate, Problem, Score, Selection, largest_first
from mathquorum.selection import SCORED_STRATEGIES
from mathquorum.stages.base import no_progress
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.report import EvaluationOf, Report, TrainingRun
from mathquorum.store import read_records, write_records

SIZE = 8


def write_stages(folder: Path, *, shift: int = 0, hostile: str = "") -> dict[str, Path]:
    """Problems p0..p9 with 8 candidates each: p8 has no answer in any, p9 no reference; p10 was not sampled."""
    problems = [Problem(f"p{n}", f"What is {n}? {hostile}", str(n) if n != 9 else None) for n in range(11)]
    candidates, clusters, scores, greedy = [], [], [], []
    for n in range(10):
        members: dict[str, list[int]] = {}
        for index in range(SIZE):
            answer = None if n == 8 or index == 7 else str(n + (index * (n + 1) + shift) % 3)
            candidates.append(Candidate(f"p{n}", index, f"It is {answer}. {hostile}", answer))
            if answer is not None:
                members.setdefault(answer, []).append(index)
                scores.append(Score(f"p{n}", index, ((index * 3 + n) % 8) / 8))
        found = [AnswerCluster(f"p{n}", a, tuple(m), a == str(n) if n != 9 else None) for a, m in members.items()]
        clusters.extend(sorted(found, key=lambda cluster: largest_first(cluster.members)))
        greedy.append(AnswerCluster(f"p{n}", "x", (0,), n % 2 == 0))
    places = {}
    for kind, records in [
        ("problems", problems),
        ("candidates", candidates),
        ("clusters", clusters),
        ("scores", scores),
    ]:
        places[kind] = folder / kind
        places[kind].mkdir(parents=True)
        write_records(places[kind] / f"{kind}.jsonl", records)
    places["greedy"] = folder / "greedy"
    places["greedy"].mkdir()
    write_records(places["greedy"] / "clusters.jsonl", greedy)
    return places


def run(stage: Evaluate | Report, out: Path) -> dict[str, Any]:
    out.mkdir()
    return dict(stage.run(out, no_progress))


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_evaluate_writes_selections_outcomes_and_results(tmp_path: Path) -> None:
    places = write_stages(tmp_path / "in")
    summary = run(Evaluate(**places, num_draws=64), tmp_path / "out")
    assert summary["problems"] == 9
    assert summary["without a reference"] == 1
    assert summary["without candidates"] == 1
    assert summary["candidates without an answer"] == 8 + 8

    results = read_results(tmp_path / "out" / "results.json")
    names = [estimate.name for estimate in results.estimates]
    assert names[:4] == ["pass@1.greedy", "pass@1", "maj1@8", "rr.all"]
    assert all(estimate.count == 9 for estimate in results.estimates)  # p8 counts as incorrect
    assert results.num_read == 11
    held = json.loads((tmp_path / "out" / "results.json").read_text())
    assert held["n-samples"] == {"original": 11, "effective": 9}
    assert {"results", "config", "versions"} <= held.keys()

    outcomes = read_outcomes(tmp_path / "out" / "outcomes.jsonl")
    assert list(outcomes) == names
    assert outcomes["maj1@8"]["p8"] == 0.0
    value = next(estimate.value for estimate in results.estimates if estimate.name == "maj1@8")
    assert value == pytest.approx(sum(outcomes["maj1@8"].values()) / 9, abs=1e-6)

    selections = list(read_records(tmp_path / "out" / "selections.jsonl", Selection))
    assert {s.strategy for s in selections} == {"maj1", *SCORED_STRATEGIES}
    assert all(s.answer is None and s.correct is False for s in selections if s.problem_id == "p8")


def test_the_same_inputs_make_the_same_bytes(tmp_path: Path) -> None:
    places = write_stages(tmp_path / "in")
    for out in ("one", "two"):
        run(Evaluate(**places, num_draws=64), tmp_path / out)
        run(Report(evaluations={"model": tmp_path / out}), tmp_path / f"{out}-report")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one-report") == contents(tmp_path / "two-report")
    assert str(tmp_path).encode() not in b"".join(contents(tmp_path / "one").values())


def test_files_do_as_well_as_directories_and_scores_may_be_absent(tmp_path: Path) -> None:
    places = write_stages(tmp_path / "in")
    files = {kind: places[kind] / f"{kind}.jsonl" for kind in ("problems", "candidates", "clusters")}
    run(Evaluate(**files), tmp_path / "out")
    results = read_results(tmp_path / "out" / "results.json")
    assert [estimate.name for estimate in results.estimates] == ["pass@1", "maj1@8", "pass@8"]
    run(Report(evaluations={"model": tmp_path / "out"}), tmp_path / "report")
    assert sorted(contents(tmp_path / "report")) == [
        "differences.json",
        "evaluations.json",
        "figures.json",
        "model-candidates.svg",
        "report.html",
        "report.md",
        "results.json",
    ]


def test_scores_that_are_missing_are_counted(tmp_path: Path) -> None:
    places = write_stages(tmp_path / "in")
    file = places["scores"] / "scores.jsonl"
    write_records(file, list(read_records(file, Score))[3:])
    with pytest.raises(DataError, match=r"3 of 56 candidates with an answer have no score \(first: p0, candidate 0\)"):
        run(Evaluate(**places), tmp_path / "out")


def test_an_unknown_strategy_is_refused_before_anything_is_read() -> None:
    absent = dict.fromkeys(("problems", "candidates", "clusters"), "absent")
    with pytest.raises(SettingsError, match=r"Did you mean 'w\.rr'\?"):
        build(Evaluate, {**absent, "strategies": ["w.r"]})


def test_clusters_of_other_candidates_are_refused(tmp_path: Path) -> None:
    places = write_stages(tmp_path / "in")
    write_records(places["clusters"] / "clusters.jsonl", [AnswerCluster("q1", "7", (0,), True)])
    with pytest.raises(DataError, match="1 problems have clusters but no candidates"):
        run(Evaluate(**places), tmp_path / "out")


def test_no_file_is_parsed_twice(tmp_path: Path, opened: list[str]) -> None:
    places = write_stages(tmp_path / "in")
    del opened[:]
    run(Evaluate(**places, num_draws=64), tmp_path / "out")
    read = [Path(name).name for name in opened if name.startswith(str(tmp_path / "in"))]
    assert sorted(read) == ["candidates.jsonl", "clusters.jsonl", "clusters.jsonl", "problems.jsonl", "scores.jsonl"]


def test_candidates_that_stand_in_the_file_twice_are_refused(tmp_path: Path) -> None:
    places = write_stages(tmp_path / "in")
    file = places["candidates"] / "candidates.jsonl"
    file.write_bytes(file.read_bytes() * 2)
    with pytest.raises(DataError, match=r"candidate 0 of problem 'p0' stands in the file twice"):
        run(Evaluate(**places), tmp_path / "out")


def test_a_report_compares_every_evaluation_with_the_baseline(tmp_path: Path) -> None:
    for name, shift in (("a", 0), ("b", 1)):
        run(Evaluate(**write_stages(tmp_path / f"in-{name}", shift=shift), num_draws=64), tmp_path / name)
    evaluations = {"base": tmp_path / "a", "MTSFT": tmp_path / "b"}
    report = Report(evaluations=evaluations, title="Two models", controls={"MTSFT": "base"})
    summary = run(report, tmp_path / "report")
    assert summary == {"evaluations": 2, "plots": 6}
    differences = json.loads((tmp_path / "report" / "differences.json").read_text())
    assert differences["baseline"] == "base"
    between = {row["name"]: row for row in differences["between"]["MTSFT"]}
    first, second = (read_outcomes(tmp_path / name / "outcomes.jsonl")["maj1@8"] for name in ("a", "b"))
    expected = sum(second[p] - first[p] for p in first) / 9
    assert between["maj1@8"]["value"] == pytest.approx(expected, abs=1e-6)
    assert between["maj1@8"]["low"] <= expected <= between["maj1@8"]["high"]
    assert [row["name"] for row in differences["within"]["base"]][:2] == ["rr.all", "rr.top8"]
    page = (tmp_path / "report" / "report.md").read_text()
    assert "## Against base" in page and "## Against its control" in page
    assert differences["controls"]["MTSFT less base"] == differences["between"]["MTSFT"]
    assert "![" in page
    for file in ("base-candidates.svg", "mtsft-clusters.svg", "base-calibration.svg"):
        assert f"({file})" in page
        assert (tmp_path / "report" / file).exists()


def test_a_report_of_several_training_runs_has_intervals_over_problems_and_runs(tmp_path: Path) -> None:
    places = [tmp_path / f"run-{shift}" for shift in range(3)]
    for shift, place in enumerate(places):
        run(Evaluate(**write_stages(tmp_path / f"in-{shift}", shift=shift), num_draws=64), place)
    evaluations = {"base": places[0], "MTSFT": places[0]}
    repeats = tuple(TrainingRun(evaluations={"MTSFT": place}) for place in places[1:])
    run(Report(evaluations=evaluations, controls={"MTSFT": "base"}, repeats=repeats), tmp_path / "report")
    tables = [read_outcomes(place / "outcomes.jsonl")["pass@1"] for place in places]
    rows = [[table[p] for p in tables[0]] for table in tables]
    figures = {
        (f["evaluation"], f["name"]): f
        for f in json.loads((tmp_path / "report" / "figures.json").read_text())["estimates"]
    }
    expected = seeded_mean("pass@1", rows)
    found = figures["MTSFT", "pass@1"]
    assert (found["value"], found["low"], found["high"]) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-6
    )
    differences = json.loads((tmp_path / "report" / "differences.json").read_text())["controls"]["MTSFT less base"]
    against = seeded_difference("d", rows, [rows[0]] * 3).estimate
    shown = next(d for d in differences if d["name"] == "pass@1")
    assert (shown["low"], shown["high"]) == pytest.approx((against.low, against.high), abs=1e-6)
    assert "Against its control (3 training runs of each)" in (tmp_path / "report" / "report.md").read_text()


def test_a_report_of_one_training_run_says_so_where_methods_are_compared(tmp_path: Path) -> None:
    run(Evaluate(**write_stages(tmp_path / "in"), num_draws=64), tmp_path / "out")
    evaluations = {"base": tmp_path / "out", "MTSFT": tmp_path / "out"}
    run(Report(evaluations=evaluations, controls={"MTSFT": "base"}), tmp_path / "report")
    assert "Against its control (one training run of each)" in (tmp_path / "report" / "report.md").read_text()
    assert "Each side is one training run: another run" in (tmp_path / "report" / "report.html").read_text()


def test_training_runs_of_other_evaluations_are_refused() -> None:
    with pytest.raises(ValueError, match="repeats names an unknown evaluation 'b'"):
        Report(evaluations={"a": Path("a")}, repeats=(TrainingRun(evaluations={"b": Path("b")}),))
    runs = tuple(TrainingRun(evaluations={name: Path(name)}) for name in ("a", "b"))
    with pytest.raises(ValueError, match="the same evaluations in each training run"):
        Report(evaluations={"a": Path("a"), "b": Path("b")}, repeats=runs)


def test_under_other_scores_only_what_reads_scores_is_compared(tmp_path: Path) -> None:
    places = write_stages(tmp_path / "in")
    run(Evaluate(**places, num_draws=64), tmp_path / "a")
    turned = [Score(s.problem_id, s.index, 1 - s.value) for s in read_records(places["scores"] / "scores.jsonl", Score)]
    write_records(places["scores"] / "scores.jsonl", turned)
    run(Evaluate(**places, num_draws=64), tmp_path / "b")
    run(Report(evaluations={"margin": tmp_path / "a", "turned": tmp_path / "b"}), tmp_path / "report")
    rows = json.loads((tmp_path / "report" / "differences.json").read_text())["between"]["turned"]
    assert [row["name"] for row in rows] == list(SCORED_STRATEGIES)


def test_other_candidates_with_the_same_pass_rate_are_compared_in_all_figures(tmp_path: Path) -> None:
    """Each problem's right answers are as many, the texts are others."""
    for name, hostile in (("a", ""), ("b", "So it is.")):
        run(Evaluate(**write_stages(tmp_path / f"in-{name}", hostile=hostile), num_draws=64), tmp_path / name)
    run(Report(evaluations={"a": tmp_path / "a", "b": tmp_path / "b"}), tmp_path / "report")
    rows = json.loads((tmp_path / "report" / "differences.json").read_text())["between"]["b"]
    assert [row["name"] for row in rows][:3] == ["pass@1.greedy", "pass@1", "maj1@8"]


def test_a_report_says_whose_candidates_and_scores_each_evaluation_is_of(tmp_path: Path) -> None:
    run(Evaluate(**write_stages(tmp_path / "in"), num_draws=64), tmp_path / "out")
    of = EvaluationOf(results=tmp_path / "out", generator="base + LoRA", scorer="margin")
    run(Report(evaluations={"base + LoRA + margin": of, "plain": tmp_path / "out"}), tmp_path / "report")
    held = json.loads((tmp_path / "report" / "evaluations.json").read_text())
    assert held["base + LoRA + margin"] | held["plain"] == {**held["plain"], "generator": "plain", "scorer": None}
    assert held["base + LoRA + margin"]["generator"] == "base + LoRA"
    (tmp_path / "out" / "evaluated.json").write_text("[]")
    with pytest.raises(DataError, match=r"evaluated\.json does not say which candidates .* Evaluate again"):
        run(Report(evaluations={"plain": tmp_path / "out"}), tmp_path / "again")


def test_texts_of_models_cannot_act_in_the_page(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>{{ 7 * 7 }}{% raw %}"
    run(Evaluate(**write_stages(tmp_path / "in", hostile=hostile), num_draws=64), tmp_path / "out")
    run(Report(evaluations={"<b>|x": tmp_path / "out"}, title="<i>"), tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<script>alert" not in page and "<b>|x" not in page and "<i>" not in page.split("<script", 1)[0]
    assert "&lt;b&gt;|x" in page
    assert "default-src &#39;none&#39;" in page and "unsafe-eval" not in page
    assert 'src="http' not in page and '<link rel="stylesheet' not in page  # libraries name their homes in comments
    assert r"\<b\>\|x" in (tmp_path / "report" / "report.md").read_text()


def test_report_names_must_be_usable() -> None:
    with pytest.raises(SettingsError, match=r"Unknown baseline 'bas'\. Did you mean 'base'\?"):
        build(Report, {"evaluations": {"base": "x"}, "baseline": "bas"})
    with pytest.raises(SettingsError, match="same file names"):
        build(Report, {"evaluations": {"SSFT fine": "x", "ssft-fine": "y"}})
