"""Units of sampling that end in time, and progress while they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from mathquorum.assets import tiny_base_path
from mathquorum.engines import Embedded
from mathquorum.engines.embedded.pace import candidates_in_time, candidates_of
from mathquorum.engines.settings import ModelUse, Writing
from mathquorum.models import Hardware
from mathquorum.processes import map_units
from mathquorum.prompts import PLAIN
from mathquorum.stages.meter import Meter
from mathquorum.store import write_json

USE = ModelUse(str(tiny_base_path()), PLAIN, Hardware())


@pytest.mark.parametrize(
    ("weights", "layers", "width", "max_tokens", "candidates"),
    [
        (1_300_000, 4, 160, 160, 4096),  # 1.5 s a step, 0.2 ms a candidate
        (135_000_000, 30, 576, 320, 64),  # 0.75 s a step, 0.045 s to read the weights, 8.8 ms a candidate
        (630_000_000, 24, 896, 320, 16),
        (630_000_000, 24, 896, 4096, 1),  # 0.06 s a step do not even read the weights
    ],
)
def test_a_larger_model_or_a_longer_text_has_fewer_candidates_in_a_unit(
    weights: int, layers: int, width: int, max_tokens: int, candidates: int
) -> None:
    each = 2 * weights / 6e10 + 2.5e-7 * layers * width
    assert candidates_of(4 * weights / 1.2e10, each, max_tokens) == candidates


def test_the_embedded_model_has_thousands_of_candidates_in_a_unit() -> None:
    assert candidates_in_time(str(tiny_base_path()), Hardware(device="cpu"), 160) == 4096


@pytest.mark.parametrize(("most", "sizes"), [(1000, [30]), (8, [6] * 5), (5, [3] * 10), (2, [2, 1] * 10)])
def test_units_hold_as_many_candidates_as_end_in_time_and_every_candidate_once(
    tmp_path: Path, most: int, sizes: list[int]
) -> None:
    write_json(tmp_path / "batch.json", {"batch_rows": 64, "unit_candidates": most})
    writing = Writing([f"{'more ' * n}2+{n}?" for n in range(10)], 3, 100)
    cut = Embedded().cut_writing(USE, writing, tmp_path / "batch.json")
    made = [(share.place, index) for unit in cut.units for share in unit for index in share.indices]
    assert sorted(made) == [(place, index) for place in range(10) for index in range(3)]
    assert [sum(len(share.indices) for share in unit) for unit in cut.units] == sizes


def test_the_size_of_a_unit_is_noted_once(tmp_path: Path) -> None:
    note, writing = tmp_path / "batch.json", Writing(["2+3?"] * 200, 64, 160)
    first = Embedded().cut_writing(USE, writing, note)
    assert first == Embedded().cut_writing(USE, writing, note)
    write_json(note, {"batch_rows": 512})  # of a run from before units ended in time
    assert len(Embedded().cut_writing(USE, writing, note).units) == 200 // 32 + 1


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_moves_while_no_candidate_has_ended() -> None:
    told: list[tuple[int, int, str]] = []
    clock = Clock()
    meter = Meter(lambda done, total, note="": told.append((done, total, note)), 32, longest=100, clock=clock)
    meter.taken_over(8)
    clock.now = 10.0
    meter.written(0, 500)
    clock.now = 20.0
    meter.ended(0, 8, 400)
    meter.written(1, 500)
    assert told == [
        (8, 32, ""),
        (13, 32, "500 tokens, 50 a second"),
        (16, 32, "500 tokens, 25 a second"),
        (26, 32, "1,000 tokens, 50 a second"),  # those that ended had 50 tokens each
    ]


def test_a_guess_never_says_that_all_is_done() -> None:
    told: list[int] = []
    meter = Meter(lambda done, total, note="": told.append(done), 4, longest=10)
    meter.written(0, 1000)
    meter.ended(0, 4, 1000)
    assert told == [3, 4]


def _slow_handler() -> object:
    import time

    def handle(unit: int, tell: object) -> int:
        for _ in range(unit):
            time.sleep(0.7)
            tell(5)  # type: ignore[operator]
        return unit

    return handle


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unit_is_heard_of_while_it_is_made(workers: int) -> None:
    heard: list[tuple[int, int]] = []
    found = map_units(_slow_handler, [4, 4], workers, lambda number, more: heard.append((number, more)))  # type: ignore[arg-type]
    assert sorted(found) == [(0, 4), (1, 4)]
    assert {number for number, _ in heard} == {0, 1}
    assert all(more % 5 == 0 and more >= 10 for _, more in heard), "told of several calls at once"
