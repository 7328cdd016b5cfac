"""Other systems' candidate files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from math import fsum
from pathlib import Path
from typing import Any

import pytest

from mathquorum.answers import cluster_candidates
from mathquorum.datasets.samples import Samples, SampleSet, probabilities, read_samples
from mathquorum.errors import DataError
from mathquorum.records import Candidate, Problem, Score
from mathquorum.store import write_records


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def accuracies(pool: list[Samples]) -> tuple[float, float, float]:
    """pass@1, maj@N, pass@N in percent."""
    sums = [0.0, 0.0, 0.0]
    for item in pool:
        clusters = cluster_candidates(item.problem.id, item.candidates, item.problem.answer)
        right = sum(len(c.members) for c in clusters if c.correct)
        sums[0] += right / len(item.candidates)
        sums[1] += bool(clusters and clusters[0].correct)
        sums[2] += right > 0
    return tuple(100 * value / len(pool) for value in sums)  # type: ignore[return-value]


# --- real pools ------------------------------------------------------------------------------------------------------

# pass@1, maj@N, pass@N as computed by string and last-number graders (README of the data). Ours may be higher: it takes
# answers that no box marks and spellings that are equal in value.
PUBLISHED = {
    "math_qwen25math_n8_rm": (92.2, 95.8, 97.9),
    "math_qwen25_1p5b_n16_prm": (43.8, 70.0, 80.0),
    "gsm8k_mathcoder_n8": (80.1, 86.2, 92.6),
    "gsm8k_rho_tora_n6": (67.9, 83.0, 93.1),
    "gsm8k_openai_n4": (37.9, 44.3, 67.2),
    "math500_rho_n4": (33.0, 38.9, 62.8),
    "math_nemo_n3": (70.7, 84.0, 88.0),
}


# Base samples that run on into a question of their own: string graders take that one's answer. The 11 of 150 that we find right and they
# do not were read one by one.
ABOVE = {"math_nemo_n3": 7.4}


@pytest.mark.parametrize("name", PUBLISHED)
def test_pools_give_the_known_accuracies(name: str, pool_file: Callable[[str], Path]) -> None:
    measured = accuracies(list(read_samples(pool_file(name)).samples))
    for value, published in zip(measured, PUBLISHED[name], strict=True):
        assert published - 1.01 < value < published + ABOVE.get(name, 7)


@pytest.mark.parametrize(
    ("name", "best", "weighted"), [("math_qwen25math_n8_rm", 95.8, 97.9), ("math_qwen25_1p5b_n16_prm", 60.0, 70.0)]
)
def test_scores_give_the_known_choices(
    name: str, best: float, weighted: float, pool_file: Callable[[str], Path]
) -> None:
    pool = probabilities(list(read_samples(pool_file(name)).samples))
    hits = [0, 0]
    for item in pool:
        scores = [score or 0.0 for score in item.scores or ()]
        clusters = cluster_candidates(item.problem.id, item.candidates, item.problem.answer)
        right = {i for c in clusters if c.correct for i in c.members}
        hits[0] += scores.index(max(scores)) in right
        hits[1] += bool(max(clusters, key=lambda c: fsum(scores[i] for i in c.members)).correct)
    assert [round(100 * hit / len(pool), 1) for hit in hits] == [best, weighted]


def test_shared_pools_join_with_math(real_data: Path) -> None:
    first = read_samples(real_data / "candidates" / "math_qwen25math_n8_rm.jsonl.gz").samples[0]
    assert first.problem.id == "math/test/prealgebra/126"
    assert (first.problem.level, first.problem.subject) == (3, "Prealgebra")
    assert len(first.candidates) == len(first.scores or ()) == 8


@pytest.mark.parametrize(
    ("file", "count", "each", "reference", "answer"),
    [
        ("candidates/raw_sample/qwen_eval_rm_maj_head?.jsonl", None, 8, "420", "420"),
        ("candidates/raw_sample/mathcoder_gsm8k_head3.jsonl", 3, 1, "8", "1"),
        ("candidates/raw_sample/zeroeval_math_l5_head5.json", 5, 1, "-15", "-21"),
        ("gsm8k/raw_sample/example_model_solutions_head20.jsonl", 20, 4, "18", "26"),
    ],
)
def test_native_formats(file: str, count: int | None, each: int, reference: str, answer: str, real_data: Path) -> None:
    (path,) = real_data.glob(file)
    pool = list(read_samples(path).samples)
    assert pool and len(pool) == (count or len(pool))
    assert {len(item.candidates) for item in pool} == {each}
    assert (pool[0].problem.answer, pool[0].candidates[0].answer) == (reference, answer)
    assert all(item.problem.text and item.candidates[0].text for item in pool)


def test_native_rewards_are_kept_raw(real_data: Path) -> None:
    (path,) = real_data.glob("candidates/raw_sample/qwen_eval_rm_maj_head?.jsonl")
    first = read_samples(path).samples[0]
    assert first.scores is not None and first.scores[0] == 3.546875
    assert first.labels == (True,) * 8


def test_rho_gives_the_reference_as_the_dataset_has_it(real_data: Path) -> None:
    first = read_samples(real_data / "candidates/raw_sample/rho_math500_head5.jsonl").samples[0]
    assert first.problem.answer == "\\left( 3, \\frac{\\pi}{2} \\right)"


# --- plain rows ------------------------------------------------------------------------------------------------------


def test_a_plain_row(tmp_path: Path) -> None:
    row = {"id": "a/1", "problem": "2+3?", "answer": "5", "samples": ["\\boxed{5}", "no idea"], "scores": [0.9, 0.1]}
    (item,) = read_samples(write(tmp_path / "x.jsonl", row)).samples
    assert item.problem == Problem("a/1", "2+3?", "5")
    assert item.candidates == (Candidate("a/1", 0, "\\boxed{5}", "5"), Candidate("a/1", 1, "no idea"))
    assert (item.scores, item.labels) == ((0.9, 0.1), None)


def test_samples_may_be_objects(tmp_path: Path) -> None:
    entries = [{"text": "So 5", "answer": 5, "score": 2.5, "correct": True}, {"text": "\\boxed{6}", "answer": "7"}]
    (item,) = read_samples(write(tmp_path / "x.jsonl", {"problem_id": 3, "gold": 5, "completions": entries})).samples
    assert item.problem == Problem("x/3", "", "5")
    assert [c.answer for c in item.candidates] == ["5", "6"]
    assert (item.scores, item.labels) == ((2.5, None), (True, None))


@pytest.mark.parametrize(
    ("answers", "expected"), [("extract", [None, "6"]), ("given", ["5", "7"]), ("extract_or_given", ["5", "6"])]
)
def test_where_answers_come_from_is_a_setting(answers: Any, expected: list[str | None], tmp_path: Path) -> None:
    entries = [{"text": "So 5", "answer": "5"}, {"text": "\\boxed{6}", "answer": "7"}]
    (item,) = read_samples(write(tmp_path / "x.jsonl", {"id": "1", "samples": entries}), answers=answers).samples
    assert [c.answer for c in item.candidates] == expected


@pytest.mark.parametrize(("how", "value"), [("product", 0.25), ("min", 0.5), ("last", 0.5)])
def test_step_scores_become_one(how: Any, value: float, tmp_path: Path) -> None:
    row = {"problem": "?", "completions": ["a", "b"], "scores": [[0.5, 1.0, 0.5], []], "answer": "1"}
    (item,) = read_samples(write(tmp_path / "x.jsonl", row), step_scores=how).samples
    assert item.scores == (value, None)


def test_rewards_become_probabilities_and_probabilities_stay() -> None:
    def pool(*scores: float | None) -> list[Samples]:
        return [Samples(Problem("1", "?"), tuple(Candidate("1", i, "") for i in range(len(scores))), scores)]

    assert probabilities(pool(0.0, 1.0, None)) == pool(0.0, 1.0, None)
    (item,) = probabilities(pool(0.0, math.log(3), -800.0, 800.0, None))
    assert item.scores is not None
    assert item.scores[:2] == pytest.approx((0.5, 0.75))
    assert item.scores[2:] == (pytest.approx(0.0), 1.0, None)


def test_files_of_one_sample_each_are_put_together(tmp_path: Path) -> None:
    for seed, answer in enumerate(["5", "6", "5"]):
        write(
            tmp_path / f"output-rs{seed}.jsonl",
            {
                "problem": "2+3?",
                "expected_answer": "5",
                "generation": f"\\boxed{{{answer}}}",
                "predicted_answer": answer,
            },
        )
    (item,) = read_samples(tmp_path).samples
    assert [c.answer for c in item.candidates] == ["5", "6", "5"]
    (again,) = read_samples(sorted(tmp_path.iterdir())).samples
    assert again == item


def test_candidates_of_this_library_come_back(tmp_path: Path) -> None:
    problems = [Problem("a/1", "One?", "1"), Problem("a/2", "Two?", "2")]
    candidates = [Candidate(p.id, i, f"text {i}", str(i), -1.0, 5, True, 7) for p in problems for i in range(2)]
    write_records(tmp_path / "problems.jsonl", problems)
    write_records(tmp_path / "candidates.jsonl", candidates)
    pool = list(read_samples(tmp_path).samples)
    assert [c for item in pool for c in item.candidates] == candidates
    assert [item.problem for item in pool] == problems
    assert pool[0].scores is None
    write_records(tmp_path / "scores.jsonl", [Score("a/2", 1, 0.25)])
    assert [item.scores for item in read_samples(tmp_path / "candidates.jsonl").samples] == [None, (None, 0.25)]


# --- bad input -------------------------------------------------------------------------------------------------------


def test_a_torn_line_names_its_number(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", {"id": "1", "samples": ["a"]}, {"id": "2", "samples": ["b"]})
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"line 2: not valid JSON .* cut off while it was written"):
        read_samples(path)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"id": "1", "texts": ["a"]}, "cannot tell which column holds the solutions.*Columns there: id, texts"),
        ({"id": "1", "samples": {"a": 1}}, "samples: must be a text, or an object with a 'text'"),
        ({"id": "1", "samples": [3]}, "samples entry 1: must be a text"),
        ({"id": "1", "samples": ["a"], "scores": [1, 2]}, "field 'scores' must hold one value for each of 1 solutions"),
        ({"id": "1", "samples": ["a"], "scores": ["high"]}, "a score must be a number"),
    ],
)
def test_a_malformed_row_is_refused(row: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=text):
        list(read_samples(write(tmp_path / "x.jsonl", row)).samples)


def test_a_problem_in_two_rows_is_one_and_this_is_told(tmp_path: Path) -> None:
    row = {"id": "1", "problem": "?", "samples": ["a", "b"]}
    found = read_samples(write(tmp_path / "x.jsonl", row, row))
    assert [len(item.candidates) for item in found.samples] == [4]
    assert _told(found, "stand in several rows") == 1


def _told(found: SampleSet, words: str) -> int:
    """How often a notice with these words was given; 0 without one."""
    return sum(count for notice, count in (found.notices or {}).items() if words in notice)


def test_one_id_for_two_texts_is_two_problems_and_this_is_told(tmp_path: Path) -> None:
    a = write(tmp_path / "algebra.jsonl", {"doc_id": 0, "problem": "One?", "completion": "x"})
    b = write(tmp_path / "geometry.jsonl", {"doc_id": 0, "problem": "Two?", "completion": "y"})
    found = read_samples([a, b])
    assert [item.problem.id for item in found.samples] == ["algebra/0", "geometry/0"]
    assert _told(found, "ids that stand for several texts") == 1


def test_files_are_joined_by_problem_and_not_by_row(tmp_path: Path) -> None:
    a = write(tmp_path / "a.jsonl", {"problem": "One?", "generation": "1"}, {"problem": "Two?", "generation": "2"})
    b = write(tmp_path / "b.jsonl", {"problem": "Two?", "generation": "3"}, {"problem": "Ten?", "generation": "4"})
    found = read_samples([a, b])
    assert [[c.text for c in item.candidates] for item in found.samples] == [["1"], ["2", "3"], ["4"]]
    with pytest.raises(DataError, match="given twice"):
        read_samples([a, a])


def test_ids_of_solutions_do_not_part_a_problem(tmp_path: Path) -> None:
    rows = [{"uid": f"u{n}", "question": f"{n // 3}?", "response": f"{n}", "answer": "1"} for n in range(6)]
    found = read_samples(write(tmp_path / "x.jsonl", *rows))
    assert [len(item.candidates) for item in found.samples] == [3, 3]
    assert _told(found, "ids are of solutions") == 6


def test_references_that_contradict_or_say_there_is_none_are_told(tmp_path: Path) -> None:
    rows = [
        {"problem": "One?", "answer": answer, "response": "x"} for answer in ("1/2", "0.5", "3")
    ] + [{"problem": "Show it.", "answer": "proof", "response": "x"}]  # fmt: skip
    found = read_samples(write(tmp_path / "x.jsonl", *rows))
    assert [item.problem.answer for item in found.samples] == ["1/2", None]
    assert _told(found, "contradict") == 1 and _told(found, "proof, notfound") == 1


def test_problems_of_another_file_are_joined_by_id_also_without_the_number_of_the_solution(tmp_path: Path) -> None:
    problems = write(
        tmp_path / "problems.jsonl",
        {"id": "p1", "problem": "1?", "answer": "1"},
        {"id": "p2", "problem": "2?", "answer": "2"},
    )
    rows = [
        {"custom_id": f"{name}-sample-{n}", "response": None, "error": {}}
        for name in ("p1", "p2", "p3")
        for n in range(2)
    ]
    found = read_samples(write(tmp_path / "x.jsonl", *rows), problems)
    assert [(item.problem.id, item.problem.answer) for item in found.samples[:2]] == [("p1", "1"), ("p2", "2")]
    assert _told(found, "about no problem of problems.jsonl") == 2 and _told(found, "requests that failed") == 6
    with pytest.raises(DataError, match="none of its 2 problems is that of a row"):
        read_samples(write(tmp_path / "y.jsonl", *rows[4:]), problems)


def test_a_folder_without_samples_and_candidates_without_problems(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds neither candidates.jsonl nor output-rs"):
        list(read_samples(tmp_path).samples)
    write_records(tmp_path / "candidates.jsonl", [Candidate("a", 0, "x")])
    with pytest.raises(DataError, match=r"problems.jsonl cannot be read"):
        list(read_samples(tmp_path).samples)
    write_records(tmp_path / "problems.jsonl", [Problem("b", "x")])
    with pytest.raises(DataError, match=r"problem 'a' is not in"):
        list(read_samples(tmp_path).samples)
