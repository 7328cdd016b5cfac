"""Marks of an answer are looked for only where they can begin; that finds what a search of the whole text finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathquorum.answers import marks
from mathquorum.answers.anchors import Anchors

PIECES = (
    "the", "The", "your", "our", "correct", "right", "my", "final", "Final", "numerical", "exact", "overall", "answer", "Answer",
    "ANSWER", "answers", "ans", "Ans", "means", "result", "Results", "option", "choice", "is", "are", "is the right", "would be",
    "to this question is", "A", "(B)", "42", "a", "la", "respuesta", "es", "la réponse finale est", "die endgültige Antwort lautet",
    "resposta é", "risposta è", "ответ", "答案", "最终答案", "是", "答", "故选", "答えは", "정답은", "anſwer", "fİnal", "chıef", "K",
    " ", " ", " ", "  ", "\n", "\n", "\t", "_", "*", "**", "#", "##", ":", ": ", "：", "=", "`", "}", "{", '"', '"', "'", "\\", '\\"', ",", "A:", "\na:",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [(marks._PHRASE, marks.phrases_in), (marks._HEADING, marks.headings_in), (marks._JSON, marks.fields_in)],
    ids=["phrases", "headings", "fields"],
)
@given(text=TEXTS)
def test_anchors_find_what_a_search_finds(pattern, found, text: str) -> None:
    assert [m.span() for m in found(Anchors(text))] == [m.span() for m in re.finditer(pattern, text)]
