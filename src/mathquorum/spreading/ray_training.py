"""Training on a Ray cluster: Ray Train starts the processes, and each does what it would do by itself."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mathquorum.errors import RunError
from mathquorum.spreading.dealing import TRIES
from mathquorum.spreading.places import Place, kept, look, take_place
from mathquorum.spreading.ray_connection import ray_train
from mathquorum.spreading.ray_ear import make_ear
from mathquorum.spreading.workers import Seen, Workers

__all__ = ["Advance", "train_on_cluster"]

_LOOK_SECONDS = 1.0

R = TypeVar("R")


class Advance(Protocol):
    """Told of how far the work is."""

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


def train_on_cluster(work: Callable[[Advance], R], workers: Workers, folder: Path, advance: Advance) -> R:
    """What the first of so many processes (ranks) gives, which Ray Train's TorchTrainer starts as one torch.distributed group.

    When one is lost, all begin again, and the work goes on from its own last checkpoint.

    Args:
        work: Called in each. It must be importable there, as `job` of `processes.map_units`, and write on a disk that all share.
        workers: `number` of them, exactly.
        folder: Where Ray Train may keep what it needs meanwhile; removed at the end.
        advance: Told of how far the first one is.

    Raises:
        MathquorumError: What the work raised. It is not tried again.
        RunError: If a node sees other files or versions, or the processes are lost again and again.
    """
    assert workers.cluster is not None
    ray, train = ray_train(workers.cluster)
    place, why = look(workers.seen), ""
    try:
        for _ in range(TRIES):
            hearing = _Hearing(ray, advance)
            try:
                _fit(train, work, workers, folder, place, hearing.ear)
            except (
                train.TrainingFailedError,
                ray.exceptions.RayError,
            ) as error:  # the latter where its own actors died
                why = str(error)
            hearing.close()
            if hearing.error:
                raise hearing.error
            if hearing.results:
                result: R = hearing.results[0]
                return result
            if workers.lost:
                workers.lost(why)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise RunError(
        f"Training was lost {TRIES} times. The last time Ray said: {why.strip()[-600:]} If memory ran out, lower "
        "training.batch_tokens or use machines with more of it; then run the same command again to go on from the last checkpoint."
    )


def _fit(train: Any, work: Callable[[Advance], Any], workers: Workers, folder: Path, place: Place, ear: Any) -> None:
    each = {"CPU": workers.threads, **({"GPU": 1} if workers.gpu else {})}
    trainer = train.torch.TorchTrainer(
        _rank,
        train_loop_config={"work": work, "seen": workers.seen, "driver": place, "ear": ear},
        scaling_config=train.ScalingConfig(num_workers=workers.number, use_gpu=workers.gpu, resources_per_worker=each),
        run_config=train.RunConfig(
            name="ranks", storage_path=str(folder.absolute()), logging_config=train.LoggingConfig("ERROR")
        ),
    )
    trainer.fit()


def _rank(config: dict[str, Any]) -> None:
    """What each process does."""
    from ray import train

    ear: Any = config["ear"]
    seen: Seen | None = config["seen"]
    first = train.get_context().get_world_rank() == 0
    try:
        take_place(config["driver"], seen)
        if train.get_context().get_world_size() == 1:  # then it is no part of a launch, and computes as it would alone
            for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
                os.environ.pop(name, None)
        result = config["work"](_telling(ear) if first else _silent)
    except Exception as error:
        ear.tell.remote("error", kept(error))
        raise
    if first:
        ear.tell.remote("done", result)


def _telling(ear: Any) -> Advance:
    def tell(done: int, total: int, note: str = "") -> None:
        ear.tell.remote("advanced", done, total, note)

    return tell


def _silent(done: int, total: int, note: str = "") -> None:
    pass


class _Hearing:
    """An ear, and a thread that asks it what it was told while the driver waits for Ray Train.

    Attributes:
        ear: For the processes.
        results: What the first process gave, if it came to that.
        error: The first that any raised.
    """

    def __init__(self, ray: Any, advance: Advance) -> None:
        self.ear = make_ear(ray)
        self.results: list[Any] = []
        self.error: Exception | None = None
        self._ray, self._advance = ray, advance
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hears what is left."""
        self._stopped.set()
        self._thread.join()
        self._take()
        self._ray.kill(self.ear)

    def _listen(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            self._take()

    def _take(self) -> None:
        try:
            told = self._ray.get(self.ear.take.remote())
        except self._ray.exceptions.RayError:  # it was killed; what was told is as if the processes had been lost
            return
        for kind, *values in told:
            if kind == "advanced":
                self._advance(*values)
            elif kind == "done":
                self.results.extend(values)
            elif self.error is None:
                self.error = values[0]
