"""Models of a run for others: a folder that plain transformers and vLLM load, with a card that says what was measured and how."""

from __future__ import annotations

from mathquorum.sharing.export import export, push

__all__ = ["export", "push"]
