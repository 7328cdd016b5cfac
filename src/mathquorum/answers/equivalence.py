"""Are two final answers the same? One relation for clusters, and one documented step on top of it for references.

`equivalent` is an equivalence relation: it compares keys (`reading`), so it is reflexive, symmetric and transitive by
construction. `matches_reference` adds the rules of `reference`, which may use the form of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass

from mathquorum.answers.reading import read
from mathquorum.answers.reference import matching_rule

__all__ = ["Verdict", "equivalent", "explain", "matches_reference"]


@dataclass(frozen=True)
class Verdict:
    """Whether two answers are equal, and the rule that decided. Prints as one sentence."""

    equal: bool
    rule: str

    def __str__(self) -> str:
        return f"{'equal' if self.equal else 'different'}: {self.rule}"


def equivalent(a: str, b: str) -> bool:
    """Whether two answers are mathematically equivalent.

    Example:
        >>> equivalent(r"\\frac{1}{2}", "0.5"), equivalent("(1, 2)", "[1, 2]")
        (True, False)
    """
    return a == b or explain(a, b).equal


def explain(a: str, b: str) -> Verdict:
    """The verdict of `equivalent` with the rule that decided.

    Example:
        >>> print(explain("3", r"\\log_2 8"))
        equal: the same number
    """
    if a == b:
        return Verdict(True, "written the same")
    left, right = read(a), read(b)
    if left.key == right.key:
        return Verdict(True, f"the same {left.kind}")
    if left.kind != right.kind:
        return Verdict(False, f"one is of kind {left.kind}, the other of kind {right.kind}")
    return Verdict(False, f"not the same {left.kind}")


def matches_reference(answer: str, reference: str) -> bool:
    """Whether an answer is right: equivalent to the reference, or equal to it in the form that the reference asks for.

    Example:
        >>> matches_reference("204", "204_5"), equivalent("204", "204_5")
        (True, False)
    """
    return explain_match(answer, reference).equal


def explain_match(answer: str, reference: str) -> Verdict:
    """The verdict of `matches_reference` with the rule that decided."""
    verdict = explain(answer, reference)
    if verdict.equal:
        return verdict
    rule = matching_rule(read(answer), read(reference))
    return Verdict(True, rule) if rule else verdict
