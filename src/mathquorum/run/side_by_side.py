"""Stages in processes of their own, each begun as soon as those whose files it reads are complete."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from mathquorum.config import Settings
from mathquorum.errors import MathquorumError, RunError
from mathquorum.processes import die_with_parent, process_context
from mathquorum.run.execution import Work, execute
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.listener import Listener
from mathquorum.stages.base import Clustered, Exclusive, Parallel, Stage

__all__ = ["CLUSTER_LOG", "Waiting", "run_side_by_side"]

CLUSTER_LOG = "cluster.log"
"""In a run's directory: what Ray said meanwhile."""


@dataclass(frozen=True)
class Waiting:
    """A stage, and the stages called with it whose files it reads."""

    stage: Stage
    needs: frozenset[str]


@dataclass(frozen=True)
class _Running:
    """A stage in a process of its own."""

    name: str
    process: Any
    started: float
    workers: int


def run_side_by_side(
    stages: Mapping[str, Waiting],
    workers: int,
    listener: Listener,
    ready: Callable[[str, Waiting], Work | None],
) -> None:
    """Runs all stages, and ends the processes that are left when one fails.

    Args:
        stages: In the order in which they begin when several could.
        workers: Processes at most, those counted that stages use themselves.
        listener: Told of progress.
        ready: Called when what a stage needs is there: its work, or None where it turns out to be complete.

    Raises:
        MathquorumError: What a stage raised.
        RunError: If a process dies.
    """
    waiting = dict(stages)
    running: dict[Connection, _Running] = {}
    try:
        while waiting or running:
            unfinished = waiting.keys() | {item.name for item in running.values()}
            free = workers - sum(item.workers for item in running.values())
            able = [name for name, item in waiting.items() if not item.needs & unfinished] if free > 0 else []
            if able and running and _takes_all(waiting[able[0]].stage):
                able = []
            if not able:
                for told in wait(list(running)):
                    assert isinstance(told, Connection)
                    _hear(told, running, listener)
                continue
            name, item = able[0], waiting.pop(able[0])
            work = ready(name, item)
            if work:
                others = sum(_most_workers(waiting[other].stage) > 1 for other in able[1:])
                share = 1 + max(0, free - len(able)) // (1 + others)
                pipe, started = _start(name, work, workers if _takes_all(item.stage) else share)
                running[pipe] = started
                listener.stage_began(name)
    finally:
        for left in running.values():
            left.process.terminate()
            left.process.join()


def _most_workers(stage: Stage) -> int:
    """Processes of this machine that the stage can use; of one whose workers are on a cluster, the one that drives them."""
    return stage.workers if isinstance(stage, Parallel) and not _on_cluster(stage) else 1


def _takes_all(stage: Stage) -> bool:
    return isinstance(stage, Exclusive) and stage.takes_all()


def _on_cluster(stage: Stage) -> bool:
    return isinstance(stage, Clustered) and stage.cluster is not None


def _start(name: str, work: Work, workers: int) -> tuple[Connection, _Running]:
    """A process for the stage. It counts to its end for as many workers of its share as it can use."""
    stage = work.stage
    own = workers if _takes_all(stage) else min(_most_workers(stage), workers)
    if isinstance(stage, Parallel) and not _on_cluster(stage):
        assert isinstance(stage, Settings)
        work = Work(work.place, stage.model_copy(update={"workers": own}), work.identity)
    context = process_context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run_in_child, args=(theirs, work))
    process.start()
    theirs.close()
    return ours, _Running(name, process, time.monotonic(), own)


def _hear(ready: Connection, running: dict[Connection, _Running], listener: Listener) -> None:
    item = running[ready]
    try:
        kind, *values = ready.recv()
    except EOFError:
        item.process.join()
        del running[ready]
        raise RunError(
            f"{item.name} ended without a word (exit code {item.process.exitcode}; -9 usually means that memory ran out). "
            "Run the same command again to continue from its last checkpoint."
        ) from None
    if kind == "progress":
        listener.stage_advanced(item.name, *values)
        return
    item.process.join()
    del running[ready]
    if kind == "error":
        raise values[0]
    listener.stage_ended(item.name, values[0], time.monotonic() - item.started, skipped=False)


def _tell(pipe: Connection, done: int, total: int, note: str = "") -> None:
    pipe.send(("progress", done, total, note))


def _quiet(log: Path) -> None:
    """Sends what this process prints to a file. Ray prints into its drivers what becomes of every machine."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _run_in_child(pipe: Connection, work: Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    die_with_parent()
    try:
        if _on_cluster(work.stage):
            _quiet(work.place.parent / CLUSTER_LOG)
        summary = execute(work, partial(_tell, pipe), Fingerprints())
        pipe.send(("done", summary))
    except MathquorumError as error:
        pipe.send(("error", error))
    except Exception as error:  # a fault of ours: its trace must not be lost with the process
        trace = "".join(traceback.format_exception(error))
        pipe.send(("error", RuntimeError(f"{work.place.name} failed:\n{trace}")))
