"""What a person is told of the models that a run will load, before it loads one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mathquorum.engines import Embedded
from mathquorum.run import PlannedStage
from mathquorum.stages.finetune import Finetune
from mathquorum.stages.sample import Sample
from mathquorum.stages.score import ScoreCandidates

__all__ = ["loading_notices"]


def loading_notices(plan: Sequence[PlannedStage], directory: Path) -> list[str]:
    """A line for each model that stages still to do will load in this process and its workers; not for those that the run makes itself.

    Raises:
        ModelError: If there is no such model.
    """
    lines: dict[str, None] = {}
    for planned in plan:
        stage = planned.stage
        if planned.complete or not isinstance(stage, Finetune | Sample | ScoreCandidates) or stage.model is None:
            continue
        here = isinstance(stage, Finetune) or isinstance(stage.engine, Embedded)
        if here and not Path(stage.model).is_relative_to(directory):
            from mathquorum.planning.memory import loading_notice

            lines[loading_notice(stage.model, stage.hardware)] = None
    return list(lines)
