"""What of a model decides the memory that it takes, read from its config before any weight is loaded; and the memory that there is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mathquorum.models.configs import load_config, num_weights
from mathquorum.models.hardware import Hardware
from mathquorum.models.sources import read_source, weight_bytes

if TYPE_CHECKING:
    import torch

__all__ = ["Shape", "gigabytes", "memory_of", "process_bytes"]

_PROCESS = 0.43e9  # Python, torch and transformers, measured on Linux; on a GPU they lie elsewhere


@dataclass(frozen=True)
class Shape:
    """What of a model decides its memory.

    Attributes:
        weights: Number of weights, those that are tied once.
        layers: Of the decoder.
        width: Of what goes from layer to layer.
        inner: Width of a layer's MLP.
        attention: Query heads times their width.
        kept: Key heads times their width.
        vocabulary: Entries.
        file_bytes: Of the weight files.
        tied: Whether the head's weights are those of the embedding.
    """

    weights: int
    layers: int
    width: int
    inner: int
    attention: int
    kept: int
    vocabulary: int
    file_bytes: int
    tied: bool

    @classmethod
    def of(cls, model: str) -> Shape:
        """The shape of a model by its name; no weight is read.

        Raises:
            ModelError: If its config cannot be read.
        """
        return cls.of_config(load_config(model), weight_bytes(read_source(model).base))

    @classmethod
    def of_config(cls, config: Any, file_bytes: int = 0) -> Shape:
        """The shape that a transformers config describes."""
        text: Any = config.get_text_config(decoder=True)
        heads = text.num_attention_heads
        head = getattr(text, "head_dim", None) or text.hidden_size // heads
        return cls(
            weights=num_weights(config),
            layers=text.num_hidden_layers,
            width=text.hidden_size,
            inner=getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
            attention=heads * head,
            kept=(getattr(text, "num_key_value_heads", None) or heads) * head,
            vocabulary=text.vocab_size,
            file_bytes=file_bytes,
            tied=bool(text.tie_word_embeddings),
        )

    def loading(self, bytes_each: float) -> float:
        """Bytes while a model is read: its weights, of so many bytes each, and their file beside each other."""
        return self.weights * bytes_each + self.file_bytes


def process_bytes(hardware: Hardware) -> float:
    """What a process takes before it holds any weight."""
    return _PROCESS if hardware.torch_device().type == "cpu" else 0.0


def memory_of(device: torch.device) -> int:
    """Bytes: a GPU's own, or the machine's."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def gigabytes(size: float) -> str:
    """A size in words.

    Example:
        >>> gigabytes(3.14e9)
        '3.1 GB'
    """
    return f"{size / 1e9:.1f} GB"
