"""What a machine sees, compared between the one that drives a stage and the nodes that work for it."""

from __future__ import annotations

import contextlib
import os
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mathquorum.errors import MathquorumError, RunError
from mathquorum.spreading.workers import Seen
from mathquorum.versions import library_versions

__all__ = ["Place", "kept", "look", "take_place"]


@dataclass(frozen=True)
class Place:
    """What a process sees.

    Attributes:
        host: Its machine's name.
        folder: The one that it works in.
        versions: Of the libraries that bytes depend on.
        seen: A print of each file or folder that is read by its path; empty where there is none.
    """

    host: str
    folder: str
    versions: Mapping[str, str]
    seen: Mapping[str, str]


def look(seen: Seen | None) -> Place:
    """What this process sees."""
    return Place(socket.gethostname(), str(Path.cwd()), library_versions(), dict(seen() if seen else {}))


def take_place(driver: Place, seen: Seen | None) -> None:
    """Moves this process to the folder that the driver works in, and makes sure that it sees the same.

    Raises:
        RunError: If it sees other files or versions: they would make other bytes.
    """
    with contextlib.suppress(OSError):  # without it, a path that begins there is not found, and is named below
        os.chdir(driver.folder)
    here = look(seen)
    for path, print_there in driver.seen.items():
        if here.seen.get(path) != print_there:
            state = "has another" if here.seen.get(path) else "has no"
            raise RunError(
                f"Node {here.host} {state} {path}. Every node must see the same models under the same path: keep the run directory "
                "and the models on a shared disk, or give a model by its hub id."
            )
    other = [
        f"{name} {here.versions.get(name)}, not {version}"
        for name, version in driver.versions.items()
        if here.versions.get(name) != version
    ]
    if other:
        raise RunError(
            f"Node {here.host} would make other bytes: it has {'; '.join(other)}. Install the same versions on every node."
        )


def kept(error: Exception) -> Exception:
    """An error as the driver raises it: a fault of ours with its trace, which must not be lost with the process."""
    if isinstance(error, MathquorumError):
        return error
    trace = "".join(traceback.format_exception(error))
    return RuntimeError(f"A worker on node {socket.gethostname()} failed:\n{trace}")
