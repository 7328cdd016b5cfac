"""What a data file holds, told by its first bytes and not by its name; and what it must not be, said in words."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from mathquorum.errors import DataError

__all__ = ["STDIN", "Kind", "kind_of", "opened"]

Kind = Literal["jsonl", "json", "csv", "parquet", "zip", "empty"]
STDIN = Path("-")
"""Stands for standard input."""

_HEAD = 1 << 16
_CODE = "Reading it could run code, so it is not read. Write JSON Lines or parquet instead."
_UNPACK = "Unpack it first."

# Beginnings of files that are something else than they seem, in words with a remedy.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "is a Git LFS pointer, and the data are elsewhere. Fetch them: git lfs pull."),
    (b"/annex/objects/", "is a git-annex pointer, and the data are elsewhere. Fetch them: git annex get."),
    (b"\xff\xfe", "is UTF-16 text. Save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW."),
    (b"\xfe\xff", "is UTF-16 text. Save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW."),
    (b"\x80\x02", f"is a Python pickle. {_CODE}"),
    (b"\x80\x03", f"is a Python pickle. {_CODE}"),
    (b"\x80\x04", f"is a Python pickle. {_CODE}"),
    (b"\x80\x05", f"is a Python pickle. {_CODE}"),
    (b"\x28\xb5\x2f\xfd", f"is compressed by zstd. {_UNPACK}"),
    (b"BZh", f"is compressed by bzip2. {_UNPACK}"),
    (b"\xfd7zXZ", f"is compressed by xz. {_UNPACK}"),
    (b"ARROW1", "is an Arrow file. Write it as parquet: Dataset.from_file(...).to_parquet(...)."),
    (b"\xff\xff\xff\xff", "is an Arrow stream. Write it as parquet: Dataset.from_file(...).to_parquet(...)."),
    (b"SQLite format 3", "is a SQLite database. Export the table as csv or JSON Lines."),
)


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """The bytes of a file, unpacked where gzip packed them and without the mark of UTF-8; "-" is standard input.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with io.BytesIO(sys.stdin.buffer.read()) if path == STDIN else path.open("rb") as raw:
            file = _buffered(raw)
            if file.peek(2)[:2] == b"\x1f\x8b":
                file = _buffered(gzip.GzipFile(fileobj=file))
            if file.peek(3)[:3] == b"\xef\xbb\xbf":
                file.read(3)
            yield file
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{path} cannot be read: {reason}.") from error


def _buffered(raw: Any) -> io.BufferedReader:
    return io.BufferedReader(raw, _HEAD)


def kind_of(file: io.BufferedReader, path: Path) -> Kind:
    """What the bytes ahead are. Of texts: lines of JSON, one JSON value, or else a table with separators.

    Raises:
        DataError: If it is a pointer to data that are elsewhere, UTF-16, a web page, a pickle or another kind of file.
    """
    head = file.peek(_HEAD)[:_HEAD]
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    for beginning, what in _OTHERS:
        if head.startswith(beginning):
            raise DataError(f"{path} {what}")
    if head[:2].count(0) == 1 or b"\0\0" in head[:4]:
        raise DataError(f"{path} is UTF-16 text, or no text. Save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW.")
    text = head.lstrip()
    if not text:
        return "empty"
    if text[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(f"{path} is a web page, not data: the download was answered by a page. Fetch the file itself.")
    if text[:1] == b"{":
        first, end, _ = text.partition(b"\n")
        return "json" if end and not first.rstrip().endswith((b"}", b"]")) else "jsonl"
    return "json" if text[:1] == b"[" else "csv"
