"""What always holds of the relation: any text at all, in any order."""

from __future__ import annotations

import gzip
import json
import random as randomness
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathquorum.answers import cluster_answers, cluster_candidates, equivalent, extract_answer, matches_reference
from mathquorum.answers.reading import faults, read
from mathquorum.records import Candidate

PIECES = st.sampled_from(
    [
        r"0",
        r"1",
        r"2",
        r"3",
        r"12",
        r"0.5",
        r"x",
        r"y",
        r"n",
        r"\frac",
        r"{",
        r"}",
        r"(",
        r")",
        r"[",
        r"]",
        r"\{",
        r"\}",
        r",",
        r";",
        r"+",
        r"-",
        r"*",
        r"/",
        r"^",
        r"_",
        r"=",
        r"<",
        r">",
        r"\le",
        r"\ge",
        r"\sqrt",
        r"\pi",
        r"i",
        r"e",
        r"\cup",
        r"\infty",
        r"\pm",
        r"!",
        r"%",
        r"\%",
        r"$",
        r"\$",
        r"\text{cm}",
        r"\text{and}",
        r"or",
        r"\begin{pmatrix}",
        r"\end{pmatrix}",
        r"&",
        r"\\",
        r":",
        r"|",
        r"\circ",
        r"^\circ",
        r"\sin",
        r"\log",
        r"\boxed{",
        r"answer",
        r"is",
        r"'",
        r".",
        r"\sum",
        r"\to",
    ]
)
SNIPPETS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=30)
ANSWERS = st.lists(
    SNIPPETS | st.sampled_from(["1/2", "0.5", r"\frac12", "3", "x=3", "(1,2)", "2,1", "1,2"]), max_size=8
)


@given(SNIPPETS)
def test_nothing_raises_and_everything_equals_itself(text: str) -> None:
    before = len(faults)
    assert equivalent(text, text)
    assert matches_reference(text, text)
    extract_answer(text)
    equivalent(text, "1")
    assert len(faults) == before


@given(SNIPPETS, SNIPPETS)
def test_equivalence_is_symmetric(a: str, b: str) -> None:
    assert equivalent(a, b) == equivalent(b, a)


@given(ANSWERS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_shuffling_answers_does_not_change_the_clusters(answers: list[str], random: object) -> None:
    order = list(range(len(answers)))
    random.shuffle(order)  # type: ignore[attr-defined]
    plain = {frozenset(c) for c in cluster_answers(answers)}
    shuffled = {frozenset(order[i] for i in c) for c in cluster_answers([answers[i] for i in order])}
    assert plain == shuffled


@given(ANSWERS, SNIPPETS)
@settings(deadline=None)
def test_equivalent_answers_are_graded_alike(answers: list[str], reference: str) -> None:
    for cluster in cluster_answers(answers):
        assert len({matches_reference(reference, answers[i]) for i in cluster}) == 1


def real_problems(pool: Path) -> Iterator[tuple[str, list[str | None]]]:
    """References and the answers of real models to them."""
    for line in gzip.decompress(pool.read_bytes()).decode().split("\n"):
        if line.strip():
            problem = json.loads(line)
            yield problem["gold_answer"], [c["answer"] for c in problem["candidates"]]


@pytest.mark.parametrize("pool", ["math500_rho_n4", "math_nemo_n3", "math_qwen25_1p5b_n16_prm", "gsm8k_mathcoder_n8"])
def test_on_real_answers_the_relation_is_an_equivalence_and_grades_agree(
    pool: str, pool_file: Callable[[str], Path]
) -> None:
    draw = randomness.Random(0)
    before = len(faults)
    for reference, answers in real_problems(pool_file(pool)):
        written = [a for a in answers if a is not None]
        clusters = cluster_answers(written)
        order = draw.sample(range(len(written)), len(written))
        shuffled = cluster_answers([written[i] for i in order])
        assert {frozenset(c) for c in clusters} == {frozenset(order[i] for i in c) for c in shuffled}
        home = {index: number for number, members in enumerate(clusters) for index in members}
        for i, a in enumerate(written):
            for j, b in enumerate(written):
                together = home[i] == home[j]
                joined = together and any(read(written[k]).kind == "choice" for k in clusters[home[i]])
                assert equivalent(a, b) == together or joined  # "C" and "(C) 12" are one only beside each other
        candidates = [Candidate("p", i, "", a) for i, a in enumerate(answers)]
        for cluster in cluster_candidates("p", candidates, reference):
            assert {matches_reference(reference, str(answers[i])) for i in cluster.members} == {cluster.correct}
    assert len(faults) == before
