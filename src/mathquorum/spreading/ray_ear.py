"""How a driver hears, while it waits, from those who work for it on a cluster."""

from __future__ import annotations

from typing import Any

__all__ = ["make_ear"]


class _Ear:
    """What runs beside the driver: it keeps what it is told until that is fetched."""

    def __init__(self) -> None:
        self._told: list[tuple[Any, ...]] = []

    def tell(self, *what: Any) -> None:
        self._told.append(what)

    def take(self) -> list[tuple[Any, ...]]:
        told, self._told = self._told, []
        return told


def make_ear(ray: Any) -> Any:
    """An actor with the methods `tell` and `take`, on the driver's own node, so that it is lost only with the driver."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    beside = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(_Ear).options(num_cpus=0, scheduling_strategy=beside).remote()
