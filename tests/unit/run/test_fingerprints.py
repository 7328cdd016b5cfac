"""Fingerprints tell contents apart and are computed once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mathquorum.errors import DataError
from mathquorum.run import fingerprints
from mathquorum.run.fingerprints import Fingerprints


def write(file: Path, text: str, seconds: float = 1e9) -> None:
    """As if it had been written at that time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (seconds, seconds))


def test_they_follow_contents_not_names(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        write(folder / "inside" / "a.txt", "x")
    prints = Fingerprints()
    assert prints.of(first) == prints.of(second)
    write(second / "stage.json", "{}")
    write(second / ".hidden", "{}")
    assert prints.of(first) == prints.of(second), "the ledger's own files and hidden ones do not count"
    write(second / "inside" / "a.txt", "y", 1e9 + 1)
    assert prints.of(first) != prints.of(second)
    write(first / "b.txt", "")
    assert prints.of(first) not in (prints.of(second), Fingerprints().of(second))


def test_they_are_those_of_before(tmp_path: Path) -> None:
    """Records of finished stages hold them."""
    write(tmp_path / "d" / "a.txt", "x")
    prints = Fingerprints()
    assert prints.of(tmp_path / "d" / "a.txt") == hashlib.sha256(b"1\0x").hexdigest()[:16]
    assert prints.of(tmp_path / "d") == hashlib.sha256(b"a.txt\0001\0x").hexdigest()[:16]
    assert prints.sha256(tmp_path / "d" / "a.txt") == hashlib.sha256(b"x").hexdigest()


def test_a_file_is_read_once_while_it_stays_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "d" / "a.txt", "x")
    write(tmp_path / "d" / "b.txt", "y")
    prints = Fingerprints()
    for _ in range(3):
        prints.of(tmp_path / "d" / "a.txt")
        prints.sha256(tmp_path / "d" / "a.txt")
    assert prints.num_read == 1
    for _ in range(3):
        prints.of(tmp_path / "d")
    assert prints.num_read == 3
    write(tmp_path / "d" / "a.txt", "z", 1e9 + 1)
    prints.of(tmp_path / "d" / "a.txt")
    prints.of(tmp_path / "d")
    assert prints.num_read == 6


def test_what_was_written_just_now_is_read_again(tmp_path: Path) -> None:
    """The file system's clock may not tell the two apart."""
    file, prints = tmp_path / "a.txt", Fingerprints()
    found = set()
    for text in ("x", "y", "z"):
        file.write_text(text)
        found.add(prints.of(file))
    assert len(found) == 3


def test_of_a_large_file_size_and_ends_count_and_its_hash_is_of_all(tmp_path: Path) -> None:
    size, file, prints = fingerprints.LARGE + 1, tmp_path / "model.safetensors", Fingerprints()
    with file.open("wb") as handle:
        handle.truncate(size)
    ends = hashlib.sha256(f"{size}\0".encode() + bytes(2**21)).hexdigest()[:16]
    assert prints.of(file) == ends
    assert prints.sha256(file) == hashlib.sha256(bytes(size)).hexdigest()


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent cannot be read: No such file"):
        Fingerprints().of(tmp_path / "absent")
