"""The vote on someone's own samples: with and without references, lost scores, several models, curves, runs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from mathquorum.assets import tiny_base_path
from mathquorum.datasets.source import Source
from mathquorum.engines import Scripted
from mathquorum.errors import DataError, SettingsError
from mathquorum.metrics import Pool
from mathquorum.metrics.choices import Choices
from mathquorum.metrics.curves import curves_over_candidates
from mathquorum.records import AnswerCluster, Candidate, Problem, Score, largest_first
from mathquorum.run import Run
from mathquorum.selection import Majority, Rerank, WeightedVote
from mathquorum.stages.base import Shard
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.evaluate import Evaluate
from mathquorum.stages.prepare import Prepare
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.store import write_records
from mathquorum.voting import measure_samples
from mathquorum.voting.curves import drawn_curves
from mathquorum.voting.measured import measure_run, measured_json
from mathquorum.voting.page import write_report
from mathquorum.voting.picks import pick_json


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def box(answer: object) -> str:
    return f"It is $\\boxed{{{answer}}}$."


def test_a_report_that_cannot_be_written_is_told_with_its_option(tmp_path: Path) -> None:
    file = write(tmp_path / "x.jsonl", {"id": "a", "problem": "?", "samples": [box(1), box(2)]})
    with pytest.raises(SettingsError, match=r"--report .*x\.jsonl cannot be made: .* Give a folder, or a new name"):
        write_report({"x": measure_samples([file])}, [file], file)


def told(counts: Any, words: str) -> int:
    return sum(count for name, count in counts.items() if words in name)


def test_without_references_each_problem_has_its_clusters_votes_scores_and_choices(tmp_path: Path) -> None:
    rows = [
        {
            "id": "a",
            "problem": "?",
            "samples": [box(5), box("10/2"), box(6), "no idea"],
            "scores": [0.1, 0.2, 0.9, 0.5],
        },
        {"id": "b", "problem": "?", "samples": [box(1), box(2), "", ""], "scores": [0.1, 0.9, 0, 0]},
        {"id": "c", "problem": "?", "samples": ["", "I am not sure what"], "scores": [0.1, 0.9]},
    ]
    measured = measure_samples([write(tmp_path / "x.jsonl", *rows)])
    assert measured.estimates == () and measured.differences == ()
    first, second, third = (pick_json(pick) for pick in measured.picks)
    assert [(c["answer"], c["votes"], c["score"], c["correct"]) for c in first["clusters"]] == [
        ("5", 2, 0.3, None),
        ("6", 1, 0.9, None),
    ]
    assert first["picks"]["maj1"] == {"answer": "5", "correct": None, "candidate": 1}
    assert first["picks"]["w.rr"]["answer"] == "6" and not first["tied"]
    assert second["tied"] and second["picks"]["maj1"]["answer"] == "1"
    assert third["picks"]["maj1"] == {"answer": None, "correct": None, "candidate": None}
    assert measured.rates == pytest.approx({"no_answer_rate": 0.5, "tied_vote_rate": 1 / 3, "no_vote_rate": 1 / 3})
    assert told(measured.counts, "without a reference") == 3


def test_with_references_the_vote_is_compared_and_its_headroom_shown(tmp_path: Path) -> None:
    rows = [
        {"id": n, "answer": "1", "samples": [box(1), box(1), box(2)] if n else [box(2), box(2), box(1)]}
        for n in range(4)
    ]
    found = measured_json(measure_samples([write(tmp_path / "x.jsonl", *rows)]))
    assert [d["name"] for d in found["differences"]] == ["maj1@3 - pass@1"]
    assert [(d["name"], d["value"]) for d in found["headroom"]] == [("pass@3 - maj1@3", 0.25)]
    assert [p["k"] for p in found["curves"]["maj1"]] == [1, 2, 3]
    assert len(found["picks"]) == 4 and found["picks"][0]["picks"]["maj1"]["correct"] is False
    json.dumps(found, allow_nan=False)


def test_a_lost_score_costs_one_candidate_its_score_and_leaves_the_strategies(tmp_path: Path) -> None:
    rows = [{"id": n, "answer": "1", "samples": [box(1), box(2), box(1)], "scores": [0.6, 0.5, 0.2]} for n in range(8)]
    rows[0]["scores"] = [None, 0.5, 0.2]
    rows[1]["scores"] = [float("nan"), 0.5, 0.6]
    measured = measure_samples([write(tmp_path / "x.jsonl", *rows)])
    values = {e.name: e.value for e in measured.estimates}
    assert told(measured.counts, "answered candidates without a score (they count as 0 and never win)") == 2
    assert values["rr.all"] == pytest.approx(7 / 8) and values["w.rr"] == pytest.approx(7 / 8)
    whole = {e.name: e.value for e in measure_samples([write(tmp_path / "y.jsonl", *rows[2:])]).estimates}
    assert whole["rr.all"] == 1


def test_scores_of_fewer_than_half_are_not_used_and_this_is_told(tmp_path: Path) -> None:
    row = {"id": 1, "answer": "1", "samples": [box(1), box(2), box(1)], "scores": [0.6, None, None]}
    measured = measure_samples([write(tmp_path / "x.jsonl", row)])
    assert told(measured.counts, "scores are not used") == 2
    assert not any(e.name == "w.rr" for e in measured.estimates)
    with pytest.raises(SettingsError, match=r"w\.rr need scores"):
        measure_samples([tmp_path / "x.jsonl"], strategies=["w.rr"])


def test_models_of_one_file_have_rows_of_their_own(tmp_path: Path) -> None:
    rows = [
        {"problem": f"{n}?", "answer": "1", "response": box(a), "model": m}
        for n in range(3)
        for m, answers in (("good", (1, 1)), ("poor", (1, 2 + n)))
        for a in answers
    ]
    measured = measure_samples([write(tmp_path / "x.jsonl", *rows)])
    values = {model: {e.name: e.value for e in found} for model, found in measured.by_model.items()}
    assert values["good"]["pass@1"] == 1 and values["poor"]["pass@1"] == 0.5 and values["poor"]["pass@2"] == 1
    assert {e.name: e.value for e in measured.estimates}["pass@1"] == 0.75


def test_pools_of_different_size_are_told(tmp_path: Path) -> None:
    rows = [{"id": n, "answer": "1", "samples": [box(1)] * (4 - n % 2)} for n in range(4)]
    measured = measure_samples([write(tmp_path / "x.jsonl", *rows)])
    assert (
        told(
            measured.counts, "problems with fewer than 4 candidates (from 3): in figures @4 each counts with all it has"
        )
        == 2
    )


def test_candidates_without_texts_vote_by_their_answers(tmp_path: Path) -> None:
    measured = measure_samples([write(tmp_path / "x.jsonl", {"id": 1, "gold": "5", "answers": ["5", "10/2", "6"]})])
    assert {e.name: e.value for e in measured.estimates}["maj1@3"] == 1


def test_nothing_to_vote_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="None of the 1 problems has candidates"):
        measure_samples([write(tmp_path / "x.jsonl", {"id": 1, "samples": []})])


def test_a_long_candidate_and_escapes_are_read_and_counted(tmp_path: Path) -> None:
    row = {"id": 1, "answer": "1", "samples": ["x " * 500_000 + box(1), "\x1b[31m<script>alert(1)</script>" + box(1)]}
    measured = measure_samples([write(tmp_path / "x.jsonl", row)])
    assert {e.name: e.value for e in measured.estimates}["maj1@2"] == 1
    assert told(measured.counts, "control characters") == 1


def test_html_in_texts_is_counted(tmp_path: Path) -> None:
    row = {
        "id": 1,
        "problem": "x<sup>2</sup>?",
        "answer": "1",
        "samples": [box(1) + "<br/>", "a < b & c > d " + box(1)],
    }
    measured = measure_samples([write(tmp_path / "x.jsonl", row)])
    assert told(measured.counts, "candidates with HTML") == told(measured.counts, "problems with HTML") == 1


# --- curves ----------------------------------------------------------------------------------------------------------


def pools_of(count: int, size: int) -> list[Pool]:
    draw = random.Random(0)
    pools = []
    for number in range(count):
        members: dict[int, list[int]] = {}
        for index in range(size):
            if draw.random() > 0.1:
                members.setdefault(min(int(draw.expovariate(0.7)), 6), []).append(index)
        clusters = [AnswerCluster(str(number), str(a), tuple(m), a == number % 2) for a, m in members.items()]
        scores = {i: round(draw.random(), 2) for i in range(size)}
        pools.append(Pool(str(number), size, sorted(clusters, key=lambda c: largest_first(c.members)), scores))
    return pools


def test_drawn_curves_are_those_of_the_exact_sums_within_their_chance() -> None:
    pools = pools_of(4, 12)
    drawn = {curve.name: curve for curve in drawn_curves(pools, num_draws=80_000)}
    exact = {
        c.name: c
        for c in curves_over_candidates(Choices(pools), [Majority(), Rerank(), WeightedVote()], num_draws=8_000)
    }
    assert drawn.keys() == exact.keys()
    for name, curve in drawn.items():
        assert [p.x for p in curve.points] == [1, 2, 4, 8, 12]
        # Chance: one standard deviation of a mean of 80,000 draws is below 0.002, of w.rr's 8,000 below 0.006.
        tolerance = {"pass": 1e-9, "w.rr": 0.03}.get(name, 0.01)
        for point, other in zip(curve.points, exact[name].points, strict=True):
            assert point.value == pytest.approx(other.value, abs=tolerance)


def test_ties_of_all_zero_scores_and_problems_without_answers_are_drawn_too() -> None:
    clusters = [AnswerCluster("a", "1", (0, 1), True), AnswerCluster("a", "2", (2, 3), False)]
    zeros = Pool("a", 5, clusters, dict.fromkeys(range(5), 0.0))
    curves = {c.name: [p.value for p in c.points] for c in drawn_curves([zeros], num_draws=20_000)}
    assert curves["w.rr"] == pytest.approx(curves["maj1"], abs=1e-9)
    assert [p.value for p in drawn_curves([Pool("b", 4, [])])[1].points] == [0, 0, 0]


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_is_voted_by_its_own_files_wherever_it_lies(tmp_path: Path) -> None:
    problems = [Problem(f"p{n}", f"{n}?", "1") for n in range(3)]
    run = Run(tmp_path / "run")
    for name, answers in (("first", "112"), ("second", "221")):
        made = [Candidate(p.id, i, box(a), a) for p in problems for i, a in enumerate(answers)]
        (tmp_path / name).mkdir()
        write_records(tmp_path / name / "candidates.jsonl", made)
        write_records(tmp_path / name / "problems.jsonl", problems)
        write_records(tmp_path / name / "scores.jsonl", [Score(c.problem_id, c.index, 0.5) for c in made])
        paths = {"problems": tmp_path / name / "problems.jsonl", "candidates": tmp_path / name / "candidates.jsonl"}
        clusters = run.do(f"{name}.clusters", Cluster(**paths))
        run.do(f"{name}.evaluation", Evaluate(**paths, clusters=clusters, scores=tmp_path / name / "scores.jsonl"))
    with pytest.raises(DataError, match=r"candidates of stage 'first\.evaluation' are not in the run"):
        measure_run(tmp_path / "run")
    for name in ("first", "second"):  # as `Sample` leaves them: a stage of the run
        (tmp_path / name).rename(tmp_path / "run" / name)
        record = {**json.loads((tmp_path / "run" / f"{name}.clusters" / "stage.json").read_text()), "stage": "Sample"}
        (tmp_path / "run" / name / "stage.json").write_text(json.dumps({**record, "inputs": {}}))
    (tmp_path / "run").rename(tmp_path / "moved")
    found = measure_run(tmp_path / "moved")
    values = {name: {e.name: e.value for e in m.estimates}["maj1@3"] for name, m in found.items()}
    assert values == {"first.evaluation": 1.0, "second.evaluation": 0.0}
    assert list(measure_run(tmp_path / "moved" / "second.evaluation")) == ["second.evaluation"]
    assert any(e.name == "w.rr" for e in found["first.evaluation"].estimates)


def test_a_run_without_figures_is_voted_with_its_scores_and_not_its_shards(tmp_path: Path) -> None:
    run, engine = Run(tmp_path), Scripted(texts=("It is \\boxed{1}.", "It is \\boxed{2}."))
    problems = run.do("problems", Prepare(sources=(Source(dataset="minimath", split="test", limit=3),)))
    problems /= "problems.jsonl"
    sample = Sample(problems=problems, model=str(tiny_base_path()), num_candidates=4, engine=engine)
    Run(tmp_path, only="candidates", shard=Shard(number=1, of=2)).do("candidates", sample)
    candidates = run.do("candidates", sample) / "candidates.jsonl"
    assert list(measure_run(tmp_path)) == ["candidates"]
    run.do(
        "scores", ScoreCandidates(problems=problems, candidates=candidates, model=str(tiny_base_path()), engine=engine)
    )
    assert list(measure_run(tmp_path)) == ["scores"]
