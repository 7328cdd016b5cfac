"""Linear layers whose weights lie as oneDNN's matrix product reads them, for models that are only asked.

A step of sampling multiplies few rows with every weight. torch's linear layer rearranges the weights for each product anew, which costs
more than the product itself when the rows are few: measured on an AMD EPYC (AVX-512), 16 rows, one thread, a layer of 4,864 x 896 takes 3.7 ms
so and 1.9 ms packed in float32 (1.7 and 1.0 ms in bfloat16), a head of 151,936 x 896 143 and 53 ms.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mathquorum.models.attention import agree, tried
from mathquorum.models.loading import LoadedModel

__all__ = ["PackedLinear", "packed"]

# Weights from which packing pays. The embedded models have smaller layers, whose time is that of the calls.
_LEAST_WEIGHTS = 2**18
_TYPES = (torch.float32, torch.bfloat16)
_TRIED_ROWS = 3


class PackedLinear(nn.Module):
    """What a linear layer computes, without its weights in torch's own order: it can neither be trained nor saved.

    Args:
        linear: On the CPU, in float32 or bfloat16.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bias = linear.bias
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """rows: (..., in_features). Returns (..., out_features)."""
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self.bias, "none", [], "")
        return found


@torch.inference_mode()
def packed(loaded: LoadedModel) -> LoadedModel:
    """The same model, with its large linear layers packed in place: only to be asked from here on. As it is, on a GPU, where torch has no
    oneDNN, and with adapters that look at the weights themselves (DoRA).

    A head that is tied to the embedding is packed apart from it, as a copy.
    """
    if loaded.device.type != "cpu" or (loaded.adapted and loaded.adapted.reads_weights):
        return loaded
    layers = list(_large_layers(loaded.model))
    if layers and _packs(getattr(*layers[0])):
        for parent, name in layers:
            setattr(parent, name, PackedLinear(getattr(parent, name)))
    return loaded


def _large_layers(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """Each with the module that holds it."""
    return [
        (parent, name)
        for parent in model.modules()
        for name, layer in parent.named_children()
        if type(layer) is nn.Linear and layer.weight.numel() >= _LEAST_WEIGHTS and layer.weight.dtype in _TYPES
    ]


def _packs(layer: Any) -> bool:
    """Whether a layer gives the same packed: the operators are torch's own, but not among those that it promises to keep."""
    rows = torch.linspace(-1, 1, _TRIED_ROWS * layer.in_features, dtype=layer.weight.dtype).view(_TRIED_ROWS, -1)
    return agree(tried(lambda: PackedLinear(layer)(rows)), layer(rows), layer.weight.dtype)
