"""What a run knows of one of its models: how it was made, from which data, and what was measured of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mathquorum.errors import DataError, SettingsError, suggest
from mathquorum.metrics.results import Results, read_results
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.ledger import StageRecord, read_record

__all__ = ["Found", "Measurement", "Part", "find_model"]


@dataclass(frozen=True)
class Part:
    """Prepared data of the run.

    Attributes:
        name: Of the stage.
        sources: As `datasets.Source` has them, without those that are at their defaults.
        inputs: Fingerprints of the files, by setting.
        contamination: What was done with problems of the test set: "refuse", "drop" or "allow".
        counts: Of problems and solutions, and of what was left out.
    """

    name: str
    sources: tuple[Mapping[str, Any], ...]
    inputs: Mapping[str, str]
    contamination: str
    counts: Mapping[str, Any]


@dataclass(frozen=True)
class Measurement:
    """An evaluation of the model's candidates. `scorer` is the end of its stage's name; None where only the vote was measured."""

    scorer: str | None
    results: Results


@dataclass(frozen=True)
class Found:
    """See the module."""

    run: Path
    stage: str
    folder: Path
    record: StageRecord
    base: str
    settings: Mapping[str, Any]
    measurements: tuple[Measurement, ...]
    data: tuple[Part, ...]


def find_model(run: Path, stage: str | None = None) -> Found:
    """The model that a stage of a run trained.

    Args:
        run: The run's directory.
        stage: The name of the stage. None: the trained generator that was measured under the most scores, the first of equals.

    Raises:
        DataError: If this is no run, or it holds no trained model.
        SettingsError: If there is no such stage, or it trained nothing.
    """
    if not run.is_dir():
        raise DataError(f"{run} is no run directory. Give the --out of a `mathquorum run`.")
    records = {place.parent.name: read_record(place.parent) for place in sorted(run.glob("*/stage.json"))}
    known = {name: record for name, record in records.items() if record is not None}
    trained = {name: record for name, record in known.items() if (run / name / "model" / "tokenizer.json").exists()}
    if not trained:
        raise DataError(f"{run} holds no finished model. Let the run come to its end: the same command goes on.")
    measured = {name: tuple(_measured(run, name, known)) for name in trained}
    if stage is None:
        stage = max(trained, key=lambda name: len(measured[name]))
    if stage not in trained:
        raise SettingsError(f"The run has no model {stage!r}. {suggest(stage, trained)}")
    settings = _settings(run)
    return Found(
        run=run,
        stage=stage,
        folder=run / stage / "model",
        record=trained[stage],
        base=str(settings.get("base") or settings.get("model") or "unknown"),
        settings=settings,
        measurements=measured[stage],
        data=tuple(_parts(known)),
    )


def _measured(run: Path, stage: str, records: Mapping[str, StageRecord]) -> Iterator[Measurement]:
    """Evaluations of candidates that the stage's model sampled, by the fingerprints of the ledger."""
    model = Fingerprints().of(run / stage / "model")
    sampled = {name for name, r in records.items() if r.stage == "Sample" and r.inputs.get("model") == model}
    prints = Fingerprints()
    candidates = {
        p
        for name in sampled
        if (f := run / name / "candidates.jsonl").exists()
        for p in (prints.of(f), prints.of(run / name))
    }
    for name, record in records.items():
        if record.stage == "Evaluate" and record.inputs.get("candidates") in candidates:
            scorer = name.rpartition(".")[2] if "scores" in record.inputs else None
            yield Measurement(scorer, read_results(run / name / "results.json"))


def _parts(records: Mapping[str, StageRecord]) -> Iterator[Part]:
    for name, record in records.items():
        if record.stage == "Prepare":
            yield Part(
                name=name,
                sources=tuple(_said(source) for source in record.settings["sources"]),
                inputs=record.inputs,
                contamination=str(record.settings.get("contamination", "")),
                counts=record.summary,
            )


def _said(source: Mapping[str, Any]) -> dict[str, Any]:
    """What a source says in few words."""
    return {key: source[key] for key in ("dataset", "hub", "split", "limit", "style") if source.get(key) is not None}


def _settings(run: Path) -> Mapping[str, Any]:
    import yaml

    file = run / "settings.yaml"
    held = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    return held if isinstance(held, dict) else {}
