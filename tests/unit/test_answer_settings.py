"""The named conventions: what each default does, and what turning it does."""

from __future__ import annotations

import pytest

from mathquorum.answers import EquivalenceSettings, equivalent


@pytest.mark.parametrize(
    ("setting", "a", "b", "by_default", "when_set"),
    [
        ("percent_is_fraction", r"50\%", "0.5", False, True),
        ("percent_is_fraction", r"50\%", "50", True, False),
        ("units_must_agree", r"5\text{ cm}", r"5\text{ m}", True, False),
        ("units_must_agree", r"5\text{ cm}", "5", True, False),
        ("units_must_agree", r"5\text{ cm}", "5 centimeters", True, True),
        ("lists_are_ordered", "1, 2", "2, 1", True, False),
        ("lists_are_ordered", "1, 2", "1,2", True, True),
        ("fold_case", r"\frac{X}{2}", "x/2", False, True),
        ("decimal_comma", "1,5", "1.5", False, True),
        ("decimal_comma", "1,500", "1500", True, True),
    ],
)
def test_a_setting_changes_what_it_says(setting: str, a: str, b: str, by_default: bool, when_set: bool) -> None:
    assert equivalent(a, b) == by_default
    assert equivalent(a, b, EquivalenceSettings(**{setting: True})) == when_set  # type: ignore[arg-type]
