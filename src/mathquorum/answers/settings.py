"""The conventions on which reasonable judges differ. `docs/equivalence.md` gives the reason for each default."""

from __future__ import annotations

from dataclasses import dataclass

from mathquorum.errors import SettingsError

__all__ = ["DEFAULT", "EquivalenceSettings"]


@dataclass(frozen=True, slots=True)
class EquivalenceSettings:
    """What counts as the same answer where mathematics leaves it open.

    Attributes:
        percent_is_fraction: 50% is 0.5. By default the sign is a unit: 50% is 50, and 0.5 is another answer.
        units_must_agree: 5 cm differs from 5 and from 5 m. By default units are dropped.
        lists_are_ordered: 1, 2 differs from 2, 1, and repetitions count. By default a list is a set.
        fold_case: X + 1 is x + 1. By default letters in formulas keep their case; words never do.
        decimal_comma: 1,5 is 1.5. By default it is the list 1, 5; 1,500 is a thousand and a half thousand either way.
        symbolic_seconds: How long sympy may work on one answer that needs it; 0 turns it off.
    """

    percent_is_fraction: bool = False
    units_must_agree: bool = False
    lists_are_ordered: bool = False
    fold_case: bool = False
    decimal_comma: bool = False
    symbolic_seconds: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.symbolic_seconds <= 60:
            raise SettingsError(
                f"symbolic_seconds must be between 0 (off) and 60. Got {self.symbolic_seconds} instead."
            )


DEFAULT = EquivalenceSettings()
