"""The stages of a plan by what they do, so that a plan of many stages is read at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mathquorum.planning.demand import Demand, total

__all__ = ["Group", "groups"]

_WORK = {"Finetune": "training", "Sample": "sampling", "ScoreCandidates": "scoring"}
_REST = "data, clusters, figures"


@dataclass(frozen=True)
class Group:
    """Stages that do the same.

    Attributes:
        name: What they do.
        stages: In the order of the plan.
        total: Of those that are to do, as one stage of their kind.
    """

    name: str
    stages: Sequence[Demand]
    total: Demand

    @property
    def longest(self) -> list[Demand]:
        """Those that are to do and take the most time, the longest first; none where times are not known."""
        known = [d for d in self.stages if not d.complete and d.seconds is not None and d.seconds.expected > 0]
        return sorted(known, key=lambda demand: -demand.seconds.expected if demand.seconds else 0.0)


def groups(stages: Sequence[Demand], at_once: int = 1) -> list[Group]:
    """Training, sampling, scoring, and the rest: in the order of their first stages, the rest last.

    Args:
        stages: Of a plan.
        at_once: As in `demand.total`.
    """
    found: dict[str, list[Demand]] = {}
    for demand in stages:
        found.setdefault(_work(demand), []).append(demand)
    names = [name for name in found if name != _REST] + [name for name in found if name == _REST]
    return [Group(name, found[name], replace(total(found[name], at_once), kind=found[name][0].kind)) for name in names]


def _work(demand: Demand) -> str:
    """A stage that asks no model belongs to the rest: a signal of the generator's own is only read."""
    return _WORK.get(demand.kind, _REST) if demand.calls.high else _REST
