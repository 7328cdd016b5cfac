"""The parts of the page that need no browser: words from intervals, what is set bold, names, tables, and what is cut to fit."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mathquorum.metrics.differences import Difference
from mathquorum.records import AnswerCluster, Candidate, Estimate, Problem
from mathquorum.report.page import Comparison, Facts, PageData, Row, render_page
from mathquorum.report.page.fitting import pack
from mathquorum.report.page.glossary import explain_name, glossary
from mathquorum.report.page.headline import headline_tables
from mathquorum.report.page.inspector import InspectedPool, look_at
from mathquorum.report.page.measures import by_subject, roc_curve
from mathquorum.report.page.provenance import made_by, together
from mathquorum.report.page.render import MAX_BYTES
from mathquorum.report.page.verdict import scores_sentence, vote_sentence
from mathquorum.selection import SCORED_STRATEGIES, Majority, Rerank


def difference(name: str, value: float, half: float, p: float, count: int = 500) -> Difference:
    return Difference(Estimate(name, value, value - half, value + half, count), 9, 3, p)


def family(*rows: tuple[str, Difference]) -> Comparison:
    return Comparison("against-vote", "t", "n", rows)


def test_the_verdict_says_what_the_interval_says() -> None:
    assert vote_sentence(difference("d", 0.14, 0.05, 0.001), 0.4, 64).startswith(
        "The vote over 64 candidates adds 14 points to one sample, from 40.0% to 54.0%"
    )
    assert "no difference that 500 problems can show" in vote_sentence(difference("d", 0.02, 0.05, 0.4), 0.4, 64)
    assert "loses 8 points" in vote_sentence(difference("d", -0.08, 0.05, 0.01), 0.4, 64)
    assert "20 problems are too few to conclude" in vote_sentence(difference("d", 0.02, 0.05, 0.4, 20), 0.4, 64)
    assert "too few to conclude" in vote_sentence(difference("d", 0.02, 0.3, 0.9), 0.4, 64)


def test_a_gain_is_told_only_where_it_stands_after_correction() -> None:
    none = ("ssft + margin", difference("rr.all", 0.0, 0.05, 1.0))
    gain = ("ssft + margin", difference("w.rr", 0.04, 0.03, 0.03))
    assert "add nothing to the vote that 500 problems can show" in scores_sentence(family(gain, none))
    assert "the best of 2 choices, w.rr by margin, is +4.0 points" in scores_sentence(family(gain, none))
    firm = ("ssft + margin", difference("w.rr", 0.04, 0.03, 0.02))
    assert scores_sentence(family(firm, none)).startswith("Scores add up to 4 points to the vote (w.rr by margin;")
    loss = ("ssft + margin", difference("rr.top8", -0.17, 0.05, 0.0001))
    assert "one choice loses 17 points (rr.top8 by margin)" in scores_sentence(family(none, loss))


def test_bold_needs_the_interval_and_the_corrected_p_value() -> None:
    rows = [("a", difference("x", 0.04, 0.03, p)) for p in (0.001, 0.03, 0.04)]
    comparison = family(*rows, ("b", difference("x", 0.01, 0.03, 0.001)))
    assert comparison.corrected == pytest.approx([0.004, 0.06, 0.06, 0.004])
    assert comparison.stands == [True, False, False, False]  # the last one's interval holds zero
    assert comparison.summary == "Of 4 comparisons 3 leave zero out; after correction 1 stands, 1 above zero."


def test_every_strategy_has_a_meaning() -> None:
    figures = ["maj1", "maj1@64", "maj8@64", "pass@1", "pass@1.greedy", "pass@64", "auc.within", "auc", "ece", "brier"]
    for name in (*SCORED_STRATEGIES, *figures, "base.terse", "ssft.fine", "mtsft.margin", "control.margin"):
        assert explain_name(name), name
    assert explain_name("S: ssft.both + margin") == f"{explain_name('ssft.both')} {explain_name('margin')}"
    assert explain_name("RR.Top-8") == explain_name("rr.top8") and "8" in explain_name("rr.top8")
    assert explain_name("<b>") == ""
    assert [name for name, _ in glossary(["rr.all", "rr.all", "no name of ours"])].count("rr.all") == 1


def test_headline_tables_are_generators_then_strategies_by_score_with_the_papers_figures() -> None:
    common = [Estimate("pass@1", 0.4, 0.3, 0.5, 90), Estimate("maj1@8", 0.5, 0.4, 0.6, 90)]
    scored = [*common, Estimate("rr.all", 0.6, 0.5, 0.7, 90)]
    paper = {"maj1": 55.2, "rr.all": 57.0}
    rows = [
        Row("s + m", "s", "m", scored, paper),
        Row("s + l", "s", "l", scored, {"maj1": 1.0}),
        Row("b", "b", None, common),
    ]
    generators, strategies = headline_tables(rows)
    assert list(generators.rows) == ["s", "b"] and list(generators.columns) == ["pass@1", "maj1@8"]
    assert generators.paper == {("s", "maj1@8"): 55.2}
    assert list(strategies.rows) == ["maj1@8", "rr.all"] and strategies.columns == ["m", "l"]
    assert strategies.paper == {("maj1@8", "m"): 55.2, ("rr.all", "m"): 57.0}  # l is not in the paper


def pool(length: int, num_problems: int = 8) -> InspectedPool:
    looked = []
    draw = np.random.default_rng(0)
    for number in range(num_problems):
        name = f"p{number}"
        texts = ["".join(map(chr, draw.integers(97, 123, length))) + f" is {i % 2}" for i in range(6)]
        candidates = [Candidate(name, i, text, str(i % 2)) for i, text in enumerate(texts)]
        clusters = [AnswerCluster(name, "0", (0, 2, 4), True), AnswerCluster(name, "1", (1, 3, 5), False)]
        scores = {"m": {i: i / 10 for i in range(6)}}
        looked.append(look_at(Problem(name, "?", "0"), 6, clusters, candidates, scores, {"m": [Majority(), Rerank()]}))
    return InspectedPool("pool", ["m"], looked)


def unpacked(text: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(text)))


def test_what_fits_is_whole_and_what_does_not_is_shortened_and_counted() -> None:
    whole = pack([pool(300)], 1_000_000)
    assert (whole.num_texts, whole.num_whole, whole.num_candidates) == (48, 48, 48)
    first = unpacked(whole.text)["pools"][0]["problems"][0]
    assert len(first["t"]) == 6 and first["p"] == {"m": [0, 1]} and first["s"]["m"] == [0, 100, 200, 300, 400, 500]
    cut = pack([pool(3_000)], 60_000)
    assert len(cut.text) <= 60_000 and cut.num_whole == 0 and cut.num_problems == 8
    text = unpacked(cut.text)["pools"][0]["problems"][0]["t"]["0"]
    assert "characters…]" in text and text.endswith(" is 0")  # its end, where the answer is


def test_where_texts_must_go_the_earliest_and_the_best_scored_of_a_cluster_stay() -> None:
    budget = len(pack([pool(300)], 1_000_000).text) // 2
    fewer = pack([pool(300)], budget)
    assert len(fewer.text) <= budget
    kept = set(unpacked(fewer.text)["pools"][0]["problems"][0]["t"])
    assert {"0", "1"} <= kept and len(kept) < 6


def test_where_not_even_clusters_fit_problems_are_left_out_and_counted() -> None:
    packed = pack([pool(10, 400)], 2_500)
    assert 0 < packed.num_problems < packed.total_problems == 400


def test_the_page_is_at_most_as_large_as_it_may_be() -> None:
    data = PageData("t", "run", Facts(), [], [], inspected=[pool(30_000, 60)])
    assert len(render_page(data).encode()) <= MAX_BYTES


def test_no_text_can_end_the_script_that_holds_the_data() -> None:
    name = "</script><script>alert(1)</script>"
    row = Row(name, name, None, [Estimate("maj1@8", 0.5, 0.4, 0.6, 9)])
    page = render_page(PageData(name, "run", Facts([(name, name)]), [name], [row], notes=[name]))
    assert (
        "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page and "\\u003cscript\\u003ealert(1)" in page
    )


def test_roc_curve_steps_at_thresholds_and_treats_ties_as_one() -> None:
    right = np.array([True, False, True, False])
    assert roc_curve(np.array([0.9, 0.5, 0.5, 0.1]), right) == [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]
    assert roc_curve(np.array([0.9, 0.5]), np.array([True, True])) == []


def test_accuracy_by_subject_and_level_counts_problems() -> None:
    problems = {p.id: p for p in (Problem("a", "?", "1", subject="Algebra", level=2), Problem("b", "?", "1", level=2))}
    table = by_subject(problems, {"maj1": {"a": 1.0, "b": 0.0, "gone": 1.0}})
    assert table == {"maj1": {"Algebra": {"2": (1.0, 1)}, "none": {"2": (0.0, 1)}}}


def test_records_of_stages_are_told_together_and_a_missing_one_is_none(tmp_path: Path) -> None:
    record = {
        "settings": {},
        "versions": {"numpy": "2"},
        "device": "cpu",
        "began": "2026-01-02T03:04:05Z",
        "seconds": 2.5,
    }
    (tmp_path / "stage.json").write_text(json.dumps(record))
    made = made_by(tmp_path / "candidates.jsonl")
    assert made is not None and made_by(tmp_path / "no" / "where") is None
    later = made.model_copy(update={"began": "2026-01-03T00:00:00Z"})
    found = together([made, None, later])
    assert (found.seconds, found.devices) == (5.0, ("cpu",))
    assert found.began == ("2026-01-02T03:04:05Z", "2026-01-03T00:00:00Z")


def test_a_part_without_data_says_why() -> None:
    row = Row("a", "a", None, [Estimate("maj1@8", 0.5, 0.4, 0.6, 9)])
    page = render_page(PageData("t", "samples", Facts(), [], [row]))
    for why in (
        "No scores were given",
        "neither subject nor level",
        "No model was trained",
        "How many tokens and seconds",
    ):
        assert why in page, why
    assert "No problem has a reference answer" in render_page(replace(PageData("t", "samples", Facts(), [], [])))
