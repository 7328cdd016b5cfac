"""Packed layers compute what they computed before."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from agreement import TOLERANCE, distance, distributions
from tiny_models import make_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from mathquorum.models import Hardware, LoadedModel, load_model, load_together
from mathquorum.models.packing import PackedLinear, packed
from mathquorum.training.lora import new_adapter
from mathquorum.training.settings import Lora

BEFORE, AFTER = [3, 1, 4, 1, 5], [9, 2, 6]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose queries and MLP are large enough to be packed, and whose keys are not."""
    folder = tmp_path_factory.mktemp("wide")
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    config = LlamaConfig(
        vocab_size=324, hidden_size=512, intermediate_size=768, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=1, bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def an_adapter(base: Path, folder: Path, seed: int, dora: bool = False) -> Path:
    """One that changes what the base computes, saved."""
    torch.manual_seed(seed)
    model = new_adapter(load_model(str(base), Hardware()).model, Lora(r=4, dora=dora), seed)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    return folder


def far(one: LoadedModel, other: LoadedModel) -> float:
    for loaded in (one, other):
        loaded.activate()
    return distance(distributions(one, BEFORE, AFTER), distributions(other, BEFORE, AFTER))


def num_packed(loaded: LoadedModel) -> int:
    return sum(isinstance(layer, PackedLinear) for layer in loaded.model.modules())


def test_large_layers_are_packed_and_the_model_computes_the_same(wide: Path) -> None:
    plain, asked = load_model(str(wide), Hardware()), packed(load_model(str(wide), Hardware()))
    assert num_packed(asked) == 2 * 5  # queries, output and the MLP's three; keys, values and the head are small
    assert far(plain, asked) < TOLERANCE
    names = [name for name, _ in asked.model.named_parameters()]
    assert not [name for name in names if "mlp" in name]  # nothing is held twice


def test_small_models_are_left_as_they_are(tiny_model: Path) -> None:
    assert num_packed(packed(load_model(str(tiny_model), Hardware()))) == 0


def test_two_adapters_share_a_packed_base(wide: Path, tmp_path: Path) -> None:
    names = [f"{wide}+{an_adapter(wide, tmp_path / str(seed), seed)}" for seed in (1, 2)]
    plain = [load_model(name, Hardware()) for name in names]
    asked = [packed(loaded) for loaded in load_together(names, Hardware())]
    assert num_packed(asked[0]) == 2 * 5
    for one, other in zip(plain, asked, strict=True):
        assert far(one, other) < TOLERANCE
    assert far(plain[0], asked[1]) > 100 * TOLERANCE


def test_an_adapter_that_reads_weights_leaves_them_in_their_order(wide: Path, tmp_path: Path) -> None:
    name = f"{wide}+{an_adapter(wide, tmp_path / 'dora', 1, dora=True)}"
    asked = packed(load_model(name, Hardware()))
    assert num_packed(asked) == 0
    assert far(load_model(name, Hardware()), asked) < TOLERANCE
