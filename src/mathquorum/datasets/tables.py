"""Rows of data files, single or one file per split in a folder. What a file is, its content tells."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mathquorum.datasets.contents import kind_of, opened
from mathquorum.datasets.inspect_logs import archived_samples, is_log, logged_samples
from mathquorum.errors import DataError, suggest
from mathquorum.store import parse_line

__all__ = ["SUFFIXES", "Row", "columns_there", "read_files", "read_table", "split_of", "stem_of"]

SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet", ".csv", ".csv.gz", ".tsv")
MAX_CELL = 2**27  # characters of one cell of a csv file
_CONTAINERS = ("data", "rows", "samples", "results", "examples", "instances")
_OF_PROBLEMS = {"problem", "question", "prompt", "input", "instruction", "query", "doc", "messages", "conversations"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands ("train.jsonl, line 17"), its number in its file from 0, and its values."""

    place: str
    number: int
    values: Mapping[str, Any]

    def text(self, column: str) -> str:
        """The text in a column.

        Raises:
            DataError: If the column is missing or holds something else, or nothing but white space.
        """
        if column not in self.values:
            raise DataError(f"{self.place}: field {column!r} is missing. {columns_there(self.values, column)}")
        value = self.values[column]
        if not isinstance(value, str) or not value.strip():
            raise DataError(
                f"{self.place}: field {column!r} must be a text that is not empty. Got {value!r:.60} instead."
            )
        return value


def columns_there(values: Mapping[str, Any], wanted: str) -> str:
    """A sentence that names the columns of a row, the nearest to the wanted one first."""
    return suggest(wanted, values).replace("Known:", "Columns there:") if values else "The row is empty."


def read_table(path: Path) -> Iterator[Row]:
    """The rows of one file, in order, as its first bytes tell what it is, whatever its name. Empty lines are passed over.

    JSON Lines, a JSON list, an object that holds one, csv, parquet and logs of inspect_ai are read, also packed by gzip;
    "-" is standard input.

    Raises:
        DataError: If the file cannot be read, or is of another kind.
    """
    with opened(path) as file:
        match kind_of(file, path):
            case "jsonl":
                yield from _lines(file, path)
            case "json":
                yield from _entries(file, path)
            case "csv":
                yield from _cells(file, path)
            case "parquet":
                yield from _read_parquet(file, path)
            case "zip":
                for number, (place, values) in enumerate(archived_samples(file, path)):
                    yield Row(f"{path}, {place}", number, values)
            case "empty":
                if path.suffix == ".parquet":
                    raise DataError(f"{path} cannot be read as parquet: it is empty.")


def read_files(path: Path, split: str | None) -> Iterator[tuple[Path, Iterator[Row]]]:
    """Each file of `path` with its rows: the file itself, or in a folder those named after the split (all without one).

    Raises:
        DataError: If there is no such file.
    """
    if path.is_file():
        yield path, read_table(path)
        return
    if not path.exists():
        raise DataError(f"There is no {path}.")
    files = [file for file in sorted(path.iterdir()) if file.name.endswith(SUFFIXES)]
    chosen = [file for file in files if split is None or split_of(file) == split]
    if not chosen:
        there = ", ".join(file.name for file in files[:10]) or "no data file"
        wanted = "" if split is None else f" for split {split!r}"
        raise DataError(f"{path} holds no file{wanted} that ends in {', '.join(SUFFIXES)}. There: {there}.")
    for file in chosen:
        yield file, read_table(file)


def stem_of(path: Path) -> str:
    """The file's name without its ending: "train" for train.jsonl.gz."""
    return next((path.name.removesuffix(end) for end in SUFFIXES[::-1] if path.name.endswith(end)), path.stem)


def split_of(path: Path) -> str:
    """The split that a file's name tells ("train-00000-of-00001.parquet" is "train"), else the whole stem."""
    stem = stem_of(path)
    first = stem.split("-")[0].split("_")[0].split(".")[0]
    return first if first in ("train", "test", "validation") else stem


def _lines(file: io.BufferedReader, path: Path) -> Iterator[Row]:
    number = 0
    for line, content in enumerate(file, start=1):  # lines end at "\n" only: texts hold other Unicode line separators
        if not content.strip():
            continue
        values = parse_line(content, path, line)
        if line == 1 and not file.peek(1):
            yield from _placed_rows(values, path, alone="line 1")
            return
        yield Row(f"{path}, line {line}", number, values)
        number += 1


def _entries(file: io.BufferedReader, path: Path) -> Iterator[Row]:
    try:
        value = json.loads(file.read())
    except RecursionError as error:
        raise DataError(f"{path} is JSON that is nested too deeply to be read.") from error
    except ValueError as error:
        several = (
            " Values one after another must be JSON Lines: an object on each line." if "Extra" in str(error) else ""
        )
        raise DataError(f"{path} is not valid JSON ({error}).{several}") from error
    yield from _placed_rows(value, path, alone="entry 1")


def _placed_rows(value: Any, path: Path, alone: str) -> Iterator[Row]:
    """The rows in the one JSON value of a file: a log's samples, a list, an object that holds rows, or one row.

    Args:
        alone: Where the one row stands, in words.
    """
    if is_log(value):
        placed = list(logged_samples(value))
    else:
        rows = value if isinstance(value, list) else _held_rows(value)
        prefix = "" if alone == "entry 1" else f"{alone}, "
        placed = [(f"{prefix}entry {number}", row) for number, row in enumerate(rows, start=1)] or [(alone, value)]
        if not all(isinstance(row, dict) for _, row in placed):
            raise DataError(f"{path}: must hold a JSON object or a list of them.")
    for number, (place, values) in enumerate(placed):
        yield Row(f"{path}, {place}", number, values)


def _held_rows(value: Any) -> list[Any]:
    """The rows that an object holds under a usual name, or there by task; none where its lists are not of problems."""
    for name in _CONTAINERS if isinstance(value, dict) and not _OF_PROBLEMS & value.keys() else ():
        held = value.get(name)
        parts = list(held.values()) if isinstance(held, dict) else [held]
        if parts and all(
            isinstance(p, list) and p and isinstance(p[0], dict) and _OF_PROBLEMS & p[0].keys() for p in parts
        ):
            return [row for part in parts for row in part]
    return []


def _cells(file: io.BufferedReader, path: Path) -> Iterator[Row]:
    """The rows of a table with a line of names first, separated by commas, semicolons or tabs; an empty cell is None."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))  # of the whole process; never lowered
    names: list[str] | None = None
    start, number = 1, 0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    first = file.peek(1 << 16).split(b"\n", 1)[0]
    separator = max((",", ";", "\t"), key=lambda mark: first.count(mark.encode()))
    reader = csv.reader(text, delimiter=separator, strict=True)
    try:
        for cells in reader:
            place, start = f"{path}, line {start}", reader.line_num + 1
            if names is None:
                names = [cell.strip() for cell in cells]
                if len(set(names)) < len(names):
                    raise DataError(f"{place}: two columns have one name: {', '.join(names)}.")
            elif any(cells):
                if len(cells) != len(names):
                    raise DataError(f"{place}: has {len(cells)} cells, and the first line names {len(names)} columns.")
                yield Row(place, number, {name: cell or None for name, cell in zip(names, cells, strict=True)})
                number += 1
        if names and not number:
            raise DataError(
                f"{path}: no rows. Its one line, {', '.join(names)!r:.80}, was read as the names of a table's columns. "
                "Read are JSON Lines, a JSON list, csv, parquet and logs of inspect_ai."
            )
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}, line {start}: cannot be read as csv in UTF-8 ({error}).") from error
    finally:
        text.detach()


def _read_parquet(file: io.BufferedReader, path: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DataError(f"{path}: parquet needs pyarrow. Install it: pip install 'mathquorum[parquet]'.") from error
    try:
        number = 0
        with ParquetFile(file if file.seekable() else io.BytesIO(file.read())) as table:
            for batch in table.iter_batches(batch_size=1000):
                for values in batch.to_pylist():
                    yield Row(f"{path}, row {number + 1}", number, values)
                    number += 1
    except (OSError, ArrowException) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}.") from error
