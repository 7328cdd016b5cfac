"""Reading the next-token probabilities after many texts that begin alike, each common beginning computed once.

The candidates of a problem are judged in one question that differs only in the candidate, and candidates of one model
begin alike, too. What all texts share is computed once and kept as keys and values; the rest lies in rows as prefix trees,
in which a token attends to its own ancestors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from transformers import DynamicCache

from mathquorum.engines.embedded.cache import repeated
from mathquorum.engines.embedded.reading import common_length
from mathquorum.models import LoadedModel
from mathquorum.models.attention import agree, as_mask, keeps_keys_and_values, tried
from mathquorum.models.trees import PrefixTree

__all__ = ["can_share_beginnings", "logprobs_by_beginnings", "logprobs_by_padding"]

_ROW_TOKENS = 192  # a row's attention grows with the square of its length


@dataclass
class _Row:
    """Texts without what all share."""

    tree: PrefixTree = field(default_factory=PrefixTree)
    ends: dict[int, int] = field(default_factory=dict)  # number of a text -> place of its last token


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
    common = common_length(distinct)
    values: dict[tuple[int, ...], torch.Tensor] = {}
    shared = DynamicCache()
    if common:
        loaded.model(
            input_ids=torch.tensor([distinct[0][:common]], device=loaded.device),
            past_key_values=shared,
            use_cache=True,
            logits_to_keep=1,
        )
    for rows in _batches(_rows([text[common:] for text in distinct]), batch_tokens):
        for number, found in _read(loaded, rows, shared, common, tokens):
            values[distinct[number]] = found
    return torch.stack([values[tuple(text)] for text in texts])


def _rows(texts: Sequence[Sequence[int]]) -> list[_Row]:
    rows = [_Row()]
    room = max(_ROW_TOKENS, *map(len, texts))
    for number, text in enumerate(texts):
        if len(rows[-1].tree.ids) + rows[-1].tree.num_new(text) > room:
            rows.append(_Row())
        rows[-1].ends[number] = rows[-1].tree.add(text)[-1]
    return rows


def _batches(rows: Sequence[_Row], batch_tokens: int) -> Iterator[list[_Row]]:
    batch: list[_Row] = []
    for row in rows:
        if batch and (len(batch) + 1) * max(len(r.tree.ids) for r in (*batch, row)) > batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    yield batch


def _read(
    loaded: LoadedModel, rows: Sequence[_Row], shared: DynamicCache, common: int, tokens: Sequence[int]
) -> Iterator[tuple[int, torch.Tensor]]:
    """The number of each text and its log-probabilities."""
    device = loaded.device
    width = max(len(row.tree.ids) for row in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    positions = torch.zeros((len(rows), width), dtype=torch.long)
    sight = torch.ones((len(rows), 1, width, common + width), dtype=torch.bool)
    sight[..., common:] = torch.eye(width, dtype=torch.bool)
    for number, row in enumerate(rows):
        size = len(row.tree.ids)
        ids[number, :size] = torch.tensor(row.tree.ids)
        positions[number, :size] = torch.tensor(row.tree.depths)
        sight[number, 0, :size, common : common + size] = torch.from_numpy(row.tree.sight())
    kept = sorted({place for row in rows for place in row.ends.values()})
    output = loaded.model(
        input_ids=ids.to(device),
        position_ids=(positions + common).to(device),
        attention_mask=as_mask(loaded.model, sight.to(device)),
        past_key_values=repeated(shared, len(rows)),
        use_cache=True,
        logits_to_keep=torch.tensor(kept, device=device),
    )
    for line, row in enumerate(rows):
        for number, place in row.ends.items():
            logits = output.logits[line, kept.index(place)].double()
            yield number, (logits[list(tokens)] - torch.logsumexp(logits, dim=-1))


def can_share_beginnings(loaded: LoadedModel, text: Sequence[int]) -> bool:
    """Whether the model takes a mask of its own for every token and gives the same as by a plain pass, tried once.

    Args:
        loaded: The model.
        text: At least 6 tokens.
    """
    if not keeps_keys_and_values(loaded.model.config):
        return False
    texts = [[*text], [*text[:-2], text[0], text[1], text[2]], [*text[:-3], text[0]]]
    tokens = [text[0], text[1]]
    found = tried(lambda: logprobs_by_beginnings(loaded, texts, tokens, 4096))
    return agree(found, logprobs_by_padding(loaded, texts, tokens), loaded.model.dtype)


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
