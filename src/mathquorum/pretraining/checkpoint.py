"""The state of a pre-training between its steps, in one file."""

from __future__ import annotations

from pathlib import Path

import torch

from mathquorum.errors import RunError
from mathquorum.pretraining.settings import Pretraining

__all__ = ["restore", "save"]


def save(
    path: Path, settings: Pretraining, step: int, model: torch.nn.Module, optimizers: list[torch.optim.Optimizer]
) -> None:
    """Writes the state after so many steps."""
    state = {
        "settings": settings.model_dump_json(),
        "step": step,
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def restore(path: Path, settings: Pretraining, model: torch.nn.Module, optimizers: list[torch.optim.Optimizer]) -> int:
    """Loads the checkpoint, if there is one, and returns the number of steps it has done.

    Raises:
        RunError: If it was made with other settings.
    """
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    if state["settings"] != settings.model_dump_json():
        raise RunError(f"{path} was made with other settings. Use another folder, or delete this one.")
    model.load_state_dict(state["model"])
    for optimizer, values in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(values)
    step: int = state["step"]
    return step
