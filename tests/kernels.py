"""The kernels of torch that this machine has, one name a line, for ATEN_CPU_CAPABILITY: `make test-kernels` runs under each."""

from __future__ import annotations

import torch

_X86 = ("default", "avx2", "avx512")


def kernels(best: str) -> list[str]:
    """Up to the best that torch found here; on another kind of processor the plain ones and its own."""
    return list(_X86[: _X86.index(best) + 1]) if best in _X86 else ["default", best]


if __name__ == "__main__":
    print("\n".join(kernels(torch.backends.cpu.get_cpu_capability().lower())))
