"""The one reader of pools."""

from __future__ import annotations

from pathlib import Path

from mathquorum.metrics.pool_files import PoolFiles, read_pool
from mathquorum.records import AnswerCluster, Candidate, Problem, Score
from mathquorum.store import write_records


def test_all_that_the_files_hold_of_a_problem_comes_together(tmp_path: Path) -> None:
    """Problem b was not sampled, c has no reference; the second text of a is written twice."""
    problems = [Problem("a", "", "1"), Problem("b", "", "2"), Problem("c", "")]
    candidates = [
        *(Candidate("a", i, text, answer, -1.0 - i, 5) for i, (text, answer) in enumerate((("x", "1"), ("y", None), ("y", "3")))),
        Candidate("c", 0, "z", "9"),
    ]  # fmt: skip
    clusters = [
        AnswerCluster("a", "1", (0,), True),
        AnswerCluster("a", "3", (2,), False),
        AnswerCluster("c", "9", (0,)),
    ]
    for name, records in (
        ("candidates", candidates),
        ("clusters", clusters),
        ("scores", [Score("a", 0, 0.9), Score("a", 1, 0.1), Score("a", 2, 0.1)]),
    ):
        (tmp_path / name).mkdir()
        write_records(tmp_path / name / f"{name}.jsonl", records)
    write_records(tmp_path / "greedy.jsonl", [AnswerCluster("a", "3", (0,), False)])
    files = PoolFiles(
        tmp_path / "candidates",
        tmp_path / "clusters" / "clusters.jsonl",
        tmp_path / "greedy.jsonl",
        {"e": tmp_path / "scores"},
    )
    stored = read_pool(files, problems)
    (pool,) = stored.scored("e")
    assert (pool.problem_id, pool.num_candidates, pool.greedy_correct) == ("a", 3, False)
    assert pool.clusters == clusters[:2] and pool.scores == {0: 0.9, 1: 0.1, 2: 0.1}
    assert stored.answers["a"] == {0: "1", 2: "3"}
    assert stored.texts["a"] == [0, 1, 1]
    assert stored.tokens["a"] == [5, 5, 5] and stored.logprobs["a"] == [-1.0, -2.0, -3.0]
    assert stored.unsampled == ["b"]
