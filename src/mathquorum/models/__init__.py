"""Hugging Face models: where they come from, how they are loaded, and what their attention allows."""

from __future__ import annotations

from mathquorum.models.loading import (
    Hardware,
    LoadedModel,
    check_model,
    context_length,
    context_of,
    enough_memory,
    load_codec,
    load_config,
    load_model,
    load_together,
    load_tokenizer,
    merge_adapter,
    merged,
    multiplies_bfloat16,
    num_weights,
    silence_transformers,
    stop_tokens,
    writing,
)

__all__ = [
    "Hardware",
    "LoadedModel",
    "check_model",
    "context_length",
    "context_of",
    "enough_memory",
    "load_codec",
    "load_config",
    "load_model",
    "load_together",
    "load_tokenizer",
    "merge_adapter",
    "merged",
    "multiplies_bfloat16",
    "num_weights",
    "silence_transformers",
    "stop_tokens",
    "writing",
]
