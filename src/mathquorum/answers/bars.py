"""Evaluation bars: F|_{x=3} and [F]_0^3."""

from __future__ import annotations

from mathquorum.answers.splitting import opening, sides_of
from mathquorum.answers.symbolic import is_calculus
from mathquorum.answers.tokens import Token

__all__ = ["Bars", "evaluation_bars"]

Bars = tuple[list[Token], str | None, list[Token] | None, list[Token]]


def evaluation_bars(tokens: list[Token]) -> Bars | None:
    """(F, name or None, low or None, high) of a formula that ends in an evaluation bar; None for any other.

    The name is missing where the limits say only numbers, as in [x^2]_0^3. Low is missing where one point is given.
    """
    if ("o", "_") not in tokens:
        return None
    below = _last_limit(tokens, "_")
    above: list[Token] | None = None
    end = below[0] if below else -1
    if below is None:
        upper = _last_limit(tokens, "^")
        lower = _last_limit(tokens[: upper[0]], "_") if upper else None
        if upper is None or lower is None:
            return None
        above, below, end = upper[1], lower, lower[0]
    body = _body(tokens[:end])
    if body is None or not body:
        return None
    name, low = _assigned(below[1])
    if above is None:
        return (body, name, None, low) if name else None
    return body, name, low, _assigned(above)[1]


def _last_limit(tokens: list[Token], mark: str) -> tuple[int, list[Token]] | None:
    """The start of the sub- or superscript at the end, and what it says."""
    if len(tokens) > 2 and tokens[-1] == ("o", "}"):
        start = opening(tokens)
        if start and tokens[start - 1] == ("o", mark) and tokens[start] == ("o", "{"):
            return start - 1, tokens[start + 1 : -1]
    if len(tokens) > 2 and tokens[-2] == ("o", mark) and tokens[-1][0] in "nv":
        return len(tokens) - 2, tokens[-1:]
    return None


def _body(tokens: list[Token]) -> list[Token] | None:
    """What stands before the bar, or between the brackets."""
    if not tokens:
        return None
    if tokens[-1] == ("o", "|"):
        body = tokens[:-1]
        return (
            body[1:]
            if body.count(("o", "|")) == 1 and body[0] == ("o", "|")
            else body
            if ("o", "|") not in body
            else None
        )
    start = opening(tokens)
    if tokens[-1] == ("o", "]") and start == 0 and tokens[0] == ("o", "["):
        return tokens[1:-1]
    if tokens[-1] == ("o", "]") and start and tokens[0] == ("f", "frac") and is_calculus(tokens):
        return tokens  # d/dx [F]
    return None


def _assigned(limit: list[Token]) -> tuple[str | None, list[Token]]:
    sides, operators = sides_of(limit)
    if operators == ["="] and len(sides[0]) == 1 and sides[0][0][0] == "v":
        return str(sides[0][0][1]), sides[1]
    return None, limit
