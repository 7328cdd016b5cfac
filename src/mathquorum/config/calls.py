"""A name with settings in one text, "mypkg.votes:Shrunk(strength=2)", so that it fits where a plain name does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mathquorum.config.overrides import read_value
from mathquorum.errors import SettingsError

__all__ = ["call_text", "given_list", "read_call", "split_outside"]

_PAIRS = {"(": ")", "[": "]", "{": "}"}


def read_call(text: str) -> tuple[str, dict[str, Any]]:
    """The name, and the settings in brackets behind it, whose values are read as YAML.

    Raises:
        SettingsError: If it has no such form.

    Example:
        >>> read_call("mypkg.votes:Shrunk(strength=2, of=[a, b])")
        ('mypkg.votes:Shrunk', {'strength': 2, 'of': ['a', 'b']})
    """
    name, bracket, rest = text.strip().partition("(")
    if not bracket:
        return name, {}
    settings = {}
    if not rest.endswith(")"):
        raise SettingsError(f"{text!r} must end in ), after settings as NAME=VALUE: {name}(strength=2).")
    for part in split_outside(rest[:-1]):
        key, equals, value = part.partition("=")
        if not equals or not re.fullmatch(r"\w+", key.strip()):
            raise SettingsError(f"{text!r}: settings in brackets are given as NAME=VALUE. Got {part!r} instead.")
        settings[key.strip()] = read_value(value.strip())
    return name.strip(), settings


def call_text(name: str, settings: Mapping[str, Any]) -> str:
    """The text of a name and plain values.

    Example:
        >>> call_text("mypkg.votes:Shrunk", {"strength": 2.0, "label": "a, b"})
        'mypkg.votes:Shrunk(strength=2, label="a, b")'
    """
    if not settings:
        return name
    return f"{name}({', '.join(f'{key}={_value_text(value)}' for key, value in settings.items())})"


def given_list(text: str) -> list[Any]:
    """What a command line gives for a list: names between commas, or a YAML list such as [maj1, {name: "mypkg.votes:Shrunk", strength: 2}].

    Example:
        >>> given_list("maj1,w.rr"), given_list("[maj1, {name: my.votes:Shrunk, strength: 2}]")
        (['maj1', 'w.rr'], ['maj1', {'name': 'my.votes:Shrunk', 'strength': 2}])
    """
    if not text.lstrip().startswith(("[", "{")):
        return split_outside(text)
    found = read_value(text)
    if isinstance(found, str):
        raise SettingsError(
            f"{text!r} is no YAML list. Give names between commas, or [maj1, {{name: mypkg.votes:Shrunk}}]."
        )
    return found if isinstance(found, list) else [found]


def split_outside(text: str) -> list[str]:
    """The parts between commas that are in no bracket and no quotes.

    Example:
        >>> split_outside('maj1, my.votes:Shrunk(strength=2, label="a,b"), w.rr')
        ['maj1', 'my.votes:Shrunk(strength=2, label="a,b")', 'w.rr']
    """
    return [part.strip() for part in _parts(text) if part.strip()]


def _parts(text: str) -> Iterator[str]:
    start, quote, closing, escaped = 0, "", list[str](), False
    for place, sign in enumerate(text):
        if escaped or (quote and sign == "\\"):
            escaped = not escaped
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in _PAIRS:
            closing.append(_PAIRS[sign])
        elif closing and sign == closing[-1]:
            closing.pop()
        elif sign == "," and not closing:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _value_text(value: Any) -> str:
    plain = isinstance(value, str) and re.fullmatch(r"[\w.:/+\-]+", value) and read_value(value) == value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)  # as a person writes it
    return value if plain else json.dumps(value, ensure_ascii=False)
