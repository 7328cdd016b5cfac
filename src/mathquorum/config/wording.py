"""What is wrong with settings, in the user's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from mathquorum.config.importing import declared
from mathquorum.config.kinds import members, tag_of
from mathquorum.config.own import Own
from mathquorum.config.settings import Settings
from mathquorum.errors import SettingsError, suggest

__all__ = ["in_words"]


def in_words(kind: type[Settings], error: ValidationError) -> SettingsError:
    """A pydantic error about settings of that kind, one line per value, as the user wrote them."""
    return SettingsError("\n".join(_explain(kind, item) for item in error.errors(include_url=False)))


def _explain(kind: type[Settings], item: Any) -> str:
    place, owner = _place(kind, item["loc"])
    name = ".".join(place)
    given = item.get("input")
    if item["type"] == "extra_forbidden":
        known = list(owner.model_fields) if owner else []
        return f"Unknown setting {name!r}. {suggest(place[-1], known)}"
    if item["type"] == "missing":
        return f"{name} is required. Give it as --{name} VALUE, in the settings file, or as a keyword."
    if item["type"] == "union_tag_not_found":
        tag = item["ctx"]["discriminator"].strip("'")
        words = [word for m in _choice(kind, item["loc"]) if (word := tag_of(m))]
        return f"{name}.{tag} is required. {suggest(place[-1], words)}"
    if item["type"] == "union_tag_invalid":
        tag = item["ctx"]["discriminator"].strip("'")
        words = [word.strip("'") for word in item["ctx"]["expected_tags"].split(", ")]
        own = next((m for m in _choice(kind, item["loc"]) if issubclass(m, Own)), None)
        words += declared(own.group) if own else ()
        hint = " One of your own is given as MODULE:CLASS." if own else ""
        return f"{name}.{tag}: there is no {item['ctx']['tag']!r}. {suggest(item['ctx']['tag'], words)}{hint}"
    text = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if item["type"] == "value_error":
        return f"{name}: {text}" if name else text
    return f"{name} {text}. Got {given!r} instead."


def _choice(kind: type[BaseModel], loc: Sequence[str | int]) -> list[type[BaseModel]]:
    """The members of the union at a place."""
    choice: list[type[BaseModel]] = [kind]
    for part in map(str, loc):
        field = choice[0].model_fields.get(part) if choice else None
        choice = members(field.annotation) if field else choice
    return choice


def _place(kind: type[Settings], loc: Sequence[str | int]) -> tuple[list[str], type[BaseModel] | None]:
    """The setting as the user wrote it, and the settings that it is one of. pydantic names the chosen member of a union as a part
    of the place (engine.server.url), and the user did not."""
    place: list[str] = []
    owner: type[BaseModel] | None = kind
    choice: list[type[BaseModel]] = []
    for part in map(str, loc):
        chosen = next((m for m in choice if len(choice) > 1 and tag_of(m) == part), None)
        if chosen:
            owner, choice = chosen, []
            continue
        field = owner.model_fields.get(part) if owner else None
        if field:
            choice = members(field.annotation)
            owner = choice[0] if choice else owner
        place.append(part)
    return place, owner
