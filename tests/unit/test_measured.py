"""Pools of a study: comparing generators that have different numbers of candidates."""

from __future__ import annotations

from collections.abc import Sequence

from mathquorum.metrics import Pool
from mathquorum.metrics.crossed import seeded_mean
from mathquorum.metrics.pool_files import StoredPool
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import Majority
from mathquorum.study.measured import Generator, Measured
from mathquorum.study.plan import Plan


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


def judged(right: float, wrong: Sequence[float]) -> StoredPool:
    """One problem per score of a wrong candidate: one right candidate among them, with its score."""
    pools, scores = [], {}
    for number, score in enumerate(wrong):
        name = f"p{number}"
        clusters = [AnswerCluster(name, "r", (0,), True), AnswerCluster(name, "w", (1,), False)]
        pools.append(Pool(name, 2, clusters, greedy_correct=True))
        scores[name] = {0: right, 1: score}
    return StoredPool(pools=pools, answers={}, tokens={}, texts={}, logprobs={}, scores={"e": scores})


def test_the_interval_of_an_auc_within_covers_problems_and_seeds() -> None:
    """Each seed ranks one problem in four, two, or none wrongly: seeds differ, and the interval says so."""
    wrong = [[0.1] * 12 + [0.9] * 4, [0.1] * 8 + [0.9] * 8, [0.1] * 16]
    rows = [[float(w < 0.5) for w in row] for row in wrong]
    found = Generator("g", {seed: judged(0.5, row) for seed, row in enumerate(wrong)}).within_auc("e")
    assert found == seeded_mean("auc.within", rows)
    assert found.value == 0.75
    one = Generator("g", {0: judged(0.5, wrong[0])}).within_auc("e")
    assert one is not None and one.value == 0.75
    assert found.high - found.low > one.high - one.low


def test_a_problem_that_one_seed_always_gets_right_is_measured_by_the_others() -> None:
    sure, unsure = stored("rrr"), stored("rwr")
    found = Generator("g", {0: sure, 1: unsure}).within_auc("e")
    assert found is not None and (found.value, found.count) == (0.5, 1)
    assert Generator("g", {0: sure, 1: sure}).within_auc("e") is None


def test_controls_are_known_by_kind_and_loss_and_not_by_how_a_name_begins() -> None:
    one = stored("rw")
    names = ["mixed.b", "control.b", "control.a", "control.other"]
    held = {("L", name): Generator(name, {0: one}) for name in names} | {("S", "mixed.a"): Generator("s", {0: one})}
    plan = Plan(("S", "L"), ("main",), (), "a", ("a", "b"), Measured({}))
    assert plan.controls(Measured(held), "L") == ["control.a", "control.b", "mixed.b"]
    assert plan.controls(Measured(held), "L", ["mixed"]) == ["mixed.b"]
