"""What always holds of the relation: any text at all, in any order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mathquorum.answers import cluster_answers, equivalent, extract_answer, matches_reference
from mathquorum.answers.reading import faults

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
        assert len({matches_reference(answers[i], reference) for i in cluster}) == 1
