"""Attention for training: texts lie one after the other in a single row, without padding, and attend in groups of like length.

All of a model but its attention works token by token, so a row without padding costs what its tokens cost. Attention is the one
place where texts meet; there each group of texts of like length is a batch of its own. Texts that begin alike are one tree
(`models.trees.PrefixTree`), whose tokens attend to their ancestors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from mathquorum.models.trees import PrefixTree

__all__ = ["Groups", "attend_as_before", "attend_in_groups"]

_NAME = "mathquorum_grouped"
# Of a group's longest tree: shorter ones begin a group of their own, so that little of what attention computes is padding.
# Our choice.
_ALIKE = 0.8


@dataclass(frozen=True)
class Groups:
    """Groups of a row's tokens that attend to each other.

    Attributes:
        gather: The token at each place of all groups, one group after the other: (places,). What is padding repeats a token.
        scatter: The place of each token: (tokens,).
        shapes: Of each group: trees, places of the longest.
        sights: Of each group which places each place attends to, (trees, 1, places, places), bool; None where it is all
            those before it.
    """

    gather: torch.Tensor
    scatter: torch.Tensor
    shapes: tuple[tuple[int, int], ...]
    sights: tuple[torch.Tensor | None, ...]

    @classmethod
    def of(cls, trees: Sequence[PrefixTree]) -> Groups:
        """The groups of a row that holds these trees one after the other.

        Args:
            trees: At least one, longest first.
        """
        groups: list[list[PrefixTree]] = []
        for tree in trees:
            if not groups or len(tree.ids) < _ALIKE * len(groups[-1][0].ids):
                groups.append([])
            groups[-1].append(tree)
        gather, scatter, sights = [], [], []
        start = places = 0
        for group in groups:
            length = len(group[0].ids)
            for tree in group:
                end = start + len(tree.ids)
                gather.append(torch.arange(start, start + length).clamp(max=end - 1))
                scatter.append(torch.arange(places, places + len(tree.ids)))
                start, places = end, places + length
            sights.append(_sight(group, length) if any(tree.is_branched for tree in group) else None)
        shapes = tuple((len(group), len(group[0].ids)) for group in groups)
        return cls(torch.cat(gather), torch.cat(scatter), shapes, tuple(sights))

    def to(self, device: torch.device) -> Groups:
        sights = tuple(None if sight is None else sight.to(device) for sight in self.sights)
        return replace(self, gather=self.gather.to(device), scatter=self.scatter.to(device), sights=sights)

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scaling: float | None,
        dropout: float,
        softcap: float | None,
    ) -> torch.Tensor:
        """Attention within each tree.

        Args:
            query: (tokens, query heads, width).
            key: (tokens, key heads, width); several query heads may share a key head.
            value: (tokens, key heads, width).
            scaling: Of the scores; None for one over the root of the width.
            dropout: Of the weights.
            softcap: Scores are squeezed into (-softcap, softcap); None for not at all.

        Returns:
            (tokens, query heads, width).
        """
        per_head = query.shape[1] // key.shape[1]
        sizes = [number * length for number, length in self.shapes]
        parts = [torch.split(values.index_select(0, self.gather), sizes) for values in (query, key, value)]
        found = []
        for (number, length), sight, *of_group in zip(self.shapes, self.sights, *parts, strict=True):
            q, k, v = (values.view(number, length, *values.shape[1:]).transpose(1, 2) for values in of_group)
            k, v = (values.repeat_interleave(per_head, dim=1) if per_head > 1 else values for values in (k, v))
            if softcap is None:
                out = scaled_dot_product_attention(
                    q, k, v, attn_mask=sight, is_causal=sight is None, scale=scaling, dropout_p=dropout
                )
            else:
                out = _squeezed_attention(q, k, v, sight, scaling, dropout, softcap)
            found.append(out.transpose(1, 2).flatten(0, 1))
        return torch.cat(found).index_select(0, self.scatter)


def _sight(group: Sequence[PrefixTree], length: int) -> torch.Tensor:
    """Padding sees itself alone, and nobody sees it."""
    sight = torch.eye(length, dtype=torch.bool).repeat(len(group), 1, 1)
    for number, tree in enumerate(group):
        size = len(tree.ids)
        sight[number, :size, :size] = torch.from_numpy(tree.sight())
    return sight.unsqueeze(1)


def _squeezed_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    sight: torch.Tensor | None,
    scaling: float | None,
    dropout: float,
    softcap: float,
) -> torch.Tensor:
    length = query.shape[-2]
    seen = torch.ones((length, length), dtype=torch.bool, device=query.device).tril() if sight is None else sight
    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    scores = (softcap * torch.tanh(scores / softcap)).float().masked_fill(~seen, -torch.inf)
    weights = torch.softmax(scores, dim=-1).to(query.dtype)
    return torch.dropout(weights, dropout, dropout > 0) @ value


# Arguments by which a model's attention is more than softmax over keys and values: sinks, biases, sparse choices.
_OWN_ARITHMETIC = ("s_aux", "sinks", "position_bias", "indices", "block_indices")

_current: Groups | None = None  # no context variable: a checkpointed forward pass is repeated in another thread


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    **unknown: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls in place of its own attention; query: (1, heads, tokens, width).

    No mask comes from transformers for an attention that it does not know: one that comes is the model's own.
    """
    if _current is None or attention_mask is not None or any(unknown.get(name) is not None for name in _OWN_ARITHMETIC):
        raise NotImplementedError("this model's attention is more than softmax over keys and values")
    q, k, v = (values[0].transpose(0, 1) for values in (query, key, value))
    return _current.attend(q, k, v, scaling, dropout, softcap).unsqueeze(0), None  # (1, tokens, heads, width)


AttentionInterface.register(_NAME, _attention)


def attend_in_groups(model: Any, groups: Groups) -> None:
    """Makes the model attend in these groups, in its backward pass too where that repeats the forward one. One model and one
    row at a time: what has been read must have gone backward before the next call.

    Args:
        model: Unwrapped.
        groups: Of the rows that it is given.
    """
    global _current
    if model.config._attn_implementation != _NAME:
        model.set_attn_implementation(_NAME)
    _current = groups


def attend_as_before(model: Any, usual: str) -> None:
    """Ends what `attend_in_groups` began.

    Args:
        model: Unwrapped.
        usual: The name of the attention that it had.
    """
    global _current
    _current = None
    if model.config._attn_implementation != usual:
        model.set_attn_implementation(usual)
