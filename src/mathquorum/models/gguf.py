"""GGUF files: checked, unpacked into a model as any other, and what is wrong with one that cannot be read."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from mathquorum.errors import ModelError

__all__ = ["check_gguf", "forget_packing", "gguf_fault", "unpacking"]


def check_gguf(file: Path) -> None:
    """Makes sure that a file is there, is one of GGUF, and can be read here, as far as its first bytes tell.

    Raises:
        ModelError: If not.
    """
    if not file.is_file():
        raise ModelError(
            f"There is no GGUF file {str(file)!r}. Give a file on this machine; one on a hub: download it first."
        )
    if file.open("rb").read(4) != b"GGUF":
        raise ModelError(f"{str(file)!r} is not a GGUF file: it does not begin with GGUF.")
    if importlib.util.find_spec("gguf") is None:
        raise ModelError("GGUF files need the package gguf. Install it with: pip install 'mathquorum[gguf]'.")


def gguf_fault(file: Path, error: str) -> str:
    """Why a GGUF file could not be read, and what to do.

    Args:
        file: One that begins as a GGUF file does.
        error: What the reader said.
    """
    from gguf import GGUFReader

    try:
        field = GGUFReader(file).get_field("general.architecture")
    except Exception:  # gguf raises whatever numpy raises where a file ends early
        return f"it is cut short or damaged: its header tells of more than its {file.stat().st_size:,} bytes. Fetch it again."
    architecture = field.contents() if field else None
    return f"transformers does not read its architecture {architecture!r} ({error}). Give the model as a Hugging Face folder or hub id."


def unpacking() -> Any:
    """What transformers wants to be told in order to unpack the weights as it reads them."""
    from transformers import GgufConfig

    return GgufConfig(dequantize=True)


def forget_packing(model: Any) -> None:
    """Makes a model that was unpacked one to be trained and saved as any other."""
    model.hf_quantizer = None
    if getattr(model.config, "quantization_config", None) is not None:
        del model.config.quantization_config
