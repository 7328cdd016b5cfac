"""Reading the next-token probabilities after many texts that begin alike, each common beginning computed once.

The candidates of a problem are judged in one question that differs only in the candidate, and candidates of one model
begin alike, too. What all texts share is computed once and kept as keys and values; the rest lies in rows as prefix trees,
in which a token attends to its own ancestors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from mathquorum.models import LoadedModel

__all__ = ["can_share_beginnings", "logprobs_by_beginnings", "logprobs_by_padding", "window_of"]

_ROW_TOKENS = 192  # a row's attention grows with the square of its length


@dataclass
class _Tree:
    """A row: texts without what all share, as a prefix tree in depth-first order."""

    ids: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)  # -1: what all texts share
    ends: dict[int, int] = field(default_factory=dict)  # number of a text -> place of its last token
    path: list[int] = field(default_factory=list)  # places of the latest text's tokens

    def num_new(self, text: Sequence[int]) -> int:
        return len(text) - self._common(text)

    def add(self, number: int, text: Sequence[int]) -> None:
        self.path = self.path[: self._common(text)]
        for token in text[len(self.path) :]:
            self.parents.append(self.path[-1] if self.path else -1)
            self.depths.append(len(self.path))
            self.path.append(len(self.ids))
            self.ids.append(token)
        self.ends[number] = self.path[-1]

    def _common(self, text: Sequence[int]) -> int:
        return next(
            (n for n, (place, token) in enumerate(zip(self.path, text, strict=False)) if self.ids[place] != token),
            min(len(self.path), len(text)),
        )

    def sight(self, width: int) -> npt.NDArray[np.bool_]:
        """Which places each place attends to: (width, width); padding sees itself."""
        seen = np.eye(width, dtype=bool)
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                seen[place] |= seen[parent]
        return seen


def logprobs_by_beginnings(
    loaded: LoadedModel, texts: Sequence[Sequence[int]], tokens: Sequence[int], batch_tokens: int
) -> torch.Tensor:
    """The log-probability of each token as the successor of each text.

    Args:
        loaded: A model for which `can_share_beginnings` holds.
        texts: Ids, at least one each.
        tokens: Whose probabilities are wanted.
        batch_tokens: In one forward pass at most, what all share not counted.

    Returns:
        (texts, tokens), double precision, in nats.
    """
    distinct = sorted({tuple(text) for text in texts})
    common = _common_length(distinct)
    values: dict[tuple[int, ...], torch.Tensor] = {}
    shared = DynamicCache()
    if common:
        loaded.model(
            input_ids=torch.tensor([distinct[0][:common]], device=loaded.device),
            past_key_values=shared,
            use_cache=True,
            logits_to_keep=1,
        )
    for trees in _batches(_trees([text[common:] for text in distinct]), batch_tokens):
        for number, found in _read(loaded, trees, shared, common, tokens):
            values[distinct[number]] = found
    return torch.stack([values[tuple(text)] for text in texts])


def _common_length(ordered: Sequence[Sequence[int]]) -> int:
    """How many tokens all texts share, at least one of each left over. The texts are sorted: first and last differ most."""
    first, last = ordered[0], ordered[-1]
    limit = min(map(len, ordered)) - 1
    return next((n for n in range(limit) if first[n] != last[n]), limit)


def _trees(texts: Sequence[Sequence[int]]) -> list[_Tree]:
    trees = [_Tree()]
    room = max(_ROW_TOKENS, *map(len, texts))
    for number, text in enumerate(texts):
        if len(trees[-1].ids) + trees[-1].num_new(text) > room:
            trees.append(_Tree())
        trees[-1].add(number, text)
    return trees


def _batches(trees: Sequence[_Tree], batch_tokens: int) -> Iterator[list[_Tree]]:
    batch: list[_Tree] = []
    for tree in trees:
        if batch and (len(batch) + 1) * max(len(t.ids) for t in (*batch, tree)) > batch_tokens:
            yield batch
            batch = []
        batch.append(tree)
    yield batch


def _read(
    loaded: LoadedModel, trees: Sequence[_Tree], shared: DynamicCache, common: int, tokens: Sequence[int]
) -> Iterator[tuple[int, torch.Tensor]]:
    """The number of each text and its log-probabilities."""
    device = loaded.device
    width = max(len(tree.ids) for tree in trees)
    ids = torch.zeros((len(trees), width), dtype=torch.long)
    positions = torch.zeros((len(trees), width), dtype=torch.long)
    sight = torch.ones((len(trees), 1, width, common + width), dtype=torch.bool)
    for row, tree in enumerate(trees):
        ids[row, : len(tree.ids)] = torch.tensor(tree.ids)
        positions[row, : len(tree.ids)] = torch.tensor(tree.depths)
        sight[row, 0, :, common:] = torch.from_numpy(tree.sight(width))
    dtype = loaded.model.dtype
    mask = torch.zeros(sight.shape, dtype=dtype).masked_fill(~sight, torch.finfo(dtype).min)
    kept = sorted({place for tree in trees for place in tree.ends.values()})
    output = loaded.model(
        input_ids=ids.to(device),
        position_ids=(positions + common).to(device),
        attention_mask=mask.to(device),
        past_key_values=_repeated(shared, len(trees)),
        use_cache=True,
        logits_to_keep=torch.tensor(kept, device=device),
    )
    for row, tree in enumerate(trees):
        for number, place in tree.ends.items():
            logits = output.logits[row, kept.index(place)].double()
            yield number, (logits[list(tokens)] - torch.logsumexp(logits, dim=-1))


def _repeated(shared: DynamicCache, rows: int) -> DynamicCache:
    """The same keys and values for every row; the original stays as it is."""
    cache = DynamicCache()
    for number, layer in enumerate(shared.layers):
        cache.update(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), number)
    return cache


def can_share_beginnings(loaded: LoadedModel, text: Sequence[int]) -> bool:
    """Whether the model takes a mask of its own for every token and gives the same as by a plain pass, tried once.

    Args:
        loaded: The model.
        text: At least 6 tokens.
    """
    layers = DynamicCache(config=loaded.model.config).layers
    if not all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
        return False
    texts = [[*text], [*text[:-2], text[0], text[1], text[2]], [*text[:-3], text[0]]]
    tokens = [text[0], text[1]]
    try:
        found = logprobs_by_beginnings(loaded, texts, tokens, 4096)
    except (NotImplementedError, AttributeError, TypeError, ValueError, KeyError, RuntimeError, IndexError):
        return False  # whatever the model's own code raised
    tolerance = 1e-3 if loaded.model.dtype == torch.float32 else 0.1
    return bool(((found - logprobs_by_padding(loaded, texts, tokens)).abs() <= tolerance).all())


def window_of(model: Any) -> int | None:
    """How far back the model's narrowest layer sees; a mask of our own would widen it. None: everything."""
    config = model.config.get_text_config(decoder=True)
    windows = [
        layer.sliding_window
        for layer in DynamicCache(config=config).layers
        if isinstance(layer, DynamicSlidingWindowLayer)
    ]
    return min(windows, default=None)


def logprobs_by_padding(loaded: LoadedModel, texts: Sequence[Sequence[int]], tokens: Sequence[int]) -> torch.Tensor:
    """The same by one padded batch, for every model: (texts, tokens), double precision."""
    longest = max(map(len, texts))
    device = loaded.device
    padded = torch.tensor([[0] * (longest - len(ids)) + list(ids) for ids in texts], device=device)
    mask = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in texts], device=device)
    positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
    output = loaded.model(
        input_ids=padded, attention_mask=mask, position_ids=positions, use_cache=False, logits_to_keep=1
    )
    logits: torch.Tensor = output.logits[:, -1].double()
    return logits[:, list(tokens)] - torch.logsumexp(logits, dim=-1, keepdim=True)
