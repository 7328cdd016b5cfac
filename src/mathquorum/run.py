"""The ledger of a run: one directory per stage, and a `stage.json` in it when, and only when, the stage is complete.

`stage.json` is written last and tells the settings, the fingerprints of the inputs, versions, commit and times. A stage
that is called again with the same settings and inputs is skipped; with others it is refused, naming the fields that
differ. `started.json` guards a stage that was stopped half-way in the same manner.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import platform
import signal
import subprocess
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from mathquorum.config import HubModel, Runtime, Settings, is_input, marked
from mathquorum.errors import DataError, MathquorumError, RunError
from mathquorum.sources import model_parts
from mathquorum.stages.base import Measurable, Parallel, Placed, Stage, Summary
from mathquorum.store import fingerprint, read_json, write_json
from mathquorum.workers import die_with_parent, process_context

__all__ = ["Listener", "PlannedStage", "Run", "Silence", "library_versions"]

_LIBRARIES = ("mathquorum", "torch", "transformers", "tokenizers", "numpy", "pydantic")


class Listener(Protocol):
    """Told of what happens in a run. The command line has one that draws progress bars."""

    def stage_began(self, name: str) -> None: ...

    def stage_advanced(self, name: str, done: int, total: int) -> None: ...

    def stage_ended(self, name: str, summary: Summary, seconds: float, skipped: bool) -> None: ...


class Silence:
    """The listener that says nothing."""

    def stage_began(self, name: str) -> None: ...

    def stage_advanced(self, name: str, done: int, total: int) -> None: ...

    def stage_ended(self, name: str, summary: Summary, seconds: float, skipped: bool) -> None: ...


@dataclass(frozen=True)
class PlannedStage:
    """One line of a plan."""

    name: str
    kind: str
    complete: bool
    stage: Stage | None = field(default=None, compare=False)
    """With its settings, the files that it reads among them; None where a plan was made by hand."""
    amount: Callable[[], int | None] = field(default=lambda: None, compare=False)
    """See `stages.base.Measurable`; None where the stage cannot tell, or not yet."""


def _amount_of(stage: Stage) -> Callable[[], int | None]:
    return stage.amount if isinstance(stage, Measurable) else lambda: None


class Run:
    """Calls stages and keeps their ledger.

    Args:
        directory: Made when it is missing.
        workers: Processes that `do_together` uses at most: stages side by side, each in one of its own, share the rest out among
            those that can use more.
        listener: Told of progress.
        dry: Nothing is run or written; `plan` fills with what would be, and every setting and outside input is checked.

    Example:
        run = Run(Path("runs/first"))
        problems = run.do("problems", Prepare(sources=(...,)))
        candidates = run.do("candidates", Sample(problems=problems / "problems.jsonl", model="...", num_candidates=64))
    """

    def __init__(
        self, directory: Path, *, workers: int = 1, listener: Listener | None = None, dry: bool = False
    ) -> None:
        self.directory = directory
        self.workers = workers
        self.dry = dry
        self.plan: list[PlannedStage] = []
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
            yield

    def finished(self, name: str) -> bool:
        """Whether a stage of that name is complete, with whatever settings."""
        return (self.directory / name / "stage.json").exists()

    def do(self, name: str, stage: Stage) -> Path:
        """Runs the stage unless it is complete, and returns its directory.

        Raises:
            RunError: If the directory holds the same stage with other settings or inputs.
        """
        return self.do_together({name: stage})[name]

    def do_together(self, stages: Mapping[str, Stage]) -> dict[str, Path]:
        """Runs stages up to `workers` at a time, each as soon as those whose files it reads are complete.

        The result is that of running them one after the other.

        Args:
            stages: In the order in which they begin when several could; each after those whose files it reads.
        """
        waiting: dict[str, _Waiting] = {}
        for name, stage in stages.items():
            needs = self._made_by(stage, waiting)
            # What a stage reads must be there before its record can be compared with it.
            complete = not needs and self._is_complete(name, stage)
            self.plan.append(PlannedStage(name, type(stage).__name__, complete, stage, _amount_of(stage)))
            if complete and not self.dry:
                self._listener.stage_ended(name, {}, 0.0, skipped=True)
            elif not self.dry:
                waiting[name] = _Waiting(stage, needs)
        if len(waiting) == 1 or self.workers == 1:
            for name, item in waiting.items():
                if not self._turns_out_complete(name, item):
                    self._run_here(name, item.stage)
        elif waiting:
            self._run_side_by_side(waiting)
        return {name: self.directory / name for name in stages}

    def _made_by(self, stage: Stage, names: Collection[str]) -> frozenset[str]:
        """Those of the named stages whose files this one reads."""
        assert isinstance(stage, Settings)
        inputs = [item.path for item in _split(stage, "")[1].values()]
        inside = [path.relative_to(self.directory) for path in inputs if path.is_relative_to(self.directory)]
        return frozenset(name for path in inside for name in map(str, (path, *path.parents)) if name in names)

    def _turns_out_complete(self, name: str, item: _Waiting) -> bool:
        """Whether a stage that had to wait for others was complete all along."""
        complete = bool(item.needs) and self._is_complete(name, item.stage)
        if complete:
            self._listener.stage_ended(name, {}, 0.0, skipped=True)
        return complete

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def _is_complete(self, name: str, stage: Stage) -> bool:
        place = self.directory / name
        done, begun = place / "stage.json", place / "started.json"
        recorded = read_json(done) if done.exists() else read_json(begun) if begun.exists() else None
        try:
            now = self._identity(stage)
        except DataError as error:
            raise RunError(f"{name}: {error}") from error
        if recorded is None and place.is_dir() and any(not file.name.startswith(".") for file in place.iterdir()):
            raise RunError(
                f"{place} holds files but no record of how they were made. Delete it, or use another directory."
            )
        if recorded is not None and not (self.dry and now["inputs"] is None):
            differences = _differences(recorded, now, stage)
            if differences:
                raise RunError(
                    f"{name} was made with other settings ({'; '.join(differences)}). "
                    f"Use another run directory, or delete {place}."
                )
        return done.exists()

    def _identity(self, stage: Stage) -> dict[str, Any]:
        """What must be equal for a result to be taken over. In a dry run inputs that are still to be made count as None."""
        assert isinstance(stage, Settings)
        settings, inputs = _split(stage, "")
        prints: dict[str, str] | None = {}
        for setting, item in inputs.items():
            if not item.path.exists() and self.dry and item.path.is_relative_to(self.directory):
                prints = None
            elif prints is not None:
                prints[setting] = _input_print(setting, item)
        return {"stage": type(stage).__name__, "settings": settings, "inputs": prints}

    def _run_here(self, name: str, stage: Stage) -> None:
        self._listener.stage_began(name)
        started = time.monotonic()
        summary = _run_stage(
            self.directory / name, stage, self._identity(stage), lambda done, total: self._advance(name, done, total)
        )
        self._listener.stage_ended(name, summary, time.monotonic() - started, skipped=False)

    def _advance(self, name: str, done: int, total: int) -> None:
        self._listener.stage_advanced(name, done, total)

    # --- side by side -------------------------------------------------------------------------------------------------

    def _run_side_by_side(self, stages: Mapping[str, _Waiting]) -> None:
        waiting = dict(stages)
        running: dict[Connection, _Running] = {}
        try:
            while waiting or running:
                unfinished = waiting.keys() | {item.name for item in running.values()}
                free = self.workers - sum(item.workers for item in running.values())
                ready = [name for name, item in waiting.items() if not item.needs & unfinished] if free > 0 else []
                if ready:
                    name = ready[0]
                    item = waiting.pop(name)
                    if not self._turns_out_complete(name, item):
                        others = sum(_most_workers(waiting[other].stage) > 1 for other in ready[1:])
                        share = 1 + max(0, free - len(ready)) // (1 + others)
                        pipe, process, workers = self._start(name, item.stage, share)
                        running[pipe] = _Running(name, process, time.monotonic(), workers)
                        self._listener.stage_began(name)
                    continue
                for told in wait(list(running)):
                    assert isinstance(told, Connection)
                    self._hear(told, running)
        finally:
            for left in running.values():
                left.process.terminate()
                left.process.join()

    def _start(self, name: str, stage: Stage, workers: int) -> tuple[Connection, Any, int]:
        """A process for the stage, and how many workers it counts for, to its end: as many of its share as it can use."""
        assert isinstance(stage, Settings)
        own = min(_most_workers(stage), workers)
        if isinstance(stage, Parallel):
            stage = stage.model_copy(update={"workers": own})
        context = process_context()
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_run_in_child, args=(theirs, self.directory / name, stage, self._identity(stage))
        )
        process.start()
        theirs.close()
        return ours, process, own

    def _hear(self, ready: Connection, running: dict[Connection, _Running]) -> None:
        name, process, started = running[ready].name, running[ready].process, running[ready].started
        try:
            kind, *values = ready.recv()
        except EOFError:
            process.join()
            del running[ready]
            raise RunError(
                f"{name} ended without a word (exit code {process.exitcode}; -9 usually means that memory ran out). "
                "Run the same command again to continue from its last checkpoint."
            ) from None
        if kind == "progress":
            self._listener.stage_advanced(name, *values)
            return
        process.join()
        del running[ready]
        if kind == "error":
            raise values[0]
        self._listener.stage_ended(name, values[0], time.monotonic() - started, skipped=False)


@dataclass(frozen=True)
class _Waiting:
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


def _run_stage(place: Path, stage: Stage, identity: dict[str, Any], progress: Any) -> Summary:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{place} cannot be made: {error.strerror}.") from error
    begun = place / "started.json"
    device = _device(stage)
    before = read_json(begun).get("device") if begun.exists() else None
    if before and before != device:
        raise RunError(
            f"{place.name} was begun on {before} and would go on on {device}, so its records would not belong together. "
            f"Set hardware.device and hardware.dtype to the former, or delete {place}."
        )
    write_json(begun, {**identity, "device": device})
    began, clock = time.time(), time.monotonic()
    summary = dict(stage.run(place, progress))
    record = {
        **identity,
        "device": device,
        "summary": summary,
        "versions": library_versions(),
        "commit": _commit(),
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "seconds": round(time.monotonic() - clock, 3),
    }
    write_json(place / "stage.json", record)
    (place / "started.json").unlink()
    return summary


def _most_workers(stage: Stage) -> int:
    """Processes that the stage can use."""
    return stage.workers if isinstance(stage, Parallel) else 1


def _device(stage: Stage) -> str | None:
    """Where the stage's model runs; None for a stage without one."""
    return stage.place() if isinstance(stage, Placed) else None


def _run_in_child(pipe: Connection, place: Path, stage: Stage, identity: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    die_with_parent()
    try:
        summary = _run_stage(place, stage, identity, lambda done, total: pipe.send(("progress", done, total)))
        pipe.send(("done", summary))
    except MathquorumError as error:
        pipe.send(("error", error))
    except Exception as error:  # a fault of ours: its trace must not be lost with the process
        trace = "".join(traceback.format_exception(error))
        pipe.send(("error", RuntimeError(f"{place.name} failed:\n{trace}")))


# --- what a stage is made of -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    """What a stage reads.

    Attributes:
        given: As the setting has it.
        hub: Whether it may be a model's hub id.
    """

    given: str
    hub: bool

    @property
    def path(self) -> Path:
        return Path(self.given)


def _split(settings: BaseModel, prefix: str) -> tuple[dict[str, Any], dict[str, _Read]]:
    """Settings that count, as plain values, and inputs by dotted name. Runtime settings are in neither."""
    plain: dict[str, Any] = {}
    inputs: dict[str, _Read] = {}
    for name, info in type(settings).model_fields.items():
        value = getattr(settings, name)
        if marked(info, Runtime):
            continue
        if is_input(info):
            hub = marked(info, HubModel)
            inputs.update({place: _Read(str(item), hub) for place, item in _flatten(prefix + name, value).items()})
        else:
            plain[name] = _plain(value, prefix + name, inputs)
    return plain, inputs


def _plain(value: Any, place: str, inputs: dict[str, _Read]) -> Any:
    if isinstance(value, BaseModel):
        plain, below = _split(value, place + ".")
        inputs.update(below)
        return plain
    if isinstance(value, tuple | list):
        return [_plain(item, f"{place}.{number}", inputs) for number, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{place}.{key}", inputs) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def _flatten(place: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {f"{place}.{key}": item for key, item in value.items()}
    if isinstance(value, tuple | list):
        return {f"{place}.{number}": item for number, item in enumerate(value)}
    return {place: value}


def _input_print(field: str, item: _Read) -> str:
    parts = model_parts(item.given) if item.hub else (item.given,)
    if len(parts) > 1:  # an adapter counts together with its base
        return "+".join(_input_print(field, _Read(part, part == parts[0])) for part in parts)
    if item.path.exists():
        return fingerprint(item.path)
    if item.hub and item.given.count("/") == 1 and not item.given.startswith((".", "/")):
        return f"hub:{item.given}"
    raise DataError(f"{field}: there is no {item.given!r}.")


def _with_newer(recorded: Any, now: Any) -> Any:
    """The recorded values, and the settings that did not exist then, where they have their default now.

    So the default of a setting that is added must be what was done without it.
    """
    if isinstance(now, BaseModel) and isinstance(recorded, Mapping):
        filled = dict(recorded)
        for name, info in type(now).model_fields.items():
            value = getattr(now, name)
            if name in recorded:
                filled[name] = _with_newer(recorded[name], value)
            elif not (is_input(info) or marked(info, Runtime)) and value == info.get_default(
                call_default_factory=True, validated_data={}
            ):
                filled[name] = _plain(value, "", {})
        return filled
    if isinstance(now, tuple | list) and isinstance(recorded, list):
        both = zip(recorded, now, strict=False)
        return [_with_newer(old, new) for old, new in both] + recorded[len(now) :]
    if isinstance(now, Mapping) and isinstance(recorded, Mapping):
        return {key: _with_newer(old, now[key]) if key in now else old for key, old in recorded.items()}
    return recorded


def _differences(recorded: dict[str, Any], now: dict[str, Any], stage: Stage) -> list[str]:
    if recorded["stage"] != now["stage"]:
        return [f"it is a {recorded['stage']} stage, now {now['stage']}"]
    old, new = _leaves(_with_newer(recorded["settings"], stage)), _leaves(now["settings"])
    changed = [
        f"{name}: {old.get(name, 'absent')!r}, now {new.get(name, 'absent')!r}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name, "absent") != new.get(name, "absent")
    ]
    before, after = recorded["inputs"] or {}, now["inputs"] or {}
    return changed + [
        f"contents of {name} changed"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _leaves(value: Any, place: str = "") -> dict[str, Any]:
    """Values by dotted name. What is empty is a value."""
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, Mapping) else ()
    below = {
        name: leaf
        for key, item in items
        for name, leaf in _leaves(item, f"{place}.{key}" if place else str(key)).items()
    }
    return below or {place: value}


def library_versions() -> dict[str, str]:
    """The versions that a result depends on, by name."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found


def _commit() -> str | None:
    """The commit of the source tree that this code runs from; None for an installed package."""
    try:
        result = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
