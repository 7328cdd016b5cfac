"""Sampling, clustering, labelling, splitting and scoring: what each makes, counts and refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from mathquorum.engines.base import Sampling
from mathquorum.engines.scripted import ScriptedEngine
from mathquorum.errors import DataError
from mathquorum.evaluator import evaluator_scores, likelihood_scores
from mathquorum.records import AnswerCluster, Candidate, LabeledSolution, Problem, Score
from mathquorum.stages.base import no_progress
from mathquorum.stages.cluster import Cluster
from mathquorum.stages.combine import CombineScores
from mathquorum.stages.label import Label
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates
from mathquorum.stages.split import Split
from mathquorum.store import read_records, write_records

PROBLEMS = [
    Problem("a", "What is $1+1$?", "2", "It is \\boxed{2}"),
    Problem("b", "What is $2+2$?", "4", "It is \\boxed{4}"),
    Problem("c", "What is $3+3$?", None),
]
CANDIDATES = [
    Candidate("a", 0, "\\boxed{2}", "2", -1.0, 3),
    Candidate("a", 1, "so \\boxed{2.0}", "2.0", -3.0, 4),
    Candidate("a", 2, "\\boxed{3}", "3", -2.0, 3),
    Candidate("a", 3, "\\boxed{3}", "3", -2.0, 3),
    Candidate("b", 0, "\\boxed{5}", "5", -900.0, 3),
    Candidate("b", 1, "hm", None, -1000.0, 1, False),
    Candidate("c", 0, "\\boxed{6}", "6", None, 3),
]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("problems", "candidates", "clusters")}
    write_records(paths["problems"], PROBLEMS)
    write_records(paths["candidates"], CANDIDATES)
    Cluster(problems=paths["problems"], candidates=paths["candidates"]).run(tmp_path, no_progress)
    return paths


def test_clusters_are_graded_once_and_counts_are_told(files: dict[str, Path], tmp_path: Path) -> None:
    summary = Cluster(problems=files["problems"], candidates=files["candidates"]).run(tmp_path, no_progress)
    clusters = list(read_records(files["clusters"], AnswerCluster))
    assert clusters == [
        AnswerCluster("a", "2", (0, 1), True),
        AnswerCluster("a", "3", (2, 3), False),
        AnswerCluster("b", "5", (0,), False),
        AnswerCluster("c", "6", (0,), None),
    ]
    assert summary["problems without a reference"] == 1 and summary["problems without any answer"] == 0


def test_the_number_of_processes_changes_no_byte(files: dict[str, Path], tmp_path: Path, monkeypatch: Any) -> None:
    problems = [Problem(f"p{i}", "?", "1/2") for i in range(80)]
    write_records(files["problems"], problems)
    write_records(
        files["candidates"], [Candidate(p.id, i, "", f"{i % 3}/4") for i in range(6) for p in reversed(problems)]
    )
    Cluster(problems=files["problems"], candidates=files["candidates"]).run(tmp_path, no_progress)
    alone = files["clusters"].read_bytes()
    monkeypatch.setattr("mathquorum.stages.cluster._WORTH_A_PROCESS", 100)
    Cluster(problems=files["problems"], candidates=files["candidates"], workers=2).run(tmp_path, no_progress)
    assert files["clusters"].read_bytes() == alone
    assert len(list(read_records(files["clusters"], AnswerCluster))) == 3 * 80


def test_labels_are_of_problems_with_both_and_equal_texts_count_once(files: dict[str, Path], tmp_path: Path) -> None:
    summary = Label(**files, style="fine").run(tmp_path, no_progress)
    labeled = list(read_records(tmp_path / "labeled.jsonl", LabeledSolution))
    assert {(item.problem_id, item.solution, item.correct, item.style) for item in labeled} == {
        ("a", "\\boxed{2}", True, "fine"),
        ("a", "so \\boxed{2.0}", True, "fine"),
        ("a", "\\boxed{3}", False, "fine"),
    }
    assert summary["no candidate correct"] == 1, "problem b"
    assert summary["without a reference answer"] == 1, "problem c is neither correct nor incorrect"


def test_no_labels_at_all_is_an_error_with_the_counts(files: dict[str, Path], tmp_path: Path) -> None:
    write_records(files["candidates"], CANDIDATES[4:6])
    Cluster(problems=files["problems"], candidates=files["candidates"]).run(tmp_path, no_progress)
    with pytest.raises(DataError, match="No problem of 1 has both correct and incorrect candidates"):
        Label(**files, references="never").run(tmp_path, no_progress)
    assert Label(**files).run(tmp_path, no_progress)["references standing in for correct candidates"] == 1


def test_the_likelihood_orders_candidates_even_where_probabilities_underflow() -> None:
    values = [score.value for score in likelihood_scores(CANDIDATES[4:6])]
    assert values[0] == 1.0 and 0 < values[1] < 1e-40
    assert likelihood_scores(CANDIDATES[6:]) == []


def test_scores_are_averaged_as_logits_and_the_likelihood_is_added(files: dict[str, Path], tmp_path: Path) -> None:
    places = (tmp_path / "one.jsonl", tmp_path / "two.jsonl")
    write_records(files["candidates"], CANDIDATES[:2])
    for place, values in zip(places, ((0.5, 0.9), (0.8, 0.9)), strict=True):
        write_records(place, [Score("a", i, value) for i, value in enumerate(values)])

    def made(weight: float) -> list[float]:
        CombineScores(candidates=files["candidates"], scores=places, likelihood_weight=weight).run(
            tmp_path, no_progress
        )
        return [score.value for score in read_records(tmp_path / "scores.jsonl", Score)]

    assert made(0.0) == pytest.approx([2 / 3, 0.9])  # odds of 1 and 4 have the geometric mean 2
    assert made(0.5) == pytest.approx([2 / 3, 9 / (9 + math.e)])  # two nats less likely
    write_records(files["candidates"], CANDIDATES[6:])
    write_records(places[0], [Score("c", 0, 0.5)])
    with pytest.raises(DataError, match="no score or no log-likelihood"):
        made(0.5)


def test_equal_texts_are_scored_once() -> None:
    asked: list[str] = []
    engine = ScriptedEngine(lambda prompt, seed: "", lambda prompt: asked.append(prompt) or 0.25)  # type: ignore[func-returns-value]
    scores = evaluator_scores(engine, PROBLEMS[0], CANDIDATES[:4])
    assert [score.value for score in scores] == [0.25] * 4 and len(asked) == 3


def test_scores_come_in_the_order_of_the_candidates_and_resume(
    files: dict[str, Path], tiny_model: Path, tmp_path: Path
) -> None:
    stage = ScoreCandidates(problems=files["problems"], candidates=files["candidates"], model=str(tiny_model))
    stage.run(tmp_path, no_progress)
    whole = (tmp_path / "scores.jsonl").read_bytes()
    scores = list(read_records(tmp_path / "scores.jsonl", Score))
    assert [(s.problem_id, s.index) for s in scores] == [(c.problem_id, c.index) for c in CANDIDATES]
    assert all(0 <= s.value <= 1 for s in scores) and scores[2].value == scores[3].value
    write_records(tmp_path / "scores.partial.jsonl", scores[:4])  # problem a was done, and a line was torn
    with (tmp_path / "scores.partial.jsonl").open("ab") as file:
        file.write(b'{"problem_id": "b", "ind')
    stage.run(tmp_path, no_progress)
    assert (tmp_path / "scores.jsonl").read_bytes() == whole


def test_a_prompt_longer_than_the_context_is_counted_and_the_rest_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    write_records(tmp_path / "problems.jsonl", [Problem("long", "1+" * 400, "1"), PROBLEMS[0]])
    stage = Sample(
        problems=tmp_path / "problems.jsonl", model=str(tiny_model), num_candidates=2, sampling=Sampling(max_tokens=8)
    )
    summary = stage.run(tmp_path, no_progress)
    candidates = list(read_records(tmp_path / "candidates.jsonl", Candidate))
    assert summary["prompt longer than the context"] == 1 and len(candidates) == 4
    assert [c.text for c in candidates[:2]] == ["", ""] and not candidates[0].finished and candidates[2].num_tokens


def test_raising_the_number_of_candidates_keeps_the_first_ones(tiny_model: Path, tmp_path: Path) -> None:
    write_records(tmp_path / "problems.jsonl", PROBLEMS)
    texts = {}
    for number in (3, 6):
        (tmp_path / str(number)).mkdir()
        Sample(
            problems=tmp_path / "problems.jsonl", model=str(tiny_model), num_candidates=number, sampling=Sampling(max_tokens=16)
        ).run(tmp_path / str(number), no_progress)  # fmt: skip
        texts[number] = {
            (c.problem_id, c.index): c.text
            for c in read_records(tmp_path / str(number) / "candidates.jsonl", Candidate)
        }
    assert all(texts[6][key] == text for key, text in texts[3].items())


def test_problems_with_one_text_stay_in_one_part(tmp_path: Path) -> None:
    problems = [Problem(f"p{i}", f"What is ${i // 2}+1$?") for i in range(40)]
    write_records(tmp_path / "problems.jsonl", problems)
    write_records(tmp_path / "labeled.jsonl", [LabeledSolution(p.id, p.text, "\\boxed{1}", True) for p in problems])
    stage = Split(
        problems=tmp_path / "problems.jsonl",
        labeled=tmp_path / "labeled.jsonl",
        parts={"evaluator": 5, "validation": 3},
    )
    stage.run(tmp_path, no_progress)
    parts = {
        n: {p.text for p in read_records(tmp_path / n / "problems.jsonl", Problem)}
        for n in ("evaluator", "validation", "generator")
    }
    assert [len(part) for part in parts.values()] == [5, 3, 12]
    assert not parts["evaluator"] & parts["generator"] and not parts["validation"] & parts["generator"]
    assert len(list(read_records(tmp_path / "evaluator" / "labeled.jsonl", LabeledSolution))) == 10
    with pytest.raises(
        DataError, match=r"^parts asks for 20 problems \(evaluator 20\) and there are 20 different ones"
    ):
        stage.model_copy(update={"parts": {"evaluator": 20}}).run(tmp_path, no_progress)
    capped = stage.model_copy(
        update={"parts": {"evaluator": 2000}, "at_most": 1 / 3, "asked_by": "evaluator.num_problems"}
    )
    assert (
        capped.run(tmp_path, no_progress)["evaluator problems"] == 2 * 6
    )  # of 20 different texts, each of two problems
    with pytest.raises(DataError, match=r"Give a lower evaluator\.num_problems, or more problems"):
        capped.model_copy(update={"at_most": 0.04}).run(tmp_path, no_progress)
