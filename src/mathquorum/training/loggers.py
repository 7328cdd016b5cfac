"""Where losses are shown while a model trains: by loggers that a user asks for, none by default."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mathquorum.training.ranks import rank

__all__ = ["made_by_trainer", "made_here"]

_TENSORBOARD = "tensorboard"


def made_by_trainer(names: Sequence[str]) -> list[str]:
    """The loggers that transformers makes as they should be."""
    return [name for name in names if name != _TENSORBOARD]


def made_here(names: Sequence[str], place: Path, step: int) -> list[Any]:
    """TensorBoard's callback, where it is asked for: it writes to the hidden folder .tensorboard, on the first process. The Trainer's own
    writes among the checkpoints, which go when training ends.

    Args:
        names: That the user gave.
        place: Where the folder is made.
        step: That training goes on from; what was logged later is taken back.

    Raises:
        ImportError: If TensorBoard is not installed.
    """
    if _TENSORBOARD not in names or rank() > 0:
        return []
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations import TensorBoardCallback

    writer: Any = SummaryWriter  # untyped
    return [TensorBoardCallback(writer(str(place / f".{_TENSORBOARD}"), purge_step=step + 1 if step else None))]
