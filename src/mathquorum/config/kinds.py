"""What an annotation of a setting admits."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["admits_bool", "alternatives", "item_of", "members", "tag_name", "tag_of", "value_of"]


def alternatives(annotation: Any) -> list[Any]:
    """The members of a union, or the annotation alone, without what `Annotated` adds."""
    if get_origin(annotation) is Annotated:
        return alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [found for member in get_args(annotation) for found in alternatives(member)]
    return [annotation]


def members(annotation: Any) -> list[type[BaseModel]]:
    """The settings that an annotation names, those within options, tuples and mappings included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [member for below in get_args(annotation) for member in members(below)]


def _tag(member: type[BaseModel]) -> tuple[str, FieldInfo] | None:
    found = ((n, f) for n, f in member.model_fields.items() if get_origin(f.annotation) is Literal)
    return next(((n, f) for n, f in found if get_args(f.annotation) == (f.default,)), None)


def tag_name(member: type[BaseModel]) -> str | None:
    """The setting by which members of a union are told apart (kind, name): one that can have a single word; None without one."""
    found = _tag(member)
    return found[0] if found else None


def tag_of(member: type[BaseModel]) -> str | None:
    """The word by which a member of a union is known."""
    found = _tag(member)
    return str(found[1].default) if found else None


def item_of(annotation: Any) -> Any:
    """What each item of a tuple is; None where the annotation has no tuple."""
    found = (get_args(part) for part in alternatives(annotation) if get_origin(part) in (tuple, list))
    return next((arguments[0] for arguments in found if arguments), None)


def value_of(annotation: Any) -> Any:
    """What each value of a mapping is; None where the annotation has no mapping."""
    found = (get_args(part) for part in alternatives(annotation) if get_origin(part) in (dict, Mapping))
    return next((arguments[1] for arguments in found if len(arguments) == 2), None)


def admits_bool(annotation: Any) -> bool:
    """Whether true and false are values of it, and not only taken for 1 and 0."""
    return any(
        part in (bool, Any, object)
        or (get_origin(part) is Literal and any(isinstance(value, bool) for value in get_args(part)))
        for part in alternatives(annotation)
    )
