"""GSM8K, native and as shared."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from mathquorum.answers import extract_answer
from mathquorum.datasets.gsm8k import load, read_solution
from mathquorum.errors import DataError

ROW = {"question": "How many?", "answer": "48/2 = <<48/2=24>>24.\n1000*2 = $<<1000*2=2000>>2,000.\n#### 2,000"}


def write(path: Path, *rows: dict[str, str]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_native_row(tmp_path: Path) -> None:
    (problem,) = load(write(tmp_path / "train.jsonl", ROW))
    assert (problem.id, problem.answer) == ("gsm8k/train/0", "2000")
    assert problem.solution == "48/2 = 24.\n1000*2 = $2,000.\n#### 2000"


@pytest.mark.parametrize("final_line", ["marked", "boxed"])
def test_the_solution_shows_the_answer_in_either_form(final_line: str) -> None:
    assert extract_answer(read_solution(ROW["answer"], final_line)) == "2000"  # type: ignore[arg-type]


def test_the_real_files(real_data: Path, whole: bool) -> None:
    for split, count in (("train", 7473), ("test", 1319)):
        problems = list(load(real_data / "gsm8k", split))
        with gzip.open(real_data / "gsm8k" / f"{split}.jsonl.gz") as handle:
            rows = [json.loads(line) for line in handle]
        assert [p.id for p in problems] == [row["id"] for row in rows]
        assert [p.answer for p in problems] == [row["final_answer"] for row in rows]
        assert len(problems) == (count if whole else 40)
        assert not any("<<" in (p.solution or "") for p in problems)
        head = list(load(real_data / "gsm8k" / "raw_sample" / f"{split}_head20.jsonl"))
        assert head == problems[:20], "the native file gives the same records"


def test_an_answer_without_its_mark_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", ROW, {"question": "?", "answer": "It is 3."})
    with pytest.raises(DataError, match=r"line 2: field 'answer' must end in a line"):
        list(load(path))
