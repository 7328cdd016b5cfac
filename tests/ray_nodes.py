"""A Ray cluster of several nodes on this machine, small and quick to notice what died."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import ray
from ray.cluster_utils import Cluster

_STORE = 80 * 2**20  # bytes; Ray takes no less than 75 MB
_QUICK = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 3,
}


@contextmanager
def started() -> Iterator[Cluster]:
    """A head without room for work, and a node with one CPU."""
    # Ray would kill workers when other programs fill this machine's memory.
    os.environ.update(
        RAY_USAGE_STATS_ENABLED="0",
        RAY_TRAIN_HEALTH_CHECK_INTERVAL_S="0.5",
        RAY_memory_monitor_refresh_ms="0",
        RAY_raylet_start_wait_time_s="120",  # else 10, which a busy machine may take
    )
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": _STORE, "_system_config": _QUICK}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        add_node(cluster)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def add_node(cluster: Cluster, num_cpus: int = 1) -> Any:
    """Another node, there when this returns."""
    return cluster.add_node(num_cpus=num_cpus, object_store_memory=_STORE)


def runs(node: Any, actor: str) -> bool:
    """Whether an actor of that class lives on a node: Ray gives its process such a name."""
    for process in _processes(node):
        with contextlib.suppress(psutil.NoSuchProcess):
            if actor in " ".join(process.cmdline()):
                return True
    return False


def _processes(node: Any) -> list[psutil.Process]:
    return [
        process
        for info in node.all_processes["raylet"]
        for process in psutil.Process(info.process.pid).children(recursive=True)
    ]


def kill_node(cluster: Cluster, node: Any) -> None:
    """Ends all processes of a node at once, as if its machine had lost power."""
    started_by_it = _processes(node)
    cluster.remove_node(node, allow_graceful=False)
    for process in started_by_it:  # which would notice by themselves after a second, and work until then
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
