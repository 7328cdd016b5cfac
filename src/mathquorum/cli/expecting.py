"""How long the stages of a run should take, for a forecast while it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mathquorum.cli.planning import calibrations
from mathquorum.errors import MathquorumError
from mathquorum.planning.assumptions import Assumptions, Machine
from mathquorum.planning.plan import make_plan
from mathquorum.run import PlannedStage
from mathquorum.run.forecast import Expected

__all__ = ["expected_seconds"]

_CORE = Machine(
    name="a core of a CPU", peak_flops=5e10, bandwidth=1e10, memory_gb=8, decoding_share=1, training_share=1
)


def expected_seconds(planned: Sequence[PlannedStage], run: Path, workers: int) -> Mapping[str, Expected]:
    """Seconds by stage: with the speed that `plan` measured on this machine, and else, in proportion only, with that of a core.

    Nothing of stages that ask a server, and of no stage where a plan cannot be reckoned.
    """
    try:
        measured = make_plan(planned, run, Assumptions(), workers, calibrations(), calibrating=False)
        described = make_plan(planned, run, Assumptions(machine=_CORE), workers)
    except MathquorumError:
        return {}
    expected = {
        demand.name: Expected(demand.seconds.expected, in_proportion=True)
        for demand in described.stages
        if demand.seconds
    }
    known = {demand.name: Expected(demand.seconds.expected) for demand in measured.stages if demand.seconds}
    return {**expected, **known}
