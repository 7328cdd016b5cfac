"""The pools of a run of this library: which problems, candidates and scores belong together, by the ledger's fingerprints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mathquorum.errors import DataError
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.ledger import StageRecord, read_record

__all__ = ["RunPool", "is_run", "pools_of_run"]


@dataclass(frozen=True)
class RunPool:
    """The files of a pool. `name` is that of the stage that measured, scored or sampled it."""

    name: str
    candidates: Path
    problems: Path
    scores: Path | None


def is_run(path: Path) -> bool:
    """Whether a path is a run directory, or a stage in one."""
    return path.is_dir() and ((path / "stage.json").exists() or any(path.glob("*/stage.json")))


def pools_of_run(path: Path) -> list[RunPool]:
    """Each pool once per set of scores: those that were evaluated, or without evaluations those that were sampled.

    Raises:
        DataError: If there are none, or the files that they were made from are not in the run.
    """
    one = (path / "stage.json").exists()
    run = path.parent if one else path
    found_records = {place.parent.name: read_record(place.parent) for place in sorted(run.glob("*/stage.json"))}
    stages = {
        name: record
        for name, record in found_records.items()
        if record is not None and (one or not record.settings.get("shard"))  # the whole is beside its shards
    }
    files = _Files(run, stages)
    evaluated = {name: stage for name, stage in stages.items() if stage.stage == "Evaluate"}
    if not one and evaluated:
        return [files.pool(name, stage.inputs) for name, stage in evaluated.items()]
    chosen = {path.name: stages[path.name]} if one else stages
    found = [pool for name, stage in chosen.items() for pool in _pools_of_stage(name, stage, stages, files, run)]
    if not found:
        raise DataError(f"{path} has no candidates: no stage of it is complete that samples, scores or evaluates.")
    return found


def _pools_of_stage(
    name: str, stage: StageRecord, stages: Mapping[str, StageRecord], files: _Files, run: Path
) -> list[RunPool]:
    inputs = stage.inputs
    if stage.stage == "Evaluate":
        return [files.pool(name, inputs)]
    candidates = run / name / "candidates.jsonl"
    if stage.stage == "ScoreCandidates":
        return [
            RunPool(
                name,
                files.at(inputs["candidates"], name, "candidates"),
                files.at(inputs["problems"], name, "problems"),
                run / name / "scores.jsonl",
            )
        ]
    if not candidates.exists() or "problems" not in inputs:
        return []
    problems = files.at(inputs["problems"], name, "problems")
    prints = files.prints("candidates", run / name)
    scored = [
        other for other, s in stages.items() if s.stage == "ScoreCandidates" and s.inputs.get("candidates") in prints
    ]
    return [RunPool(other, candidates, problems, run / other / "scores.jsonl") for other in scored] or [
        RunPool(name, candidates, problems, None)
    ]


class _Files:
    """The files of a run by fingerprint. Each is read once."""

    def __init__(self, run: Path, stages: Mapping[str, StageRecord]) -> None:
        self._run = run
        self._stages = stages
        self._fingerprints = Fingerprints()
        self._known: dict[str, dict[str, Path]] = {}

    def prints(self, kind: str, place: Path) -> set[str]:
        """The fingerprints by which a stage's file is known: its own, and that of its directory."""
        return {self._fingerprints.of(place / f"{kind}.jsonl"), self._fingerprints.of(place)}

    def at(self, wanted: str, stage: str, kind: str) -> Path:
        """The file of that kind with that fingerprint.

        Raises:
            DataError: If it is not in the run.
        """
        if kind not in self._known:
            places = [self._run / name for name in self._stages if (self._run / name / f"{kind}.jsonl").exists()]
            self._known[kind] = {p: place / f"{kind}.jsonl" for place in places for p in self.prints(kind, place)}
        if wanted not in self._known[kind]:
            raise DataError(
                f"{self._run}: the {kind} of stage {stage!r} are not in the run, or were changed since. "
                f"Give the files themselves: mathquorum vote CANDIDATES --problems PROBLEMS."
            )
        return self._known[kind][wanted]

    def pool(self, name: str, inputs: Mapping[str, str]) -> RunPool:
        """The pool that a stage read."""
        scores = inputs.get("scores")
        return RunPool(
            name,
            self.at(inputs["candidates"], name, "candidates"),
            self.at(inputs["problems"], name, "problems"),
            None if scores is None else self.at(scores, name, "scores"),
        )
