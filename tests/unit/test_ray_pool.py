"""Units on a Ray cluster: none is lost with a worker or a machine, and what fails for good fails as it does in a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mathquorum.errors import DataError, MathquorumError, RunError, SettingsError
from mathquorum.processes import Handler, Tell, map_units
from mathquorum.spreading import Workers, spread_units
from mathquorum.spreading.ray_connection import connected

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster


def doubler() -> Handler[int, int]:
    return lambda unit, tell: 2 * unit


def patient(place: Path) -> Handler[int, int]:
    """Says who began what, and ends when told to go on."""

    def handle(unit: int, tell: Tell) -> int:
        import ray

        file = place / f"{unit}.{os.getpid()}.began"
        file.write_text(ray.get_runtime_context().get_node_id())
        while not (place / "go on").exists():
            time.sleep(0.02)
        return 2 * unit

    return handle


def picky() -> Handler[int, int]:
    """Refuses a unit for good."""

    def handle(unit: int, tell: Tell) -> int:
        if unit == 3:
            raise DataError("unit 3 cannot be read")
        return unit

    return handle


def faulty() -> Handler[int, int]:
    return lambda unit, tell: 1 // (unit - 2)


def deadly() -> Handler[int, int]:
    """Takes its process with it, at one unit."""

    def handle(unit: int, tell: Tell) -> int:
        if unit == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return unit

    return handle


def stillborn() -> Handler[int, int]:
    os._exit(7)


def homeless() -> Handler[int, int]:
    raise DataError("there is no model here")


def talker(place: Path) -> Handler[int, int]:
    """Tells of ten, and ends when that was heard."""

    def handle(unit: int, tell: Tell) -> int:
        end = time.monotonic() + 30
        while not (place / f"heard {unit}").exists() and time.monotonic() < end:
            tell(10)
            time.sleep(0.2)
        return unit

    return handle


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def test_every_unit_comes_back_once(ray_cluster: Cluster) -> None:
    found = list(spread_units(doubler, range(7), Workers(cluster=ray_cluster.address)))
    assert sorted(found) == [(number, 2 * number) for number in range(7)]


def test_the_units_of_a_machine_that_is_lost_are_done_by_others(ray_cluster: Cluster, tmp_path: Path) -> None:
    from ray_nodes import add_node, kill_node

    node = add_node(ray_cluster)

    def kill() -> None:
        wait_for(lambda: len(list(tmp_path.glob("*.began"))) == 2)
        kill_node(ray_cluster, node)
        here = [f for f in tmp_path.glob("*.began") if f.read_text() == node.node_id]
        wait_for(lambda: not any(Path("/proc", f.name.split(".")[1]).exists() for f in here))
        (tmp_path / "go on").touch()

    killer = threading.Thread(target=kill)
    killer.start()
    found = list(spread_units(partial(patient, tmp_path), range(4), Workers(cluster=ray_cluster.address)))
    killer.join()
    assert sorted(found) == [(number, 2 * number) for number in range(4)]
    begun = Counter(file.name.split(".")[0] for file in tmp_path.glob("*.began"))
    assert sorted(begun.values()) == [1, 1, 1, 2]
    assert len({file.read_text() for file in tmp_path.glob("*.began")}) == 2


def test_the_unit_of_an_actor_that_is_killed_is_done_by_another(ray_cluster: Cluster, tmp_path: Path) -> None:
    def kill() -> None:
        wait_for(lambda: any(tmp_path.glob("*.began")))
        os.kill(int(next(tmp_path.glob("*.began")).name.split(".")[1]), signal.SIGKILL)
        (tmp_path / "go on").touch()

    killer = threading.Thread(target=kill)
    killer.start()
    found = list(spread_units(partial(patient, tmp_path), range(3), Workers(cluster=ray_cluster.address)))
    killer.join()
    assert sorted(found) == [(number, 2 * number) for number in range(3)]
    assert sorted(Counter(f.name.split(".")[0] for f in tmp_path.glob("*.began")).values()) == [1, 1, 2]


@pytest.mark.parametrize("job", [picky, faulty])
def test_what_fails_for_good_fails_as_in_a_process(ray_cluster: Cluster, job: Callable[[], Handler[int, int]]) -> None:
    told = []
    for spread in (
        lambda: map_units(job, range(5), 2),
        lambda: spread_units(job, range(5), Workers(cluster=ray_cluster.address)),
    ):
        with pytest.raises((MathquorumError, RuntimeError)) as caught:
            list(spread())
        told.append((type(caught.value), str(caught.value).splitlines()[-1]))
    assert told[0] == told[1]


def test_a_unit_that_takes_its_workers_with_it_is_given_up(ray_cluster: Cluster) -> None:
    with pytest.raises(RunError, match="3 workers were lost over the same unit of work"):
        list(spread_units(deadly, range(3), Workers(cluster=ray_cluster.address)))


def test_workers_that_are_lost_before_they_begin_are_not_made_for_ever(ray_cluster: Cluster) -> None:
    with pytest.raises(RunError, match="3 workers were lost one after the other before they had loaded"):
        list(spread_units(stillborn, range(3), Workers(cluster=ray_cluster.address)))


def test_what_a_worker_raises_as_it_begins_is_raised_here(ray_cluster: Cluster) -> None:
    with pytest.raises(DataError, match=r"^there is no model here$"):
        list(spread_units(homeless, range(3), Workers(cluster=ray_cluster.address)))


def test_what_workers_tell_is_heard(ray_cluster: Cluster, tmp_path: Path) -> None:
    heard: Counter[int] = Counter()

    def hear(number: int, more: int) -> None:
        heard[number] += more
        (tmp_path / f"heard {number}").touch()

    found = list(spread_units(partial(talker, tmp_path), range(2), Workers(cluster=ray_cluster.address), hear))
    assert len(found) == 2 and all(heard[number] >= 10 and heard[number] % 10 == 0 for number in range(2))


def seen_elsewhere(place: str, here: int) -> Mapping[str, str]:
    return {place: "its print" if os.getpid() == here else ""}


def test_a_node_that_does_not_see_the_model_is_named_with_what_to_do(ray_cluster: Cluster) -> None:
    workers = Workers(cluster=ray_cluster.address, seen=partial(seen_elsewhere, "/models/mine", os.getpid()))
    with pytest.raises(RunError, match=r"Node .* has no /models/mine. Every node must see .* shared disk, .* hub id"):
        list(spread_units(doubler, range(3), workers))


def test_a_cluster_without_room_is_refused(ray_cluster: Cluster) -> None:
    from mathquorum.spreading.ray_pool import no_room

    nodes: list[dict[str, Any]] = [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": False, "Resources": {}}]
    told = no_room(nodes, Workers(threads=4, gpu=True))
    assert "takes 4 CPU and a GPU" in told and "Nodes: 2 CPU, 0 GPU." in told


def test_without_ray_the_error_says_how_to_install_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['ray'] = None; from mathquorum.cli import main; main()"
    words = [sys.executable, "-c", code, "demo", "--cluster", "auto", "--out", str(tmp_path / "run")]
    found = subprocess.run(words, capture_output=True, text=True)
    assert found.returncode == 2 and 'pip install "mathquorum[ray]"' in found.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("address", "kind", "told"),
    [
        ("127.0.0.1:9", RunError, "No Ray cluster answers at 127.0.0.1:9"),
        ("somewhere", SettingsError, "--cluster must be auto or HOST:PORT"),
    ],
)
def test_where_no_cluster_is_the_error_says_so_at_once(address: str, kind: type[Exception], told: str) -> None:
    ray = pytest.importorskip("ray", reason="needs ray: pip install 'mathquorum[ray]'")
    ray.shutdown()
    with pytest.raises(kind, match=told):
        connected(address)
