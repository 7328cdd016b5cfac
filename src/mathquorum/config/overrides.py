"""The door of the command line: dotted names and values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from mathquorum.errors import SettingsError

__all__ = ["merge", "parse_overrides", "read_value"]


def parse_overrides(arguments: Sequence[str]) -> dict[str, Any]:
    """Nested values from `--a.b 1`, `--a.b=1`, `a.b=1`, and `--flag` alone for true. Values are read as YAML.

    Raises:
        SettingsError: If an argument has none of these forms, or a setting is given both a value and parts.

    Example:
        >>> parse_overrides(["--sampling.temperature", "0.7", "seed=3"])
        {'sampling': {'temperature': 0.7}, 'seed': 3}
    """
    values: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, given, text = word.removeprefix("--").partition("=")
        if not re.fullmatch(r"[A-Za-z_][\w\-]*(\.[\w\-]+)*", name) or (not given and not word.startswith("--")):
            raise SettingsError(f"Cannot read {word!r}. Settings are given as --name VALUE or name=VALUE.")
        if not given:
            text = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        parts, value = name.replace("-", "_").split("."), read_value(text)
        _refuse_both(values, parts, value)
        values = merge(values, _nest(parts, value))
    return values


def _refuse_both(values: Mapping[str, Any], parts: Sequence[str], value: Any) -> None:
    """One of a value and a part of it would be lost in silence."""
    for number, part in enumerate(parts, start=1):
        if part not in values:
            return
        below, last = values[part], number == len(parts)
        if isinstance(below, Mapping) != (isinstance(value, Mapping) if last else True):
            name = ".".join(parts[:number])
            raise SettingsError(f"{name} was given both a value and parts ({name}.NAME). Give one or the other.")
        if last or not isinstance(below, Mapping):
            return
        values = below


def read_value(text: str) -> Any:
    """A value as YAML, save that 1e-4 is a number."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    # YAML 1.1 reads 1e-4 as text; people mean the number.
    if isinstance(value, str):
        try:
            return float(value) if re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value) else value
        except ValueError:
            return value
    return value


def _nest(parts: Sequence[str], value: Any) -> dict[str, Any]:
    for part in reversed(parts):
        value = {part: value}
    nested: dict[str, Any] = value
    return nested


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings as one; where both name a setting the second wins, and nested settings are merged part by part."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged
