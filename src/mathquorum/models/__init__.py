"""Hugging Face models: where they come from, how they are loaded, and what their attention allows."""

from __future__ import annotations

from mathquorum.models.configs import context_length, context_of, load_config, num_weights
from mathquorum.models.faults import silence_transformers, writing
from mathquorum.models.hardware import Hardware, enough_memory, multiplies_bfloat16
from mathquorum.models.loading import LoadedModel, load_model, load_together, stop_tokens
from mathquorum.models.merging import merge_adapter, merged
from mathquorum.models.tokenizers import check_model, load_codec, load_tokenizer

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
