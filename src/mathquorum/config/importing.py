"""A class by MODULE:CLASS or by entry point, or why it cannot be had."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from mathquorum.errors import SettingsError, suggest

__all__ = ["Declared", "class_of_entry_point", "class_of_module", "declared", "import_module_of"]

T = TypeVar("T")


@dataclass(frozen=True)
class Declared:
    """An entry point of an installed package."""

    point: EntryPoint

    @property
    def package(self) -> str:
        """The package's name, and its version."""
        return f"{self.point.dist.name} {self.point.dist.version}" if self.point.dist else "of an unknown name"

    @property
    def target(self) -> str:
        """MODULE:CLASS."""
        return self.point.value


def declared(group: str) -> Mapping[str, Sequence[Declared]]:
    """The entry points of a group by name, of which several packages may have declared one. Nothing is imported."""
    return _declared(group, tuple(sys.path))


@functools.cache
def _declared(group: str, path: tuple[str, ...]) -> Mapping[str, Sequence[Declared]]:
    found: dict[str, list[Declared]] = {}
    for point in _points(group):
        of_name = found.setdefault(point.name, [])
        if point.value not in [other.target for other in of_name]:  # installed twice, it is still the same
            of_name.append(Declared(point))
    return found


def _points(group: str) -> Iterable[EntryPoint]:
    try:
        return entry_points(group=group)
    except Exception:  # of one package that cannot be read, which must not keep the others away
        return [point for package in distributions() for point in _points_of(package, group)]


def _points_of(package: Distribution, group: str) -> Iterable[EntryPoint]:
    try:
        return package.entry_points.select(group=group)
    except Exception:
        return ()


def class_of_entry_point(points: Sequence[Declared], noun: str, base: type[T]) -> type[T]:
    """The class that an entry point names.

    Raises:
        SettingsError: If several packages declare it, or it cannot be loaded or is no such class.
    """
    first = points[0]
    name = first.point.name
    if len(points) > 1:
        told = " and ".join(sorted(f"{point.package} ({point.target})" for point in points))
        raise SettingsError(
            f"Several packages declare the {noun} {name!r}: {told}. Give the one that is meant as MODULE:CLASS."
        )
    told = f"The {noun} {name!r} is the entry point {first.target} of package {first.package}"
    try:
        found: Any = first.point.load()
    except (Exception, SystemExit) as error:
        raise SettingsError(
            f"{told}, which cannot be loaded: {_reason(error)}. Mend or update the package, or leave {name!r} out."
        ) from error
    return _checked(found, told, first.target.partition(":")[2] or name, noun, base)


def class_of_module(reference: str, noun: str, base: type[T]) -> type[T]:
    """The class that MODULE:CLASS names.

    Raises:
        SettingsError: If it cannot be imported or is no such class.
    """
    module, _, path = reference.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), *path.split("."))):
        raise SettingsError(
            f"A {noun} of your own is given as MODULE:CLASS, such as mypkg.mine:Mine. Got {reference!r} instead."
        )
    home = _imported(module, reference, noun)
    found: Any = home
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            there = [name for name, value in vars(home).items() if _is_own(value, base)]
            raise SettingsError(
                f"{noun} {reference!r}: module {module} ({home.__file__}) has no {path!r}. "
                + (suggest(path, there) if there else f"It holds no subclass of mathquorum.{base.__name__}.")
            ) from None
    return _checked(found, f"{noun} {reference!r}", path, noun, base)


def import_module_of(module: str, folder: Path) -> ModuleType:
    """The module. Where Python does not know its package, and it lies in the folder, the folder is looked in from now on, after all others."""
    top = module.partition(".")[0]
    importlib.invalidate_caches()
    if top not in sys.modules and importlib.util.find_spec(top) is None:
        lies_here = (folder / f"{top}.py").is_file() or (folder / top).is_dir()
        if lies_here and str(folder) not in sys.path:
            sys.path.append(str(folder))
    return importlib.import_module(module)


def _imported(module: str, reference: str, noun: str) -> ModuleType:
    try:
        return import_module_of(module, Path.cwd())
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise SettingsError(
                f"{noun} {reference!r}: there is no module {error.name!r}, neither installed nor in {Path.cwd()}. "
                "Install its package, start where the module lies, or set PYTHONPATH."
            ) from error
        raise _not_imported(module, reference, noun, error) from error
    except (Exception, SystemExit) as error:
        raise _not_imported(module, reference, noun, error) from error


def _not_imported(module: str, reference: str, noun: str, error: BaseException) -> SettingsError:
    return SettingsError(
        f"{noun} {reference!r}: module {module} cannot be imported: {_reason(error)}. Mend it and try again."
    )


def _reason(error: BaseException) -> str:
    """The error in words, with the line of code that raised it where that is not Python's own."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    last = frames[-1]
    where = "" if last.filename == __file__ else f" ({last.filename}, line {last.lineno})"
    return f"{type(error).__name__}: {str(error).rstrip('.')}{where}"


def _is_own(value: Any, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base) and value is not base


def _checked(found: Any, told: str, name: str, noun: str, base: type[T]) -> type[T]:
    public = f"mathquorum.{base.__name__}"
    if not _is_own(found, base):
        kind = "a class" if isinstance(found, type) else f"a {type(found).__name__}"
        raise SettingsError(
            f"{told}: {name} is {kind}, not a subclass of {public}. Write class {name.split('.')[-1]}({base.__name__})."
        )
    if inspect.isabstract(found):
        lacks = ", ".join(sorted(found.__abstractmethods__))
        raise SettingsError(f"{told}: {name} lacks {lacks}. Write what {public} says of it.")
    checked: type[T] = found
    return checked
