"""Logs of inspect_ai: one row per sample and epoch, from the .json form and the .eval form, a zip with a file for each sample.

x.json    {"version": 2, "status": ..., "eval": {"model": ..., ...}, "samples": [{"id", "epoch", "input", "target", "output", ...}]}
x.eval    header.json (without samples), samples/ID_epoch_N.json, and summaries that are not read
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mathquorum.errors import DataError

__all__ = ["Limits", "archived_samples", "is_log", "logged_samples"]


@dataclass(frozen=True)
class Limits:
    """How much an archive may unpack to.

    Attributes:
        file: Bytes of one sample with all its events.
        total: Bytes of all samples.
        files: Number of files.
    """

    file: int = 256 * 2**20
    total: int = 4 * 2**30
    files: int = 200_000


_SAMPLE = re.compile(r"samples/(?P<id>[^/]*)_epoch_(?P<epoch>\d{1,9})\.json")

Placed = tuple[str, dict[str, Any]]
"""Where a sample stands in its file ("sample 3"), and its values."""


def is_log(value: Any) -> bool:
    """Whether a JSON value is a log in the .json form."""
    return (
        isinstance(value, Mapping) and isinstance(value.get("eval"), Mapping) and isinstance(value.get("samples"), list)
    )


def logged_samples(log: Mapping[str, Any]) -> Iterator[Placed]:
    """The samples of a log in the .json form, each with the log's model."""
    for number, sample in enumerate(log["samples"], start=1):
        if isinstance(sample, dict):
            yield f"sample {number}", _with_model(sample, log)


def archived_samples(file: io.BufferedReader, path: Path, limits: Limits = Limits()) -> Iterator[Placed]:
    """The samples of a log in the .eval form, by id and epoch. Nothing is written to disk.

    Raises:
        DataError: If it is another zip file, broken, encrypted, compressed in a way that Python does not know, or larger than the limits.
    """
    try:
        with zipfile.ZipFile(file if file.seekable() else io.BytesIO(file.read())) as archive:
            members = archive.infolist()
            samples = sorted((m for m in members if _SAMPLE.fullmatch(m.filename)), key=_order)
            if not samples:
                raise DataError(
                    f"{path} is a zip file without samples of inspect_ai. Unpack it and give the data files."
                )
            if len(members) > limits.files or sum(m.file_size for m in samples) > limits.total:
                raise DataError(
                    f"{path} unpacks to more than {limits.files:,} files or {limits.total:,} bytes, which is the limit."
                )
            header = _member(archive, "header.json", path, limits) if "header.json" in archive.namelist() else {}
            for sample in samples:
                yield sample.filename, _with_model(_member(archive, sample.filename, path, limits), header)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # RuntimeError: it is encrypted
        if isinstance(error, NotImplementedError):
            raise DataError(
                f"{path} is compressed in a way that Python cannot unpack ({error}). "
                "Write it anew: inspect log convert --to json."
            ) from error
        raise DataError(f"{path} cannot be unpacked: {error}.") from error


def _order(member: zipfile.ZipInfo) -> tuple[int, int, str, int]:
    match = _SAMPLE.fullmatch(member.filename)
    assert match is not None
    name = match["id"]
    return (
        (0, int(name), "", int(match["epoch"]))
        if name.isdecimal() and len(name) < 19
        else (1, 0, name, int(match["epoch"]))
    )


def _member(archive: zipfile.ZipFile, name: str, path: Path, limits: Limits) -> dict[str, Any]:
    with archive.open(name) as file:
        content = file.read(limits.file + 1)  # what the directory says of the size need not be true
    if len(content) > limits.file:
        raise DataError(f"{path}, {name}: unpacks to more than {limits.file:,} bytes, which is the limit.")
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}, {name}: not valid JSON ({error}).") from error
    if not isinstance(values, dict):
        raise DataError(f"{path}, {name}: must be a JSON object.")
    return values


def _with_model(sample: dict[str, Any], log: Mapping[str, Any]) -> dict[str, Any]:
    evaluation = log.get("eval")
    model = evaluation.get("model") if isinstance(evaluation, Mapping) else None
    return {**sample, "model": model} if "model" not in sample and isinstance(model, str) else sample
