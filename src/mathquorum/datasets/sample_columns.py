"""Which columns of a file were read as what, and which were not: one line that the user sees, so that nothing is silent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mathquorum.datasets.sample_formats import ROLES, Columns, Role
from mathquorum.datasets.sample_formats.solutions import unpacked
from mathquorum.datasets.tables import Row
from mathquorum.datasets.values import number
from mathquorum.errors import SettingsError, suggest, visible

__all__ = ["ColumnUse", "parse_columns"]

_SCORE_NAME = re.compile(r"score|reward|verif|confidence|prm", re.IGNORECASE)


def parse_columns(text: str) -> dict[Role, str]:
    """A mapping as users write it: "problem=question,samples=outputs".

    Raises:
        SettingsError: If a part is no role and column, or names a role twice.
    """
    columns: dict[Role, str] = {}
    for part in text.split(","):
        role, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not column:
            raise SettingsError(f"--columns must be ROLE=COLUMN, separated by commas. Got {part!r} instead.")
        known = next((name for name in ROLES if name == role), None)
        if known is None:
            raise SettingsError(f"--columns: unknown role {role!r}. {suggest(role, ROLES)}")
        if known in columns:
            raise SettingsError(f"--columns names {role!r} twice.")
        columns[known] = column
    return columns


class ColumnUse:
    """Counts over rows which columns were read as what."""

    def __init__(self) -> None:
        self._read: dict[Role, Counter[str]] = {}
        self._there: Counter[str] = Counter()
        self._scores: Counter[str] = Counter()
        self._rows = 0

    def add(self, row: Row, columns: Columns) -> None:
        """Takes note of a row."""
        self._rows += 1
        for role, column in columns.items():
            self._read.setdefault(role, Counter())[column] += 1
        self._there.update(row.values.keys())
        used = {column.partition(".")[0] for column in columns.values()} | set(columns.values())
        for name, value in row.values.items():
            if name not in used and _SCORE_NAME.search(name) and _is_scores(value):
                self._scores[name] += 1

    def lines(self) -> tuple[str, ...]:
        """A line such as "columns read: problem=question, samples=outputs; not read: meta, rewards"."""
        read = [f"{role}={'|'.join(map(visible, self._read[role]))}" for role in ROLES if role in self._read]
        used = {
            part for found in self._read.values() for column in found for part in (column, column.partition(".")[0])
        }
        unread = [visible(name) for name in self._there if name not in used]
        return (f"columns read: {', '.join(read)}; not read: {', '.join(unread) or 'none'}",)

    def notices(self) -> Mapping[str, int]:
        """Columns that look like scores and were not used."""
        return {
            f"rows whose column {visible(name)!r} looks like scores and was not used (--columns scores={visible(name)} uses it)": count
            for name, count in self._scores.items()
        }


def _is_scores(value: Any) -> bool:
    values: Sequence[Any] = value if isinstance(value := unpacked(value), list) else [value]
    return bool(values) and any(number(one) is not None for one in values)
