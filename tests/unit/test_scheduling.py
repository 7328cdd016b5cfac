"""Whose turn it is, and what happens to work that nobody waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator

import pytest

from mathquorum.errors import ModelError
from mathquorum.serving.scheduling import Dropped, Job, Lanes

Tell = Callable[[int], None]
LATER = time.monotonic() + 3600


@pytest.fixture
def lanes() -> Iterator[Lanes[list[str]]]:
    found: Lanes[list[str]] = Lanes(list, 1)
    found.start()
    yield found
    found.close(10)


def work(
    name: str, turns: int, gate: threading.Event | None = None
) -> Callable[[list[str], Tell], Generator[int, None, str]]:
    def take(diary: list[str], tell: Tell) -> Generator[int, None, str]:
        if gate:
            gate.wait(10)
        for number in range(turns):
            diary.append(name)
            tell(5)
            yield number + 1
        return " ".join(diary)

    return take


def test_requests_take_turns(lanes: Lanes[list[str]]) -> None:
    gate = threading.Event()
    long, short, other = Job(work("long", 5, gate), LATER), Job(work("short", 1), LATER), Job(work("other", 2), LATER)
    for job in (long, short, other):
        lanes.submit(job)
    gate.set()
    assert long.future.result(10) == "long short other long other long long long"
    assert short.future.result(10) == "long short other long"
    assert (long.candidates, long.tokens) == (5, 25)


def test_work_that_is_dropped_ends_within_its_turn(lanes: Lanes[list[str]]) -> None:
    begun, ended = threading.Semaphore(0), threading.Semaphore(0)

    def endless(diary: list[str], tell: Tell) -> Generator[int, None, str]:
        begun.release()
        try:
            while True:
                tell(1)
                yield 0
        finally:
            ended.release()

    def one_long_turn(diary: list[str], tell: Tell) -> Generator[int, None, str]:
        begun.release()
        try:
            while True:
                tell(1)
            yield 0
        finally:
            ended.release()

    for kind in (endless, one_long_turn):
        job = Job(kind, LATER)
        lanes.submit(job)
        assert begun.acquire(timeout=10)
        job.drop()
        with pytest.raises(Dropped):
            job.future.result(10)
        assert ended.acquire(timeout=10)


def test_work_ends_at_its_deadline(lanes: Lanes[list[str]]) -> None:
    def endless(diary: list[str], tell: Tell) -> Generator[int, None, str]:
        while True:
            tell(1)
            yield 0

    job = Job(endless, time.monotonic() + 0.05)
    lanes.submit(job)
    with pytest.raises(Dropped):
        job.future.result(10)


def test_what_fails_fails_alone(lanes: Lanes[list[str]]) -> None:
    def broken(diary: list[str], tell: Tell) -> Generator[int, None, str]:
        yield 0
        raise ModelError("no")

    job, next_one = Job(broken, LATER), Job(work("a", 1), LATER)
    lanes.submit(job)
    lanes.submit(next_one)
    with pytest.raises(ModelError):
        job.future.result(10)
    assert next_one.future.result(10) == "a" and lanes.is_alive


def test_closing_drops_what_is_in_line_and_in_work() -> None:
    lanes: Lanes[list[str]] = Lanes(list, 1)
    lanes.start()

    def endless(diary: list[str], tell: Tell) -> Generator[int, None, str]:
        while True:
            tell(1)
            yield 0

    jobs = [Job(endless, LATER) for _ in range(3)]
    for job in jobs:
        lanes.submit(job)
    lanes.close(10)
    assert not lanes.is_alive
    for job in jobs:
        with pytest.raises(Dropped):
            job.future.result(10)


def test_an_engine_that_cannot_be_opened_is_told_at_the_start() -> None:
    def failing() -> list[str]:
        raise ModelError("no such model")

    with pytest.raises(ModelError, match="no such model"):
        Lanes(failing, 2).start()
