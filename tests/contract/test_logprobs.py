"""Log-probabilities read at chosen places against those of whole logits: values and gradients."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_models import FAMILIES, make_model, solutions

from mathquorum.batches import Chunk, plan_steps, step_chunks
from mathquorum.logprobs import LogprobReader
from mathquorum.models import Hardware, LoadedModel, load_model
from mathquorum.objectives import CrossEntropyLoss, SolutionLoss


def gradients(loaded: LoadedModel, chunk: Chunk, num_slots: int, whole: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The chunk's log-probabilities, and the gradient of their sum by all weights."""
    model, tensors = loaded.model, chunk.tensors
    model.zero_grad()
    if whole:
        logits = model(
            input_ids=tensors["input_ids"], position_ids=tensors["position_ids"], use_cache=False
        ).logits.flatten(0, 1)
        read = torch.log_softmax(logits, -1)[tensors["places"], tensors["tokens"]]
        values = torch.zeros(num_slots).index_add(0, tensors["owners"], read)
    else:
        values = LogprobReader(model).read(tensors, num_slots)
    values.sum().backward()
    return values.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("at_once", [1, 2**25])
@pytest.mark.parametrize("family", FAMILIES)
def test_values_and_gradients_are_those_of_whole_logits(
    family: str, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the head is computed in parts of one place each."""
    monkeypatch.setattr("mathquorum.logprobs._LOGITS_AT_ONCE", at_once)
    loaded = load_model(str(make_model(tmp_path / family, family)), Hardware())
    examples = SolutionLoss().examples(solutions(), loaded.codec, 200, 0).examples
    (chunk,) = step_chunks(plan_steps([examples], [len(examples)], 1, 0)[0], [1], 2**20)
    values, slopes = gradients(loaded, chunk, len(examples), whole=False)
    expected, expected_slopes = gradients(loaded, chunk, len(examples), whole=True)
    assert torch.allclose(values, expected, atol=1e-3, rtol=1e-5)
    assert torch.allclose(slopes, expected_slopes, atol=1e-5 * expected_slopes.abs().max().item(), rtol=1e-4)


def test_a_family_without_positions_gets_a_row_for_each_text(tmp_path: Path) -> None:
    """ALiBi would let the second text of a row attend to the first."""
    loaded = load_model(str(make_model(tmp_path / "bloom", "bloom")), Hardware())
    reader = LogprobReader(loaded.model)
    assert not reader.packs
    examples = SolutionLoss().examples(solutions(), loaded.codec, 200, 0).examples
    step = plan_steps([examples], [len(examples)], 1, 0)[0]
    (chunk,) = step_chunks(step, [1], 2**20, packs=reader.packs)
    with torch.inference_mode():
        values = reader.read(chunk.tensors, len(examples))
        for value, example in zip(values, step.examples[0], strict=True):
            (sequence,) = example.sequences
            logprobs = torch.log_softmax(loaded.model(torch.tensor([sequence.ids]), use_cache=False).logits[0], -1)
            assert value.item() == pytest.approx(
                sum(logprobs[r.position, r.token].item() for r in sequence.reads), abs=2e-4
            )


def test_shared_beginnings_change_no_gradient(tiny_model: Path) -> None:
    loaded = load_model(str(tiny_model), Hardware())
    objective = CrossEntropyLoss()
    examples = objective.examples(solutions(), loaded.codec, 250, 0).examples
    step, widest = plan_steps([examples], [len(examples)], 1, 0)[0], LogprobReader(loaded.model).widest_tree
    (apart,) = step_chunks(step, [4], 2**20)
    (shared,) = step_chunks(step, [4], 2**20, widest_tree=widest)
    assert "mask" in shared.tensors
    assert shared.tensors["input_ids"].numel() < apart.tensors["input_ids"].numel()
    values, slopes = gradients(loaded, shared, 4 * len(examples), whole=False)
    expected, expected_slopes = gradients(loaded, apart, 4 * len(examples), whole=False)
    assert torch.allclose(values, expected, atol=1e-5)
    assert torch.allclose(slopes, expected_slopes, atol=1e-5 * expected_slopes.abs().max().item(), rtol=1e-4)
