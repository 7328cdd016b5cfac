"""What a model's config tells without its weights: how many there are, and how far the model can look back."""

from __future__ import annotations

from typing import Any

from mathquorum.models.faults import cannot_load, silence_transformers
from mathquorum.models.sources import read_source

__all__ = ["context_length", "context_of", "load_config", "num_weights"]


def load_config(model: str) -> Any:
    """The transformers config of a model's base; no weight is read.

    Raises:
        ModelError: If it cannot be read.
    """
    from transformers import AutoConfig

    silence_transformers()
    source = read_source(model)
    name, arguments = source.arguments()
    try:
        return AutoConfig.from_pretrained(name, **arguments)
    except Exception as error:  # transformers raises whatever the file at fault raised
        raise cannot_load("Model", source, error) from error


def num_weights(config: Any) -> int:
    """Weights of a model, those that are tied once."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):  # no weight is made
        return sum(parameter.numel() for parameter in AutoModelForCausalLM.from_config(config).parameters())


def context_length(model: Any) -> int:
    """Positions that the model can attend to; a very large number where its config sets none."""
    return context_of(model.config)


def context_of(config: Any) -> int:
    """As `context_length`, from a transformers config alone."""
    return int(getattr(config.get_text_config(decoder=True), "max_position_embeddings", None) or 2**31)
