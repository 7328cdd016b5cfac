"""A setting that may be an own class, alone or beside built-in settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, Union, get_args

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from mathquorum.config.calls import read_call
from mathquorum.config.own import Own
from mathquorum.config.own_kinds import Kind
from mathquorum.errors import SettingsError

__all__ = ["OrOwn"]


@dataclass(frozen=True)
class OrOwn:
    """Annotates the base of own classes, or a union of it and built-in settings, so that an own one is found by its name.

    Several built-in ones are told apart by their names, too. A text alone is a name, with settings in brackets where there are any.

    Attributes:
        text: Which setting of the one built-in kind a text alone is, where it is not a name.
    """

    kind: Kind[Any]
    text: str = "name"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The built-in ones as pydantic has them, and before them the own ones."""
        ours = tuple(member for member in get_args(source) if not issubclass(member, Own))
        if not ours:
            built_in: CoreSchema = core_schema.no_info_plain_validator_function(self._refuse)
        elif len(ours) == 1:
            built_in = handler.generate_schema(ours[0])
        else:
            built_in = handler.generate_schema(Annotated[Union[ours], Field(discriminator="name")])  # noqa: UP007
        written = core_schema.wrap_serializer_function_ser_schema(_written, info_arg=True, schema=built_in)
        return core_schema.no_info_wrap_validator_function(self._read, built_in, serialization=written)

    def _read(self, given: Any, built_in: Callable[[Any], Any]) -> Any:
        if isinstance(given, self.kind.base):
            return given
        try:
            if self._means_own(given):
                return self.kind.read(given)
            plain = self._as_settings(given)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return built_in(plain)

    def _means_own(self, given: Any) -> bool:
        named = isinstance(given, Mapping) and (self.text == "name" or self.text not in given)
        name = given if isinstance(given, str) else given.get("name") if named else None
        return isinstance(name, str) and self.kind.names(name.partition("(")[0])

    def _as_settings(self, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        if self.text != "name":
            return {self.text: given}
        name, settings = read_call(given)
        return {"name": name, **settings}

    def _refuse(self, given: Any) -> NoReturn:
        name = given.get("name") if isinstance(given, Mapping) else given
        raise ValueError(str(self.kind.unknown(str(name))))


def _written(value: Any, built_in: Callable[[Any], Any], info: Any) -> Any:
    if not isinstance(value, Own):
        return built_in(value)
    return value.model_dump(mode=info.mode, exclude_defaults=info.exclude_defaults)
