"""Are two final answers the same? One relation for clusters, and one documented step on top of it for references.

`equivalent` compares keys (`reading`), so it is reflexive, symmetric and transitive by construction, and a cluster is
a connected component whatever the order. `matches_reference` adds the rules of `reference`, which may use the form of the
reference; they too see keys alone, so members of one cluster are always graded alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from mathquorum.answers.number_keys import shown
from mathquorum.answers.reading import read
from mathquorum.answers.reference import matching_rule
from mathquorum.answers.settings import DEFAULT, EquivalenceSettings

__all__ = ["Verdict", "equivalent", "explain", "explain_match", "matches_reference"]


@dataclass(frozen=True)
class Verdict:
    """Whether two answers are equal, and the rule that decided. Prints as one sentence."""

    equal: bool
    rule: str

    def __str__(self) -> str:
        return f"{'equal' if self.equal else 'different'}: {self.rule}"


def explain(a: str, b: str, settings: EquivalenceSettings = DEFAULT) -> Verdict:
    """The verdict of `equivalent` with the rule that decided.

    Examples:
        >>> print(explain("3", r"\\log_2 8"))
        equal: the same number, 3
    """
    if a == b:
        return Verdict(True, "written the same")
    left, right = read(a, settings), read(b, settings)
    if left.key == right.key:
        return Verdict(True, f"the same {left.kind}{shown(left.key)}")
    if left.kind != right.kind:
        return Verdict(False, f"one is of kind {left.kind}, the other of kind {right.kind}")
    return Verdict(False, f"not the same {left.kind}")


class _Equivalent(Protocol):
    """`equivalent` carries its explanation: `equivalent.explain(a, b)`."""

    explain: Callable[..., Verdict]

    def __call__(self, a: str, b: str, settings: EquivalenceSettings = DEFAULT) -> bool: ...


def _equivalent(a: str, b: str, settings: EquivalenceSettings = DEFAULT) -> bool:
    """Whether two answers are mathematically equivalent.

    Examples:
        >>> equivalent(r"\\frac{1}{2}", "0.5"), equivalent("(1, 2)", "[1, 2]")
        (True, False)
    """
    return a == b or read(a, settings).key == read(b, settings).key


equivalent = cast(_Equivalent, _equivalent)
"""`equivalent(a, b, settings)`: do two answers have the same value? `equivalent.explain(a, b)` says by which rule.

Examples:
    >>> equivalent(r"\\frac{1}{2}", "0.5"), equivalent("(1, 2)", "[1, 2]")
    (True, False)
"""
equivalent.explain = explain


def explain_match(reference: str, answer: str, settings: EquivalenceSettings = DEFAULT) -> Verdict:
    """The verdict of `matches_reference` with the rule that decided."""
    verdict = explain(answer, reference, settings)
    if verdict.equal:
        return verdict
    rule = matching_rule(read(reference, settings), read(answer, settings))
    return Verdict(True, rule) if rule else verdict


def matches_reference(reference: str, answer: str, settings: EquivalenceSettings = DEFAULT) -> bool:
    """Whether an answer is right: equivalent to the reference, or equal to it in the form that the reference asks for.

    Examples:
        >>> matches_reference("204_5", "204"), equivalent("204_5", "204")
        (True, False)
    """
    if answer == reference:
        return True
    wanted, given = read(reference, settings), read(answer, settings)
    return wanted.key == given.key or matching_rule(wanted, given) is not None
