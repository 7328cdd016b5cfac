"""Peaks of memory, checked against sums done by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import make_model, write_gguf
from transformers import Qwen2Config, Qwen2ForCausalLM

from mathquorum.engines.embedded.footprint import sampling_peak
from mathquorum.errors import ModelError
from mathquorum.models import Hardware
from mathquorum.models.footprint import Shape
from mathquorum.objectives.examples import Example, Read, TokenSequence
from mathquorum.planning.memory import loading_notice, peaks
from mathquorum.training.batches import Step, step_chunks
from mathquorum.training.footprint import Load, adapter_weights, check_fits, kept_per_token, training_peak
from mathquorum.training.logprobs import LogprobReader
from mathquorum.training.lora import new_adapter
from mathquorum.training.settings import Lora, Training

CPU = Hardware(device="cpu")
# 100 million weights, of which the tied embedding has 10 million; layers of width 1,000.
SHAPE = Shape(10**8, 10, 1000, 4000, 1000, 500, 10**4, 2 * 10**8, tied=True)
FULL, ADAPTER = Training(steps=1), Training(steps=1, lora=Lora())


def beside_the_process(training: Training, load: Load) -> float:
    return training_peak(SHAPE, load, training, CPU) - 0.43e9


def test_all_weights_have_averages_and_either_what_is_kept_or_gradients() -> None:
    # weights and averages: 12 bytes each. Kept: 10 layers x 4 bytes x (4 x 4000 + 5 x 1000 + 6 x 1000) = 1,080,000 a token
    few = Load(tokens=100, reads=100, passes=1)
    # the gradients, three of the embedding's size, and a quarter of what is kept and of the gradients as holes of the heap
    assert beside_the_process(FULL, few) == pytest.approx(1.2e9 + 4e8 + 3 * 4e7 + 0.25 * (1.08e8 + 4e8))
    many = Load(tokens=1000, reads=1000, passes=1)
    expected = 1.2e9 + 1.08e9 + 3 * 4 * 1e7 + 2 * 4e7 + 0.25 * (1.08e9 + 4e8)
    assert beside_the_process(FULL, many) == pytest.approx(expected)


def test_gradients_of_a_passes_before_lie_beside_what_the_next_keeps() -> None:
    one, two = (beside_the_process(FULL, Load(1000, 1000, passes)) for passes in (1, 2))
    assert two - one == pytest.approx(4e8)


def test_many_logits_are_there_in_parts() -> None:
    # 5,000 x 10,000 are more than 2**25: three parts of 128 MB and the head's gradient twice in place of all of them
    whole, parts = (beside_the_process(FULL, Load(4000, reads, 1)) for reads in (3000, 5000))
    assert parts - whole == pytest.approx(3 * 4 * 2**25 + 8e7 - 3 * 4 * 3e7)


def test_an_adapter_trains_few_weights() -> None:
    # 16 x (4 x 1000 + 2 x 1000 + 2 x 500 + 2 x ... ) by hand: q, o: 2,000 each; k, v: 1,500 each; three of the MLP: 5,000 each
    assert adapter_weights(SHAPE, Lora()) == 10 * 16 * (2 * 2000 + 2 * 1500 + 3 * 5000)
    assert adapter_weights(SHAPE, Lora(r=8, targets=("q_proj",))) == 10 * 8 * 2000
    load = Load(tokens=1000, reads=1000, passes=1)
    kept = 10 * 4 * 1000 * (4 * 4000 + 5 * 1000 + 4 * 1000 + 7 * 16)
    expected = 4e8 + 12 * adapter_weights(SHAPE, Lora()) + kept + 12e7
    assert beside_the_process(ADAPTER, load) == pytest.approx(expected)


def test_checkpointing_keeps_one_layer_and_the_ends_of_the_others() -> None:
    again = ADAPTER.model_copy(update={"gradient_checkpointing": True})
    load = Load(tokens=1000, reads=1000, passes=1)
    kept = 4 * 1000 * (4 * 4000 + 5 * 1000 + 4 * 1000 + 7 * 16)
    assert beside_the_process(ADAPTER, load) - beside_the_process(again, load) == pytest.approx(9 * kept - 4e7)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("lora", [None, Lora(r=4)])
def test_a_layer_keeps_for_the_backward_pass_what_is_computed(half: bool, lora: Lora | None) -> None:
    """As counted on models of two and of four layers; in bfloat16 all but norms takes half."""
    tokens = 200
    two, four = (bytes_kept(layers, tokens, half, lora) for layers in (2, 4))
    shape = Shape(0, 1, 256, 768, 256, 64, 500, 0, tied=False)
    assert (four - two) / (2 * tokens) == pytest.approx(kept_per_token(shape, lora, half), rel=0.03)


def bytes_kept(layers: int, tokens: int, half: bool, lora: Lora | None) -> int:
    """By autograd, of one forward pass of a Qwen2, without weights and their copies."""
    sizes = {"hidden_size": 256, "intermediate_size": 768, "num_attention_heads": 8, "num_key_value_heads": 2}
    model: Any = Qwen2ForCausalLM(Qwen2Config(vocab_size=500, num_hidden_layers=layers, **sizes))
    weights = {tuple(size) for p in model.parameters() for size in (p.shape, p.shape[::-1])}
    trained = new_adapter(model.to(torch.bfloat16 if half else torch.float32), lora, 0) if lora else model
    weights |= {tuple(size) for p in trained.parameters() for size in (p.shape, p.shape[::-1])}
    found: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tuple(tensor.shape) not in weights:
            found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    reader = LogprobReader(model)
    texts = [TokenSequence(tuple(range(first, first + tokens // 2)), (Read(9, 1, 0),)) for first in (0, 150)]
    step = Step((tuple(Example((text,), 1) for text in texts),))
    (chunk,) = step_chunks(step, [1], tokens, longest_grouped=reader.longest_grouped)
    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        slots = reader.read(chunk, 2)
    assert slots.requires_grad
    return sum(found.values())


def test_sampling_holds_weights_and_what_rows_have_written() -> None:
    few, many = (sampling_peak(SHAPE, rows, 100, CPU) for rows in (100, 200))
    # a row: 1.25 x room for 160 tokens (32, 64, 96, 160) x 10 layers x keys and values x 500 x 4 bytes, and its logits,
    # which are 11 times as large while 2**21 of them at most are drawn from
    assert many - few == pytest.approx(100 * (1.25 * 160 * 10 * 2 * 500 * 4 + 12 * 4e4))
    few, many = (sampling_peak(SHAPE, rows, 100, CPU) for rows in (300, 400))
    assert many - few == pytest.approx(100 * (1.25 * 160 * 10 * 2 * 500 * 4 + 4e4))
    assert sampling_peak(SHAPE, 1, 1, CPU) == pytest.approx(0.43e9 + 4e8 + 2e8)  # the file, while it is read


def test_a_tied_head_is_packed_apart_from_the_embedding() -> None:
    tied, untied = (sampling_peak(replace(SHAPE, tied=tied), 400, 100, CPU) for tied in (True, False))
    assert tied - untied == pytest.approx(4e7)


def test_the_number_of_weights_is_that_of_the_model(tiny_model: Path) -> None:
    from safetensors.torch import load_file

    shape = Shape.of(str(tiny_model))
    assert shape.weights == sum(tensor.numel() for tensor in load_file(tiny_model / "model.safetensors").values())
    assert (shape.layers, shape.width, shape.inner, shape.attention, shape.kept) == (2, 32, 64, 32, 16)


def test_what_does_not_fit_is_refused_with_what_would() -> None:
    load = Load(tokens=1000, reads=1000, passes=1)
    assert check_fits(SHAPE, load, FULL, CPU, 4 * 10**9) == training_peak(SHAPE, load, FULL, CPU)
    with pytest.raises(
        ModelError, match=r"take 3\.3 GB at its peak; there are 2\.1 GB\. .*LoRA r = 16 .* would take 2\.0 GB"
    ):
        check_fits(SHAPE, load, FULL, CPU, 21 * 10**8)
    with pytest.raises(ModelError, match="Nothing that we know of would fit"):
        check_fits(SHAPE, load, FULL, CPU, 10**8)


def test_what_is_shown_before_loading_names_the_model_and_its_cost(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "llama")
    file = write_gguf(folder, tmp_path / "model.gguf")
    assert f"{folder} is a local folder: 0 million weights, 0.00 GB on disk, 0.00 GB as float32" in loading_notice(
        str(folder), CPU
    )
    assert f"{file} is a GGUF file: 0 million weights, 0.00 GB on disk, unpacked to 0.00 GB" in loading_notice(
        str(file), CPU
    )
    found = dict(peaks(str(file), CPU, tokens=2048, rows=64, max_tokens=512))
    assert found == dict(peaks(str(folder), CPU, tokens=2048, rows=64, max_tokens=512)) | {
        "sampling": found["sampling"]
    }
    more = dict(peaks(str(file), CPU, tokens=4096, rows=64, max_tokens=512))
    assert len(found) == 5 and all(more[name] > found[name] for name in found if name != "sampling")
