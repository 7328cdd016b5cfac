"""Records on disk: JSON Lines in, JSON Lines out, appended and resumed, with errors that name file and line."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gzip
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, TypeVar

from mathquorum.errors import DataError, RunError
from mathquorum.records import Confidence

__all__ = [
    "Appender",
    "from_row",
    "num_lines",
    "parse_line",
    "read_json",
    "read_records",
    "read_rows",
    "to_row",
    "write_error",
    "write_json",
    "write_records",
    "write_rows",
    "write_text",
]

R = TypeVar("R")

_decode = json.JSONDecoder().decode  # as `json.loads`, which looks for other encodings first

# --- records and rows ------------------------------------------------------------------------------------------------


def to_row(record: Any) -> dict[str, Any]:
    """The record as a JSON object; fields that hold their default are left out."""
    row = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.default is dataclasses.MISSING or value != field.default:
            row[field.name] = _json_value(value)
    return row


def _json_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return to_row(value) if dataclasses.is_dataclass(value) else value


def from_row(kind: type[R], row: Mapping[str, Any], place: str) -> R:
    """The record that a JSON object holds. Keys that the record does not know are left alone, so that files may carry more.

    Raises:
        DataError: If a field is missing or of the wrong type; `place` begins the text ("problems.jsonl, line 17").
    """
    values = {}
    for name, types, items, wanted, required in _readers(kind):  # type: ignore[arg-type]
        if name not in row:
            if required:
                raise DataError(f"{place}: field {name!r} is missing. It must be {wanted}.")
            continue
        value = row[name]
        found = type(value)
        if found not in types or (found is list and not all(type(item) is items for item in value)):
            raise DataError(f"{place}: field {name!r} must be {wanted}. Got {_short(value)} instead.")
        if found is list:
            value = tuple(value)
        elif found is dict:
            value = from_row(_NESTED[name], value, f"{place}, {name}")
        elif found is int and float in types:
            value = float(value)
        values[name] = value
    return kind(**values)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_NONE = type(None)
# The annotations of records.py, word for word: the types of JSON values that each takes, that of a list's items, and both in words.
_KINDS: dict[str, tuple[set[type], type, str]] = {
    "str": ({str}, _NONE, "a string"),
    "int": ({int}, _NONE, "an integer"),
    "float": ({float, int}, _NONE, "a number"),
    "bool": ({bool}, _NONE, "true or false"),
    "Confidence": ({dict}, _NONE, "an object"),
    "tuple[int, ...]": ({list}, int, "a list of integers"),
    "tuple[str, ...]": ({list}, str, "a list of strings"),
}
_NESTED: dict[str, type] = {"confidence": Confidence}  # records within records, by field


@functools.cache
def _readers(kind: type) -> list[tuple[str, set[type], type, str, bool]]:
    """Of each field its name, JSON types, type of items, both in words, and whether it must be there."""
    readers = []
    for field in dataclasses.fields(kind):
        annotation = str(field.type)
        types, items, wanted = _KINDS[annotation.removesuffix(" | None")]
        if annotation.endswith(" | None"):
            types, wanted = types | {_NONE}, wanted + " or null"
        readers.append((field.name, types, items, wanted, field.default is dataclasses.MISSING))
    return readers


# --- whole files -----------------------------------------------------------------------------------------------------


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and JSON object of every line of a .jsonl or .jsonl.gz file. Empty lines are passed over.

    Lines end at "\\n" only: texts of models contain other Unicode line separators.

    Raises:
        DataError: If the file cannot be read, or a line is not a JSON object.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as handle:
            for number, line in enumerate(handle, start=1):
                if line.strip():
                    yield number, parse_line(line, path, number)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {_reason(error)}.") from error


def num_lines(path: Path) -> int | None:
    """Lines of a file that is not compressed; None where it cannot be read. For forecasts: nothing is parsed."""
    try:
        with path.open("rb") as handle:
            return sum(block.count(b"\n") for block in iter(lambda: handle.read(1 << 20), b""))
    except OSError:
        return None


def parse_line(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """The JSON object on a line of a file.

    Raises:
        DataError: If it is none; says so where the line is the last one and torn.
    """
    try:
        row = _decode(line.decode("utf-8", "surrogatepass").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}, line {number}: not UTF-8: byte 0x{line[error.start]:02x} at position {error.start}. "
            "Save it as UTF-8: iconv -f LATIN1 -t UTF-8 OLD > NEW, or from what it was written in."
        ) from error
    except RecursionError as error:
        raise DataError(f"{path}, line {number}: JSON that is nested too deeply to be read.") from error
    except ValueError as error:
        torn = "" if line.endswith(b"\n") else " The line has no end: the file was cut off while it was written."
        raise DataError(f"{path}, line {number}: not valid JSON ({error}).{torn}") from error
    if not isinstance(row, dict):
        raise DataError(f"{path}, line {number}: must be a JSON object. Got {_short(row)} instead.")
    return row


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def read_records(path: Path, kind: type[R]) -> Iterator[R]:
    """The records of one JSON Lines file, in order.

    Raises:
        DataError: If the file cannot be read or a line does not hold such a record.
    """
    name = str(path)
    for number, row in read_rows(path):
        yield from_row(kind, row, f"{name}, line {number}")


def write_records(path: Path, records: Iterable[Any]) -> int:
    """Writes the file whole or not at all, and returns how many records it holds."""
    return write_rows(path, map(to_row, records))


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Writes as `write_records` does, from JSON objects."""
    count = 0
    with _whole_file(path) as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def write_json(path: Path, value: Any) -> None:
    """Writes the file whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes the file whole or not at all."""
    with _whole_file(path) as handle:
        handle.write(text)


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        DataError: If the file cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {_reason(error)}.") from error
    except ValueError as error:
        raise DataError(f"{path} is not valid JSON ({error}).") from error


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass", newline="\n") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def write_error(path: Path, error: Exception) -> RunError:
    """What is to be raised when a file or folder could not be written."""
    return RunError(
        f"{path} cannot be written: {_reason(error)}. What was complete before is kept; "
        "make room or choose another directory, and run the same command again to continue."
    )


# --- appending and resuming ------------------------------------------------------------------------------------------


class Appender:
    """A JSON Lines file that grows by groups of records and survives a kill between any two bytes.

    A group is written in one call and flushed to disk. When the file is opened again, a last line that was cut off is
    removed; what stands before it is kept. A file that another directory shares, as runs do that take over from one another, is
    copied before it grows.

    Example:
        with Appender(out / "candidates.jsonl") as file:
            file.append(candidates_of_one_problem)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            _own(path)
            self._handle = path.open("ab")
            keep = _whole_lines(path)
            self._handle.truncate(keep)
        except OSError as error:
            raise write_error(path, error) from error

    def append(self, records: Iterable[Any]) -> None:
        self.append_rows(map(to_row, records))

    def append_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Appends as `append` does, JSON objects."""
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        try:
            self._handle.write("".join(lines).encode("utf-8", "surrogatepass"))
            self._handle.flush()
            os.fsync(self._handle.fileno())
        except OSError as error:
            raise write_error(self.path, error) from error

    def __enter__(self) -> Appender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # what could not be flushed was reported by append
            self._handle.close()


def _own(path: Path) -> None:
    """Puts a copy in the place of a file that has other names (hard links) too."""
    if path.exists() and path.stat().st_nlink > 1:
        copy = path.with_name(f".{path.name}.unfinished")
        shutil.copy2(path, copy)
        copy.replace(path)


def _whole_lines(path: Path) -> int:
    """Bytes up to and including the last line end."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        position = size
        while position > 0:
            start = max(0, position - 65536)
            handle.seek(start)
            at = handle.read(position - start).rfind(b"\n")
            if at >= 0:
                return start + at + 1
            position = start
    return 0
