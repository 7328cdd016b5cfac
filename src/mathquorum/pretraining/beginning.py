"""What a pre-training begins with: a tokenizer and a model with random weights, or a base to go on from."""

from __future__ import annotations

from itertools import islice
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from mathquorum.pretraining.corpus import documents, text_of
from mathquorum.pretraining.settings import SIZES, Pretraining
from mathquorum.pretraining.tokenizer import train_tokenizer

__all__ = ["first_model", "first_tokenizer"]


def first_tokenizer(settings: Pretraining) -> Any:
    """The tokenizer of the base to go on from, or one trained anew: it takes seconds and gives the same bytes."""
    if settings.start is not None:
        return AutoTokenizer.from_pretrained(settings.start)
    seed = f"tokenizer/{settings.seed}"
    texts = (text_of(d) for d in islice(documents(settings.mixes[0], seed), settings.tokenizer_documents))
    return train_tokenizer(texts, settings.vocabulary_size, settings.context)


def first_model(settings: Pretraining, tokenizer: Any) -> Any:
    """The base to go on from, or one with random weights, drawn from torch's own generator."""
    if settings.start is not None:
        return AutoModelForCausalLM.from_pretrained(settings.start, dtype=torch.float32)
    size = SIZES[settings.size]
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.width,
        intermediate_size=size.feed_forward,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=settings.context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)
