"""A union of settings that are told apart by their name, of which one may be an own class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mathquorum.config.calls import read_call
from mathquorum.config.kinds import tag_of
from mathquorum.config.own import Own
from mathquorum.config.own_kinds import Kind
from mathquorum.errors import SettingsError

__all__ = ["OrOwn"]


@dataclass(frozen=True)
class OrOwn:
    """Annotates a union of built-in settings and the base of own ones, so that an own one is found by its name.

    A built-in or own one may also be given as a text: "mypkg.losses:Hinge(margin=2)".
    """

    kind: Kind[Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The union of the built-in ones as pydantic has it, and before it the own ones."""
        ours = tuple(member for member in get_args(source) if tag_of(member))
        built_in = handler.generate_schema(Annotated[Union[ours], Field(discriminator="name")])  # noqa: UP007
        written = core_schema.wrap_serializer_function_ser_schema(_written, info_arg=True, schema=built_in)
        return core_schema.no_info_wrap_validator_function(self._read, built_in, serialization=written)

    def _read(self, given: Any, built_in: Callable[[Any], Any]) -> Any:
        if isinstance(given, self.kind.base):
            return given
        try:
            values = _values(given)
            name = values.get("name") if values is not None else None
            if values is not None and isinstance(name, str) and self.kind.names(name.partition("(")[0]):
                return self.kind.read(values)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return built_in(given if values is None else values)


def _values(given: Any) -> Mapping[str, Any] | None:
    if isinstance(given, str):
        name, settings = read_call(given)
        return {"name": name, **settings}
    return given if isinstance(given, Mapping) else None


def _written(value: Any, built_in: Callable[[Any], Any], info: Any) -> Any:
    if not isinstance(value, Own):
        return built_in(value)
    return value.model_dump(mode=info.mode, exclude_defaults=info.exclude_defaults)
