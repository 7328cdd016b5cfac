"""The door of files: YAML, with variables of the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from mathquorum.errors import SettingsError

__all__ = ["read_mapping", "read_settings_file"]


def read_settings_file(path: Path) -> dict[str, Any]:
    """The values of a YAML file. `${NAME}` in a text stands for the environment variable.

    Raises:
        SettingsError: If the file cannot be read or is not a mapping, or names a variable that is not set.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"Settings file {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"Settings file {path} is not valid YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(
            f"Settings file {path} must hold 'name: value' lines. Got a {type(values).__name__} instead."
        )
    expanded: dict[str, Any] = _expand(values, path)
    return expanded


def read_mapping(text: str, option: str) -> dict[str, Any]:
    """The values of a settings file, or of a YAML mapping that is given in its place.

    Raises:
        SettingsError: If it is neither.
    """
    if not text.lstrip().startswith("{"):
        return read_settings_file(Path(text))
    try:
        values: dict[str, Any] = yaml.safe_load(text)  # what begins with a brace is a mapping or an error
    except yaml.YAMLError as error:
        raise SettingsError(f"{option} is not valid YAML: {error}") from error
    return values


def _expand(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _expand(inner, path) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expand(inner, path) for inner in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: _variable(match[1], path), value)
    return value


def _variable(name: str, path: Path) -> str:
    if name not in os.environ:
        raise SettingsError(f"Settings file {path} names ${{{name}}}, which is not set in the environment.")
    return os.environ[name]
