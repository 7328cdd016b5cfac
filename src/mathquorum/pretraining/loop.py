"""The pre-training loop: every batch is a function of seed and step, so that a run that was killed goes on from its last checkpoint to
the same weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mathquorum.pretraining.batches import Batch, Batches
from mathquorum.pretraining.beginning import first_model, first_tokenizer
from mathquorum.pretraining.checkpoint import restore, save
from mathquorum.pretraining.muon import Muon
from mathquorum.pretraining.settings import Pretraining

__all__ = ["Progress", "learning_rate", "pretrain"]

_REPORT_STEPS = 50


@dataclass(frozen=True)
class Progress:
    """The state of the pre-training."""

    step: int
    num_steps: int
    loss: float
    """Mean weighted loss since the last report, in nats."""


def pretrain(settings: Pretraining, out: Path, progress: Callable[[Progress], None] | None = None) -> Path:
    """Makes the base in the folder `out`, or goes on with it there, and returns the Hugging Face folder `out/model`.

    Raises:
        RunError: If `out` holds a pre-training with other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    tokenizer = first_tokenizer(settings)
    model = first_model(settings, tokenizer)
    optimizers = _optimizers(model, settings)
    checkpoint = out / "checkpoint.pt"
    first = restore(checkpoint, settings, model, optimizers)
    batches = Batches(settings, tokenizer)
    losses: list[float] = []
    model.train()
    for step in range(first, settings.num_steps):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * learning_rate(step, settings)
        loss = _weighted_loss(model, batches.batch(step))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
        done = step + 1
        if done % settings.checkpoint_steps == 0:
            save(checkpoint, settings, done, model, optimizers)
        if progress and (done % _REPORT_STEPS == 0 or done == settings.num_steps):
            progress(Progress(done, settings.num_steps, sum(losses) / len(losses)))
            losses.clear()
    folder = out / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def learning_rate(step: int, settings: Pretraining) -> float:
    """The learning rate as a share of its peak: warm up, then follow `settings.learning_rate`."""
    shares, factors = zip(*settings.learning_rate, strict=True)
    return min((step + 1) / settings.warmup_steps, float(np.interp(step / settings.num_steps, shares, factors)))


def _weighted_loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Mean next-token loss, each token counted with its weight."""
    logits = model(input_ids=batch.tokens, use_cache=False).logits[:, :-1]  # (rows, context - 1, vocabulary)
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.tokens[:, 1:].flatten(), reduction="none")
    weights = batch.weights[:, 1:].flatten()
    return (losses * weights).sum() / weights.sum()


def _optimizers(model: torch.nn.Module, settings: Pretraining) -> list[torch.optim.Optimizer]:
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    matrices = [p for name, p in named if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in named if p.ndim != 2 or "embed" in name]
    muon = Muon(matrices, lr=settings.matrix_learning_rate, weight_decay=settings.weight_decay)
    adam = torch.optim.AdamW(others, lr=settings.other_learning_rate, weight_decay=0.0, betas=(0.9, 0.95))
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return [muon, adam]
