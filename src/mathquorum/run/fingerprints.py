"""Fingerprints of files and folders, each computed once while what it stands for is not changed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mathquorum.errors import DataError

__all__ = ["LARGE", "LEDGER_FILES", "Fingerprints", "Stamp", "stamp_of", "visible_files"]

LEDGER_FILES = ("stage.json", "started.json")

LARGE = 64 * 2**20
"""Bytes. Hashing a 100 GB checkpoint at every start would cost minutes, so of a larger file the size and both ends stand for
the whole, and its SHA-256 is believed while its stamp is the one that was recorded with it."""
_END_BYTES = 2**20
# The clock that stamps files ticks every few milliseconds: what was written so lately may be written again under the same stamp.
_TICK = 20_000_000  # nanoseconds


class Stamp(NamedTuple):
    """What is known of a file without reading it: its bytes, and the time of its last change in nanoseconds."""

    size: int
    modified: int


def stamp_of(file: Path) -> Stamp:
    """The stamp of an existing file."""
    status = file.stat()
    return Stamp(status.st_size, status.st_mtime_ns)


def visible_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name within the folder and path of each file below it, in order, without hidden ones and the ledger's own."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        inside = file.relative_to(folder)
        if not any(part.startswith(".") for part in inside.parts) and file.name not in LEDGER_FILES:
            yield inside.as_posix(), file


@dataclass(frozen=True)
class _OfFile:
    stamp: Stamp
    fingerprint: str
    sha256: str | None


class Fingerprints:
    """Computes, and remembers while stamps stay the same.

    Attributes:
        num_read: How many times a file has been read.
    """

    def __init__(self) -> None:
        self.num_read = 0
        self._files: dict[Path, _OfFile] = {}
        self._folders: dict[Path, tuple[list[tuple[str, Stamp]], str]] = {}

    def of(self, path: Path) -> str:
        """A short hash of a file's or folder's contents: equal contents, equal fingerprint, wherever they lie.

        Raises:
            DataError: If the path does not exist or cannot be read.
        """
        try:
            return self._of_folder(path) if path.is_dir() else self._of_file(path, whole=False).fingerprint
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error

    def sha256(self, file: Path) -> str:
        """The SHA-256 of a file, in hexadecimal.

        Raises:
            DataError: If it does not exist or cannot be read.
        """
        try:
            found = self._of_file(file, whole=True).sha256
        except OSError as error:
            raise DataError(f"{file} cannot be read: {error.strerror or error}.") from error
        assert found is not None
        return found

    def _of_file(self, file: Path, whole: bool) -> _OfFile:
        known, stamp = self._files.get(file), stamp_of(file)
        if known and known.stamp == stamp and not (whole and known.sha256 is None):
            return known
        self.num_read += 1
        fingerprint, sha256 = hashlib.sha256(), hashlib.sha256()
        fingerprint.update(f"{stamp.size}\0".encode())
        whole = whole or stamp.size <= LARGE
        if whole:
            for block in _blocks(file):
                sha256.update(block)
                if stamp.size <= LARGE:
                    fingerprint.update(block)
        if stamp.size > LARGE:
            _add_ends(fingerprint, file, stamp.size)
        made = _OfFile(stamp, fingerprint.hexdigest()[:16], sha256.hexdigest() if whole else None)
        if _settled([stamp]):
            self._files[file] = made
        return made

    def _of_folder(self, folder: Path) -> str:
        files = list(visible_files(folder))
        stamps = [(name, stamp_of(file)) for name, file in files]
        known = self._folders.get(folder)
        if known and known[0] == stamps:
            return known[1]
        digest = hashlib.sha256()
        for (name, file), (_, stamp) in zip(files, stamps, strict=True):
            self.num_read += 1
            digest.update(f"{name}\0{stamp.size}\0".encode())
            if stamp.size > LARGE:
                _add_ends(digest, file, stamp.size)
            else:
                for block in _blocks(file):
                    digest.update(block)
        made = digest.hexdigest()[:16]
        if _settled([stamp for _, stamp in stamps]):
            self._folders[folder] = stamps, made
        return made


def _settled(stamps: list[Stamp]) -> bool:
    """Whether a later change would show in the stamps."""
    return all(stamp.modified < time.time_ns() - _TICK for stamp in stamps)


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as handle:
        while block := handle.read(2**20):
            yield block


def _add_ends(digest: hashlib._Hash, file: Path, size: int) -> None:
    with file.open("rb") as handle:
        digest.update(handle.read(_END_BYTES))
        handle.seek(size - _END_BYTES)
        digest.update(handle.read(_END_BYTES))
