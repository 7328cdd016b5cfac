"""Settings: one frozen pydantic model per stage and recipe, and three doors to it.

A YAML file, dotted overrides on the command line (`--sampling.temperature 0.7` or `sampling.temperature=0.7`) and
Python keywords all end in `build`, which checks everything at once and says what is wrong in the user's own words.
"""

from __future__ import annotations

from mathquorum.config.building import build
from mathquorum.config.files import read_mapping, read_settings_file
from mathquorum.config.overrides import merge, parse_overrides
from mathquorum.config.own import Own
from mathquorum.config.own_kinds import Kind, NamesOwn
from mathquorum.config.settings import (
    Grows,
    HubModel,
    InputModel,
    InputPath,
    Runtime,
    Settings,
    Told,
    is_input,
    marked,
    marks,
)
from mathquorum.config.wording import in_words

__all__ = [
    "Grows",
    "HubModel",
    "InputModel",
    "InputPath",
    "Kind",
    "NamesOwn",
    "Own",
    "Runtime",
    "Settings",
    "Told",
    "build",
    "in_words",
    "is_input",
    "marked",
    "marks",
    "merge",
    "parse_overrides",
    "read_mapping",
    "read_settings_file",
]
