"""Every setting of a kind with its default, what it admits and what it means, as words that can be given back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mathquorum.config.kinds import admits_bool, alternatives, members, tag_name, tag_of
from mathquorum.config.overrides import read_value
from mathquorum.config.own import Own
from mathquorum.config.settings import Settings, Told, marked

__all__ = ["Listed", "describe", "pasteable"]


@dataclass(frozen=True)
class Listed:
    """One setting, or the heading of settings that belong together.

    Attributes:
        name: Dotted.
        words: What a shell would be given to set the default, `--seed 0`; None for a heading, and for what has no default.
        meaning: One sentence or a few; may be empty.
        admits: Choices and bounds; may be empty.
        required: It has no default.
        like: Of a heading: settings of the same kind whose list came before, so that only what differs from them follows.
    """

    name: str
    words: str | None
    meaning: str
    admits: str = ""
    required: bool = False
    like: str | None = None


def describe(kind: type[Settings]) -> Iterator[Listed]:
    """All settings of a kind, in order; of a kind that comes several times, the later ones by what differs from the first."""
    yield from _Listing().all_of(kind, None, "")


class _Listing:
    def __init__(self) -> None:
        self._seen: dict[type[BaseModel], tuple[str, Settings]] = {}
        self._shown: set[type[BaseModel]] = set()

    def all_of(self, kind: type[BaseModel], values: Settings | None, prefix: str) -> Iterator[Listed]:
        for name, field in kind.model_fields.items():
            if marked(field, Told):
                continue
            required = values is None and field.is_required()
            default = getattr(values, name) if values else field.get_default(call_default_factory=True)
            yield from self._one(prefix + name, field, default, required)

    def _one(self, name: str, field: FieldInfo, default: Any, required: bool) -> Iterator[Listed]:
        meaning = " ".join((field.description or "").split())
        if not isinstance(default, Settings):
            words = None if required else pasteable(name, default)
            yield Listed(name, words, meaning, self._admitted(field), required)
            return
        before = self._seen.get(type(default))
        if before:
            yield Listed(name, None, meaning, like=before[0])
            yield from _differing(type(default), before[1], default, f"{name}.")
            return
        self._seen[type(default)] = (name, default)
        yield Listed(name, None, meaning, self._admitted(field))
        yield from self.all_of(type(default), default, f"{name}.")

    def _admitted(self, field: FieldInfo) -> str:
        kinds = [member for member in dict.fromkeys(members(field.annotation)) if member not in self._seen]
        kinds = [member for member in kinds if not issubclass(member, Own)]
        told = [_choices(field)]
        for member in kinds:
            if member not in self._shown:
                self._shown.add(member)
                tag = tag_of(member)
                told.append(f"Parts{f' of {tag}' if tag and len(kinds) > 1 else ''}: {_parts(member)}.")
        return " ".join(filter(None, told))


def _differing(kind: type[BaseModel], first: BaseModel, now: BaseModel, prefix: str) -> Iterator[Listed]:
    for name in kind.model_fields:
        was, value = getattr(first, name), getattr(now, name)
        if isinstance(was, Settings) and type(value) is type(was):
            yield from _differing(type(was), was, value, f"{prefix}{name}.")
        elif value != was:
            yield Listed(prefix + name, pasteable(prefix + name, value), "")


def pasteable(name: str, value: Any) -> str:
    """The words that set it on a command line.

    Example:
        >>> pasteable("train.columns", {"problem": "the question"})
        "--train.columns '{problem: the question}'"
    """
    text = _text(_plain(value))
    return f"--{name}={shlex.quote(text)}" if text.startswith("--") else f"--{name} {shlex.quote(text)}"


def _text(value: Any) -> str:
    if isinstance(value, str) and read_value(value) == value:
        return value
    text: str = yaml.safe_dump(
        [value], sort_keys=False, default_flow_style=True, width=10**9, allow_unicode=True
    ).strip()[1:-1]
    return text if "\n" not in text and read_value(text) == value else json.dumps(value)


def _plain(value: Any) -> Any:
    """A value as YAML can hold it; of settings what is not their default, and the word that tells which they are."""
    if isinstance(value, BaseModel):
        kind, tag = type(value), tag_name(type(value))
        fields = {name: (getattr(value, name), field) for name, field in kind.model_fields.items()}
        return {
            name: _plain(held)
            for name, (held, field) in fields.items()
            if name == tag or field.is_required() or held != field.get_default(call_default_factory=True)
        }
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _parts(member: type[BaseModel]) -> str:
    told = []
    for name, field in member.model_fields.items():
        default = "required" if field.is_required() else _text(_plain(field.get_default(call_default_factory=True)))
        choices = _choices(field) if get_origin(field.annotation) is Literal and name != tag_name(member) else ""
        told.append(
            f"{name} ({default}{'; ' + choices.removeprefix('Choices: ').removesuffix('.') if choices else ''})"
        )
    return ", ".join(told)


def _choices(field: FieldInfo) -> str:
    """What a value may be: words, kinds of settings, bounds. Nothing where any value of a plain type will do."""
    parts = alternatives(field.annotation)
    words = [str(value) for part in parts if get_origin(part) is Literal for value in get_args(part)]
    words += [tag for member in members(field.annotation) if (tag := tag_of(member))]
    words += ["MODULE:CLASS"] if any(issubclass(member, Own) for member in members(field.annotation)) else []
    words += ["true", "false"] if admits_bool(field.annotation) and bool in parts else []
    if len(words) < 2 and not _bounds(field):
        return ""
    given = words if len(words) > 1 or type(None) in parts else []
    told = [*given, *([_bounds(field)] if _bounds(field) else []), *(["null"] if type(None) in parts else [])]
    joined = ", ".join(told[:-1]) + (" or " if len(told) > 1 else "") + told[-1]
    return f"Choices: {joined}." if given else f"{joined[0].upper()}{joined[1:]}."


def _bounds(field: FieldInfo) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return " and ".join(
        f"{text} {limit}"
        for sign, text in words.items()
        for limit in (getattr(mark, sign, None) for mark in field.metadata)
        if limit is not None
    )
