"""Settings: one frozen pydantic model per stage and recipe, and three doors to it.

A YAML file, dotted overrides on the command line (`--sampling.temperature 0.7` or `sampling.temperature=0.7`) and
Python keywords all end in `build`, which checks everything at once and says what is wrong in the user's own words.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from mathquorum.errors import SettingsError, suggest

__all__ = [
    "Grows",
    "HubModel",
    "InputModel",
    "InputPath",
    "Runtime",
    "Settings",
    "build",
    "describe",
    "in_words",
    "is_input",
    "marked",
    "merge",
    "parse_overrides",
    "read_settings_file",
]

S = TypeVar("S", bound="Settings")


class Settings(BaseModel):
    """Base of every settings model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, hide_input_in_errors=True
    )


class Input:
    """Marks a path whose contents, not its name, belong to the identity of a stage."""


class HubModel(Input):
    """Marks a model that need not lie here: where there is no such folder, a hub id (OWNER/NAME) stands for its contents."""


class Runtime:
    """Marks a setting that changes how fast a stage runs but no byte of what it makes (workers)."""


class Grows:
    """Marks a number that may be raised when a stage is complete: what is there stays as it is, and only what is missing is made."""


InputPath = Annotated[Path, Input()]
"""A file or folder that a stage reads."""
InputModel = Annotated[str, HubModel()]
"""A model that a stage reads: a folder, or a hub id."""


def marked(field: FieldInfo, marker: type) -> bool:
    """Whether a field's annotation carries the marker, at its top or within an option, tuple or mapping."""
    waiting: list[Any] = [field.annotation]
    if any(isinstance(m, marker) for m in field.metadata):
        return True
    while waiting:
        annotation = waiting.pop()
        if any(isinstance(m, marker) for m in getattr(annotation, "__metadata__", ())):
            return True
        waiting.extend(get_args(annotation))
    return False


def is_input(field: FieldInfo) -> bool:
    """Whether a field was declared as `InputPath` or `InputModel`, or as an option, tuple or mapping of them."""
    return marked(field, Input)


def build(kind: type[S], values: Mapping[str, Any]) -> S:
    """The settings that the values describe. Where a default is itself a settings object, giving a part of it keeps the rest.

    Raises:
        SettingsError: One line per value that cannot be used, and for an unknown key what it may have meant.
    """
    try:
        return kind.model_validate(_upon_defaults(kind, values))
    except ValidationError as error:
        raise in_words(kind, error) from error


def in_words(kind: type[Settings], error: ValidationError) -> SettingsError:
    """A pydantic error about settings of that kind, one line per value, as the user wrote them."""
    return SettingsError("\n".join(_explain(kind, item) for item in error.errors(include_url=False)))


def _upon_defaults(kind: type[Settings], values: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {name: field.default for name, field in kind.model_fields.items()}
    return {name: _upon(defaults.get(name), value) for name, value in values.items()}


def _upon(default: Any, given: Any) -> Any:
    if not isinstance(default, Settings) or not isinstance(given, Mapping):
        return given
    kind = getattr(default, "kind", None)
    if given.get("kind", kind) != kind:  # another member of a union has other settings
        return given
    whole = {name: getattr(default, name) for name in type(default).model_fields}
    return {**whole, **{name: _upon(whole.get(name), value) for name, value in given.items()}}


def _explain(kind: type[Settings], item: Any) -> str:
    place, owner = _place(kind, item["loc"])
    name = ".".join(place)
    given = item.get("input")
    if item["type"] == "extra_forbidden":
        known = list(owner.model_fields) if owner else []
        return f"Unknown setting {name!r}. {suggest(place[-1], known)}"
    if item["type"] == "missing":
        return f"{name} is required. Give it as --{name} VALUE, in the settings file, or as a keyword."
    text = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if item["type"] == "value_error":
        return f"{name}: {text}" if name else text
    return f"{name} {text}. Got {given!r} instead."


def _place(kind: type[Settings], loc: Sequence[str | int]) -> tuple[list[str], type[BaseModel] | None]:
    """The setting as the user wrote it, and the settings that it is one of. pydantic names the chosen member of a union as a part
    of the place (engine.server.url), and the user did not."""
    place: list[str] = []
    owner: type[BaseModel] | None = kind
    members: list[type[BaseModel]] = []
    for part in map(str, loc):
        chosen = next((m for m in members if len(members) > 1 and _is_kind(m, part)), None)
        if chosen:
            owner, members = chosen, []
            continue
        field = owner.model_fields.get(part) if owner else None
        if field:
            members = _members(field.annotation)
            owner = members[0] if members else owner
        place.append(part)
    return place, owner


def _members(annotation: Any) -> list[type[BaseModel]]:
    """The settings that an annotation names, those within options, tuples and mappings included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [member for below in get_args(annotation) for member in _members(below)]


def _is_kind(member: type[BaseModel], word: str) -> bool:
    """Whether a union's members are told apart by a setting that is this word for this one."""
    return any(f.default == word for f in member.model_fields.values() if get_origin(f.annotation) is Literal)


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


def describe(
    kind: type[Settings], prefix: str = "", defaults: Settings | None = None
) -> Iterator[tuple[str, str, str]]:
    """Dotted name, default and meaning of every setting, those of nested settings included."""
    for name, field in kind.model_fields.items():
        default = getattr(defaults, name) if defaults else field.default
        meaning = " ".join((field.description or "").split())
        if isinstance(default, Settings):
            yield prefix + name, "", meaning
            yield from describe(type(default), f"{prefix}{name}.", default)
        elif field.is_required() and defaults is None:
            yield prefix + name, "required", meaning
        else:
            yield prefix + name, str(_shown(default)), meaning


def _shown(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Mapping):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_shown(item) for item in value]
    return "null" if value is None else value


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
        parts, value = name.replace("-", "_").split("."), _value(text)
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


def _value(text: str) -> Any:
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
