"""Pools of a study: comparing generators that have different numbers of candidates."""

from __future__ import annotations

from mathquorum.metrics import Pool
from mathquorum.metrics.pool_files import StoredPool
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import Majority
from mathquorum.study.measured import Generator, Measured


def stored(answers: str) -> StoredPool:
    """One problem; each letter is a candidate's answer, "r" the right one, "-" none."""
    members = {letter: tuple(i for i, a in enumerate(answers) if a == letter) for letter in dict.fromkeys(answers)}
    clusters = [AnswerCluster("p", letter, found, letter == "r") for letter, found in members.items() if letter != "-"]
    clusters.sort(key=lambda cluster: largest_first(cluster.members))
    return StoredPool(
        pools=[Pool("p", len(answers), clusters, greedy_correct=True)],
        answers={"p": {i: a for i, a in enumerate(answers) if a != "-"}},
        tokens={"p": [3] * len(answers)},
        texts={"p": list(map(list(members).index, answers))},
        logprobs={"p": [-float(i) for i in range(len(answers))]},
        scores={"e": {"p": {i: 0.5 for i, a in enumerate(answers) if a != "-"}}},
    )


def test_the_first_candidates_are_what_they_would_be_alone() -> None:
    for answers in ("wrr-wwww", "rrwwwr--", "----rrrr", "abcrabcr"):
        assert stored(answers).first(4) == stored(answers[:4])
        assert stored(answers).first(99) == stored(answers)


def test_generators_are_compared_on_equally_many_candidates() -> None:
    deep, other = Generator("deep", {0: stored("rrwwwww")}), Generator("other", {0: stored("wwr")})
    measured = Measured({("L", "deep"): deep, ("L", "other"): other})
    even = measured.evened()
    compared = even.get("L", "deep")
    assert compared is not None and compared.num_candidates == 3
    assert deep.strategy(Majority()).tolist() == [[0.0]] and compared.strategy(Majority()).tolist() == [[1.0]]
    assert even.evened() is even


def test_nothing_is_cut_where_all_have_equally_many() -> None:
    measured = Measured({("L", "a"): Generator("a", {0: stored("rw")})})
    assert measured.evened() is measured
