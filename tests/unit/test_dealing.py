"""Units are dealt so that each is finished once, whoever is lost meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathquorum.errors import RunError
from mathquorum.spreading.dealing import TRIES, Dealer


@given(st.integers(0, 12), st.integers(1, 5), st.lists(st.booleans(), max_size=60))
def test_every_unit_is_finished_once_whatever_is_lost(num_units: int, num_workers: int, fates: list[bool]) -> None:
    dealer, done, losses, free = Dealer(num_units), [], dict.fromkeys(range(num_units), 0), list(range(num_workers))
    busy: list[int] = []
    while dealer.num_left:
        while free and dealer.deal(free[-1]) is not None:
            busy.append(free.pop())
        worker = busy.pop(0)
        unit = dealer.unit_of(worker)
        assert unit is not None
        if fates and fates.pop() and losses[unit] < TRIES - 1:
            losses[unit] += 1
            assert dealer.lost(worker, "it died.") == unit and dealer.unit_of(worker) is None
        else:
            assert dealer.finished(worker) == unit
            done.append(unit)
        free.append(worker + num_workers)  # another one
        assert dealer.num_left == num_units - len(done)
    assert sorted(done) == list(range(num_units))


def test_units_are_dealt_in_order_and_what_was_lost_comes_next() -> None:
    dealer = Dealer(4)
    assert [dealer.deal(worker) for worker in "abc"] == [0, 1, 2]
    assert dealer.lost("b", "it died.") == 1 and dealer.num_waiting == 2
    assert [dealer.deal(worker) for worker in "def"] == [1, 3, None]


def test_a_worker_that_is_lost_while_it_is_free_costs_nothing() -> None:
    dealer = Dealer(1)
    assert dealer.lost("a", "it died.") is None and dealer.num_waiting == 1


def test_a_unit_that_costs_too_many_workers_is_given_up_and_the_last_reason_told() -> None:
    dealer = Dealer(2)
    for worker in range(TRIES - 1):
        assert dealer.deal(worker) == 0
        dealer.lost(worker, "memory ran out.")
    assert dealer.deal("last") == 0
    with pytest.raises(
        RunError, match=f"{TRIES} workers were lost over the same unit of work, the last since it vanished"
    ):
        dealer.lost("last", "it vanished.")
