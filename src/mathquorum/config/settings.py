"""What settings are: frozen models that refuse unknown keys, and marks on what their fields mean to a stage's identity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

__all__ = ["Grows", "HubModel", "InputModel", "InputPath", "Runtime", "Settings", "Told", "is_input", "marked", "marks"]


M = TypeVar("M")


class Settings(BaseModel):
    """Base of every settings model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, hide_input_in_errors=True
    )
    rivals: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of settings of which one is given: giving it sets the others' defaults aside."""
    former: ClassVar[frozenset[str]] = frozenset()
    """Settings that are no more, and changed no byte of what is still made: a stored record may have them."""


class Input:
    """Marks a path whose contents, not its name, belong to the identity of a stage."""


class HubModel(Input):
    """Marks a model that need not lie here: where there is no such folder, a hub id (OWNER/NAME) stands for its contents."""


class Runtime:
    """Marks a setting that changes how fast a stage runs but no byte of what it makes (workers)."""


class Told:
    """Marks a setting of a stage that the run tells it, from an option of the command: lists of settings leave it out."""


class Grows:
    """Marks a number that may be raised when a stage is complete: what is there stays as it is, and only what is missing is made."""


InputPath = Annotated[Path, Input()]
"""A file or folder that a stage reads."""
InputModel = Annotated[str, HubModel()]
"""A model that a stage reads: a folder, or a hub id."""


def marked(field: FieldInfo, marker: type) -> bool:
    """Whether a field's annotation carries the marker, at its top or within an option, tuple or mapping."""
    return bool(marks(field, marker))


def marks(field: FieldInfo, marker: type[M]) -> list[M]:
    """The markers of a kind that `marked` looks for."""
    waiting: list[Any] = [field.annotation]
    found = list(field.metadata)
    while waiting:
        annotation = waiting.pop()
        found += getattr(annotation, "__metadata__", ())
        waiting.extend(get_args(annotation))
    return [mark for mark in found if isinstance(mark, marker)]


def is_input(field: FieldInfo) -> bool:
    """Whether a field was declared as `InputPath` or `InputModel`, or as an option, tuple or mapping of them."""
    return marked(field, Input)
