"""The generator and the evaluator of a run, as its ledger names them, so that what was measured can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mathquorum.errors import DataError, SettingsError, suggest
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.ledger import StageRecord, read_record
from mathquorum.voting.runs import RunPool, pools_of_run

__all__ = ["RunQuorum", "quorum_of_run"]

_SAMPLED = ("num_candidates", "sampling", "style", "prompt", "hardware")


@dataclass(frozen=True)
class RunQuorum:
    """What a run says of itself.

    Attributes:
        pool: The name of the pool that it was measured on.
        others: Those that could have been taken.
        settings: Values of `settings.Quorum`.
        lacks: A scorer of somebody's own that scored the pool, and is not taken from a record; None where there is none.
    """

    pool: str
    others: tuple[str, ...]
    settings: dict[str, Any]
    lacks: str | None = None


def quorum_of_run(run: Path, pool: str | None = None) -> RunQuorum:
    """The models and settings of a run's pool.

    Args:
        run: Its directory.
        pool: As `vote RUN` names it. None: of those with a trained evaluator the one that was sampled first, or without any the
            one that was sampled last.

    Raises:
        DataError: If the run has no candidates, or a model of its own is not there any more.
        SettingsError: If there is no such pool, or it was made with demonstrations.
    """
    pools = {found.name: found for found in pools_of_run(run)}
    if pool is not None and pool not in pools:
        raise SettingsError(f"The run has no pool {pool!r}. {suggest(pool, pools)}")
    models = _Models(run)
    if pool is None:
        judged = [name for name, found in pools.items() if models.judge(found)]
        order = sorted(judged or pools, key=lambda name: (models.sampled(pools[name]).began, name))
        pool = order[0] if judged else order[-1]
    chosen = pools[pool]
    sampled, judge = models.sampled(chosen), models.judge(chosen)
    if sampled.inputs.get("demonstrations"):
        raise SettingsError(
            f"The candidates of {pool} were sampled with demonstrations, which are not shown here. Take another pool."
        )
    settings = {name: sampled.settings[name] for name in _SAMPLED if name in sampled.settings}
    settings |= _engine("engine", sampled) | {"model": models.find(sampled, pool)}
    if judge:
        settings |= _engine("evaluator_engine", judge) | {"evaluator": models.find(judge, pool)}
    return RunQuorum(pool, tuple(name for name in pools if name != pool), settings, models.own_scorer(chosen))


def _engine(name: str, record: StageRecord) -> dict[str, Any]:
    """A model in this process is opened by whatever opens it quickest."""
    engine = {**record.settings.get("engine", {}), **record.arguments.get("engine", {})}
    return {name: engine} if engine.get("kind", "embedded") != "embedded" else {}


class _Models:
    """The models of a run by fingerprint."""

    def __init__(self, run: Path) -> None:
        self._run = run if not (run / "stage.json").exists() else run.parent
        self._prints = Fingerprints()
        self._known: dict[str, str] | None = None

    def sampled(self, pool: RunPool) -> StageRecord:
        """The record of the stage that sampled."""
        return _record(pool.candidates.parent)

    def judge(self, pool: RunPool) -> StageRecord | None:
        """The record of the stage that scored by a model."""
        record = _record(pool.scores.parent) if pool.scores else None
        return record if record and "model" in record.inputs else None

    def own_scorer(self, pool: RunPool) -> str | None:
        """The name of the own scorer that scored, which is only shown."""
        record = _record(pool.scores.parent) if pool.scores else None
        held = record.settings.get("scorer") if record else None
        return str(held.get("name")) if isinstance(held, dict) else None

    def find(self, record: StageRecord, pool: str) -> str:
        """The name by which a stage's model can be opened."""
        wanted = record.inputs["model"]
        kind, _, name = wanted.partition(":")
        if kind in ("hub", "name"):
            return name
        if self._known is None:
            self._known = {self._prints.of(place): str(place) for place in self._places()}
        if wanted not in self._known:
            raise DataError(
                f"{self._run}: a model that {pool} was made with is neither in the run nor where its settings say, or was changed since. "
                "Give the models themselves: --model GENERATOR --evaluator EVALUATOR."
            )
        return self._known[wanted]

    def _places(self) -> Iterator[Path]:
        yield from self._run.glob("*/model")
        for value in _texts(self._settings()):
            if Path(value).is_dir():
                yield Path(value)

    def _settings(self) -> Any:
        import yaml

        file = self._run / "settings.yaml"
        return yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}


def _record(place: Path) -> StageRecord:
    record = read_record(place)
    if record is None:
        raise DataError(f"{place} has no record of how it was made.")
    return record


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and len(value) < 1000:
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
