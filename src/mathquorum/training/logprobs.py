"""Log-probabilities of chosen tokens, without the logits of the others.

A vocabulary of 150,000 entries makes the logits of a batch its largest tensor by far, and most of them are never asked for:
those of prompts, of padding, of judged solutions. Here the model's head is given only the places that are read, and so is the
last layer's MLP where they are few.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from mathquorum.models.attention import agree, keeps_keys_and_values, tried, window_of
from mathquorum.models.trees import PrefixTree
from mathquorum.training.batches import Chunk
from mathquorum.training.grouped_attention import Groups, attend_as_before, attend_in_groups

__all__ = ["LogprobReader"]

_FEW = 0.5  # of a chunk's tokens: where more are read, to leave out the others saves less than to choose costs. Our choice.
_LOGITS_AT_ONCE = 2**25  # 128 MB in float32; more are computed in parts, and again in the backward pass


class LogprobReader:
    """Reads the log-probabilities that a `training.batches.Chunk` asks for.

    Args:
        model: A transformers model. Its attention implementation is switched while it reads and put back; weights are not changed.
        checkpoints: Whether the backward pass repeats the forward one (gradient checkpointing).

    Attributes:
        longest_grouped: The longest text that may lie in a row without padding, and share its beginning with others
            (`training.grouped_attention`); 0 where the model's attention is its own.
        packs: Whether the model keeps the texts of a padded row apart by their positions. One that does not use positions (ALiBi)
            gets a row for each.
    """

    def __init__(self, model: Any, checkpoints: bool = False) -> None:
        self._unwrapped = self._model = model
        self._checkpoints = checkpoints
        self._usual_attention = model.config._attn_implementation
        self._head = model.get_output_embeddings()
        self._last_mlp: torch.nn.Module | None = None
        with torch.no_grad(), _evaluating(model):
            self._head_is_last = type(self._head) is torch.nn.Linear and self._gives_the_logits()
            self.longest_grouped = self._longest_grouped()
            self.packs = self._keeps_texts_apart()
            self._last_mlp = self._found_last_mlp()

    def wrap(self, model: Any) -> None:
        """From here on the model is called by what it has been wrapped in for several processes. Its head is no longer called
        apart from it, since gradients are gathered in the wrapper's own pass."""
        if model is not self._unwrapped:
            self._model, self._head_is_last = model, False

    def release(self) -> None:
        """The model attends as it did before."""
        attend_as_before(self._unwrapped, self._usual_attention)

    def read(self, chunk: Chunk, num_slots: int) -> torch.Tensor:
        """The summed log-probabilities of the chunk's slots: (num_slots,), float32, in nats. A model that checkpoints its gradients
        attends in the chunk's groups until the next one, or `release`: go backward first.

        Texts in a padded row are kept apart by their positions, which transformers turns into a mask. That holds only without a
        cache: with one, the second text of a row attends to the first.
        """
        tensors = chunk.tensors
        places, tokens = tensors["places"], tensors["tokens"]
        size = len(places) * self._unwrapped.config.get_text_config(decoder=True).vocab_size
        # Weights that are sharded among processes are gathered only within the model's own pass.
        whole = self._head_is_last and type(self._head.weight) is torch.nn.Parameter
        if whole and size > _LOGITS_AT_ONCE:
            hidden = self._forward(tensors, chunk.groups, places, before_head=True)  # (reads, width)
            parts = min(len(places), -(-size // _LOGITS_AT_ONCE))
            logprobs: torch.Tensor = _InParts.apply(  # type: ignore[no-untyped-call]
                hidden, self._head.weight, self._head.bias, tokens, parts
            )
        else:
            logprobs = _chosen(self._forward(tensors, chunk.groups, places), tokens)
        return logprobs.new_zeros(num_slots).index_add(0, tensors["owners"], logprobs)

    def _forward(
        self,
        tensors: dict[str, torch.Tensor],
        groups: Groups | None,
        places: torch.Tensor,
        *,
        before_head: bool = False,
    ) -> torch.Tensor:
        """Logits at the places, (reads, vocabulary), or what the head would have been given for them, (reads, width)."""
        arguments: dict[str, Any] = {
            "input_ids": tensors["input_ids"],
            "position_ids": tensors["position_ids"],
            "use_cache": False,
        }
        try:
            if groups is None:
                self.release()
            else:
                attend_in_groups(self._unwrapped, groups)
            with nullcontext() if self._checkpoints else self._leaving_out(places, arguments["input_ids"].shape):
                return self._read_places(arguments, places, before_head)
        finally:
            if not self._checkpoints:
                self.release()

    def _read_places(self, arguments: dict[str, Any], places: torch.Tensor, before_head: bool) -> torch.Tensor:
        if self._head is None:
            return self._model(**arguments).logits.flatten(0, 1).index_select(0, places)  # type: ignore[no-any-return]
        given: list[torch.Tensor] = []

        def hand_over(_: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            chosen = inputs[0].flatten(0, 1).index_select(0, places)
            given.append(chosen)
            return (chosen[:0] if before_head else chosen, *inputs[1:])

        hook = self._head.register_forward_pre_hook(hand_over)
        try:
            logits: torch.Tensor = self._model(**arguments).logits
        finally:
            hook.remove()
        return given[0] if before_head else logits

    @contextmanager
    def _leaving_out(self, places: torch.Tensor, shape: tuple[int, int]) -> Iterator[None]:
        """Within it the last layer's MLP computes only the places that are read, where those are few: nobody attends to what it
        gives."""
        few = torch.unique(places)
        if self._last_mlp is None or len(few) > _FEW * shape[0] * shape[1]:
            yield
            return

        def choose(_: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            return (inputs[0].flatten(0, 1).index_select(0, few).unsqueeze(0), *inputs[1:])

        def put_back(_: Any, __: Any, output: torch.Tensor) -> torch.Tensor:
            whole = output.new_zeros((shape[0] * shape[1], output.shape[-1]))
            return whole.index_copy(0, few, output.squeeze(0)).view(*shape, -1)

        hooks = [self._last_mlp.register_forward_pre_hook(choose), self._last_mlp.register_forward_hook(put_back)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    # --- what the model can do, tried on a few tokens ----------------------------------------------------------------

    def _gives_the_logits(self) -> bool:
        """Whether the model does nothing to the logits after its head (some scale or squeeze them)."""
        tensors = self._tried([[0, 1, 2]])
        places = torch.arange(3, device=tensors["input_ids"].device)
        own, given = (self._forward(tensors, None, places, before_head=apart) for apart in (False, True))
        return torch.allclose(self._head(given).float(), own.float(), atol=1e-5, rtol=1e-3)

    def _longest_grouped(self) -> int:
        if not keeps_keys_and_values(self._unwrapped.config):
            return 0
        branched, single = PrefixTree(), PrefixTree()
        reads = [*branched.add([0, 1, 2, 3]), *branched.add([0, 1, 4, 5])[2:], *(6 + p for p in single.add([2, 1, 0]))]
        plain, places = self._tried([[0, 1, 2, 3], [0, 1, 4, 5], [2, 1, 0, 0]]), [0, 1, 2, 3, 6, 7, 8, 9, 10]
        row = self._tried([branched.ids + single.ids])
        device = row["input_ids"].device
        row["position_ids"] = torch.tensor([branched.depths + single.depths], device=device)
        groups = Groups.of([branched, single]).to(device)
        expected = tried(lambda: self._forward(plain, None, torch.tensor(places, device=device)))
        found = tried(lambda: self._forward(row, groups, torch.tensor(reads, device=device)))
        as_alone = expected is not None and agree(found, expected, self._unwrapped.dtype)
        return (window_of(self._unwrapped) or 2**31) if as_alone else 0

    def _keeps_texts_apart(self) -> bool:
        row, alone = self._tried([[0, 1, 2, 3, 4]]), self._tried([[3, 4]])
        device = row["input_ids"].device
        row["position_ids"] = torch.tensor([[0, 1, 2, 0, 1]], device=device)
        found = self._forward(row, None, torch.tensor([3, 4], device=device))
        return agree(found, self._forward(alone, None, torch.tensor([0, 1], device=device)), self._unwrapped.dtype)

    def _found_last_mlp(self) -> torch.nn.Module | None:
        """The last layer's, where the logits of a place do not depend on what it gives for others."""
        self._last_mlp = tried(lambda: self._unwrapped.get_decoder().layers[-1].mlp)
        tensors = self._tried([[0, 1, 2, 3], [0, 1, 4, 5]])
        places = torch.arange(8, device=tensors["input_ids"].device)
        expected = self._forward(tensors, None, places).float()[-1:]
        found = tried(lambda: self._forward(tensors, None, places[-1:]).float())
        alike = found is not None and torch.allclose(found, expected, atol=1e-5, rtol=1e-3)
        return self._last_mlp if alike else None

    def _tried(self, ids: list[list[int]]) -> dict[str, torch.Tensor]:
        device = next(self._unwrapped.parameters()).device
        rows = torch.tensor(ids, device=device)
        return {"input_ids": rows, "position_ids": torch.arange(rows.shape[1], device=device).expand(rows.shape)}


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Switches dropout off meanwhile."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


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
        of_hidden = torch.empty_like(hidden)
        of_weight = (
            torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        )  # a head under an adapter is not trained
        of_bias = torch.zeros_like(bias) if ctx.needs_input_grad[2] else None
        cut = [part.tensor_split(ctx.parts) for part in (hidden, of_hidden, tokens, slopes[0])]
        for rows, of_rows, chosen, slope in zip(*cut, strict=True):
            # d log p(t) / d logits = 1[t] - p
            pull = torch.softmax(_linear(rows, weight, bias, ctx.dtype).float(), dim=-1).mul_(-slope.unsqueeze(-1))
            pull[torch.arange(len(chosen), device=chosen.device), chosen] += slope
            pull = pull.to(ctx.dtype)
            of_rows.copy_(pull @ weight.to(ctx.dtype))
            if of_weight is not None:
                of_weight += (pull.T @ rows.to(ctx.dtype)).to(weight.dtype)
            if of_bias is not None:
                of_bias += pull.sum(dim=0).to(of_bias.dtype)
        return of_hidden, of_weight, of_bias, None, None


def _linear(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor:
    return torch.nn.functional.linear(rows.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype))
