"""Single equations: their labels are true, and held-out ones are never trained on. Read here with plain arithmetic."""

from __future__ import annotations

import re
from fractions import Fraction
from random import Random

import pytest

from mathquorum.datasets.minimath.checks import KINDS, draw_equation
from mathquorum.datasets.minimath.forms import Answer
from mathquorum.datasets.minimath.numbers import Polynomial


def value(text: str, x: int = 7) -> Fraction:
    """What an equation's side is worth, by a reader that shares nothing with the writer."""
    text = re.sub(r"\\frac\{(-?\d+)\}\{(\d+)\}", r"(Fraction(\1,\2))", text)
    text = re.sub(r"(?<=[\d)])(?=[xyntz(])", "*", text)
    text = re.sub(r"[xyntz](?![a-z])(?<!Fraction)", f"({x})", text.replace("Fraction", "F")).replace("F", "Fraction")
    text = text.replace("Fraction*", "Fraction").replace("^", "**")
    return Fraction(eval(re.sub(r"(?<![\w(,])(\d+)(?![\w,])/", r"Fraction(\1)/", text), {"Fraction": Fraction}))


@pytest.mark.parametrize("kind", KINDS)
def test_an_equation_is_labelled_by_whether_it_holds(kind) -> None:
    rng = Random(0)
    labels = set()
    for _ in range(200):
        equation = draw_equation(rng, kind=kind)
        left, right = equation.text.split("=")
        assert (value(left) == value(right) and value(left, 11) == value(right, 11)) == equation.correct, equation
        labels.add(equation.correct)
    assert labels == {True, False}


def test_held_out_equations_are_never_trained_on() -> None:
    rng = Random(0)
    held_out = {draw_equation(rng, held_out=True).text.split("=")[0] for _ in range(300)}
    trained = {draw_equation(rng).text.split("=")[0] for _ in range(5000)}
    assert not held_out & trained


def test_forms_of_answers() -> None:
    assert Answer(1234, name="N").forms()[:3] == ("1234", "1,234", "1{,}234")
    assert Answer(Fraction(-7, 2)).forms()[:7] == (
        "-\\frac{7}{2}", "-\\dfrac{7}{2}", "-\\tfrac{7}{2}", "-7/2", "-7 / 2", "-3.5", "-3\\frac{1}{2}",
    )  # fmt: skip
    assert Answer(frozenset({3, -2}), name="x").forms()[:3] == ("-2,3", "-2, 3", "-2 and 3")
    assert str(Polynomial((-12, -1, 1), "t")) == "t^2-t-12"
