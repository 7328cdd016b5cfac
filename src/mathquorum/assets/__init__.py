"""Files that ship inside the package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["tiny_base_path"]


def tiny_base_path() -> Path:
    """The folder of the embedded base model, in the Hugging Face format."""
    return Path(__file__).parent / "tiny-base"
