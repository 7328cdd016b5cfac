"""What a stage is made from: its settings and the fingerprints of what it reads. Equal identities make equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mathquorum.config import Grows, HubModel, NamesOwn, Own, Runtime, Settings, is_input, marked, marks
from mathquorum.errors import DataError
from mathquorum.models.sources import model_parts
from mathquorum.run.fingerprints import Fingerprints
from mathquorum.run.ledger import Identity
from mathquorum.stages.base import Asking, Stage

__all__ = ["Read", "arguments_of", "differences", "growth", "identity_of", "inputs_of"]


_OF_MODELS = ("config.json", "adapter_config.json")
"""One of them is in each model's folder. A name such as "models" may be that of another folder by chance."""


@dataclass(frozen=True)
class Read:
    """What a stage reads.

    Attributes:
        given: As the setting has it.
        hub: Whether it may be a model's hub id.
        by_name: Whether it may be a name that only a server knows.
    """

    given: str
    hub: bool
    by_name: bool = False

    @property
    def parts(self) -> tuple[Read, ...]:
        """Itself, or a base and the adapter on it, which count together."""
        parts = model_parts(self.given) if self.hub and not self.is_name else (self.given,)
        return (self,) if len(parts) == 1 else tuple(Read(part, part == parts[0]) for part in parts)

    @property
    def path(self) -> Path:
        return Path(self.given)

    @property
    def is_name(self) -> bool:
        """Whether nothing is known of it but its name: no model of that name lies here."""
        return self.by_name and not any((self.path / file).is_file() for file in _OF_MODELS)


def inputs_of(stage: Stage) -> list[Read]:
    """What a stage reads, in its parts."""
    assert isinstance(stage, Settings)
    return [part for item in _split(stage, "", _by_name(stage))[1].values() for part in item.parts]


def identity_of(stage: Stage, fingerprints: Fingerprints, at: Callable[[Path], Path] | None = None) -> Identity:
    """What the stage would be made from now.

    Args:
        stage: Its settings.
        fingerprints: Of what it reads.
        at: Where that lies meanwhile, if not where the settings say.

    Raises:
        DataError: If something that it reads is not there.
    """
    assert isinstance(stage, Settings)
    settings, inputs = _split(stage, "", _by_name(stage))
    if at:
        inputs = {setting: replace(item, given=str(at(item.path))) for setting, item in inputs.items()}
    prints = {setting: _fingerprint(setting, item, fingerprints) for setting, item in inputs.items()}
    return Identity(stage=type(stage).__name__, settings=settings, inputs=prints)


def arguments_of(stage: Stage) -> dict[str, Any]:
    """The settings that change no byte."""
    assert isinstance(stage, Settings)
    return {name: getattr(stage, name) for name, info in type(stage).model_fields.items() if marked(info, Runtime)}


def _by_name(stage: Stage) -> bool:
    return isinstance(stage, Asking) and stage.by_name


def _split(settings: BaseModel, prefix: str, by_name: bool = False) -> tuple[dict[str, Any], dict[str, Read]]:
    """Settings that count, as plain values, and inputs by dotted name. Runtime settings are in neither."""
    plain: dict[str, Any] = {}
    inputs: dict[str, Read] = {}
    for name, info in type(settings).model_fields.items():
        value = getattr(settings, name)
        if marked(info, Runtime):
            continue
        if is_input(info):
            hub = marked(info, HubModel)
            inputs.update(
                {place: Read(str(item), hub, hub and by_name) for place, item in _flatten(prefix + name, value).items()}
            )
        else:
            plain[name] = _plain(value, prefix + name, inputs)
            for mark in marks(info, NamesOwn):
                for place, text in _flatten(prefix + name, value).items():
                    inputs.update(_written_in(mark.kind.files(text), place))
    return plain, inputs


def _written_in(files: Sequence[Path], place: str) -> dict[str, Read]:
    """The files of an own class, which count as what is read."""
    return {f"{place} ({file.name})": Read(str(file), hub=False) for file in files}


def _plain(value: Any, place: str, inputs: dict[str, Read]) -> Any:
    if isinstance(value, BaseModel):
        plain, below = _split(value, place + ".")
        inputs.update(below)
        if isinstance(value, Own):
            inputs.update(_written_in(value.files(), place))
        return plain
    if isinstance(value, tuple | list):
        return [_plain(item, f"{place}.{number}", inputs) for number, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{place}.{key}", inputs) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def _flatten(place: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        below: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, tuple | list):
        below = enumerate(value)
    else:
        return {place: value}
    return {name: held for key, item in below for name, held in _flatten(f"{place}.{key}", item).items()}


def _fingerprint(setting: str, item: Read, fingerprints: Fingerprints) -> str:
    if len(item.parts) > 1:
        return "+".join(_fingerprint(setting, part, fingerprints) for part in item.parts)
    if item.is_name:
        return f"name:{item.given}"
    if item.path.exists():
        return fingerprints.of(item.path)
    if item.hub and item.given.count("/") == 1 and not item.given.startswith((".", "/")):
        return f"hub:{item.given}"
    raise DataError(f"{setting}: there is no {item.given!r}.")


def differences(recorded: Identity, now: Identity, stage: Stage) -> list[str]:
    """The points, in words, in which a stage is not the one that was recorded; none where it is.

    Args:
        recorded: Then.
        now: Of `stage`.
        stage: For the defaults of settings that the record does not have (`_with_newer`).
    """
    if recorded.stage != now.stage:
        return [f"it is a {recorded.stage} stage, now {now.stage}"]
    old, new = _leaves(_with_newer(recorded.settings, stage)), _leaves(now.settings)
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name, "absent") != new.get(name, "absent")]
    changed = [f"{name}: {old.get(name, 'absent')!r}, now {new.get(name, 'absent')!r}" for name in names]
    before, after = recorded.inputs, now.inputs
    inputs = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    return changed + [f"contents of {name} changed" for name in inputs]


def growth(recorded: Identity, now: Identity, stage: Stage) -> str | None:
    """In words what has grown, where a stage is what was recorded but for larger numbers that may grow; None where it is not.

    Arguments as of `differences`.
    """
    assert isinstance(stage, Settings)
    grown = {
        name: (recorded.settings.get(name), now.settings[name])
        for name, info in type(stage).model_fields.items()
        if marked(info, Grows) and recorded.settings.get(name) != now.settings[name]
    }
    if not grown or any(type(old) is not int or old >= new for old, new in grown.values()):
        return None
    raised = recorded.model_copy(
        update={"settings": recorded.settings | {name: new for name, (_, new) in grown.items()}}
    )
    if differences(raised, now, stage):
        return None
    return ", ".join(f"{name} {old} to {new}" for name, (old, new) in grown.items())


def _with_newer(recorded: Any, now: Any) -> Any:
    """The recorded values without settings that are no more, and the settings that did not exist then, where they have their default now.

    So the default of a setting that is added must be what was done without it.
    """
    if isinstance(now, BaseModel) and isinstance(recorded, Mapping):
        former = now.former if isinstance(now, Settings) else ()
        filled = {name: value for name, value in recorded.items() if name not in former}
        for name, info in type(now).model_fields.items():
            value = getattr(now, name)
            if name in recorded:
                filled[name] = _with_newer(recorded[name], value)
            elif not (is_input(info) or marked(info, Runtime)) and value == info.get_default(
                call_default_factory=True, validated_data={}
            ):
                filled[name] = _plain(value, "", {})
        return filled
    if isinstance(now, tuple | list) and isinstance(recorded, list):
        both = zip(recorded, now, strict=False)
        return [_with_newer(old, new) for old, new in both] + recorded[len(now) :]
    if isinstance(now, Mapping) and isinstance(recorded, Mapping):
        return {key: _with_newer(old, now[key]) if key in now else old for key, old in recorded.items()}
    return recorded


def _leaves(value: Any, place: str = "") -> dict[str, Any]:
    """Values by dotted name. What is empty is a value."""
    items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, Mapping) else ()
    below = {
        name: leaf
        for key, item in items
        for name, leaf in _leaves(item, f"{place}.{key}" if place else str(key)).items()
    }
    return below or {place: value}
