"""A recipe's plan with what each of its stages will take."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mathquorum.models import Hardware
from mathquorum.models.footprint import Shape
from mathquorum.planning.assumptions import Assumptions
from mathquorum.planning.calibration import Calibration
from mathquorum.planning.data import Data, Problems
from mathquorum.planning.demand import Demand, total
from mathquorum.planning.estimates import Estimator
from mathquorum.planning.speed import Speed, stated_speed
from mathquorum.prompts import Prompt
from mathquorum.run import PlannedStage
from mathquorum.stages.prepare import Prepare
from mathquorum.stages.split import Split

__all__ = ["Plan", "make_plan"]

_PROBLEM = "What is the sum of the first ten positive integers that are divisible by 3?"


@dataclass(frozen=True)
class Plan:
    """What a recipe will take.

    Attributes:
        stages: In order.
        total: Of what is to do.
        speeds: Where the seconds come from, in words.
        workers: Stages side by side.
    """

    stages: tuple[Demand, ...]
    total: Demand
    speeds: tuple[str, ...]
    workers: int = 1


def make_plan(
    planned: Sequence[PlannedStage],
    run: Path,
    assumed: Assumptions,
    workers: int = 1,
    cache: Path | None = None,
    calibrating: bool = True,
) -> Plan:
    """Looks at the data, measures where that is wanted, and goes through the stages.

    Args:
        planned: Of a dry run.
        run: Its directory.
        assumed: What is taken for granted.
        workers: Stages side by side.
        cache: Folder in which calibrations are kept; None for none, and no times but those of a stated machine.
        calibrating: Whether one that is not kept is made.

    Raises:
        SettingsError: If data are not here, and nothing was assumed of them.
        ModelError: If a model's config cannot be read.
    """
    with tempfile.TemporaryDirectory() as scratch:
        data = Data(run, Path(scratch), assumed)
        speeds: list[str] = []
        asked: list[str] = []
        calibration: list[Calibration] = []

        def speed_of(model: str, hardware: Hardware, wording: Prompt) -> Speed | None:
            if assumed.machine:
                found: Speed | None = stated_speed(Shape.of(model), assumed.machine, assumed.solution_tokens)
            elif cache is None:
                found = None
            else:
                if not calibration:
                    calibration.append(Calibration(cache, asked or [_PROBLEM], calibrating))
                found = calibration[0].speed(model, hardware, wording)
            if found and found.source not in speeds:
                speeds.append(found.source)
            return found

        estimator = Estimator(run, data, assumed, speed_of)
        demands = []
        for item in planned:
            assert item.stage is not None
            demand = estimator.demand(item.name, item.stage)
            if isinstance(item.stage, Prepare | Split) and not asked:
                asked += _texts(data, run / item.name)
            demands.append(replace(demand, complete=item.complete or item.note.startswith("taken over")))
    return Plan(tuple(demands), total(demands, workers), tuple(speeds), workers)


def _texts(data: Data, place: Path) -> list[str]:
    found = data.problems(place / "problems.jsonl") if (place / "problems.jsonl") in data else Problems(0)
    return list(found.texts)
