"""The versions of the libraries that a result's bytes depend on."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform

__all__ = ["library_versions"]

_LIBRARIES = ("mathquorum", "torch", "transformers", "tokenizers", "numpy", "pydantic")


def library_versions() -> dict[str, str]:
    """The versions that are installed here, by name."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found
