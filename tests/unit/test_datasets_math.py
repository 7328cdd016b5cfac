"""MATH in all its forms, with the quirks that the real files have."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mathquorum.datasets import gsm8k
from mathquorum.datasets.contamination import find_contamination, find_duplicates
from mathquorum.datasets.hendrycks_math import lightman_split, lightman_test_ids, load, math_id, read_level
from mathquorum.errors import DataError
from mathquorum.records import Problem

ROWS = [
    {"problem": "What is $1+1$?", "level": "Level 1", "type": "Algebra", "solution": "It is $\\boxed 2$."},
    {"problem": "What is $1/2$?", "level": "Level ?", "type": "Prealgebra", "solution": "\\boxed{\\frac{1}{2}}."},
]


def write_jsonl(path: Path, rows: list[dict[str, object]], end: str = "\n") -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + end, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def everything(real_data: Path) -> dict[str, Problem]:
    return {problem.id: problem for problem in load(real_data / "math") if problem.id.count("/") == 3}


# --- forms -----------------------------------------------------------------------------------------------------------


def test_every_form_gives_the_same_problems(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    plain = write_jsonl(tmp_path / "test.jsonl", ROWS, end="")
    expected = list(load(plain))
    (tmp_path / "gz").mkdir()
    zipped = tmp_path / "gz" / "test.jsonl.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    columns = tmp_path / "test-00000-of-00001.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), columns)
    assert [problem.id for problem in expected] == ["math/test/row/0", "math/test/row/1"]
    assert list(load(zipped)) == list(load(tmp_path / "gz")) == list(load(columns)) == expected


def test_the_original_folder_gives_the_original_numbers(tmp_path: Path) -> None:
    for subject, number, row in [("prealgebra", 10, ROWS[1]), ("algebra", 24, ROWS[0]), ("algebra", 9, ROWS[0])]:
        file = tmp_path / "MATH" / "test" / subject / f"{number}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    problems = list(load(tmp_path / "MATH"))
    assert [problem.id for problem in problems] == [
        "math/test/algebra/9",
        "math/test/algebra/24",
        "math/test/prealgebra/10",
    ]
    assert list(load(tmp_path / "MATH" / "test")) == problems
    with pytest.raises(DataError, match=r"no split 'train'. There: test"):
        list(load(tmp_path / "MATH", "train"))


def test_the_raw_slice_equals_the_same_problems_in_one_file(
    real_data: Path, whole: bool, everything: dict[str, Problem]
) -> None:
    raw = list(load(real_data / "math" / "raw_sample" / "MATH"))
    assert len(raw) == (66 if whole else 14)
    assert raw == [everything[problem.id] for problem in raw]
    train = list(load(real_data / "math" / "raw_sample" / "MATH", "train"))
    assert train and train == [problem for problem in raw if problem.id.startswith("math/train/")]


def test_answers_are_those_of_the_last_box(real_data: Path, tmp_path: Path) -> None:
    for split in ("train", "test"):
        with gzip.open(real_data / "math" / f"{split}.jsonl.gz") as handle:
            rows = [json.loads(line) for line in handle]
        given = list(load(real_data / "math" / f"{split}.jsonl.gz"))
        bare = write_jsonl(tmp_path / f"{split}.jsonl", [{k: v for k, v in r.items() if k != "answer"} for r in rows])
        assert list(load(bare)) == given


# --- quirks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem_id", "answer"),
    [
        ("math/train/algebra/24014", "2"),  # \boxed 2
        ("math/test/prealgebra/177", "6"),  # the last box holds 12
        ("math/train/number_theory/7115", None),  # \boxed{}
        ("math/train/number_theory/7117", None),
        ("math/train/algebra/152", "(8,38)"),  # two boxes
    ],
)
def test_quirks_of_answers(problem_id: str, answer: str | None, everything: dict[str, Problem]) -> None:
    assert everything[problem_id].answer == answer


def test_unknown_levels_are_none(everything: dict[str, Problem]) -> None:
    unknown = {problem.id for problem in everything.values() if problem.level is None}
    assert unknown == {"math/train/geometry/377", "math/train/geometry/471"}


def test_levels_in_every_spelling() -> None:
    assert [read_level(value) for value in ("Level 5", "5", 5, 5.0)] == [5] * 4
    assert [read_level(value) for value in ("Level ?", None, "hard", [1])] == [None] * 4


def test_ids_however_they_are_written() -> None:
    assert {math_id(name) for name in ("test/algebra/24.json", "math/test/algebra/24.json", "test/algebra/24")} == {
        "math/test/algebra/24"
    }


def test_non_ascii_and_odd_line_separators_survive(tmp_path: Path) -> None:
    row = {**ROWS[0], "problem": "Caf\u00e9 \u2028 $\u221a2$\x0c\x85?"}
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    assert [problem.text for problem in load(path)] == [row["problem"]]


# --- the split -------------------------------------------------------------------------------------------------------


def test_the_lightman_split_is_the_published_one(real_data: Path, everything: dict[str, Problem]) -> None:
    split = lightman_split(everything.values())
    published = {problem.id: problem for problem in load(real_data / "math" / "math500.jsonl.gz")}
    assert {problem.id: problem for problem in split.test} == published
    assert {problem.id for problem in split.train} == {
        problem.id for problem in load(real_data / "math" / "lightman_train.jsonl.gz")
    }


def test_the_lightman_split_has_12000_and_500_problems(shared_data: Path) -> None:
    split = lightman_split({p.id: p for p in load(shared_data / "math") if p.id.count("/") == 3}.values())
    assert (len(split.train), len(split.test)) == (12_000, 500)


def test_the_lightman_split_works_without_the_original_numbers(everything: dict[str, Problem]) -> None:
    from dataclasses import replace

    anonymous = [replace(problem, id=f"math/x/row/{n}") for n, problem in enumerate(everything.values())]
    split, named = lightman_split(anonymous), lightman_split(everything.values())
    assert len(split.train) == len(named.train)
    assert {p.text for p in split.test} == {p.text for p in named.test}


def test_the_lightman_ids_ship_with_the_package() -> None:
    ids = lightman_test_ids()
    assert len(ids) == len(set(ids.values())) == 500
    assert all(name.startswith("math/test/") for name in ids)


def test_the_split_is_a_name_of_load(real_data: Path, whole: bool, tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / f"{split}.jsonl.gz").symlink_to(real_data / "math" / f"{split}.jsonl.gz")
    assert sum(1 for _ in load(tmp_path, "lightman_test")) == (500 if whole else 24)


def test_known_duplicates_and_overlaps(whole: bool, everything: dict[str, Problem]) -> None:
    train = [p for p in everything.values() if p.id.startswith("math/train/")]
    test = [p for p in everything.values() if p.id.startswith("math/test/")]
    found = find_contamination(train, test)
    assert ("math/train/geometry/6032", "math/test/precalculus/24307") in found.pairs
    assert found.count == len(found.pairs) == (4 if whole else 1), (
        "one equal to the letter, three but for spaces and braces"
    )
    assert ("math/train/algebra/2463", "math/train/algebra/24377") in find_duplicates(train)
    split = lightman_split(everything.values())
    assert find_contamination(split.train, split.test).count == 0


# --- bad input -------------------------------------------------------------------------------------------------------


def test_a_wrong_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "test.jsonl", [{"problems": "What?", "solution": "\\boxed{1}"}])
    with pytest.raises(DataError, match=r"line 1: field 'problem' is missing. Did you mean 'problems'\? Columns there"):
        list(load(path))


def test_a_torn_line_is_named(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "test.jsonl", ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"line 2: not valid JSON .* cut off"):
        list(load(path))


@pytest.mark.parametrize("content", [b"", b"PAR1 not parquet", b"PAR1" * 10])
def test_a_broken_parquet_file_is_named(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="parquet needs pyarrow")
    path = tmp_path / "test.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"test.parquet cannot be read as parquet"):
        list(load(path))


def test_a_broken_original_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "MATH" / "test" / "algebra" / "1.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"problem": "x"')
    with pytest.raises(DataError, match=r"1.json cannot be read as JSON"):
        list(load(tmp_path / "MATH"))


def test_a_missing_path_and_a_folder_without_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no"):
        list(load(tmp_path / "nothing"))
    with pytest.raises(DataError, match=r"holds no file that ends in"):
        list(load(tmp_path))
    write_jsonl(tmp_path / "train.jsonl", ROWS)
    with pytest.raises(DataError, match=r"for split 'test'.*There: train.jsonl"):
        list(load(tmp_path, "test"))
    (tmp_path / "notes.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match=r"notes.txt, line 2: field 'problem' is missing. Columns there: a"):
        list(load(tmp_path / "notes.txt"))


# --- the hub ---------------------------------------------------------------------------------------------------------


def test_the_hub_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'mathquorum\[hub\]'"):
        list(load("nobody/math", "test"))


def test_the_hub_gives_every_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = ModuleType("datasets")
    hub.get_dataset_config_names = lambda name: ["geometry", "algebra"]  # type: ignore[attr-defined]
    hub.load_dataset = lambda name, config, split: [{**ROWS[0], "problem": f"{name} {config} {split}?"}]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", hub)
    problems = list(load("nobody/math", "test"))
    assert [p.id for p in problems] == ["math/test/row/0", "math/test/row/1"]
    assert [p.text for p in problems] == ["nobody/math algebra test?", "nobody/math geometry test?"]


def test_the_hub_gives_the_main_configuration_alone_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = ModuleType("datasets")
    hub.get_dataset_config_names = lambda name: ["main", "socratic"]  # type: ignore[attr-defined]
    hub.load_dataset = lambda name, config, split: [{"question": config, "answer": "#### 1"}]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", hub)
    assert [(p.id, p.text) for p in gsm8k.load("nobody/gsm8k", "test")] == [("gsm8k/test/0", "main")]


def test_a_hub_that_cannot_be_reached_is_a_data_error(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = ModuleType("datasets")

    def fail(name: str) -> list[str]:
        raise ConnectionError("no route")

    hub.get_dataset_config_names = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", hub)
    with pytest.raises(DataError, match=r"nobody/math, split 'train', cannot be read from the hub: no route"):
        list(load("nobody/math"))
