"""Drawing tokens: each row from its own seed, with arithmetic that does not know which other rows share the batch."""

from __future__ import annotations

import torch

__all__ = ["Nuclei", "draw_tokens", "uniform"]

# The constants of SplitMix64 (Steele, Lea, Flood 2014); torch wants the factors as signed 64-bit integers.
_GAMMA = 0x9E3779B97F4A7C15 - 2**64
_MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
_MIX_2 = 0x94D049BB133111EB - 2**64

_HEADS = (64, 1024)  # tokens that are sorted first; a nucleus that holds more is rare
_GATHERED = 2**22  # probabilities copied at once while tokens are drawn: 32 MB


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
    """One token per row; see `Nuclei`. numbers: (rows,), uniform in [0, 1)."""
    return Nuclei(logits, temperature, top_p).draw(torch.arange(len(logits), device=logits.device), numbers)


class Nuclei:
    """Distributions whose nucleus is cut, to be drawn from as often as wanted: a number picks from the cumulated probabilities.

    Ties between equal probabilities go to the lower token id.

    Args:
        logits: (rows, vocabulary).
        temperature: Above 0.
        top_p: The smallest set of likeliest tokens with at least this probability is kept, as in Holtzman et al. 2020.
    """

    def __init__(self, logits: torch.Tensor, temperature: float, top_p: float) -> None:
        probabilities = torch.softmax(logits.float() / temperature, dim=-1)
        size = probabilities.shape[-1]
        self._parts: list[_Sorted] = []
        # For each row the part that knows it, and its place there
        self._part = torch.zeros(len(logits), dtype=torch.int64, device=logits.device)
        self._place = torch.arange(len(logits), device=logits.device)
        rows = self._place
        for head in (*(head for head in _HEADS if 2 * head < size), size):
            self._parts.append(_Sorted(*_head(probabilities[rows], head), top_p))
            unsure = ~self._parts[-1].certain
            if head == size or not bool(unsure.any()):
                return
            rows = rows[unsure]
            self._part[rows] += 1
            self._place[rows] = torch.arange(len(rows), device=logits.device)

    def likeliest(self, count: int) -> torch.Tensor:
        """Ids of each distribution's likeliest tokens, from the likeliest on: (rows, count), fewer where there are no more."""
        return self._parts[0].order[:, :count]

    def draw(self, rows: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """A token for each number.

        Args:
            rows: The distribution that each is drawn from: (draws,), int64.
            numbers: (draws,), uniform in [0, 1), double precision.

        Returns:
            (draws,), int64.
        """
        if len(self._parts) == 1:
            return self._parts[0].draw(rows, numbers)
        tokens = torch.empty_like(rows)
        for number, part in enumerate(self._parts):
            asked = self._part[rows] == number
            tokens[asked] = part.draw(self._place[rows[asked]], numbers[asked])
        return tokens


def _head(probabilities: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest tokens of each row and their ids, as a stable sort of the whole row begins: a sort of a large vocabulary costs
    more than a step of a small model."""
    if size == probabilities.shape[-1]:
        return probabilities.sort(dim=-1, descending=True, stable=True)
    order = probabilities.topk(size, dim=-1).indices.sort(dim=-1).values
    values, places = probabilities.gather(-1, order).sort(dim=-1, descending=True, stable=True)
    return values, order.gather(-1, places)


class _Sorted:
    """Rows from the likeliest token on, or the beginnings of such rows.

    Attributes:
        order: Token ids, the likeliest first: (rows, tokens).
        certain: Where a row's draws are those of the whole row, of which this may be the beginning: the nucleus ends before it
            does, and not among equals that may go on beyond it.
    """

    def __init__(self, probabilities: torch.Tensor, order: torch.Tensor, top_p: float) -> None:
        self.order = order
        self._cumulated = probabilities.double().cumsum(dim=-1)
        before = self._cumulated - probabilities
        kept = (before < top_p).sum(dim=-1, keepdim=True).clamp(min=1)  # 0 only where the logits are no numbers
        self._last = kept - 1
        self._mass = self._cumulated.gather(-1, self._last)
        last = probabilities.gather(-1, self._last)
        self.certain = ((kept < probabilities.shape[-1]) & (last > probabilities[..., -1:])).squeeze(-1)

    def draw(self, rows: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """See `Nuclei.draw`."""
        at_once = max(1, _GATHERED // self._cumulated.shape[-1])
        return torch.cat(
            [self._draw(*part) for part in zip(torch.split(rows, at_once), torch.split(numbers, at_once), strict=True)]
        )

    def _draw(self, rows: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        aims = numbers.unsqueeze(-1) * self._mass[rows]
        places = torch.searchsorted(self._cumulated[rows], aims, right=True).minimum(self._last[rows])
        return self.order[rows].gather(-1, places).squeeze(-1)
