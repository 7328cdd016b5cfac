"""Log-probabilities read at chosen places against those of whole logits: values and gradients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tiny_models import FAMILIES, make_model, solutions
from torch.nn.parallel import DistributedDataParallel
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from mathquorum.models import Hardware, LoadedModel, load_model
from mathquorum.objectives import CrossEntropyLoss, SolutionLoss
from mathquorum.training.batches import Chunk, plan_steps, step_chunks
from mathquorum.training.logprobs import LogprobReader


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
        values = LogprobReader(model).read(chunk, num_slots)
    values.sum().backward()
    return values.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("at_once", [1, 2**25])
@pytest.mark.parametrize("family", FAMILIES)
def test_values_and_gradients_are_those_of_whole_logits(
    family: str, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the head is computed in parts of one place each."""
    monkeypatch.setattr("mathquorum.training.logprobs._LOGITS_AT_ONCE", at_once)
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
        values = reader.read(chunk, len(examples))
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
    step, widest = plan_steps([examples], [len(examples)], 1, 0)[0], LogprobReader(loaded.model).longest_grouped
    (apart,) = step_chunks(step, [4], 2**20)
    (shared,) = step_chunks(step, [4], 2**20, longest_grouped=widest)
    assert shared.groups and not apart.groups
    assert shared.tensors["input_ids"].numel() < apart.tensors["input_ids"].numel()
    values, slopes = gradients(loaded, shared, 4 * len(examples), whole=False)
    expected, expected_slopes = gradients(loaded, apart, 4 * len(examples), whole=False)
    assert torch.allclose(values, expected, atol=1e-5)
    assert torch.allclose(slopes, expected_slopes, atol=1e-5 * expected_slopes.abs().max().item(), rtol=1e-4)


@pytest.mark.parametrize("checkpointing", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_of_an_evaluator_are_those_of_single_texts(family: str, checkpointing: bool, tmp_path: Path) -> None:
    """Where a row without padding is attended in groups, and the last layer computes what is read: with gradient checkpointing the
    forward pass is repeated when `read` has long returned."""
    loaded = load_model(str(make_model(tmp_path / family, family)), Hardware())
    model = loaded.model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    usual = model.config._attn_implementation
    examples = CrossEntropyLoss().examples(solutions(), loaded.codec, 250, 0).examples
    step = plan_steps([examples], [len(examples)], 1, 0)[0]
    _, expected = gradients(loaded, step_chunks(step, [4], 1, packs=False)[0], 4, whole=True)
    for chunk in step_chunks(step, [4], 1, packs=False)[1:]:
        expected = expected + gradients(loaded, chunk, 4, whole=True)[1]
    if checkpointing:
        model.gradient_checkpointing_enable()
    reader = LogprobReader(model, checkpointing)
    (chunk,) = step_chunks(step, [4], 2**20, longest_grouped=reader.longest_grouped)
    assert (chunk.groups is not None) == ("sliding_window" not in FAMILIES[family])
    model.zero_grad()
    reader.read(chunk, 4 * len(examples)).sum().backward()
    reader.release()
    found = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    assert torch.allclose(found, expected, atol=1e-5 * expected.abs().max().item(), rtol=1e-4)
    assert model.config._attn_implementation == usual


def test_groups_keep_the_softcap_of_attention(tmp_path: Path) -> None:
    """Gemma 2 with a window that holds the texts and a softcap that matters."""
    folder = make_model(tmp_path / "gemma2", "gemma2")
    config = json.loads((folder / "config.json").read_text()) | {"sliding_window": 512, "attn_logit_softcapping": 0.3}
    (folder / "config.json").write_text(json.dumps(config))
    loaded = load_model(str(folder), Hardware())
    model = loaded.model
    examples = CrossEntropyLoss().examples(solutions(), loaded.codec, 250, 0).examples
    step, reader = plan_steps([examples], [len(examples)], 1, 0)[0], LogprobReader(model)
    (grouped,) = step_chunks(step, [4], 2**20, longest_grouped=reader.longest_grouped)
    assert grouped.groups
    (padded,) = step_chunks(step, [4], 2**20)
    with torch.inference_mode():
        found, expected = (reader.read(chunk, 4 * len(examples)) for chunk in (grouped, padded))
    assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("family", ["gemma2", "gemma3_text", "mistral"])
def test_texts_within_the_window_are_grouped(family: str, tmp_path: Path) -> None:
    folder = make_model(tmp_path / family, family)
    config = json.loads((folder / "config.json").read_text()) | {"sliding_window": 250}
    (folder / "config.json").write_text(json.dumps(config))
    loaded = load_model(str(folder), Hardware())
    examples = CrossEntropyLoss().examples(solutions(), loaded.codec, 250, 0).examples
    step, reader = plan_steps([examples], [len(examples)], 1, 0)[0], LogprobReader(loaded.model)
    (grouped,) = step_chunks(step, [4], 2**20, longest_grouped=reader.longest_grouped)
    (padded,) = step_chunks(step, [4], 2**20)
    assert grouped.groups and not padded.groups
    values, slopes = gradients(loaded, grouped, 4 * len(examples), whole=False)
    expected, expected_slopes = gradients(loaded, padded, 4 * len(examples), whole=False)
    assert torch.allclose(values, expected, atol=1e-4)
    assert torch.allclose(slopes, expected_slopes, atol=1e-5 * expected_slopes.abs().max().item(), rtol=1e-4)


def test_a_model_with_a_mask_of_its_own_is_not_grouped() -> None:
    """Doge adds a learned mask, which is zero at first: its values do not tell, its gradients would."""
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = CONFIG_MAPPING["doge"](vocab_size=324, num_key_value_heads=2, **sizes)
    assert LogprobReader(AutoModelForCausalLM.from_config(config)).longest_grouped == 0


def test_what_a_model_can_do_does_not_depend_on_its_mode(tmp_path: Path) -> None:
    """Dropout would blur the comparison, and the model stays in its mode."""
    loaded = load_model(str(make_model(tmp_path / "gpt2", "gpt2")), Hardware())
    reader = LogprobReader(loaded.model.train())
    assert loaded.model.training and reader.longest_grouped and reader.packs


def test_a_wrapped_model_is_called_by_its_wrapper_and_gives_the_same(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in training with several processes; the head in parts is for models that are called as they are."""
    monkeypatch.setattr("mathquorum.training.logprobs._LOGITS_AT_ONCE", 1)
    loaded = load_model(str(tiny_model), Hardware())
    examples = SolutionLoss().examples(solutions(), loaded.codec, 250, 0).examples
    reader = LogprobReader(loaded.model)
    step = plan_steps([examples], [len(examples)], 1, 0)[0]
    (chunk,) = step_chunks(step, [1], 2**20, longest_grouped=reader.longest_grouped)
    expected = reader.read(chunk, len(examples))
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        wrapped = DistributedDataParallel(loaded.model)
        shapes: list[torch.Size] = []
        wrapped.register_forward_hook(lambda _, __, output: shapes.append(output.logits.shape))
        reader.wrap(wrapped)
        found = reader.read(chunk, len(examples))
        found.sum().backward()
        assert torch.allclose(found, expected)
        assert [shape[0] for shape in shapes] == [
            len(chunk.tensors["places"])
        ]  # the logits are its own, of what is read
        assert all(p.grad is not None for p in loaded.model.parameters())
    finally:
        torch.distributed.destroy_process_group()


def test_the_last_mlp_computes_what_is_read(tiny_model: Path) -> None:
    loaded = load_model(str(tiny_model), Hardware())
    objective = CrossEntropyLoss()
    examples = objective.examples(solutions(), loaded.codec, 250, 0).examples
    reader = LogprobReader(loaded.model)
    (chunk,) = step_chunks(plan_steps([examples], [len(examples)], 1, 0)[0], [4], 2**20, longest_grouped=250)
    widths: list[list[int]] = []
    for layer in loaded.model.model.layers:
        layer.mlp.gate_proj.register_forward_hook(lambda _, inputs, __: widths.append(list(inputs[0].shape)))
    reader.read(chunk, 4 * len(examples))
    tokens, reads = chunk.tensors["input_ids"].numel(), len(chunk.tensors["places"].unique())
    assert [shape[1] for shape in widths] == [tokens, reads] and reads < tokens / 4
