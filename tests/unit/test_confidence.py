"""How sure a model was: what the steps of a text come to, by hand and against the definitions on a model's own logits."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import get_args

import pytest
import torch

from mathquorum.engines.base import Sampling
from mathquorum.engines.confidence import NUM_LIKELIEST, Trace, summary
from mathquorum.engines.embedded.decoding import decode_rows, decode_shared
from mathquorum.engines.embedded.steps import take_step
from mathquorum.engines.rows import Ending, Row
from mathquorum.engines.small.engine import row_confidences, row_logprobs
from mathquorum.evaluator import Signal, signal_scores
from mathquorum.models import Hardware, load_model
from mathquorum.records import Candidate, Confidence, Score
from mathquorum.store import read_records, write_records


def test_groups_overlap_and_the_least_sure_one_is_told() -> None:
    found = summary([4.0, 2.0, 3.0, 9.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0], window=2)
    # groups of two: 3, 2.5, 6, 7
    assert found == Confidence(mean=4.6, lowest=2.5, bottom=2.5, tail=7.0, certainty=3.0)


def test_a_text_shorter_than_the_window_is_one_group() -> None:
    assert summary([4.0, 2.0], [0.5, 1.5], window=32) == Confidence(3.0, 3.0, 3.0, 3.0, 1.0)


def test_the_least_sure_tenth_of_the_groups_is_averaged() -> None:
    values = [float(n) for n in range(1, 31)]
    assert summary(values, values, window=1).bottom == 2.0, "the three lowest of thirty: 1, 2, 3"


def test_a_trace_is_the_steps_of_its_own_text() -> None:
    first = Trace(None, 1.0, 0.1)
    left, right = Trace(first, 2.0, 0.2), Trace(first, 4.0, 0.4)
    assert left.summary(8) == summary([1.0, 2.0], [0.1, 0.2], 8)
    assert right.summary(8) == summary([1.0, 4.0], [0.1, 0.4], 8)


def test_a_long_trace_is_let_go_without_recursion() -> None:
    trace = None
    for _ in range(200_000):
        trace = Trace(trace, 1.0, 1.0)
    del trace


@pytest.mark.parametrize("temperature", [0.0, 0.9])
@pytest.mark.parametrize("shared", [True, False])
def test_confidences_follow_their_definitions_on_the_logits_of_the_model(
    tiny_model: Path, temperature: float, shared: bool
) -> None:
    """Both decode loops against the formulas of both papers, computed in double precision from one plain forward pass."""
    loaded = load_model(str(tiny_model), Hardware())
    sampling = Sampling(temperature=temperature, max_tokens=12)
    ending = Ending(loaded.tokenizer, [], ())
    ids = loaded.codec.prompt("Problem:\nWhat is $2+3$?")
    rows = [Row(0, place, seed) for place, seed in enumerate((1, 2, 3))]
    if shared:
        decode_shared(loaded, [(ids, rows)], sampling, ending, batch_rows=8)
    else:
        decode_rows(loaded, [ids] * 3, rows, sampling, ending)
    for row in rows:
        assert row.trace is not None and len(row.tokens) == 12
        found = row.trace.summary(window=4)
        with torch.no_grad():
            logits = loaded.model(torch.tensor([ids + row.tokens])).logits[0, len(ids) - 1 : -1].double()
        logprobs = torch.log_softmax(logits, dim=-1)
        by_token = -logprobs.topk(NUM_LIKELIEST).values.mean(dim=-1)
        certainty = -(logprobs.mean(dim=-1) + math.log(logprobs.shape[-1])).mean()
        # Means of a few hundred terms of 1 to 10 in single precision, whose relative error is 1e-7 a term at worst.
        near = partial(pytest.approx, abs=1e-4)
        assert found.mean == near(by_token.mean().item())
        assert found.lowest == near(by_token.unfold(0, 4, 1).mean(dim=-1).min().item())
        assert found.tail == near(by_token[-4:].mean().item())
        assert found.certainty == near(certainty.item())


def test_tokens_that_a_model_rules_out_leave_the_confidence_finite() -> None:
    logits = torch.full((1, 50), -math.inf)
    logits[0, :2] = 0.0
    (trace,) = take_step(logits, Sampling(), torch.tensor([0]), torch.tensor([0.5]).double()).traces([None])
    assert math.isfinite(trace.summary(1).certainty) and math.isfinite(trace.summary(1).mean)


def test_a_candidate_keeps_its_confidence_on_disk(tmp_path: Path) -> None:
    candidate = Candidate("p", 0, "5", confidence=Confidence(1.5, 1.0, 1.0, 2.0, 0.5))
    write_records(tmp_path / "candidates.jsonl", [candidate, Candidate("p", 1, "6")])
    assert list(read_records(tmp_path / "candidates.jsonl", Candidate)) == [candidate, Candidate("p", 1, "6")]


def test_the_numpy_engine_sums_up_as_the_engine_of_transformers_does() -> None:
    logits = torch.randn((3, 40), generator=torch.Generator().manual_seed(0))
    confidences, certainties = row_confidences(row_logprobs(logits.numpy()))
    traces = [Trace(None, *values) for values in zip(confidences, certainties, strict=True)]
    taken = take_step(logits, Sampling(), torch.arange(3), torch.zeros(3).double())
    for one, other in zip(traces, taken.traces([None] * 3), strict=True):
        assert one.summary(1).mean == pytest.approx(other.summary(1).mean, abs=1e-5)  # double against single precision
        assert one.summary(1).certainty == pytest.approx(other.summary(1).certainty, abs=1e-5)


def test_each_signal_is_a_field_of_the_confidence_and_candidates_without_one_get_no_score() -> None:
    told = Candidate("p", 0, "5", logprob=-2.0, confidence=Confidence(1.5, 1.0, 1.2, 2.0, 0.5))
    surer = Candidate("p", 1, "5", logprob=-1.0, confidence=Confidence(6.0, 2.5, 2.4, 10.0, 5.0))
    silent = Candidate("p", 2, "6")
    expected = {
        "likelihood": math.exp(-1),
        "confidence": 0.25,
        "lowest_confidence": 0.4,
        "bottom_confidence": 0.5,
        "tail_confidence": 0.2,
        "certainty": 0.1,
    }
    assert set(get_args(Signal)) == set(expected)
    for signal in get_args(Signal):
        first, second = signal_scores(signal, [told, surer, silent])
        assert (first.index, second) == (0, Score("p", 1, 1.0))
        assert first.value == pytest.approx(expected[signal])
