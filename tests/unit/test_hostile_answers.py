"""Hostile answers: every public function returns, in time, and runs nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mathquorum.answers import cluster_answers, equivalent, explain, explain_match, extract_answer, matches_reference
from mathquorum.answers.reading import faults

HOSTILE = {
    "power tower": "9^{9^{9^{9}}}",
    "factorial tower": "((10!)!)!",
    "open braces": "{" * 10_000,
    "parentheses": "(" * 5_000 + "1" + ")" * 5_000,
    "open fractions": "\\frac{" * 3_000 + "1",
    "roots": "\\sqrt" * 2_000 + "2",
    "long sum": "1+" * 3_999 + "1",
    "signs": "-" * 7_999 + "1",
    "exclamation marks": "5" + "!" * 500,
    "nested series": "\\sum_{i=1}^{19999}\\sum_{j=1}^{19999} ij",
    "series of factorials": "\\prod_{k=1}^{19999} k^k",
    "binomial": "\\binom{10^{12}}{10^{11}}",
    "angle": "\\sin(10^{10^{10}})",
    "root of a power": "\\sqrt[10^9]{2^{10^{10}}}",
    "a million digits": "9" * 1_000_000,
    "digits in a base": "9" * 3_999 + " " + "9" * 3_999 + "_5",
    "commas": "1," * 4_000 + "2",
    "open boxes": "\\boxed{" * 30_000,
    "many answers": "answer is " * 30_000,
    "open fields": '"answer": "' * 20_000,
    "questions": "\nQ: " * 20_000 + "\\boxed{1}",
    "lines of four marks": "#### 5\n" * 9_000,
    "labels of answers": "answer: " * 9_000,
    "asterisks": "*" * 7_900,
    "underscores": "_" * 7_900,
    "texts in texts": "\\text{" * 1_100,
    "nested braces": "{" * 3_000 + "1" + "}" * 3_000,
    "hundreds of variables": "+".join(f"x_{{{n}}}^2" for n in range(400)),
    "product of variables": "".join(f"(x_{{{n}}}+1)" for n in range(400)),
    "exclusions": "x\\ne " + ",".join(map(str, range(500))),
    "dollars": "$" * 1_000_000,
    "equals signs": "1=" * 3_999 + "1",
    "remark": "a (" + "b" * 7_900 + ") c)",
    "plus-minus signs": "1\\pm" * 50 + "1",
    "matrices": "\\begin{pmatrix}" * 500,
    "bars": "|x" * 3_000,
    "control characters": "\x00" * 8_000,
    "bidirectional text": "\u202e5\u2066",
    "lone surrogate": "\ud800",
    "code": "__import__('os').mkdir('PWNED')",
    "code in LaTeX": "\\text{__import__('os').mkdir('PWNED')}",
    "code in a box": "\\boxed{open('PWNED','w')}",
    "limit": "\\lim_{x\\to 0} \\frac{\\sin(\\tan x)-\\tan(\\sin x)}{x^{7}} \\cdot x^{x^{x}}",
    "polynomial": "(x+y+z)^{5000}",
    "functions": "f(" * 200 + "x" + ")" * 200,
    "unions": "(1,2)\\cup" * 1_000 + "(3,4)",
    "division by zero": "1/0",
}
REFERENCES = (
    "1",
    "204_5",
    "1,2",
    "(1,2)",
    "2:30",
    "2^{39000}",
    "2^{39000}x",
    "10^{400}\\pi",
    "0.33333333333333",
    "",
    "\x00",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_judged_in_time(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, before = HOSTILE[name], len(faults)
    start = time.process_time()
    assert equivalent(text, text)
    assert not matches_reference("1", text) or name in ("signs", "exclamation marks", "equals signs", "questions")
    assert extract_answer(text) != ""
    assert time.process_time() - start < 2
    for reference in REFERENCES:
        assert equivalent(text, reference) == equivalent(reference, text)
        assert str(explain(text, reference))
        assert str(explain_match(text, reference))
    assert not list(tmp_path.iterdir())
    assert len(faults) == before


def test_hostile_answers_cluster_with_themselves_only() -> None:
    answers = [*HOSTILE.values(), *HOSTILE.values()]
    for members in cluster_answers(answers):
        assert {i % len(HOSTILE) for i in members} == {i for i in members if i < len(HOSTILE)}
