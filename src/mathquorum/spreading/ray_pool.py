"""Units worked through by actors of a Ray cluster, each with a model of its own, while actors and machines come and go."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from mathquorum.errors import RunError
from mathquorum.processes import Handler, not_told, now_and_then
from mathquorum.spreading.dealing import TRIES, Dealer
from mathquorum.spreading.places import Place, kept, look, take_place
from mathquorum.spreading.ray_connection import connected
from mathquorum.spreading.ray_ear import make_ear
from mathquorum.spreading.workers import Seen, Workers

__all__ = ["map_on_cluster", "no_room"]

_LOOK_SECONDS = 1.0  # between two looks at what actors tell and at what room the cluster has
_ROOM_SECONDS = 60.0  # that a cluster may be without room for a single worker: one that grows by itself takes that long

U = TypeVar("U")
R = TypeVar("R")


def map_on_cluster(
    job: Callable[[], Handler[U, R]],
    units: Sequence[U],
    workers: Workers,
    heard: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, R]]:
    """The number of each unit and what the handler made of it, as they are finished. Arguments as in `spreading.spread_units`.

    1. As many actors are asked for as the cluster has room for; each makes its handler (`job`), which loads its model.
    2. An actor that is ready is dealt a unit, and the next when that is done.
    3. The unit of an actor that is lost, with its machine or alone, is dealt to another, and a new actor is asked for.
    4. An actor that finds no unit left is ended, so that another stage gets its place.

    Units travel with their data. What the job names by a path, such as a model's folder, is read by the actor at that path.

    Raises:
        MathquorumError: What a handler, or the making of one, raised. It is not tried again.
        RunError: If the cluster has no room for a worker, a node has other versions installed, or workers are lost again and again.
    """
    if not units:
        return
    assert workers.cluster is not None
    pool = _Pool(connected(workers.cluster), job, units, workers, heard)
    try:
        yield from pool.results()
    finally:
        pool.close()


class _Actor:
    """What runs on the cluster: a handler, asked one unit at a time, in the main thread of a process."""

    def load(self, job: Callable[[], Handler[Any, Any]], seen: Seen | None, driver: Place) -> tuple[str, Any]:
        """Makes the handler, where this node sees what the driver sees."""
        try:
            take_place(driver, seen)
            self._handle = job()
        except Exception as error:
            return "error", kept(error)
        return "loaded", None

    def do(self, worker: int, number: int, unit: Any, ear: Any) -> tuple[str, Any]:
        """Works on a unit. Gives what came of it."""
        tell = now_and_then(lambda more: ear.tell.remote(worker, number, more)) if ear else not_told
        try:
            return "done", self._handle(unit, tell)
        except Exception as error:
            return "error", kept(error)


class _Pool:
    """The actors of one call, by number, and what each is at. See `map_on_cluster`."""

    def __init__(
        self,
        ray: Any,
        job: Callable[[], Handler[Any, Any]],
        units: Sequence[Any],
        workers: Workers,
        heard: Callable[[int, int], None] | None,
    ) -> None:
        self._ray, self._units, self._workers, self._heard = ray, units, workers, heard
        self._job = ray.put(job)
        self._place = look(workers.seen)
        self._dealer = Dealer(len(units))
        self._actors: dict[int, Any] = {}
        self._answers: dict[Any, int] = {}  # what will come of an actor's call -> its number
        self._loading: set[int] = set()
        self._num_made = 0
        self._lost_loading = 0
        self._told: dict[int, int] = {}  # by unit, what its worker told of
        self._room = 0
        self._looked = -math.inf
        self._without_room = time.monotonic()
        self._ear = make_ear(ray) if heard else None

    def results(self) -> Iterator[tuple[int, Any]]:
        """What comes of the units, as it comes."""
        while self._dealer.num_left:
            if not self._answers or time.monotonic() - self._looked >= _LOOK_SECONDS:
                self._look()
            ready, _ = self._ray.wait(list(self._answers), timeout=_LOOK_SECONDS)
            for answer in ready:
                yield from self._hear(answer)

    def close(self) -> None:
        """Ends all actors."""
        for worker in list(self._actors):
            self._dismiss(worker)
        if self._ear:
            self._ray.kill(self._ear)

    def _look(self) -> None:
        """Fetches what was told, and asks for the actors that are missing: for each unit one, as far as there is room."""
        self._looked = time.monotonic()
        self._listen()
        self._room = _room(self._ray.nodes(), self._workers)
        if self._room or len(self._actors) > len(self._loading):
            self._without_room = self._looked
        elif self._looked - self._without_room > _ROOM_SECONDS:
            raise RunError(no_room(self._ray.nodes(), self._workers))
        wanted = min(self._dealer.num_left, max(self._room, self._workers.number))
        for _ in range(wanted - len(self._actors)):
            self._enlist()

    def _enlist(self) -> None:
        worker, self._num_made = self._num_made, self._num_made + 1
        actor = self._ray.remote(_Actor).options(
            num_cpus=self._workers.threads,
            num_gpus=int(self._workers.gpu),
            scheduling_strategy="SPREAD",  # so that no machine's memory fills while another has nothing to do
        )
        self._actors[worker] = actor.remote()
        self._loading.add(worker)
        self._answers[self._actors[worker].load.remote(self._job, self._workers.seen, self._place)] = worker

    def _hear(self, answer: Any) -> Iterator[tuple[int, Any]]:
        worker = self._answers.pop(answer)
        try:
            kind, value = self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            self._lose(worker, error)
            return
        if kind == "error":
            raise value
        if worker in self._loading:
            self._loading.remove(worker)
            self._lost_loading = 0
        else:
            number = self._dealer.finished(worker)
            self._told.pop(number, None)
            yield number, value
        self._deal(worker)

    def _deal(self, worker: int) -> None:
        number = self._dealer.deal(worker)
        if number is None:
            self._dismiss(worker)
            return
        asked = self._actors[worker].do.remote(worker, number, self._units[number], self._ear)
        self._answers[asked] = worker

    def _lose(self, worker: int, error: Exception) -> None:
        """Puts back the unit of an actor that is no more."""
        self._dismiss(worker)
        why = _last_line(error)
        if self._workers.lost:
            self._workers.lost(why)
        if worker in self._loading:
            self._loading.remove(worker)
            self._lost_loading += 1
            if self._lost_loading >= TRIES * max(1, self._room):
                raise RunError(
                    f"{self._lost_loading} workers were lost one after the other before they had loaded, the last since {why} "
                    "If memory ran out, use machines with more of it; then run the same command again."
                )
        number = self._dealer.lost(worker, why)
        if number is not None and self._heard:
            self._heard(number, -self._told.pop(number, 0))

    def _dismiss(self, worker: int) -> None:
        self._ray.kill(self._actors.pop(worker))

    def _listen(self) -> None:
        if not self._ear or not self._heard:
            return
        try:
            told = self._ray.get(self._ear.take.remote())
        except self._ray.exceptions.RayError:  # it had no luck; progress alone is lost
            self._ear = make_ear(self._ray)
            return
        for worker, number, more in told:
            if self._dealer.unit_of(worker) == number:
                self._told[number] = self._told.get(number, 0) + more
                self._heard(number, more)


def _room(nodes: Sequence[Mapping[str, Any]], workers: Workers) -> int:
    """Workers that the machines have room for, were they free."""
    return sum(_fitting(node["Resources"], workers) for node in nodes if node["Alive"])


def _fitting(resources: Mapping[str, float], workers: Workers) -> int:
    by_cpu = int(resources.get("CPU", 0) // workers.threads)
    return min(by_cpu, int(resources.get("GPU", 0))) if workers.gpu else by_cpu


def no_room(nodes: Sequence[Mapping[str, Any]], workers: Workers) -> str:
    wanted = f"{workers.threads} CPU" + (" and a GPU" if workers.gpu else "")
    found = [node["Resources"] for node in nodes if node["Alive"]]
    there = "; ".join(f"{item.get('CPU', 0):g} CPU, {item.get('GPU', 0):g} GPU" for item in found)
    return (
        f"No node of the cluster has room for a worker, which takes {wanted} (hardware.threads, hardware.device). "
        f"Nodes: {there or 'none'}. Start nodes that have, or change these settings."
    )


def _last_line(error: Exception) -> str:
    """The end of what Ray says of a loss, in a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).rstrip(".")[:300] + "."
