"""Settings from what was given: upon defaults, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mathquorum.config.kinds import admits_bool, alternatives, item_of, members, tag_name, tag_of, value_of
from mathquorum.config.overrides import merge
from mathquorum.config.settings import Settings
from mathquorum.config.wording import in_words
from mathquorum.errors import SettingsError

__all__ = ["build"]

S = TypeVar("S", bound=Settings)


def build(kind: type[S], *layers: Mapping[str, Any]) -> S:
    """The settings that the values describe; of two layers (a file, the command line) the later one wins.

    Where a default is itself a settings object, giving a part of it keeps the rest. One value may stand for a tuple of one, and the
    word of a union's member for that member. A setting's rivals (`Settings.rivals`) give way to it.

    Raises:
        SettingsError: One line per value that cannot be used, and for an unknown key what it may have meant.
    """
    values: Mapping[str, Any] = {}
    for layer in layers:
        values = merge(_without_rivals(kind, values, layer), layer)
    filling = _Filling()
    whole = filling.parts(kind, None, values, "")
    if filling.lacking:
        raise SettingsError(
            "\n".join(f"{name} needs a value: --{name} VALUE. Got {told} instead." for name, told in filling.lacking)
        )
    try:
        return kind.model_validate(whole)
    except ValidationError as error:
        raise in_words(kind, error) from error


def _without_rivals(kind: type[BaseModel], below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """What a layer says, without the rivals of what a later one says."""
    given = {name for name, value in above.items() if value is not None}
    lost = {name for group in _rivals(kind) if given.intersection(group) for name in group}
    found = {name: value for name, value in below.items() if name not in lost}
    for name, value in above.items():
        inner, field = found.get(name), kind.model_fields.get(name)
        if field and isinstance(value, Mapping) and isinstance(inner, Mapping):
            for member in members(field.annotation):
                inner = _without_rivals(member, inner, value)
            found[name] = inner
    return found


def _rivals(kind: type[BaseModel]) -> tuple[tuple[str, ...], ...]:
    return kind.rivals if issubclass(kind, Settings) else ()


class _Filling:
    """Values filled up with the defaults of the settings around them, before pydantic checks them.

    Attributes:
        lacking: Names of settings that were given without a value, and what stood there.
    """

    def __init__(self) -> None:
        self.lacking: list[tuple[str, str]] = []

    def parts(
        self, kind: type[BaseModel], defaults: Settings | None, values: Mapping[str, Any], prefix: str
    ) -> dict[str, Any]:
        """What was given for settings of a kind, each setting filled up."""
        found = {}
        for name, value in values.items():
            if field := kind.model_fields.get(name):
                default = getattr(defaults, name) if defaults else field.get_default(call_default_factory=True)
                found[name] = self._setting(field, default, value, prefix + name)
            else:
                found[name] = value
        return found

    def _setting(self, field: FieldInfo, default: Any, value: Any, name: str) -> Any:
        converts = any(isinstance(mark, BeforeValidator) for mark in field.metadata)
        filled = self._value(field.annotation, default, value, name)
        return filled if converts else _in_tuple(field.annotation, filled)

    def _value(self, annotation: Any, default: Any, value: Any, name: str) -> Any:
        if isinstance(value, bool) and not admits_bool(annotation):
            self.lacking.append((name, str(value).lower()))
            return value
        if isinstance(value, list | tuple):
            item = item_of(annotation)
            return [self._value(item, None, v, f"{name}.{i}") for i, v in enumerate(value)] if item else value
        value = _named_member(annotation, value)
        if not isinstance(value, Mapping):
            return value
        below = value_of(annotation)
        if below is not None and not isinstance(default, Settings):
            known = default if isinstance(default, Mapping) else {}
            return {key: self._value(below, known.get(key), v, f"{name}.{key}") for key, v in value.items()}
        member = _member(annotation, default, value)
        if member is None:
            return value
        if not isinstance(default, member) or not isinstance(default, Settings):
            return self.parts(member, None, value, f"{name}.")
        return _upon(default, self.parts(member, default, value, f"{name}."))


def _upon(default: Settings, given: Mapping[str, Any]) -> dict[str, Any]:
    """A settings object with a part of it changed, as values."""
    whole = {name: getattr(default, name) for name in type(default).model_fields}
    for group in default.rivals:
        if any(given.get(name) is not None for name in group):
            whole.update(dict.fromkeys(group))
    return {**whole, **given}


def _member(annotation: Any, default: Any, value: Mapping[str, Any]) -> type[BaseModel] | None:
    """Which settings a mapping describes: of a union's members the one that it names, else the default's."""
    known = [part for part in alternatives(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    if len(known) == 1:
        return known[0]
    named = [member for member in known if tag_of(member) in (value.get(name) for name in [tag_name(member)] if name)]
    if named:
        return named[0]
    unnamed = isinstance(default, Settings) and (tag_name(type(default)) or "") not in value
    return type(default) if unnamed else None


def _named_member(annotation: Any, value: Any) -> Any:
    """The word of a union's member is short for that member with its defaults."""
    known = [part for part in alternatives(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    if isinstance(value, str) and len(known) > 1:
        return next(({tag_name(member): value} for member in known if tag_of(member) == value), value)
    return value


def _in_tuple(annotation: Any, value: Any) -> Any:
    """A value alone where only a tuple fits is a tuple of one."""
    if item_of(annotation) is None or value is None or isinstance(value, list | tuple):
        return value
    others = [part for part in alternatives(annotation) if item_of(part) is None]
    return value if any(_fits(part, value) for part in others) else (value,)


def _fits(annotation: Any, value: Any) -> bool:
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError:
        return False
    return True
