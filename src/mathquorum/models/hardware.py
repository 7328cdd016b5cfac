"""Where a model runs, in which numbers, and what happens where its memory ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mathquorum.config import Settings
from mathquorum.errors import ModelError, SettingsError

if TYPE_CHECKING:
    import torch

__all__ = ["Hardware", "enough_memory", "multiplies_bfloat16"]


class Hardware(Settings):
    """Where a model runs. All of it counts as settings of the result: sums of floats depend on it."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """"auto" takes an NVIDIA GPU (cuda) where there is one, else the CPU; mps must be asked for."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the weights. "auto": bfloat16 on a GPU, float32 on a CPU. A CPU with instructions for bfloat16 (avx512_bf16, amx_bf16) samples
    a model of half a billion weights 1.7 times as fast in it, but scores are coarse then: the recipes' scoring_hardware (docs/models.md)."""
    threads: int = Field(default=1, ge=1)
    """CPU threads per process. One, because processes are what we run side by side, and two multi-threaded ones on two
    cores ran 2 to 10 times slower than two with one thread each (docs/inside.md)."""

    def torch_device(self) -> torch.device:
        import torch

        if self.device != "auto":
            return torch.device(self.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def torch_dtype(self) -> torch.dtype:
        import torch

        if self.dtype == "auto":
            return torch.bfloat16 if self.torch_device().type == "cuda" else torch.float32
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[self.dtype]

    def settled(self) -> Hardware:
        """These settings with what "auto" means here, for workers on other machines.

        Raises:
            SettingsError: If a GPU is asked for and this machine has none: how much fits into its memory is measured here.
        """
        import torch

        if self.device == "cuda" and not torch.cuda.is_available():
            raise SettingsError(
                "hardware.device is cuda, and the machine that starts this run has no such GPU, by whose memory the work is cut. "
                "Start it on a node that has one, or set hardware.device to cpu."
            )
        number = str(self.torch_dtype()).removeprefix("torch.")
        return self.model_copy(update={"device": self.torch_device().type, "dtype": number})

    def resolved(self) -> str:
        """What "auto" means here: "cpu, float32"."""
        return f"{self.torch_device().type}, {str(self.torch_dtype()).removeprefix('torch.')}"


def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; without, nothing is gained by it."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@contextlib.contextmanager
def enough_memory(setting: str) -> Iterator[None]:
    """Says in words that the GPU's memory ran out.

    Raises:
        ModelError: If it did, naming the setting to lower.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"The GPU's memory ran out. Lower {setting} and run the same command again; what was finished is kept."
        ) from error
