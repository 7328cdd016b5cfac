"""Rows of data files: .jsonl, .jsonl.gz, .json and .parquet, single or one file per split in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mathquorum.errors import DataError, suggest
from mathquorum.store import read_json, read_rows

__all__ = ["SUFFIXES", "Row", "columns_there", "read_files", "read_table", "split_of", "stem_of"]

SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".parquet")


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
    """The rows of one file, in order. Empty lines are passed over.

    Raises:
        DataError: If the file cannot be read as what its name says.
    """
    if path.name.endswith(".parquet"):
        yield from _read_parquet(path)
    elif path.name.endswith(".json"):
        yield from _read_list(path)
    elif path.name.endswith((".jsonl", ".jsonl.gz")):
        for number, (line, values) in enumerate(read_rows(path)):
            yield Row(f"{path}, line {line}", number, values)
    else:
        raise DataError(f"{path}: cannot tell what it holds. Its name must end in {', '.join(SUFFIXES)}.")


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


def _read_list(path: Path) -> Iterator[Row]:
    rows = read_json(path)
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: must hold a JSON object or a list of them.")
    for number, values in enumerate(rows):
        yield Row(f"{path}, entry {number + 1}", number, values)


def _read_parquet(path: Path) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DataError(f"{path}: parquet needs pyarrow. Install it: pip install 'mathquorum[parquet]'.") from error
    try:
        number = 0
        with ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                for values in batch.to_pylist():
                    yield Row(f"{path}, row {number + 1}", number, values)
                    number += 1
    except (OSError, ArrowException) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}.") from error
