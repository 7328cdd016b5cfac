"""What the libraries print and raise when models are read and saved: nothing is printed, and errors are ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from mathquorum.errors import ModelError
from mathquorum.models.gguf import gguf_fault
from mathquorum.models.sources import Source, hub_answers
from mathquorum.store import write_error

__all__ = ["cannot_load", "first_line", "silence_transformers", "writing"]


def silence_transformers() -> None:
    """The library prints nothing: no bar per loaded tensor, no advice; what matters comes back as an error."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def cannot_load(what: str, source: Source, error: Exception) -> ModelError:
    """Why a part of a model could not be read, and what would do.

    Args:
        what: The part, as it stands before the base's name: "Model".
        source: Where it was looked for.
        error: What transformers raised, which may be whatever the file at fault raised.
    """
    if source.gguf:
        return ModelError(f"GGUF file {source.base!r} cannot be loaded: {gguf_fault(source.gguf, first_line(error))}")
    if not source.is_local and not hub_answers():
        return ModelError(
            f"{what} {source.base!r} cannot be loaded: there is no such folder here, the hub's cache does not hold it, and the hub cannot "
            "be reached. Give a local folder, or run where the hub can be reached."
        )
    return ModelError(f"{what} {source.base!r} cannot be loaded: {first_line(error)}")


def first_line(error: BaseException) -> str:
    """An error's kind and the first line of its message."""
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Says in words what the libraries raise when they save to a folder and the disk is full.

    Raises:
        RunError: If something cannot be written.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise write_error(folder, error) from error
    except RuntimeError as error:
        if "PytorchStreamWriter" not in str(error) and "inline_container" not in str(error):
            raise
        raise write_error(folder, OSError("the disk may be full")) from error
