"""Equal and unequal expressions by construction: E and E + d - d are equal, E and E + d are not when d is not zero.

E is any composition of functions, and d a small or a fast-growing term, so that the larger of them hides the smaller at most
points. Unlike pairs made from known identities, nothing here is a formula that anybody would tune to.
"""

from __future__ import annotations

import random

from mathquorum.answers import equivalent, grade

NAMES = ("x", "t", "n", "k", "a", "y", r"\theta")
ATOMS = (*NAMES, "2", "3", "5", r"\pi", "e", r"\sqrt{2}", r"\frac{1}{3}", "0.7", "100")


def expression(draw: random.Random, depth: int) -> str:
    """A random expression, real for small positive values of its names, in brackets where it needs them."""
    if depth == 0 or draw.random() < 0.15:
        return draw.choice(ATOMS)
    inner = expression(draw, depth - 1)
    other = expression(draw, depth - 1)
    return draw.choice(
        (
            f"({inner} + {other})",
            f"({inner} - {other})",
            rf"({inner} + 1) ({other})",
            rf"\frac{{{inner}}}{{{other} + 7}}",
            f"({inner})^{draw.choice('23')}",
            rf"\sqrt{{({inner})^2 + {draw.choice('125')}}}",
            rf"\sin({inner})",
            rf"\cos\left({inner}\right)",
            rf"\arctan({inner})",
            rf"\ln(1 + ({inner})^2)",
            rf"e^{{-\sin({inner})}}",
            rf"2^{{\sin({inner})}}",
            rf"\cosh(\cos({inner}))",
            rf"|{inner} - 1|",
        )
    )


def term(draw: random.Random) -> str:
    """A term that is zero nowhere on a whole interval."""
    name = draw.choice(NAMES)
    number = draw.choice(("1", "2", r"\frac{1}{7}", "0.01", "1000", r"\sqrt{3}", r"\pi", "10^{-40}"))
    return draw.choice(
        (
            number,
            f"{number} {name}",
            f"{number} {name}^{{{draw.choice((2, 3, 10, 60))}}}",
            rf"{number} e^{{{name}}}",
            rf"{number} e^{{-{draw.choice('1239')}{name}}}",
            rf"{number} \cdot {draw.choice('237')}^{{{name}}}",
            rf"{number} \cdot {draw.choice('237')}^{{-{name}}}",
            rf"{number} \sin {name}",
            rf"\frac{{{number}}}{{{name} + 1}}",
        )
    )


def rewritten(draw: random.Random, text: str) -> str:
    """The same value, written another way."""
    extra, angle = term(draw), draw.choice(NAMES)
    return draw.choice(
        (
            f"{extra} + {text} - ({extra})",
            f"-({extra} - ({text})) + {extra}",
            rf"\frac{{({text}) ({angle}^2 + 2)}}{{2 + {angle} \cdot {angle}}}",
            rf"({text}) (\sin^2 {angle} + \cos^2 {angle})",
            rf"({text}) e^{{{angle}}} e^{{-{angle}}}",
            rf"\frac{{1}}{{2}} ({text}) + \frac{{{text}}}{{2}}",
            rf"({text}) (\cosh^2 {angle} - \sinh^2 {angle})",
            rf"{text} + \ln\left(e^{{{angle}}}\right) - {angle}",
        )
    )


def pairs(seed: int, count: int) -> list[tuple[str, str, bool]]:
    """(one, other, whether they are equal)"""
    rows = []
    for index in range(count):
        draw = random.Random(f"{seed} {index}")
        one = expression(draw, draw.choice((1, 2, 2, 3)))
        equal = draw.random() < 0.5
        other = rewritten(draw, one) if equal else f"{one} + {term(draw)}"
        if not equal and draw.random() < 0.5:
            other = rewritten(draw, other)
        rows.append((one, other, equal))
    return rows


def test_expressions_are_equal_exactly_when_made_equal() -> None:
    wrong = [f"{one} | {other} | {equal}" for one, other, equal in pairs(1, 400) if grade(one, other) != equal]
    assert not wrong, "\n".join(wrong)


def test_a_term_that_every_other_outgrows_still_counts() -> None:
    grown = [
        f"{big} + {small}"
        for big in ("e^x", "x^{80}", "3^x", r"\cosh x")
        for small in ("1", "2", "x", "e^{-x}", r"10^{-12} x")
    ]
    assert len({frozenset((a, b)) for a in grown for b in grown if a != b and equivalent(a, b)}) == 0


def test_a_value_whose_terms_cannot_be_told_apart_is_no_number() -> None:
    for text in (
        r"\frac{10^{10^9}+1}{10^{10^9}}",
        r"\tanh 5000",
        r"1-e^{-9999}",
        r"\arctan(10^{10^6})",
        r"\cos(10^{-5000})",
    ):
        assert not equivalent(text, "1")
        assert not equivalent(text, r"\frac{\pi}{2}")
