"""StudyReport: what it chooses, it chooses on validation problems."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mathquorum.records import AnswerCluster, Candidate, Problem, Score
from mathquorum.stages.base import no_progress
from mathquorum.stages.study_report import MeasuredPool, StudyReport
from mathquorum.store import write_json, write_records, write_rows


def pool(place: Path, right: int, sizes: Sequence[int], seed: int = 0) -> MeasuredPool:
    """Twelve problems alike. Their clusters have these sizes, the largest first, and the one at place `right` is correct: of all up
    to there it has the best scores, and every later one has better scores, so that RR is best with exactly so many clusters."""
    place.mkdir(exist_ok=True)
    answers = [letter for letter, size in zip("abcdefgh", sizes, strict=False) for _ in range(size)]
    scores = {
        letter: 0.9 if n == right else 0.95 if n > right else 0.1 + n / 100 for n, letter in enumerate("abcdefgh", 1)
    }
    names = [f"p{number}" for number in range(12)]
    write_records(place / "problems.jsonl", [Problem(name, f"{name}?", "abcdefgh"[right - 1]) for name in names])
    found = [Candidate(p, i, f"{a} {i}", a, -1.0 - i, 9) for p in names for i, a in enumerate(answers)]
    write_records(place / "candidates.jsonl", found)
    members = {letter: tuple(i for i, a in enumerate(answers) if a == letter) for letter in dict.fromkeys(answers)}
    clusters = [
        AnswerCluster(p, letter, of_letter, number == right)
        for p in names
        for number, (letter, of_letter) in enumerate(members.items(), start=1)
    ]
    write_records(place / "clusters.jsonl", clusters)
    write_records(place / "scores.jsonl", [Score(c.problem_id, c.index, scores[c.answer or ""]) for c in found])
    return MeasuredPool(
        role="L",
        generator="ssft.main",
        seed=seed,
        candidates=place / "candidates.jsonl",
        clusters=place / "clusters.jsonl",
        scores={"L.judge": place / "scores.jsonl"},
    )


def made(out: Path) -> Path:
    """What says how the test candidates were made and their generator was trained: its log."""
    record = {"summary": {"tokens": 1200}, "seconds": 24.0, "inputs": {"model": "a"}}
    write_json(out / "test" / "stage.json", record)
    (out / "ssft.main").mkdir()
    write_json(out / "ssft.main" / "stage.json", {"summary": {"steps": 2, "tokens": 64}, "seconds": 3.0})
    write_rows(out / "ssft.main" / "log.jsonl", [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 1.5}])
    return out / "ssft.main" / "log.jsonl"


def report(out: Path, test: tuple[int, Sequence[int]], validation: tuple[int, Sequence[int]]) -> Mapping[str, Any]:
    """study.json and outlook.json, with pools of those kinds."""
    out.mkdir()
    pools = {"test": pool(out / "test", *test), "validation": pool(out / "validation", *validation)}
    stage = StudyReport(
        problems=out / "test" / "problems.jsonl",
        validation=out / "validation" / "problems.jsonl",
        pools=(pools["test"],),
        validation_pools=(pools["validation"],),
        logs={"L: ssft.main": made(out)},
        roles=("L",),
        sources=("main",),
        losses=("judge",),
        transferred="judge",
    )
    stage.run(out, no_progress)
    return {name: json.loads((out / f"{name}.json").read_text()) for name in ("study", "outlook")}


FEW, MANY = (1, (20, 6, 4, 2)), (2, (10, 9, 8, 5))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    """By the kind of the validation problems, and of the test problems."""
    place = tmp_path_factory.mktemp("reports")
    return {
        "few, many": report(place / "one", MANY, FEW),
        "many, few": report(place / "two", FEW, MANY),
        "many, many": report(place / "three", MANY, MANY),
    }


def rows(found: Mapping[str, Any], table: str) -> dict[str, list[dict[str, Any]]]:
    return {row["name"]: row["cells"] for row in found["study"]["tables"][table]["rows"]}


def test_k_is_that_of_the_validation_problems(reports: Mapping[str, Mapping[str, Any]]) -> None:
    for kinds, best in (("few, many", 1), ("many, few", 2)):
        chosen, hindsight = (
            rows(reports[kinds], "table7")[f"judge, K {how}"][1] for how in ("from validation", "best in hindsight")
        )
        assert (chosen["text"], chosen["value"]) == (f"at {best}", 0)
        assert (hindsight["text"], hindsight["value"]) == (f"at {3 - best}", 1)


def test_the_stopping_rule_is_chosen_on_validation_problems(reports: Mapping[str, Mapping[str, Any]]) -> None:
    chosen = {
        kinds: [name for name in rows(found, "spending") if name.endswith("from validation")]
        for kinds, found in reports.items()
    }
    assert chosen["many, few"] == chosen["many, many"] != chosen["few, many"]
    assert all(len(names) == 1 for names in chosen.values())


def test_the_outlook_is_that_of_the_validation_problems(reports: Mapping[str, Mapping[str, Any]]) -> None:
    few, many, same = (reports[kinds]["outlook"] for kinds in ("few, many", "many, few", "many, many"))
    assert many == same != few
    assert few["scores"]["mean"] > many["scores"]["mean"]


def test_the_page_shows_how_models_were_trained_and_what_accuracy_cost(
    tmp_path: Path,
) -> None:
    report(tmp_path / "run", FEW, FEW)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    (charts,) = re.findall(r'id="charts-data">(.*?)</script>', page)
    held = json.loads(charts)
    assert [row["loss"] for row in held["training"]["L: ssft.main"]] == [2.5, 1.5]
    assert "2 steps, 64 tokens, 3 s" in page
    judged = "L: ssft.main + L.judge"
    assert held["costs"] == {"L: ssft.main": [100, None, 2, None], judged: [100, 32, 2, 2]}, "of a problem"
    assert {"maj1", "w.rr"} <= held["sweeps"][judged]["candidates"].keys()
    assert "maj1" in held["sweeps"]["L: ssft.main"]["candidates"]
    assert {row["name"] for row in held["rows"]} == held["costs"].keys(), "so that lines of cost find their rows"
