"""An answer, and the many ways in which it is written.

Real models write one value in many forms, which is why votes are counted by equivalence (PAPER.md section 2.1). The
suite draws the form of each solution's answer at random, so that no form has the majority of a correct cluster.
Every form is one that a careful grader of MATH answers takes for equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from mathquorum.datasets.minimath.numbers import Number, Polynomial, simplest, tex

__all__ = ["Answer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The final answer of a problem.

    Attributes:
        value: A number, a polynomial, or the set of solutions of an equation.
        name: The letter that the problem asks for, which may be repeated ("x=3").
        unit: What is counted ("apples"), which may be repeated; "dollars" may become a sign.
    """

    value: Number | Polynomial | frozenset[Number]
    name: str | None = None
    unit: str | None = None

    def forms(self) -> tuple[str, ...]:
        """Equivalent ways to write the answer, the plainest first, all about equally common.

        Example:
            >>> Answer(5, unit="dollars").forms()
            ('5', '\\\\$5', '\\\\$5.00', '5\\\\text{ dollars}', '5 dollars')
            >>> Answer(Polynomial((-3, 5))).forms()
            ('5x-3', '5x - 3', '-3+5x', '-3 + 5x')
        """
        if isinstance(self.value, Polynomial):
            return _forms_of_polynomial(self.value)
        if isinstance(self.value, frozenset):
            return _forms_of_set(self.value, self.name or "x")
        if self.unit == "dollars" and isinstance(simplest(self.value), int) and self.value >= 0:
            return (f"{self.value}", f"\\${self.value}", f"\\${self.value}.00", f"{self.value}\\text{{ dollars}}",
                    f"{self.value} dollars")  # fmt: skip
        plain = _forms_of_number(self.value)
        if self.unit is not None:
            return (*plain, *(form for text in plain[:2] for form in _with_unit(text, self.unit)))
        if self.name is None:
            return plain
        named = [f"{self.name}{sign}{text}" for text in plain[:2] for sign in ("=", " = ")]
        if isinstance(simplest(self.value), int):  # with a decimal, as programs print it, and set as text
            named += [f"{plain[0]}.0", f"{self.name}={plain[0]}.0", f"\\text{{{plain[0]}}}"]
        return (*plain, *named)


def _with_unit(text: str, unit: str) -> tuple[str, ...]:
    return (
        f"{text}\\text{{ {unit}}}",
        f"{text} {unit}",
        f"{text}\\ \\text{{{unit}}}",
        f"\\text{{{text} {unit}}}",
    )


def _forms_of_number(value: Number) -> tuple[str, ...]:
    value = simplest(value)
    if isinstance(value, int):
        grouped = f"{value:,}"
        return (str(value), grouped, grouped.replace(",", "{,}")) if abs(value) >= 1000 else (str(value),)
    sign, top, bottom = ("-" if value < 0 else ""), abs(value.numerator), value.denominator
    forms = [
        tex(value),
        *(f"{sign}\\{command}{{{top}}}{{{bottom}}}" for command in ("dfrac", "tfrac")),
        f"{sign}{top}/{bottom}",
    ]
    if bottom in (2, 4, 5, 10):
        forms.append(f"{float(value)}")
    if top > bottom:
        forms.append(f"{sign}{top // bottom}\\frac{{{top % bottom}}}{{{bottom}}}")
    return tuple(forms)


def _forms_of_set(values: frozenset[Number], name: str) -> tuple[str, ...]:
    upwards = [tex(value) for value in sorted(values)]
    orders = [upwards, upwards[::-1]] if len(upwards) > 1 else [upwards]
    return tuple(
        f"{start}{comma.join(order)}" for start in ("", f"{name}=") for order in orders for comma in (",", ", ")
    )


def _forms_of_polynomial(value: Polynomial) -> tuple[str, ...]:
    terms = value.terms()
    forms = []
    for order in (terms, terms[::-1]) if len(terms) > 1 else (terms,):
        text = "".join(order)
        spaced = order[0] + "".join(f" {term[0]} {term[1:]}" for term in order[1:])
        forms += [text.removeprefix("+"), spaced.removeprefix("+")]
    return tuple(dict.fromkeys(forms))
