"""How other systems write down many solutions per problem. To add a format: a `Format` in a file here, and its place below."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mathquorum.datasets.sample_formats.columns import PLAIN, SAMPLES, check_solutions, numbered_columns, reference_text
from mathquorum.datasets.sample_formats.harnesses import HARNESSES
from mathquorum.datasets.sample_formats.published import PUBLISHED
from mathquorum.datasets.sample_formats.raw import ROLES, Columns, Format, RawSample, RawSamples, Role, columns_in
from mathquorum.datasets.sample_formats.served import BATCHES, TURNS, is_said
from mathquorum.datasets.tables import Row
from mathquorum.datasets.values import value_at
from mathquorum.errors import DataError

__all__ = ["FORMATS", "LAYOUTS", "ROLES", "Columns", "Format", "RawSample", "RawSamples", "ReadRow", "Role", "read_row"]


@dataclass(frozen=True, slots=True)
class ReadRow:
    """What a row holds, the columns that it was read from, and the row, in which numbered columns are one."""

    raw: RawSamples
    columns: Columns
    row: Row


FORMATS: tuple[Format, ...] = (*PUBLISHED, *HARNESSES, *BATCHES)
"""The first whose columns are there is taken; rows that fit none are read by the usual names of columns."""

LAYOUTS = (*dict.fromkeys(known.name for known in (*FORMATS, *TURNS)), "plain rows")
"""The names of all layouts."""


def read_row(row: Row, mapping: Columns | None = None) -> ReadRow:
    """The problem and solutions of a row.

    Args:
        row: Of a file of samples.
        mapping: Which column holds what, for the roles that the user names; the others are told by the format. With a
            mapping of the samples, the usual names are looked for in place of a format.

    Raises:
        DataError: If no column can hold solutions, or one holds something else than it should.
    """
    mapping = mapping or {}
    for role, column in mapping.items():
        if value_at(row.values, column) is None and column.partition(".")[0] not in row.values:
            raise DataError(
                f"{row.place}: there is no column {column!r} (for {role}). Columns there: {', '.join(row.values)}."
            )
    chosen = None if "samples" in mapping else _find(row)
    if chosen is None:
        chosen = PLAIN
        row, numbered = (row, None) if "samples" in mapping else numbered_columns(row)
        mapping = mapping if numbered is None else {**mapping, "samples": numbered}
    places = {**dict.fromkeys(mapping, ()), **{r: n for r, n in chosen.places.items() if r not in mapping}}
    taken = set(mapping.values())
    free = {role: tuple(name for name in names if name not in taken) for role, names in places.items()}
    columns = {**columns_in(row, free), **mapping}
    if chosen is PLAIN:
        if "samples" not in columns and "answers" not in columns and (empty := _empty_samples(row)):
            columns["samples"] = empty
        check_solutions(row, columns, LAYOUTS)
    try:
        raw = chosen.read(row, columns)
        if "reference" in mapping and chosen is not PLAIN:
            column = mapping["reference"]
            raw = replace(
                raw, reference=reference_text(value_at(row.values, column), row.place, column), alternatives=()
            )
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(
            f"{row.place}: not a row of the format {chosen.name!r} ({type(error).__name__}: {error})."
        ) from error
    return ReadRow(raw, columns, row)


def _empty_samples(row: Row) -> str | None:
    """The column of solutions in a row that has none there: a request that brought nothing, an empty cell."""
    return next((name for name in SAMPLES if name in row.values), None)


def _find(row: Row) -> Format | None:
    for known in FORMATS:
        if all(value_at(row.values, column) is not None or column in row.values for column in known.needs):
            return known
    if any(row.values.get(name) is not None for name in SAMPLES):
        return None
    return next((known for known in TURNS if all(is_said(row.values.get(column)) for column in known.needs)), None)
