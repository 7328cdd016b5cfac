"""The processes of one launch (`accelerate launch`, `torchrun`, Ray Train): each has a rank, and all train one model together.

The launcher tells each of its processes who it is by environment variables: RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE. To read them
takes no torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

__all__ = ["agreed", "claim_device", "first_finds", "local_world", "rank", "sharding", "summed", "world"]

T = TypeVar("T")


def rank() -> int:
    """The number of this process, from 0; the first alone writes files."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes train together; 1 where no launcher started this one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_world() -> int:
    """How many of them share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", str(world())))


def sharding() -> str | None:
    """What the launcher's accelerate configuration shares weights or optimizer out with ("FSDP", "DeepSpeed"); None where each process
    holds all."""
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true"):
        return "FSDP"
    return "DeepSpeed" if os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() in ("1", "true") else None


def claim_device() -> None:
    """From here on "cuda" is this process's own GPU: before a model is loaded, or all would load it to the first."""
    import torch

    number = int(os.environ.get("LOCAL_RANK", "0"))
    if number < torch.cuda.device_count():  # else the launcher shows each process its own GPU alone
        torch.cuda.set_device(number)


def agreed(wish: bool) -> bool:
    """What the first process wishes, on all of them: one that acts alone would wait for the others for ever. All must ask."""
    if not _are_several():
        return wish
    import torch
    from torch import distributed

    device = "cpu" if distributed.get_backend() == "gloo" else torch.accelerator.current_accelerator()
    told = torch.tensor(int(wish), device=device)
    distributed.broadcast(told, src=0)
    return bool(told)


def first_finds(find: Callable[[], T]) -> T:
    """What the first process finds, on all of them; the others do not look. All must call it."""
    if not _are_several():
        return find()
    from torch import distributed

    told = [find() if distributed.get_rank() == 0 else None]
    distributed.broadcast_object_list(told, src=0)
    found: Any = told[0]
    return found  # type: ignore[no-any-return]


def summed(share: torch.Tensor) -> float:
    """The sum over all processes of a number on the device that they train on. All must call it."""
    if not _are_several():
        return float(share)
    from torch import distributed

    whole = share.detach().clone()
    distributed.all_reduce(whole)
    return float(whole)


def _are_several() -> bool:
    from torch import distributed

    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
