"""The prepare stage: a union of sources by weight, counted, and checked against test problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mathquorum.config import build
from mathquorum.datasets.contamination import find_contamination, normalize_text
from mathquorum.errors import DataError, RunError, SettingsError
from mathquorum.records import LabeledSolution, Problem
from mathquorum.run import Run
from mathquorum.stages.base import no_progress
from mathquorum.stages.prepare import Prepare, Source
from mathquorum.store import read_json, read_records, write_records


def problem(number: int, text: str | None = None) -> Problem:
    return Problem(
        f"mine/{number}", text or f"What is {number}+1?", str(number + 1), f"It is $\\boxed{{{number + 1}}}$."
    )


def write(path: Path, *problems: Problem) -> Path:
    write_records(path, problems)
    return path


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    return write(tmp_path / "ten.jsonl", *(problem(n) for n in range(10)))


def run(tmp_path: Path, name: str = "out", **settings: Any) -> Path:
    out = tmp_path / name
    out.mkdir()
    build(Prepare, settings).run(out, no_progress)
    return out


def labeled(out: Path, name: str = "labeled.jsonl") -> list[LabeledSolution]:
    return list(read_records(out / name, LabeledSolution))


def problems(out: Path, name: str = "problems.jsonl") -> list[Problem]:
    return list(read_records(out / name, Problem))


# --- the union -------------------------------------------------------------------------------------------------------


def test_a_source_becomes_problems_and_correct_solutions(ten: Path, tmp_path: Path) -> None:
    out = run(tmp_path, sources=[{"dataset": "jsonl", "path": ten, "style": "terse"}])
    assert problems(out) == [problem(n) for n in range(10)]
    first = labeled(out)[0]
    assert (first.problem_id, first.correct, first.style) == ("mine/0", True, "terse")
    assert len(labeled(out)) == 10


@pytest.mark.parametrize(("weight", "count"), [(1, 10), (2, 20), (0.5, 5), (2.3, 23), (0.01, 0)])
def test_weights_repeat_and_thin(weight: float, count: int, ten: Path, tmp_path: Path) -> None:
    out = run(tmp_path, sources=[{"dataset": "jsonl", "path": ten, "weight": weight}])
    written = labeled(out)
    assert len(written) == count
    assert len(problems(out)) == 10
    if weight == 2:
        assert all(written.count(solution) == 2 for solution in written)


def test_a_share_depends_on_the_seed(ten: Path, tmp_path: Path) -> None:
    shares = {
        seed: run(tmp_path, f"{seed}", seed=seed, sources=[{"dataset": "jsonl", "path": ten, "weight": 0.5}])
        for seed in range(4)
    }
    assert len({(out / "labeled.jsonl").read_bytes() for out in shares.values()}) > 1


def test_problems_that_two_sources_share_are_joined(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", Problem("a/0", "What is $1 + 1$?", None, "It is $\\boxed{2}$."))
    second = write(tmp_path / "b.jsonl", Problem("b/0", "what is 1+1", "2", "Count: \\boxed{2}"), problem(5))
    out = run(tmp_path, sources=[{"dataset": "jsonl", "path": first}, {"dataset": "jsonl", "path": second}])
    assert [(p.id, p.answer) for p in problems(out)] == [("a/0", "2"), ("mine/5", "6")]
    assert [s.problem_id for s in labeled(out)] == ["a/0", "a/0", "mine/5"]
    assert read_json(out / "report.json")["problems_joined"] == 1


def test_equal_settings_give_equal_bytes(ten: Path, tmp_path: Path) -> None:
    settings = {
        "sources": [{"dataset": "jsonl", "path": ten, "weight": 1.5, "limit": 8}, {"dataset": "minimath", "limit": 5}],
        "seed": 4,
    }
    first, second = run(tmp_path, "first", **settings), run(tmp_path, "second", **settings)
    names = [file.name for file in sorted(first.iterdir())]
    assert len(names) == 3
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_limit_is_drawn_by_the_seed(ten: Path, tmp_path: Path) -> None:
    drawn = [
        [p.id for p in problems(run(tmp_path, f"{s}", seed=s, sources=[{"dataset": "jsonl", "path": ten, "limit": 4}]))]
        for s in (0, 1)
    ]
    assert [len(ids) for ids in drawn] == [4, 4]
    assert drawn[0] != drawn[1]
    assert all(ids == sorted(ids) for ids in drawn), "the order of the file stays"


# --- what is left out ------------------------------------------------------------------------------------------------


def test_nothing_is_dropped_in_silence(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.jsonl",
        problem(1),
        Problem("mine/2", "No solution?", "3"),
        Problem("mine/3", "No final answer?", "3", "It is three."),
        Problem("mine/4", "No answer?"),
    )
    out = tmp_path / "out"
    out.mkdir()
    stage = Prepare(sources=(Source(dataset="jsonl", path=path),))
    summary = stage.run(out, no_progress)
    assert [s.problem_id for s in labeled(out)] == ["mine/1"]
    assert summary == {
        "problems": 4,
        "solutions": 1,
        "problems without an answer": 1,
        "left out: no final answer in the solution": 1,
    }
    (source,) = read_json(out / "report.json")["sources"]
    assert source["unusable"] == {"no final answer in the solution": 1}


def test_solutions_without_a_final_answer_can_be_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", Problem("mine/3", "Prove it.", None, "It is so."))
    out = run(tmp_path, sources=[{"dataset": "jsonl", "path": path}], unanswered="keep")
    assert [s.solution for s in labeled(out)] == ["It is so."]


def test_empty_solutions_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "labeled.jsonl"
    write_records(path, [LabeledSolution("a", "One?", " ", False), LabeledSolution("a", "One?", "\\boxed{1}", True)])
    out = run(tmp_path, sources=[{"dataset": "jsonl", "path": path}])
    assert [s.correct for s in labeled(out)] == [True]
    assert read_json(out / "report.json")["sources"][0]["unusable"] == {"empty solution": 1}


# --- contamination ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("What is $x^{2} + 1$?", "what is x^2+1"),
        ("Find \\(\\dfrac{1}{2}\\) of $4$.", "Find $\\frac12$ of $4$ ."),
        ("Let $f\\left(x\\right) = 3,\\!000$.", "let $f(x)=3,000$"),
        ("It costs \\$5.", "It costs $5"),
        ("Don\u2019t\u00a0 stop\nnow", "Don't stop now."),
    ],
)
def test_layout_does_not_hide_a_test_problem(a: str, b: str) -> None:
    assert find_contamination([Problem("a", a)], [Problem("b", b)]).pairs == (("a", "b"),)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("What is 1.5+2?", "What is 15+2?"),
        ("What is 1 2?", "What is 12?"),
        ("What is $2(3+4)$?", "What is $2\\cdot3+4$?"),
        ("What is 5!?", "What is 5?"),
        ("What is $x^{23}$?", "What is $x^{2}3$?"),
        ("List 1,2", "List 12"),
        ("Find $f'(2)$.", "Find $f(2)$."),
        ("Ratio 3:4", "Ratio 34"),
    ],
)
def test_different_problems_stay_different(a: str, b: str) -> None:
    assert normalize_text(a) != normalize_text(b)


@pytest.fixture
def test_set(tmp_path: Path) -> Path:
    return write(tmp_path / "problems.jsonl", Problem("test/0", "what is $3 + 1$"), Problem("test/1", "Else?"))


def test_a_test_problem_among_them_is_refused_by_name(ten: Path, test_set: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 of 10 problems .* mine/3 = test/0\. Set contamination to 'drop'"):
        run(tmp_path, sources=[{"dataset": "jsonl", "path": ten}], exclude=[test_set])


def test_a_test_problem_can_be_dropped_or_allowed(ten: Path, test_set: Path, tmp_path: Path) -> None:
    counts = {}
    for policy in ("drop", "allow"):
        out = run(
            tmp_path, policy, sources=[{"dataset": "jsonl", "path": ten}], exclude=[test_set], contamination=policy
        )
        counts[policy] = (len(problems(out)), len(labeled(out)))
        found = read_json(out / "report.json")["contamination"]
        assert (found["count"], found["pairs"], found["against"]) == (1, [["mine/3", "test/0"]], 2)
    assert counts == {"drop": (9, 9), "allow": (10, 10)}


def test_nothing_left_is_an_error(tmp_path: Path, test_set: Path) -> None:
    with pytest.raises(DataError, match=r"No problem is left"):
        run(tmp_path, sources=[{"dataset": "jsonl", "path": test_set}], exclude=[test_set], contamination="drop")


# --- settings and the ledger -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"dataset": "mth", "path": "x"}, r"Unknown dataset 'mth'. Did you mean 'math'\?"),
        ({"dataset": "math"}, "dataset 'math' needs a path, or a hub id as hub"),
        ({"dataset": "math", "path": "x", "hub": "a/b"}, "dataset 'math' needs a path, or a hub id as hub"),
        ({"dataset": "prm800k", "hub": "a/b"}, "read from files only"),
        ({"dataset": "minimath", "path": "x"}, "minimath is made, not read"),
        ({"dataset": "minimath", "split": "tset"}, r"Unknown split 'tset' of minimath. Did you mean 'test'\?"),
        ({"dataset": "minimath", "style": "long"}, "Unknown style 'long' of minimath"),
        ({"dataset": "math", "path": "x", "columns": {"problem": "q"}}, "columns go with dataset 'jsonl'"),
        ({"dataset": "jsonl", "path": "x", "columns": {"prblem": "q"}}, r"Did you mean 'problem'\?"),
        ({"dataset": "math", "path": "x", "weight": 0}, "weight"),
        ({"dataset": "math", "path": "x", "wieght": 1}, r"Did you mean 'weight'\?"),
    ],
)
def test_sources_are_checked_before_anything_is_read(source: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        build(Prepare, {"sources": [source]})


def test_the_ledger_sees_a_change_in_any_input(ten: Path, test_set: Path, tmp_path: Path) -> None:
    def stage() -> Prepare:
        return Prepare(sources=(Source(dataset="jsonl", path=ten),), exclude=(test_set,), contamination="allow")

    ledger = Run(tmp_path / "run")
    made = ledger.do("data", stage())
    assert json.loads((made / "stage.json").read_text())["inputs"].keys() == {"sources.0.path", "exclude.0"}
    ledger.do("data", stage())
    write(ten, problem(77))
    with pytest.raises(RunError, match=r"contents of sources.0.path changed"):
        ledger.do("data", stage())


# --- the real files --------------------------------------------------------------------------------------------------


def test_math_and_prm800k_as_in_the_paper(real_data: Path, whole: bool, tmp_path: Path) -> None:
    out = run(
        tmp_path,
        sources=[
            {"dataset": "math", "path": real_data / "math/lightman_train.jsonl.gz", "style": "terse"},
            {
                "dataset": "prm800k",
                "path": real_data / "prm800k/phase1_train_native_reconstructed.jsonl.gz",
                "style": "fine",
            },
        ],
        exclude=[real_data / "math/math500.jsonl.gz"],
    )
    assert len(problems(out)) == (12_000 if whole else 86)
    report = read_json(out / "report.json")
    assert report["problems_joined"] == (900 if whole else 12), "every PRM800K problem is one of MATH"
    assert report["contamination"]["count"] == 0
    assert report["sources"][0]["tally"]["dropped"] == {"no reference answer": 2}
    ids = {p.id for p in problems(out)}
    assert all(s.problem_id in ids for s in labeled(out))
    assert {s.style for s in labeled(out)} == {"terse", "fine"}


def test_phase_1_test_of_prm800k_is_refused_beside_math_500(real_data: Path, whole: bool, tmp_path: Path) -> None:
    path = real_data / "prm800k/phase1_test_native_reconstructed.jsonl.gz"
    with pytest.raises(DataError, match="53 of 53 problems" if whole else "4 of 4 problems"):
        run(
            tmp_path,
            sources=[{"dataset": "prm800k", "path": path}],
            exclude=[real_data / "math/math500.jsonl.gz"],
        )


TWINS = (
    "Ann has 7 pens, buys 12 and gives away 3. How many are left?",
    "Leo had 7 cups, got 12 more and lost 3. How many cups now?",
)


def twin(number: int, name: str, subject: str = "word_problems") -> Problem:
    return Problem(name, TWINS[number], "16", "7+12=19\\n19-3=16\\n\\boxed{16}", subject, 1)


def test_a_twin_of_a_test_problem_is_refused_dropped_or_reported(tmp_path: Path) -> None:
    """Of minimath alone: elsewhere equal numbers do not make an equal question."""
    train = write(tmp_path / "train.jsonl", twin(0, "minimath/train/word_problems/0"), problem(3))
    test = write(tmp_path / "test.jsonl", twin(1, "minimath/test/word_problems/0"))
    settings = {"sources": [{"dataset": "jsonl", "path": train}], "exclude": [test]}
    pair = "minimath/train/word_problems/0 = minimath/test/word_problems/0"
    with pytest.raises(DataError, match=rf"1 of 2 problems .+ its subject and numbers: {pair}\. Set contamination"):
        run(tmp_path, "refused", **settings)
    assert [p.id for p in problems(run(tmp_path, "dropped", contamination="drop", **settings))] == ["mine/3"]
    report = read_json(run(tmp_path, "allowed", contamination="allow", **settings) / "report.json")
    assert report["contamination"]["twins"] == [pair.split(" = ")]
    other = write(tmp_path / "other.jsonl", twin(0, "mine/0"))
    run(tmp_path, "other", **{**settings, "sources": [{"dataset": "jsonl", "path": other}]})


def test_no_split_of_minimath_has_a_twin_in_another(tmp_path: Path) -> None:
    test = run(tmp_path, "test", sources=[{"dataset": "minimath", "split": "test", "limit": 500}]) / "problems.jsonl"
    for split in ("pretrain", "train", "evaluator", "validation"):
        sources = [{"dataset": "minimath", "split": split, "limit": 1500}]
        report = read_json(run(tmp_path, split, sources=sources, exclude=[test]) / "report.json")
        assert report["contamination"]["count"] == 0
