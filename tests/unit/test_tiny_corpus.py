"""What the embedded base is trained on: the project's own prompts, problems of one split, true verdicts."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from mathquorum.datasets import minimath
from mathquorum.pretraining.corpus import CorpusMix, Document, documents, text_of
from mathquorum.prompts import evaluator_prompt, generator_prompt


def only(kind: str, number: int, **others: float) -> list[Document]:
    shares = {"solve": 0.0, "equations": 0.0, "lines": 0.0, "questions": 0.0} | {kind: 1.0} | others
    return list(islice(documents(CorpusMix.model_validate(shares), "test"), number))


@pytest.mark.parametrize("kind", ["solve", "lines", "questions"])
def test_all_problems_are_of_the_pretrain_split(kind: str) -> None:
    pattern = r"Problem:\n(.+)\n\nSolution" if kind == "solve" else r"math problem: (.+)\n"
    problems = [text for document in only(kind, 200) for text in re.findall(pattern, text_of(document))]
    assert len(problems) >= 200
    subjects: dict[frozenset[str], set[str]] = {}
    for posed in minimath.pose("pretrain", 4000):
        subjects.setdefault(words(posed.exercise.text), set()).add(posed.subject)
    known = [(*found, text) for text in problems if len(found := subjects.get(words(text), set())) == 1]
    assert len(known) >= 150
    assert {minimath.split_of(subject, text) for subject, text in known} == {"pretrain"}


def words(text: str) -> frozenset[str]:
    """By which the subject of a problem is known again."""
    return frozenset(re.findall("[a-z]{3,}", text.lower()))


def test_solved_documents_are_the_generators_prompts_in_one_style() -> None:
    several = 0
    for document in only("solve", 200, careless=0.0):
        parts = text_of(document).split("\n\nProblem:\n")
        several += len(parts) > 1
        headings = set()
        for part in [parts[0].removeprefix("Problem:\n"), *parts[1:]]:
            problem, heading, solution = re.fullmatch(r"(.+)\n\nSolution(.*):\n([\s\S]+)", part).groups()  # type: ignore[union-attr]
            assert generator_prompt(problem, heading.strip(" ()") or None).endswith(
                f"{problem}\n\nSolution{heading}:\n"
            )
            assert solution.endswith("}")
            headings.add(heading)
        assert len(headings) == 1
    assert several > 50


def test_questions_are_the_evaluators_and_their_verdicts_are_of_both_kinds() -> None:
    verdicts = []
    for document in only("questions", 200):
        match = re.fullmatch(r"Here is a math problem: (.+)\nHere is a candidate solution: ([\s\S]+)\nThe above .+ is(.+)",
                             text_of(document))  # fmt: skip
        assert match is not None
        assert text_of(document).startswith(evaluator_prompt(match[1], match[2]))
        verdicts.append(match[3])
    assert 0.3 < verdicts.count(" correct") / len(verdicts) < 0.7
    assert set(verdicts) == {" correct", " incorrect"}


def test_a_wrong_line_is_never_counted() -> None:
    for document in only("lines", 100):
        for piece, verdict in zip(document[1:-3:4], document[3:-3:4], strict=True):
            assert piece.weight == (verdict.text == " correct")


def test_the_same_seed_gives_the_same_documents() -> None:
    assert list(islice(documents(CorpusMix(), "a"), 50)) == list(islice(documents(CorpusMix(), "a"), 50))
    assert list(islice(documents(CorpusMix(), "a"), 50)) != list(islice(documents(CorpusMix(), "b"), 50))
