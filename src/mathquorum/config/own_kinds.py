"""Own classes where built-in ones go, named MODULE:CLASS, or by an entry point that an installed package declares.

A mapping names one beside its settings, {name: "mypkg.votes:Shrunk", strength: 2}, and so does a text: "mypkg.votes:Shrunk(strength=2)".
Importing a module runs its code. So only what a person names in settings, in a command or in Python comes here, and nothing that stands in
a data file, in a model's folder or in the records of a run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from mathquorum.config.building import build
from mathquorum.config.calls import call_text, read_call
from mathquorum.config.importing import class_of_entry_point, class_of_module, declared
from mathquorum.config.own import Own
from mathquorum.errors import SettingsError, suggest

__all__ = ["Kind", "NamesOwn", "text_of"]

_FORM = re.compile(r"[\w.]+:[\w.]+")
O = TypeVar("O", bound=Own)  # noqa: E741


@dataclass(frozen=True)
class Kind(Generic[O]):
    """A place where own classes go.

    Attributes:
        noun: What they are: "strategy".
        base: What they are subclasses of; `mathquorum` exports it.
        built_in: Whether a name is one of ours.
        known: Some of our names, for messages.
        ours: What a name is that is one of ours, in words; empty for "a built-in strategy".
    """

    noun: str
    base: type[O]
    built_in: Callable[[str], bool]
    known: Callable[[], Iterable[str]]
    ours: str = ""

    def names(self, reference: str) -> bool:
        """Whether an own class is meant. Nothing is imported for it.

        Raises:
            SettingsError: If it could be a built-in one as well as an entry point.
        """
        if _FORM.fullmatch(reference):
            return True
        found = declared(self.base.group)
        if reference in found and self.built_in(reference):
            point = found[reference][0]
            raise SettingsError(
                f"{reference!r} is {self.ours or f'a built-in {self.noun}'}, and package {point.package} also declares that name. "
                f"Give {point.target!r} for the package's; for the other one rename the entry point (group {self.base.group}) or uninstall "
                "the package."
            )
        return reference in found

    def unknown(self, name: str) -> SettingsError:
        """What to say of a name that means nothing."""
        known = {*self.known(), *declared(self.base.group)}
        told = f" {suggest(name, known)}" if known else ""
        return SettingsError(f"Unknown {self.noun} {name!r}.{told} One of your own is given as MODULE:CLASS.")

    def find(self, reference: str) -> type[O]:
        """The class. This imports its module.

        Raises:
            SettingsError: If it cannot be found or imported, or is no such class.
        """
        if ":" in reference:
            found = class_of_module(reference, self.noun, self.base)
        elif reference in declared(self.base.group):
            found = class_of_entry_point(declared(self.base.group)[reference], self.noun, self.base)
        else:
            raise self.unknown(reference)
        return found

    def read(self, given: str | Mapping[str, Any]) -> O:
        """One with its settings, from a text or a mapping with its name.

        Raises:
            SettingsError: If the class cannot be found, or a setting cannot be used.
        """
        reference, settings = read_call(given) if isinstance(given, str) else _named(given, self.noun)
        made = self.find(reference)
        try:
            return build(made, {**settings, "name": reference})
        except SettingsError as error:
            raise SettingsError(f"{reference}: {error}") from error

    def files(self, text: str) -> list[Path]:
        """The files of the own class that a text names; none for a built-in name."""
        reference = read_call(text)[0] if text.endswith(")") or ":" in text else text
        return self.find(reference).files() if self.names(reference) else []


@dataclass(frozen=True)
class NamesOwn:
    """Marks texts that may name own classes, whose files count in the identity of a stage."""

    kind: Kind[Any]


def text_of(own: Own) -> str:
    """The text that `Kind.read` makes it of again."""
    settings = own.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    return call_text(own.name.partition("(")[0], settings)


def _named(given: Mapping[str, Any], noun: str) -> tuple[str, dict[str, Any]]:
    name = given.get("name")
    if not isinstance(name, str):
        raise SettingsError(
            f'A {noun} of your own is given as {{name: "MODULE:CLASS", ...}}. Got {dict(given)!r} instead.'
        )
    reference, settings = read_call(name)
    return reference, {**settings, **{key: value for key, value in given.items() if key != "name"}}
