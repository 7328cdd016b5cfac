"""What a model's attention allows is asked in one place, with one tolerance."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, Lfm2Config, LlamaConfig, MistralConfig

import mathquorum
from mathquorum.models import Hardware, load_model
from mathquorum.models.attention import agree, keeps_keys_and_values, tried, window_of


def test_it_is_asked_in_one_place() -> None:
    """The kinds of layers, and what a model's own code may raise, are named in one file."""
    root = Path(mathquorum.__file__).parent
    for word in ("DynamicSlidingWindowLayer", "except (NotImplementedError"):
        named = [file for file in root.rglob("*.py") if word in file.read_text(encoding="utf-8")]
        assert named == [root / "models" / "attention.py"]


@pytest.mark.parametrize(("dtype", "near", "far"), [(torch.float32, 0.009, 0.011), (torch.bfloat16, 0.8, 1.2)])
def test_numbers_agree_within_a_share_of_the_largest(dtype: torch.dtype, near: float, far: float) -> None:
    expected = torch.tensor([[10.0, 0.0], [-10.0, 5.0]])
    for off, same in ((near, True), (-near, True), (far, False), (-far, False)):
        assert agree(expected + torch.tensor([0.0, off]), expected, dtype) is same
    assert not agree(None, expected, dtype)
    assert not agree(expected * torch.nan, expected, dtype)


def test_a_refusal_is_none_and_a_full_memory_is_no_refusal() -> None:
    def refuse(error: Exception) -> None:
        raise error

    for error in (NotImplementedError(), KeyError("x"), RuntimeError("shape"), IndexError()):
        assert tried(lambda error=error: refuse(error)) is None
    with pytest.raises(torch.OutOfMemoryError):
        tried(lambda: refuse(torch.OutOfMemoryError()))
    with pytest.raises(KeyboardInterrupt):
        tried(lambda: (_ for _ in ()).throw(KeyboardInterrupt()))
    assert tried(lambda: 3) == 3


def test_layers_that_remember_more_than_keys_and_values_are_told(tiny_model: Path) -> None:
    assert keeps_keys_and_values(AutoConfig.from_pretrained(tiny_model))
    assert keeps_keys_and_values(MistralConfig(num_hidden_layers=2, sliding_window=8))
    assert keeps_keys_and_values(LlamaConfig(num_hidden_layers=2))
    mixed = Lfm2Config(num_hidden_layers=2, layer_types=["conv", "full_attention"])
    assert not keeps_keys_and_values(mixed), "one of its layers is a convolution"
    assert window_of(load_model(str(tiny_model), Hardware(device="cpu")).model) is None
