"""Names of quantities that are more than a letter: [ABC], P(A \\cap B), f^{-1}(2), \\gcd(a, b), A^{-1}."""

from __future__ import annotations

from mathquorum.answers.splitting import closing, step
from mathquorum.answers.tokens import Token
from mathquorum.answers.wording import label

__all__ = ["quantity_name"]

_MEASURES = frozenset(("P", "E", "V"))  # probability, expectation, variance
_MEASURE_WORDS = frozenset(
    ("Pr", "Var", "Cov", "Prob", "prob", "area", "Area", "vol", "Vol", "perimeter", "deg", "dim", "rank", "tr", "ord")
)
_OPERATIONS = frozenset(("gcd", "lcm", "max", "min"))
_COMMANDS = frozenset(("det", "deg", "dim", "Pr", "arg", "rank", "tr", "ord"))
_FUNCTIONS = frozenset("fghFGHpqPQuv")
_SIGNS = (("o", "+"), ("o", "-"), ("o", "*"), ("o", "/"))
_JOINED = (("c", "deg"), ("o", "+"), ("o", "-"), ("o", "*"), ("o", "/"))  # f o g, f + g
_BRACKETS = (("o", "("), ("o", "["))


def quantity_name(tokens: list[Token]) -> str | None:
    """The name of the quantity that the left side of an assignment is; None when it is an expression to solve for something."""
    if not tokens or len(tokens) > 24:
        return None
    text = "".join(str(value) for _, value in tokens)
    bare = [t for t in tokens if t not in (("o", "{"), ("o", "}"))]
    if (
        len(bare) < len(tokens)
        and ("o", "^") not in tokens
        and ("o", "_") not in tokens
        and ("f", "frac") not in tokens
    ):
        name = label(bare)
        if name is not None:
            return name
    is_name = (
        _is_sum_of_values(tokens)
        or _is_derivative_at(tokens)
        or _is_series_of_names(tokens)
        or _is_measure(tokens)
        or _is_operation(tokens)
        or _is_value_of_function(tokens)
        or _is_power_of_capitals(bare)
    )
    return text if is_name else None


def _spans(tokens: list[Token], start: int) -> bool:
    """Whether one pair of brackets holds everything from `start` on."""
    return len(tokens) > start + 2 and tokens[start] in _BRACKETS and closing(tokens, start) == len(tokens) - 1


def _is_measure(tokens: list[Token]) -> bool:
    kind, value = tokens[0]
    if _spans(tokens, 0) and tokens[0] == ("o", "["):
        return len(tokens) > 3 and all(k == "v" and str(v).isupper() for k, v in tokens[1:-1])  # [ABC], an area
    if not _spans(tokens, 1):
        return False
    inside = tokens[2:-1]
    if kind == "v" and value in _MEASURES:
        return value != "P" or any(
            k in "wc" or (k == "v" and str(v).isupper()) or (k == "o" and v in "=<>") for k, v in inside
        )
    return kind == "w" and value in _MEASURE_WORDS


def _is_derivative_at(tokens: list[Token]) -> bool:
    """dy/dx|_{x=1}"""
    bar = [("o", "|"), ("o", "_")]
    return (
        tokens[:1] == [("f", "frac")] and ("v", "d") in tokens[:3] and bar in [tokens[i : i + 2] for i in range(9, 13)]
    )


def _is_series_of_names(tokens: list[Token]) -> bool:
    """\\sum_i a_i: a sum of terms that have names only."""
    return tokens[0] in (("f", "sum"), ("f", "prod")) and ("o", "_") in tokens and all(k != "n" for k, _ in tokens)


def _is_operation(tokens: list[Token]) -> bool:
    kind, value = tokens[0]
    if len(tokens) > 1 and kind == "c" and value in _COMMANDS:
        return True
    return kind == "f" and value in _OPERATIONS and _spans(tokens, 1) and any(k == "v" for k, _ in tokens)


def _is_value_of_function(tokens: list[Token]) -> bool:
    """f^{-1}(2), g(f(2)), (f \\circ g)(1), f(g(x)): a function of a number, or a composition at one name."""
    first = closing(tokens, 0) if tokens[0] == ("o", "(") else None
    if first is not None and first + 1 < len(tokens):  # (f o g)(1)
        inside = tokens[1:first]
        heads = [t for t in inside if t not in _JOINED] if len(inside) > 1 else []
        return (
            bool(heads)
            and all(_is_function(t) for t in heads)
            and _spans(tokens, first + 1)
            and _is_point(tokens[first + 2 : -1])
        )
    if not _is_function(tokens[0]):
        return False
    start = 1
    while start < len(tokens) and tokens[start] == ("o", "'"):
        start += 1
    inverse = [("o", "^"), ("o", "{"), ("o", "-"), ("n", 1), ("o", "}")]
    if tokens[start : start + 5] == inverse:
        start += 5
    if start < len(tokens) - 1 and tokens[start] == ("c", "deg"):  # f o g(1)
        return _is_value_of_function(tokens[start + 1 :])
    if not _spans(tokens, start) or tokens[start] != ("o", "("):
        return False
    inside = tokens[start + 1 : -1]
    return (
        _is_value_of_function(inside) if inside and _is_function(inside[0]) and len(inside) > 1 else _is_point(inside)
    )


def _is_sum_of_values(tokens: list[Token]) -> bool:
    """f(2) + g(1), f(3) - f(1): values of functions of numbers, added, subtracted, multiplied or divided."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += step(token)
        if depth == 0 and token in _SIGNS:
            parts.append([])
        else:
            parts[-1].append(token)
    return len(parts) > 1 and all(part and _is_value_of_function(part) for part in parts)


def _is_function(token: Token) -> bool:
    return token[0] == "v" and token[1] in _FUNCTIONS


def _is_point(tokens: list[Token]) -> bool:
    """One name, or a number."""
    if len(tokens) == 1:
        return tokens[0][0] in "nv"
    return (
        bool(tokens)
        and all(kind in "nof" or value in ("pi", "e") for kind, value in tokens)
        and ("o", ",") not in tokens
    )


def _is_power_of_capitals(tokens: list[Token]) -> bool:
    """A^{-1} and AB^2, not x^2."""
    if ("o", "^") not in tokens:
        return False
    cut = tokens.index(("o", "^"))
    head, raised = tokens[:cut], tokens[cut + 1 :]
    if not head or not all(kind == "v" and str(value).isupper() for kind, value in head):
        return False
    if len(head) == 1:
        return raised in ([("o", "-"), ("n", 1)], [("v", "T")])
    return len(raised) == 1 and raised[0][0] == "n"
