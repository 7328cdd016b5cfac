"""Who works: the one value that a stage hands on, and the choice between processes and a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mathquorum.processes import Handler, map_units

__all__ = ["Seen", "Workers", "spread_units"]

U = TypeVar("U")
R = TypeVar("R")

Seen = Callable[[], Mapping[str, str]]
"""Looks at files: a print of each by its path, empty where there is none. It must be importable, as `job` of `processes.map_units`."""


@dataclass(frozen=True)
class Workers:
    """Who shares the work of a stage. None of it changes a byte of what is made.

    Attributes:
        number: Processes of this machine at most. Of a cluster as many are taken as it has room for; this many are asked for where
            it has less, so that one that grows by itself does.
        cluster: A Ray cluster's address, HOST:PORT or "auto" for the one that this machine belongs to. None: this machine alone.
        threads: CPUs that each worker is given on a cluster.
        gpu: Whether each is given a GPU, too.
        lost: Told of each worker that a cluster loses, with why, while others do its unit.
        seen: Looks at what workers read by its path: on a cluster every node must see there what is seen here.
    """

    number: int = 1
    cluster: str | None = None
    threads: int = 1
    gpu: bool = False
    lost: Callable[[str], None] | None = None
    seen: Seen | None = None


def spread_units(
    job: Callable[[], Handler[U, R]],
    units: Sequence[U],
    workers: Workers,
    heard: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, R]]:
    """The number of each unit and what the handler made of it, as they are finished. See `processes.map_units`.

    On a cluster `heard` is told of less than nothing where a unit was lost with its worker: what it had told of is undone.

    Raises:
        RunError: If a process dies, or on a cluster, if workers die again and again; see `spreading.ray_pool`.
    """
    if workers.cluster is None:
        return map_units(job, units, workers.number, heard)
    from mathquorum.spreading.ray_pool import map_on_cluster

    return map_on_cluster(job, units, workers, heard)
