"""Log-probabilities of chosen tokens, without the logits of the others.

A vocabulary of 150,000 entries makes the logits of a batch its largest tensor by far, and most of them are never asked for:
those of prompts, of padding, of judged solutions. Here the model's head is given only the places that are read.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from mathquorum.trees import as_mask, window_of

__all__ = ["LogprobReader"]

_LOGITS_AT_ONCE = 2**25  # 128 MB in float32; more are computed in parts, and again in the backward pass


class LogprobReader:
    """Reads the log-probabilities that a `batches.Chunk` asks for.

    Args:
        model: A transformers model, as it is or wrapped for several processes. It is not changed.

    Attributes:
        widest_tree: The longest text that may share beginnings with others (see `trees`); 0 where the model takes no mask
            of our own.
        packs: Whether the model keeps the texts of a row apart by their positions. One that does not use positions (ALiBi)
            gets a row for each.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        inner = getattr(model, "module", model)
        self._head = inner.get_output_embeddings()
        with torch.no_grad():
            self._head_is_last = inner is model and type(self._head) is torch.nn.Linear and self._gives_the_logits()
            self.widest_tree = self._widest_tree(inner)
            self.packs = self._keeps_texts_apart()

    def read(self, tensors: dict[str, torch.Tensor], num_slots: int) -> torch.Tensor:
        """The summed log-probabilities of the chunk's slots: (num_slots,), float32, in nats.

        Texts in a row are kept apart by the chunk's mask, or else by their positions, which transformers turns into a mask.
        The latter holds only without a cache: with one, the second text of a row attends to the first.
        """
        places, tokens = tensors["places"], tensors["tokens"]
        size = len(places) * self._model_config().vocab_size
        if self._head_is_last and size > _LOGITS_AT_ONCE:
            hidden = self._forward(tensors, None).index_select(0, places)  # (reads, width)
            parts = min(len(places), -(-size // _LOGITS_AT_ONCE))
            logprobs: torch.Tensor = _InParts.apply(  # type: ignore[no-untyped-call]
                hidden, self._head.weight, self._head.bias, tokens, parts
            )
        else:
            logprobs = _chosen(self._forward(tensors, places), tokens)
        return logprobs.new_zeros(num_slots).index_add(0, tensors["owners"], logprobs)

    def _forward(self, tensors: dict[str, torch.Tensor], places: torch.Tensor | None) -> torch.Tensor:
        """Logits at the places (reads, vocabulary); with None, what the head would have been given everywhere
        (tokens, width)."""
        arguments = {"input_ids": tensors["input_ids"], "position_ids": tensors["position_ids"], "use_cache": False}
        if "mask" in tensors:
            inner = getattr(self._model, "module", self._model)
            arguments["attention_mask"] = as_mask(inner, tensors["mask"].unsqueeze(1))
        if self._head is None:
            return self._model(**arguments).logits.flatten(0, 1).index_select(0, places)  # type: ignore[no-any-return]
        given: list[torch.Tensor] = []

        def hand_over(_: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            hidden = inputs[0].flatten(0, 1)
            given.append(hidden)
            chosen = hidden[:0] if places is None else hidden.index_select(0, places)
            return (chosen, *inputs[1:])

        hook = self._head.register_forward_pre_hook(hand_over)
        try:
            logits: torch.Tensor = self._model(**arguments).logits
        finally:
            hook.remove()
        return given[0] if places is None else logits

    def _model_config(self) -> Any:
        return getattr(self._model, "module", self._model).config.get_text_config(decoder=True)

    def _gives_the_logits(self) -> bool:
        """Whether the model does nothing to the logits after its head (some scale or squeeze them)."""
        tensors = self._tried([[0, 1, 2]])
        own = self._forward(tensors, torch.arange(3, device=tensors["input_ids"].device))
        return torch.allclose(self._head(self._forward(tensors, None)).float(), own.float(), atol=1e-5, rtol=1e-3)

    def _widest_tree(self, inner: Any) -> int:
        layers = DynamicCache(config=inner.config).layers
        if not all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
            return 0
        window = window_of(inner) or 2**31
        plain, places = self._tried([[0, 1, 2, 3], [0, 1, 4, 5]]), torch.tensor([0, 1, 2, 3, 6, 7])
        tree = self._tried([[0, 1, 2, 3, 4, 5]])
        tree["position_ids"] = torch.tensor([[0, 1, 2, 3, 2, 3]], device=tree["input_ids"].device)
        sight = torch.ones((6, 6), dtype=torch.bool, device=tree["input_ids"].device).tril()
        sight[4:, 2:4] = False
        tree["mask"] = sight.unsqueeze(0)
        try:
            expected = self._forward(plain, places.to(sight.device)).float()
            found = self._forward(tree, torch.arange(6, device=sight.device)).float()
        except (NotImplementedError, AttributeError, TypeError, ValueError, KeyError, RuntimeError):
            return 0  # whatever the model's own code raised
        tolerance = 1e-3 * expected.abs().max().clamp(min=1)
        return window if bool(((found - expected).abs() <= tolerance).all()) else 0

    def _keeps_texts_apart(self) -> bool:
        row, alone = self._tried([[0, 1, 2, 3, 4]]), self._tried([[3, 4]])
        device = row["input_ids"].device
        row["position_ids"] = torch.tensor([[0, 1, 2, 0, 1]], device=device)
        found = self._forward(row, torch.tensor([3, 4], device=device)).float()
        expected = self._forward(alone, torch.tensor([0, 1], device=device)).float()
        return bool(((found - expected).abs() <= 1e-3 * expected.abs().max().clamp(min=1)).all())

    def _tried(self, ids: list[list[int]]) -> dict[str, torch.Tensor]:
        device = next(self._model.parameters()).device
        rows = torch.tensor(ids, device=device)
        return {"input_ids": rows, "position_ids": torch.arange(rows.shape[1], device=device).expand(rows.shape)}


def _chosen(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Log-probability of each row's token: (rows,), float32."""
    return torch.log_softmax(logits.float(), dim=-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)


class _InParts(torch.autograd.Function):
    """Log-probabilities of tokens by a linear head, with the logits of a part of the rows at a time, forward and backward."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        tokens: torch.Tensor,
        parts: int,
    ) -> torch.Tensor:
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
        ctx.save_for_backward(hidden, weight, bias, tokens)
        ctx.parts, ctx.dtype = parts, dtype
        return torch.cat(
            [
                _chosen(_linear(rows, weight, bias, dtype), of_rows)
                for rows, of_rows in zip(hidden.tensor_split(parts), tokens.tensor_split(parts), strict=True)
            ]
        )

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        hidden, weight, bias, tokens = ctx.saved_tensors
        of_hidden, of_weight = torch.empty_like(hidden), torch.zeros_like(weight)
        of_bias = None if bias is None else torch.zeros_like(bias)
        cut = [part.tensor_split(ctx.parts) for part in (hidden, of_hidden, tokens, slopes[0])]
        for rows, of_rows, chosen, slope in zip(*cut, strict=True):
            # d log p(t) / d logits = 1[t] - p
            pull = torch.softmax(_linear(rows, weight, bias, ctx.dtype).float(), dim=-1).mul_(-slope.unsqueeze(-1))
            pull[torch.arange(len(chosen), device=chosen.device), chosen] += slope
            pull = pull.to(ctx.dtype)
            of_rows.copy_(pull @ weight.to(ctx.dtype))
            of_weight += (pull.T @ rows.to(ctx.dtype)).to(weight.dtype)
            if of_bias is not None:
                of_bias += pull.sum(dim=0).to(of_bias.dtype)
        return of_hidden, of_weight, of_bias, None, None


def _linear(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor:
    return torch.nn.functional.linear(rows.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype))
