"""Timing two ways of doing the same thing in turn, so that a machine that drifts slows both; and small models to time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

__all__ = ["Timed", "matmul_peak", "qwen2", "time_in_turn", "widened"]


@dataclass(frozen=True)
class Timed:
    """Processor seconds of each round."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> str:
        """How many times as long the other takes: median of the pairs, and their range."""
        ratios = [b / a for a, b in zip(self.ours, self.theirs, strict=True)]
        return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def time_in_turn(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Timed:
    """One uncounted round of both, then A B A B and so on. Processor time: other programs may share the machine."""
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for job, seconds in zip((ours, theirs), found, strict=True):
            began = time.process_time()
            job()
            if number:
                seconds.append(time.process_time() - began)
    return Timed(*found)


def matmul_peak(size: int = 1024, repeats: int = 20, dtype: torch.dtype = torch.float32) -> float:
    """The machine's matrix product, in floating-point operations per second, with the threads that torch has."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    a @ b
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        a @ b
        best = min(best, time.process_time() - began)
    return 2 * size**3 / best


def qwen2(width: int, layers: int, vocabulary: int, seed: int = 0) -> Any:
    """A randomly initialised model of the Qwen2 family, in float32."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 64),
        num_key_value_heads=max(1, width // 128),
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    return Qwen2ForCausalLM(config).eval()


def widened(model: Any, times: int, layers: int) -> Any:
    """A larger Llama that computes just what this one does: the same weights with zeros around them.

    What a sampler costs depends on how alike the texts of a prompt are, and random weights write nothing alike. This has the
    arithmetic of a large model and the texts of a trained one.

    Args:
        model: A Llama with a head for each key-value head.
        times: Factor on the width, the heads and the MLP.
        layers: At least the model's own; those beyond them add nothing.
    """
    from transformers import LlamaForCausalLM

    config = type(model.config)(**model.config.to_dict())
    config.hidden_size *= times
    config.num_attention_heads *= times
    config.num_key_value_heads *= times
    config.intermediate_size *= times
    config.num_hidden_layers = layers
    config.rms_norm_eps /= times  # the mean of squares, too, is over more places
    larger = LlamaForCausalLM(config).eval()
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name, parameter in larger.named_parameters():
            parameter.zero_()
            if name in weights:
                smaller = weights[name]
                scale = times**-0.5 if name.endswith("norm.weight") else 1.0
                parameter[tuple(slice(0, size) for size in smaller.shape)] = scale * smaller
    return larger
