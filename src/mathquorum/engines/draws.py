"""Drawing tokens: each row from its own seed, with arithmetic that does not know which other rows share the batch."""

from __future__ import annotations

import torch

__all__ = ["draw_tokens", "uniform"]

# The constants of SplitMix64 (Steele, Lea, Flood 2014); torch wants the factors as signed 64-bit integers.
_GAMMA = 0x9E3779B97F4A7C15 - 2**64
_MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
_MIX_2 = 0x94D049BB133111EB - 2**64

_HEAD = 64  # tokens; a nucleus that holds more is rare


def uniform(seeds: torch.Tensor, step: int | torch.Tensor) -> torch.Tensor:
    """The `step`-th uniform number in [0, 1) of each seed, double precision: the same on every device and in any batch.

    A counter-based generator (SplitMix64 of seed and step), so that no state has to travel with a row.

    Args:
        seeds: (rows,), int64.
        step: From 0; one for all rows, or one for each.
    """
    count = torch.as_tensor(step, dtype=torch.int64, device=seeds.device) + 1
    mixed = seeds + count * _GAMMA  # int64 arithmetic wraps, as SplitMix64 wants
    mixed = (mixed ^ _shift(mixed, 30)) * _MIX_1
    mixed = (mixed ^ _shift(mixed, 27)) * _MIX_2
    mixed = mixed ^ _shift(mixed, 31)
    return _shift(mixed, 11).double() * 2.0**-53


def _shift(values: torch.Tensor, bits: int) -> torch.Tensor:
    """Logical right shift; torch's own keeps the sign."""
    return (values >> bits) & ((1 << (64 - bits)) - 1)


def draw_tokens(logits: torch.Tensor, numbers: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """One token per row: the nucleus is cut, then the row's number picks from the cumulated probabilities.

    Ties between equal probabilities go to the lower token id.

    Args:
        logits: (rows, vocabulary).
        numbers: (rows,), uniform in [0, 1).
        temperature: Above 0.
        top_p: The smallest set of likeliest tokens with at least this probability is kept, as in Holtzman et al. 2020.

    Returns:
        (rows,), int64.
    """
    probabilities = torch.softmax(logits.float() / temperature, dim=-1)
    if probabilities.shape[-1] <= 2 * _HEAD:
        return _draw(*probabilities.sort(dim=-1, descending=True, stable=True), numbers, top_p)[0]
    tokens, certain = _draw(*_head(probabilities), numbers, top_p)
    if not bool(certain.all()):
        rows = (~certain).nonzero().squeeze(-1)
        whole = probabilities[rows].sort(dim=-1, descending=True, stable=True)
        tokens[rows] = _draw(*whole, numbers[rows], top_p)[0]
    return tokens


def _head(probabilities: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest few of each row, as a stable sort of the whole row begins: a sort of a large vocabulary costs more than
    a step of a small model."""
    order = probabilities.topk(_HEAD, dim=-1).indices.sort(dim=-1).values
    values, places = probabilities.gather(-1, order).sort(dim=-1, descending=True, stable=True)
    return values, order.gather(-1, places)


def _draw(
    probabilities: torch.Tensor, order: torch.Tensor, numbers: torch.Tensor, top_p: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The drawn tokens, and where they are certain to be those of the whole row, of which this may be the beginning: the
    nucleus ends before it does, and not among equals that may go on beyond it."""
    cumulated = probabilities.double().cumsum(dim=-1)
    before = cumulated - probabilities
    kept = (before < top_p).sum(dim=-1, keepdim=True).clamp(min=1)  # 0 only where the logits are no numbers
    mass = cumulated.gather(-1, kept - 1)
    position = torch.searchsorted(cumulated, numbers.unsqueeze(-1) * mass, right=True).minimum(kept - 1)
    certain = (kept < probabilities.shape[-1]) & (probabilities.gather(-1, kept - 1) > probabilities[..., -1:])
    return order.gather(-1, position).squeeze(-1), certain.squeeze(-1)
