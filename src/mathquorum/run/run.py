"""A run: one directory per stage, and a `stage.json` in it when, and only when, the stage is complete.

A stage that is called again with the same settings and inputs is skipped; with others it is refused, naming the fields that
differ. `started.json` guards a stage that was stopped half-way in the same manner. A stage whose files are gone or changed is
not complete and is made again, and none begins with inputs that are not what their maker made.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from mathquorum.errors import DataError, RunError
from mathquorum.run.execution import Work, execute, sweep
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.identity import differences, identity_of, inputs_of
from mathquorum.run.ledger import Identity, check_made, faults, read_begun, read_record
from mathquorum.run.listener import Listener, PlannedStage, Silence, planned
from mathquorum.run.side_by_side import Waiting, run_side_by_side
from mathquorum.stages.base import Stage

__all__ = ["Run"]


class Run:
    """Calls stages and keeps their ledger.

    Args:
        directory: Made when it is missing.
        workers: Processes that `do_together` uses at most: stages side by side, each in one of its own, share the rest out among
            those that can use more.
        listener: Told of progress.
        dry: Nothing is run or written; `plan` fills with what would be, and every setting and outside input is checked.
        fingerprints: Of another run, such as a dry one before, which has read the same files.

    Example:
        run = Run(Path("runs/first"))
        problems = run.do("problems", Prepare(sources=(...,)))
        candidates = run.do("candidates", Sample(problems=problems / "problems.jsonl", model="...", num_candidates=64))
    """

    def __init__(
        self,
        directory: Path,
        *,
        workers: int = 1,
        listener: Listener | None = None,
        dry: bool = False,
        fingerprints: Fingerprints | None = None,
    ) -> None:
        self.directory = directory
        self.workers = workers
        self.dry = dry
        self.plan: list[PlannedStage] = []
        self.fingerprints = fingerprints or Fingerprints()
        self._listener = listener or Silence()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the directory against a second process.

        Raises:
            RunError: If another process works in it, or it cannot be made.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            handle = (self.directory / ".lock").open("w")
        except OSError as error:
            raise RunError(f"Run directory {self.directory} cannot be made or written: {error.strerror}.") from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RunError(
                    f"Another process is working in {self.directory}. Wait for it, stop it, or choose another directory."
                ) from error
            sweep(self.directory)
            yield

    def finished(self, name: str) -> bool:
        """Whether a stage of that name is complete, with whatever settings."""
        return (self.directory / name / "stage.json").exists()

    def do(self, name: str, stage: Stage) -> Path:
        """Runs the stage unless it is complete, and returns its directory.

        Raises:
            RunError: If the directory holds the same stage with other settings or inputs, or what it reads is not what its
                maker made.
        """
        return self.do_together({name: stage})[name]

    def do_together(self, stages: Mapping[str, Stage]) -> dict[str, Path]:
        """Runs stages up to `workers` at a time, each as soon as those whose files it reads are complete.

        The result is that of running them one after the other.

        Args:
            stages: In the order in which they begin when several could; each after those whose files it reads.
        """
        waiting: dict[str, Waiting] = {}
        for name, stage in stages.items():
            needs = self._made_by(stage, waiting)
            # What a stage reads must be there before its record can be compared with it.
            complete = not needs and self._is_complete(name, stage)
            self.plan.append(planned(name, stage, complete))
            if complete and not self.dry:
                self._listener.stage_ended(name, {}, 0.0, skipped=True)
            elif not self.dry:
                waiting[name] = Waiting(stage, needs)
        if len(waiting) == 1 or self.workers == 1:
            for name, item in waiting.items():
                work = self._now_ready(name, item)
                if work:
                    self._run_here(name, work)
        elif waiting:
            run_side_by_side(waiting, self.workers, self._listener, self._now_ready)
        return {name: self.directory / name for name in stages}

    def _made_by(self, stage: Stage, names: Collection[str]) -> frozenset[str]:
        """Those of the named stages whose files this one reads."""
        inputs = [item.path for item in inputs_of(stage)]
        inside = [path.relative_to(self.directory) for path in inputs if path.is_relative_to(self.directory)]
        return frozenset(name for path in inside for name in map(str, (path, *path.parents)) if name in names)

    def _now_ready(self, name: str, item: Waiting) -> Work | None:
        """The work of a stage; None, and the listener told, where it had to wait for others and was complete all along."""
        if item.needs and self._is_complete(name, item.stage):
            self._listener.stage_ended(name, {}, 0.0, skipped=True)
            return None
        return Work(self.directory / name, item.stage, identity_of(item.stage, self.fingerprints))

    def _is_complete(self, name: str, stage: Stage) -> bool:
        """Whether the stage need not run. If it must, what it reads has been looked at.

        Raises:
            RunError: If it must not run: its directory holds something else, or its inputs are not as they should be.
        """
        place = self.directory / name
        record = read_record(place)
        before = record or read_begun(place)
        if before is None and place.is_dir() and any(not file.name.startswith(".") for file in place.iterdir()):
            raise RunError(
                f"{place} holds files but no record of how they were made. Delete it, or use another directory."
            )
        try:
            now = self._identity(stage)
            different = differences(before, now, stage) if before and now else []
            if different:
                raise RunError(
                    f"{name} was made with other settings ({'; '.join(different)}). "
                    f"Use another run directory, or delete {place}."
                )
            if record and not faults(place, record, self.fingerprints):
                return True
            for item in inputs_of(stage) if now else ():
                if item.path.exists() and not item.is_name:  # else it is a hub id
                    check_made(item.path, self.directory, self.fingerprints)
        except DataError as error:
            raise RunError(f"{name}: {error}") from error
        return False

    def _identity(self, stage: Stage) -> Identity | None:
        """None in a dry run where something that the stage reads is still to be made."""
        if self.dry:
            missing = (item.path for item in inputs_of(stage) if not item.path.exists())
            to_make = {planned.name for planned in self.plan if not planned.complete}
            if self._made_by(stage, to_make) or any(path.is_relative_to(self.directory) for path in missing):
                return None
        return identity_of(stage, self.fingerprints)

    def _run_here(self, name: str, work: Work) -> None:
        self._listener.stage_began(name)
        started = time.monotonic()
        summary = execute(work, partial(self._listener.stage_advanced, name), self.fingerprints)
        self._listener.stage_ended(name, summary, time.monotonic() - started, skipped=False)
