"""Files that ship inside the package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["mini_base_path", "tiny_base_path"]


def tiny_base_path() -> Path:
    """The folder of the embedded base model, in the Hugging Face format."""
    return Path(__file__).parent / "tiny-base"


def mini_base_path() -> Path:
    """The folder of the smaller embedded base, in the role of PaLM 2-S* in the study."""
    return Path(__file__).parent / "mini-base"
