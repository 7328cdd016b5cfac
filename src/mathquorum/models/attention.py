"""What a model's attention allows. It is not looked up by name but tried on a few tokens, against a plain forward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

__all__ = ["agree", "as_mask", "keeps_keys_and_values", "tried", "window_of"]

R = TypeVar("R")

# Of the largest of what is expected. In float32 the two computations differ by some 1e-6 of it, in half precision by some 1e-2; a
# mask that was dropped or a bias that was left out moves logits by as much as they differ.
_TOLERANCE, _TOLERANCE_OF_HALVES = 1e-3, 0.1


def keeps_keys_and_values(config: Any) -> bool:
    """Whether all that the model's layers remember is keys and values: no state-space layer, no indexer."""
    layers = DynamicCache(config=config).layers
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def window_of(model: Any) -> int | None:
    """How many tokens back the model's narrowest layer sees: a mask of one's own would widen it. None: everything."""
    layers = DynamicCache(config=model.config.get_text_config(decoder=True)).layers
    windows = [layer.sliding_window for layer in layers if isinstance(layer, DynamicSlidingWindowLayer)]
    return min(windows, default=None)


def as_mask(model: Any, sight: torch.Tensor) -> torch.Tensor:
    """What the model takes as its attention mask where it shall see just these places.

    Args:
        model: Unwrapped.
        sight: (rows, 1, places, places seen), bool.
    """
    if model.config._attn_implementation == "sdpa":
        return sight
    mask = torch.zeros(sight.shape, dtype=model.dtype, device=sight.device)
    return mask.masked_fill(~sight, torch.finfo(model.dtype).min)


def tried(computation: Callable[[], R]) -> R | None:
    """What a computation gives; None where the model's own code refuses it, by whatever it raises.

    Raises:
        torch.OutOfMemoryError: That says nothing of the model.
    """
    try:
        return computation()
    except torch.OutOfMemoryError:
        raise
    except (NotImplementedError, AttributeError, TypeError, ValueError, KeyError, IndexError, RuntimeError):
        return None


def agree(found: torch.Tensor | None, expected: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether a computation gave what a plain forward pass gives, as far as the model's numbers can tell.

    Args:
        found: Of a shape that broadcasts with `expected`; None where it was refused.
        expected: Logits or log-probabilities.
        dtype: Of the model's numbers.
    """
    if found is None:
        return False
    tolerance = _TOLERANCE if dtype == torch.float32 else _TOLERANCE_OF_HALVES
    wanted = expected.float()
    return bool(((found.float() - wanted).abs() <= tolerance * wanted.abs().max()).all())
