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
        """Equivalent ways to write the answer, the plainest first, all equally likely; for nearly every answer of the
        suite eight or more.

        A notation (`\\frac`, `\\dfrac`, a slash, a decimal) times a frame (a name, a unit, parentheses): a vote by string is
        then decided by a few candidates of many, as with real models that have no habit of their own.

        Example:
            >>> forms = Answer(5, unit="dollars").forms()
            >>> len(forms), forms[:4]
            (10, ('5', '5.00', '\\\\$5', '\\\\$5.00'))
        """
        if isinstance(self.value, Polynomial):
            return _framed(FRAMES, _notations_of_polynomial(self.value))
        if isinstance(self.value, frozenset):
            return _forms_of_set(self.value, self.name or "x")
        if self.unit == "dollars" and isinstance(simplest(self.value), int):
            return _framed(("{}", "\\${}", *_unit_frames("dollars")), (f"{self.value}", f"{self.value}.00"))
        notations = _notations_of_number(self.value)
        if self.unit is not None:
            return _framed(("{}", *_unit_frames(self.unit)), notations)
        if self.name is not None:
            return _framed((*FRAMES, *_name_frames(self.name)), notations)
        return _framed(FRAMES, notations)


# In each frame {} is where the notation stands. All forms are made of what the embedded bases know well from pre-training:
# commands that they have never written (\mathbf, \displaystyle) come out as rubbish after a short fine-tuning.
FRAMES = ("{}", "({})")


def _framed(frames: tuple[str, ...], notations: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        frame.replace("{}", notation)
        for frame in frames
        for notation in notations
        if not (frame == "({})" and "," in notation)  # (1,234) would be a pair
    )


def _name_frames(name: str) -> tuple[str, ...]:
    return f"{name}={{}}", f"{name} = {{}}"


def _unit_frames(unit: str) -> tuple[str, ...]:
    return f"{{}}\\text{{ {unit}}}", f"{{}} {unit}", f"{{}}\\ \\text{{{unit}}}"


def _notations_of_number(value: Number) -> tuple[str, ...]:
    value = simplest(value)
    if isinstance(value, int):
        plain = str(value)
        grouped = (f"{value:,}", f"{value:,}".replace(",", "{,}")) if abs(value) >= 1000 else ()
        return plain, *grouped, f"{plain}.0", f"{plain}.00"
    sign, top, bottom = ("-" if value < 0 else ""), abs(value.numerator), value.denominator
    notations = [
        tex(value),
        *(f"{sign}\\{command}{{{top}}}{{{bottom}}}" for command in ("dfrac", "tfrac")),
        f"{sign}{top}/{bottom}",
        f"{sign}{top} / {bottom}",
    ]
    if bottom in (2, 4, 5, 10):
        notations.append(f"{float(value)}")
    if top > bottom:
        notations.append(f"{sign}{top // bottom}\\frac{{{top % bottom}}}{{{bottom}}}")
    return tuple(notations)


def _forms_of_set(values: frozenset[Number], name: str) -> tuple[str, ...]:
    upwards = [tex(value) for value in sorted(values)]
    orders = [upwards, upwards[::-1]] if len(upwards) > 1 else [upwards]
    lists = [comma.join(order) for order in orders for comma in (",", ", ", " and ")]
    return _framed(("{}", *_name_frames(name)), tuple(dict.fromkeys(lists)))


def _notations_of_polynomial(value: Polynomial) -> tuple[str, ...]:
    terms = value.terms()
    notations = []
    for order in (terms, terms[::-1]) if len(terms) > 1 else (terms,):
        text = "".join(order)
        spaced = order[0] + "".join(f" {term[0]} {term[1:]}" for term in order[1:])
        notations += [text.removeprefix("+"), spaced.removeprefix("+")]
    notations += [text.replace("^2", "^{2}") for text in notations]
    return tuple(dict.fromkeys(notations))
