"""A run: one directory per stage, and a `stage.json` in it when, and only when, the stage is complete.

A stage that is called again with the same settings and inputs is skipped; with others it is refused, naming the fields that
differ. `started.json` guards a stage that was stopped half-way in the same manner. A stage whose files are gone or changed is
not complete and is made again, and none begins with inputs that are not what their maker made.

Another run's results are taken over where name and identity are equal. A number that may grow (`config.Grows`) may be raised.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from mathquorum.config import Settings
from mathquorum.errors import DataError, RunError
from mathquorum.run.earlier import Earlier
from mathquorum.run.execution import Work, execute, sweep
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.identity import differences, growth, identity_of, inputs_of
from mathquorum.run.ledger import Identity, check_made, faults, read_begun, read_record
from mathquorum.run.listener import Listener, PlannedStage, Silence, planned
from mathquorum.run.shards import shard_name, shard_of, shards_there
from mathquorum.run.side_by_side import Waiting, run_side_by_side
from mathquorum.stages.base import Clustered, Shard, Stage
from mathquorum.training.ranks import world

__all__ = ["Run"]


_TAKEN = "taken over from"


class Run:
    """Calls stages and keeps their ledger.

    Args:
        directory: Made when it is missing.
        workers: Processes that `do_together` uses at most: stages side by side, each in one of its own, share the rest out among
            those that can use more.
        cluster: Address of a Ray cluster (`spreading.Workers`) that stages share their work among, where they can. No byte of a result
            depends on it, and a run may go on with another or with none. What Ray prints goes to cluster.log.
        listener: Told of progress.
        dry: Nothing is run or written; `plan` fills with what would be, and every setting and outside input is checked.
        fingerprints: Of another run, such as a dry one before, which has read the same files.
        source: An earlier run, whose results are taken over where name and identity of a stage are equal.
        only: The one stage that is called; what the others would make must be there if it reads it.
        shard: The part of that stage, or of a recipe's only one, that is done.
        on_paper: In a dry run, outside inputs need not be there.

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
        cluster: str | None = None,
        listener: Listener | None = None,
        dry: bool = False,
        fingerprints: Fingerprints | None = None,
        source: Path | None = None,
        only: str | None = None,
        shard: Shard | None = None,
        on_paper: bool = False,
    ) -> None:
        self.directory = directory
        self.workers = workers
        self.cluster = cluster
        self.dry = dry
        self.plan: list[PlannedStage] = []
        self.fingerprints = fingerprints or Fingerprints()
        self._listener = listener or Silence()
        self._earlier = Earlier(source, self.fingerprints) if source else None
        self._only, self._shard, self._on_paper = only, shard, on_paper

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the directory against a second process; with `only`, that stage, so that others may be made beside it.

        Raises:
            RunError: If another process works in it, or it cannot be made.
        """
        with contextlib.ExitStack() as held:
            held.enter_context(self._lock(".lock", fcntl.LOCK_SH if self._only else fcntl.LOCK_EX))
            if self._only:
                name = shard_name(self._only, self._shard) if self._shard else self._only
                held.enter_context(self._lock(f".lock.{name}", fcntl.LOCK_EX))
            else:
                sweep(self.directory)
            yield

    @contextlib.contextmanager
    def _lock(self, file: str, kind: int) -> Iterator[None]:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            handle = (self.directory / file).open("w")
        except OSError as error:
            raise RunError(f"Run directory {self.directory} cannot be made or written: {error.strerror}.") from error
        with handle:
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except OSError as error:
                raise RunError(
                    f"Another process is working in {self.directory}{file.removeprefix('.lock').replace('.', ' at ', 1)}. "
                    "Wait for it, stop it, or choose another directory."
                ) from error
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
        for name, given in self._called(stages).items():
            stage = self._told_of_cluster(given)
            needs = self._made_by(stage, waiting)
            # What a stage reads must be there before its record can be compared with it.
            complete = not needs and self._is_complete(name, stage)
            note = "" if complete or not self.dry else self._foreseen(name, stage)
            self.plan.append(planned(name, stage, complete, note))
            if complete and not self.dry:
                self._listener.stage_ended(name, {}, 0.0, skipped=True)
            elif not self.dry:
                waiting[name] = Waiting(stage, needs)
        # With a cluster in a process of its own, too: Ray ends a driver whose cluster is gone, and prints into it.
        # Under a launcher here, too: a stage that trains asks the other processes of the launch to help.
        if not self.cluster and (len(waiting) == 1 or self.workers == 1 or world() > 1):
            for name, item in waiting.items():
                work = self._now_ready(name, item)
                if work:
                    self._run_here(name, work)
        elif waiting:
            run_side_by_side(waiting, self.workers, self._listener, self._now_ready)
        return {name: self.directory / name for name in stages}

    def _told_of_cluster(self, stage: Stage) -> Stage:
        if self.cluster is None or not isinstance(stage, Clustered):
            return stage
        assert isinstance(stage, Settings)
        told: Stage = stage.model_copy(update={"cluster": self.cluster})
        return told

    def _made_by(self, stage: Stage, names: Collection[str]) -> frozenset[str]:
        """Those of the named stages whose files this one reads."""
        inputs = [item.path for item in inputs_of(stage)]
        inside = [path.relative_to(self.directory) for path in inputs if path.is_relative_to(self.directory)]
        return frozenset(name for path in inside for name in map(str, (path, *path.parents)) if name in names)

    def _called(self, stages: Mapping[str, Stage]) -> Mapping[str, Stage]:
        """Those that are to be called, a shard under a name of its own."""
        chosen = {name: stage for name, stage in stages.items() if self._only in (None, name)}
        if self._shard is None:
            return chosen
        return {shard_name(name, self._shard): shard_of(name, stage, self._shard) for name, stage in chosen.items()}

    def _now_ready(self, name: str, item: Waiting) -> Work | None:
        """The work of a stage; None, and the listener told, where it had to wait for others and was complete all along, or where an
        earlier run has it."""
        if item.needs and self._is_complete(name, item.stage):
            self._listener.stage_ended(name, {}, 0.0, skipped=True)
            return None
        place, identity = self.directory / name, identity_of(item.stage, self.fingerprints)
        beginning = None
        if self._earlier and read_record(place) is None:
            same = self._earlier.same(name, item.stage, identity)
            if same and not read_begun(place):
                told = self._earlier.take(name, same, self.directory)
                self._listener.stage_ended(name, told, 0.0, skipped=True)
                return None
            smaller = self._earlier.smaller(name, item.stage, identity)
            beginning = self._earlier.directory / name if smaller else None
        shards = shards_there(self.directory, name, item.stage, self.fingerprints)
        return Work(place, item.stage, identity, beginning, shards)

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
            if different and record and now and self._grows(name, record, now, stage):
                return False
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

    def _grows(self, name: str, record: Identity, now: Identity, stage: Stage) -> str | None:
        """In words what of a finished stage grows in its place; None where it cannot.

        Raises:
            RunError: If it could, but other stages of the run were made from what it has.
        """
        grown = growth(record, now, stage)
        files = {self.fingerprints.of(self.directory / name)} if grown else set()
        files |= {self.fingerprints.of(file) for file in (self.directory / name).iterdir() if grown and file.is_file()}
        for place in sorted(self.directory.glob("*/stage.json")) if grown else ():
            other = read_record(place.parent)
            if other and files & set(other.inputs.values()):
                raise RunError(
                    f"{name} would grow ({grown}), but {place.parent.name} was made from what it is now. "
                    f"Give another run directory and --from {self.directory}: what is the same is taken over."
                )
        return grown

    def _foreseen(self, name: str, stage: Stage) -> str:
        """In a dry run: in words what is there of a stage that is not complete; empty where nothing is known to be."""
        place = self.directory / name
        now = self._identity(stage)
        record = read_record(place)
        if record and now and (grown := growth(record, now, stage)):
            return f"grows: {grown}"
        if self._earlier and record is None and read_begun(place) is None:
            there = now or self._identity_there(stage)
            if there and self._earlier.same(name, stage, there):
                return f"{_TAKEN} {self._earlier.directory}"
            if there and (grown := self._earlier.smaller(name, stage, there)):
                return f"grows: {grown}, from {self._earlier.directory}"
        found = shards_there(self.directory, name, stage, self.fingerprints) if now else ()
        return f"from {len(found)} shards" if found else ""

    def _identity_there(self, stage: Stage) -> Identity | None:
        """What a stage would be made from once what it reads has been taken over; None where that will be made."""
        taken = {item.name for item in self.plan if item.note.startswith(_TAKEN)}
        assert self._earlier is not None
        source = self._earlier.directory

        def at(path: Path) -> Path:
            inside = path.relative_to(self.directory) if path.is_relative_to(self.directory) else None
            return source / inside if inside and inside.parts and inside.parts[0] in taken else path

        try:
            return identity_of(stage, self.fingerprints, at)
        except DataError:
            return None

    def _identity(self, stage: Stage) -> Identity | None:
        """None in a dry run where something that the stage reads is still to be made."""
        if self.dry:
            missing = [item.path for item in inputs_of(stage) if not item.path.exists()]
            to_make = {planned.name for planned in self.plan if not planned.complete}
            if self._made_by(stage, to_make) or any(path.is_relative_to(self.directory) for path in missing):
                return None
            if missing and self._on_paper:
                return None
        return identity_of(stage, self.fingerprints)

    def _run_here(self, name: str, work: Work) -> None:
        self._listener.stage_began(name)
        started = time.monotonic()
        summary = execute(work, partial(self._listener.stage_advanced, name), self.fingerprints)
        self._listener.stage_ended(name, summary, time.monotonic() - started, skipped=False)
