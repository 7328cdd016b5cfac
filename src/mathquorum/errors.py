"""The errors that mathquorum raises. The command line shows their text alone. Nothing but the command line prints or exits.

A text says what was given, what would do, and what to do next, and names the setting as the user wrote it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DataError",
    "MathquorumError",
    "ModelError",
    "PromptError",
    "RunError",
    "SettingsError",
    "suggest",
    "visible",
    "visible_lines",
]


class MathquorumError(Exception):
    """Anything that went wrong and that the user can act on. The command line exits with `exit_code`."""

    exit_code = 1


class SettingsError(MathquorumError):
    """A setting, option or argument that cannot be used as it was given."""

    exit_code = 2


class DataError(MathquorumError):
    """A data file that cannot be read as what it is said to be."""


class ModelError(MathquorumError):
    """A model or tokenizer that cannot be loaded or does not fit the task."""


class PromptError(ModelError):
    """A conversation that a model cannot be shown."""


class RunError(MathquorumError):
    """A run directory that does not fit what is asked of it."""


def visible(text: str) -> str:
    """A text from a file as it may be shown in a terminal: what would move the cursor or change colours is written out.

    Example:
        >>> visible("red \\x1b[31m\\n")
        'red \\\\x1b[31m\\\\n'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def visible_lines(text: str) -> str:
    """As `visible`, with lines kept.

    Example:
        >>> visible_lines("one\\ntwo \\x07")
        'one\\ntwo \\\\x07'
    """
    return "\n".join(map(visible, text.split("\n")))


def suggest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known word, and all of them.

    Example:
        >>> suggest("mth", ["math", "gsm8k"])
        "Did you mean 'math'? Known: gsm8k, math."
    """
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    return (f"Did you mean {near[0]!r}? " if near else "") + f"Known: {', '.join(words)}."
