"""Tables of answers: ours, with both verdicts in both directions, and the shared labelled sets where they are there."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mathquorum.answers import explain_match, extract_answer, grade, matches_reference
from mathquorum.answers.reading import faults

OURS = Path(__file__).parent / "answers.jsonl"
OUTPUTS = Path(__file__).parent / "outputs.jsonl"
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def rows_of(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def shared(name: str) -> list[dict[str, Any]]:
    if not (SHARED / name).exists():
        pytest.skip("needs the labelled pairs in ../shared/data, which are not here")
    return [r for r in rows_of(SHARED / name) if isinstance(r["equal"], bool)]


@pytest.mark.parametrize("family", sorted({r["family"] for r in rows_of(OURS)}))
def test_every_row_of_our_table_has_its_verdict(family: str) -> None:
    wrong = [
        f"{r['gold']!r} and {r['pred']!r}: {explain_match(r['gold'], r['pred'])}"
        for r in rows_of(OURS)
        if r["family"] == family and matches_reference(r["gold"], r["pred"]) != r["equal"]
    ]
    assert not wrong, "\n".join(wrong)


def test_every_whole_output_has_its_verdict() -> None:
    wrong = [
        f"{r['gold']!r} and {r['text']!r}: found {extract_answer(r['text'])!r}"
        for r in rows_of(OUTPUTS)
        if grade(r["gold"], extract_answer(r["text"]) or "nothing was found") != r["right"]
    ]
    assert not wrong, "\n".join(wrong)


def test_a_text_is_graded_as_it_is_extracted() -> None:
    apart = [
        r
        for r in rows_of(OUTPUTS)
        if (found := extract_answer(r["text"])) and grade(r["gold"], found) != grade(r["gold"], r["text"])
    ]
    assert not apart


@pytest.mark.parametrize(
    ("name", "accuracy", "false_accepts"),
    [
        ("grader_pairs_dev.jsonl", 0.993, 2),
        ("answer_pairs/math_model_pairs.jsonl.gz", 0.995, 2),
        ("answer_pairs/gsm8k_model_pairs.jsonl.gz", 0.995, 1),
        ("answer_pairs/gold_format_variants.jsonl.gz", 0.999, 0),
    ],
)
def test_labelled_pairs_reach_the_bars(name: str, accuracy: float, false_accepts: int) -> None:
    rows = shared(name)
    before = len(faults)
    verdicts = [(matches_reference(r["gold"], r.get("pred", r.get("variant"))), r["equal"]) for r in rows]
    assert sum(got == label for got, label in verdicts) >= accuracy * len(rows)
    assert sum(got and not label for got, label in verdicts) <= false_accepts
    assert len(faults) == before


def test_every_math_reference_equals_its_usual_respellings() -> None:
    answers = sorted({r["answer"] for r in rows_of_math() if r["answer"]})
    spellings = (
        "${}$",
        r"\boxed{{{}}}",
        "The final answer is ${}$. I hope it is correct.",
        " {}. ",
    )
    wrong = [a for a in answers for s in spellings if not matches_reference(a, s.format(a))]
    assert not wrong


def rows_of_math() -> list[dict[str, Any]]:
    places = (SHARED, Path(__file__).parents[1] / "data")
    return rows_of(next(path for place in places if (path := place / "math" / "test.jsonl.gz").exists()))
