"""Figures of real pools of candidates, as the README of the shared data gives them, within a point.

The grader here is a few rules on strings, as that table's was. The best score of the PRM pool is left out: there it may
fall on a candidate without an answer (60.0), which here cannot be chosen (70.0).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from functools import cache
from math import exp
from pathlib import Path
from typing import Any

import pytest

from mathquorum.metrics import Pool
from mathquorum.metrics.evaluation import measure
from mathquorum.records import AnswerCluster, largest_first
from mathquorum.selection import default_strategies

NOISE = [r"\left", r"\right", r"\!", r"\,", r"\ ", r"^\circ", r"^{\circ}", r"\$", "$", r"\%", "%", " "]

# pass@1, maj1, pass@N, and where there are scores the best score and the weighted vote.
EXPECTED = {
    "math_qwen25math_n8_rm": {"pass@1": 92.2, "maj1@8": 95.8, "pass@8": 97.9, "rr.all": 95.8, "w.rr": 97.9},
    "math_qwen25_1p5b_n16_prm": {"pass@1": 43.8, "maj1@16": 70.0, "pass@16": 80.0, "w.rr": 70.0},
    "math_l5_zeroeval_multimodel": {"pass@1": 38.1, "maj1@40": 68.7, "pass@40": 96.8},
    "gsm8k_zeroeval_multimodel": {"pass@1": 87.3, "maj1@42": 96.2, "pass@42": 99.5},
    "gsm8k_mathcoder_n8": {"pass@1": 80.1, "maj1@8": 86.2, "pass@8": 92.6},
    "gsm8k_rho_tora_n6": {"pass@1": 67.9, "maj1@6": 83.0, "pass@6": 93.1},
    "math500_rho_n4": {"pass@1": 33.0, "maj1@4": 38.9, "pass@4": 62.8},
    "gsm8k_openai_n4": {"pass@1": 37.9, "maj1@4": 44.3, "pass@4": 67.2},
    "math_nemo_n3": {"pass@1": 70.7, "maj1@3": 84.0, "pass@3": 88.0},
}


@cache
def normalize(dataset: str, answer: str | None) -> str | None:
    text = (answer or "").strip().rstrip(".")
    if dataset.lower().startswith("gsm"):
        numbers = re.findall(r"-?[\d,]*\.?\d+", text)
        return f"{float(numbers[-1].replace(',', '')):g}" if numbers else None
    text = re.sub(r"(?<=\w)\s*\\(text|mbox)\s*\{[^}]*\}(\^\d)?$|(?<=\d) [a-z ]+$", "", text)  # units
    text = re.sub(r"\\(?:text|mbox|textbf)\s*\{([^}]*)\}", r"\1", text)
    for word in NOISE:
        text = text.replace(word, "")
    text = re.sub(r"\\[dt]frac", r"\\frac", text)
    text = re.sub(r"\\sqrt(\w)", r"\\sqrt{\1}", re.sub(r"\\frac(\d)(\d)", r"\\frac{\1}{\2}", text))
    text = re.sub(r"^[a-zA-Z]=", "", text)
    if fraction := re.fullmatch(r"(-?)\\frac\{(\d+)\}\{(\d+)\}|(-?)(\d+)/(\d+)", text):
        sign, top, bottom = [group for group in fraction.groups() if group is not None]
        return f"{float(sign + '1') * int(top) / int(bottom):g}" if int(bottom) else text
    try:
        return f"{float(text.replace(',', '')):g}"
    except ValueError:
        return text or None


def read_pool(row: dict[str, Any], squash: bool) -> Pool:
    reference = normalize(row["dataset"], row["gold_answer"])
    members: dict[str, list[int]] = {}
    scores: dict[int, float] = {}
    for index, candidate in enumerate(row["candidates"]):
        if (answer := normalize(row["dataset"], candidate["answer"])) is not None:
            members.setdefault(answer, []).append(index)
        if candidate["score"] is not None:
            scores[index] = 1 / (1 + exp(-candidate["score"])) if squash else candidate["score"]
    name = row["problem_id"]
    clusters = [AnswerCluster(name, answer, tuple(m), answer == reference) for answer, m in members.items()]
    clusters.sort(key=lambda cluster: largest_first(cluster.members))
    return Pool(name, len(row["candidates"]), clusters, scores)


@pytest.mark.parametrize("name", EXPECTED)
def test_figures_of_real_pools_are_those_of_their_table(name: str, pool_file: Callable[[str], Path]) -> None:
    file = pool_file(name)
    with gzip.open(file, "rt", encoding="utf-8", newline="\n") as lines:
        pools = [read_pool(json.loads(line), squash=name.endswith("_rm")) for line in lines]
    found = {e.name: e for e in measure(pools, default_strategies(with_scores=bool(pools[0].scores)))}
    for figure, percent in EXPECTED[name].items():
        assert 100 * found[figure].value == pytest.approx(percent, abs=1.0), figure
        assert found[figure].low < found[figure].value < found[figure].high
