"""Records on disk: what is written comes back, and what is broken is named by file and line."""

from __future__ import annotations

import errno
import gzip
import os
from pathlib import Path

import pytest

from mathquorum.errors import DataError, RunError
from mathquorum.records import AnswerCluster, Candidate, LabeledSolution, Problem, Score
from mathquorum.store import Appender, read_records, read_rows, write_records

RECORDS = [
    Problem("a/1", "What is $1+1$?", "2", None, "Algebra", 3),
    Candidate("a/1", 0, "It is \u2028 \\boxed{2}\x0c.", "2", -1.5, 7, False, 2**53 - 1),
    AnswerCluster("a/1", "2", (0, 3), True),
    Score("a/1", 0, 0.25),
    LabeledSolution("a/1", "p", "xy", False, "fine", ("x", "y"), (1, -1)),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_records_come_back_as_they_were(record: object, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    assert write_records(path, [record, record]) == 2
    assert list(read_records(path, type(record))) == [record, record]
    assert path.read_bytes().count(b"\n") == 2, "only line feeds end a line"


def test_gzip_is_read_like_plain_text(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    write_records(plain, RECORDS[:1])
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read_records(packed, Problem)) == list(read_records(plain, Problem))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('{"id": "a", "text": 12}', "line 2: field 'text' must be a string. Got 12 instead."),
        ('{"id": "a"}', "line 2: field 'text' is missing"),
        ('{"id": "a", "text": "b", "level": "x"}', "field 'level' must be an integer or null"),
        ("[1]", "must be a JSON object"),
        ('{"id": "a", "te', "not valid JSON"),
    ],
)
def test_a_bad_line_is_named(line: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text('{"id": "a", "text": "b"}\n' + line)
    with pytest.raises(DataError) as error:
        list(read_records(path, Problem))
    assert text in str(error.value) and "problems.jsonl, line 2" in str(error.value)


def test_a_truncated_last_line_says_that_the_file_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text('{"id": "a", "text": "b"}\n{"id": "c", "te')
    with pytest.raises(DataError, match="cut off while it was written"):
        list(read_rows(path))


def test_a_missing_file_and_a_broken_gzip_are_data_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        list(read_rows(tmp_path / "none.jsonl"))
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress(b'{"a": 1}\n' * 1000)[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(broken))


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    write_records(path, [Score("a", 0, 0.5)])
    before = path.read_bytes()

    def failing() -> object:
        yield Score("a", 0, 0.1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_records(path, failing())  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["scores.jsonl"]


@pytest.mark.parametrize("cut", range(1, 12))
def test_appending_goes_on_after_a_line_that_was_cut_off(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    with Appender(path) as file:
        file.append([Score("a", 0, 0.5), Score("a", 1, 0.25)])
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:cut])
    with Appender(path) as file:
        file.append([Score("a", 2, 0.125)])
    assert [s.index for s in read_records(path, Score)] == [0, 1, 2]


def test_a_full_disk_is_a_clear_error_and_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scores.jsonl"
    write_records(path, [Score("a", 0, 0.5)])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"No space left on device.*make room"):
        write_records(path, [Score("a", 1, 0.5)])
    with Appender(tmp_path / "more.jsonl") as file, pytest.raises(RunError, match="No space left on device"):
        file.append([Score("a", 1, 0.5)])
    assert [s.index for s in read_records(path, Score)] == [0]
    assert not list(tmp_path.glob(".*")), "no temporary file is left behind"
