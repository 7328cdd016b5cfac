"""The base of own classes, which go where built-in ones go. `own_kinds` finds them."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any, ClassVar

from mathquorum.config.importing import import_module_of
from mathquorum.config.settings import Settings
from mathquorum.errors import SettingsError

__all__ = ["Own"]


class Own(Settings):
    """Base of the bases of own classes. Their fields are settings, checked as all settings are."""

    group: ClassVar[str]
    """Of entry points that name one: "mathquorum.strategies"."""
    name: str = ""
    """MODULE:CLASS, or the entry point that names it."""

    def model_post_init(self, context: Any) -> None:
        """Gives one that was made in Python the name by which it can be found again."""
        if not self.name:
            self.__dict__["name"] = f"{type(self).__module__}:{type(self).__qualname__}"

    def __reduce__(self) -> Any:
        """Another process finds the class by its name, where it does not look for modules as this one does, too."""
        kind = type(self)
        return _again, (kind.__module__, kind.__qualname__, str(_root(kind) or ""), self.__getstate__())

    @classmethod
    def files(cls) -> list[Path]:
        """The files that the class, and those of its bases that are not ours, are written in.

        Raises:
            SettingsError: If there is none, as for a class that was typed at a prompt.
        """
        found = []
        for kind in cls.__mro__:
            if issubclass(kind, Own) and not kind.__module__.startswith("mathquorum."):
                file = _file(kind)
                if file is None:
                    raise SettingsError(
                        f"{kind.__module__}:{kind.__qualname__} is in no file, so that nobody could tell when it changes. "
                        "Put the class into a module."
                    )
                found.append(file)
        return list(dict.fromkeys(found))


def _file(kind: type) -> Path | None:
    try:
        return Path(inspect.getfile(kind))
    except (OSError, TypeError):  # what was typed at a prompt
        return None


def _root(kind: type) -> Path | None:
    """The folder in which Python finds the module of a class."""
    file = _file(kind)
    if file is None:
        return None
    depth = kind.__module__.count(".") + (file.stem == "__init__")
    return file.resolve().parents[depth]


def _again(module: str, path: str, folder: str, state: Any) -> Own:
    """What was pickled, by a process of the same run."""
    found: Any = sys.modules.get(module) or import_module_of(module, Path(folder))
    for part in path.split("."):
        found = getattr(found, part)
    made: Own = found.__new__(found)
    made.__setstate__(state)
    return made
