"""Matrices: sums, products, powers, determinants and transposes, worked out entry by entry on expressions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mathquorum.answers.expressions import Node, substitute
from mathquorum.answers.grammar import Unreadable, parse
from mathquorum.answers.splitting import cells, split
from mathquorum.answers.tokens import Token
from mathquorum.answers.value_keys import value_key

__all__ = ["MATRICES", "has_matrix", "matrix_key", "rows_key", "vector_key"]

Key = tuple[Any, ...]
Rows = tuple[tuple[Node, ...], ...]

MATRICES = (
    "matrix",
    "pmatrix",
    "bmatrix",
    "Bmatrix",
    "vmatrix",
    "Vmatrix",
    "array",
    "smallmatrix",
    "psmallmatrix",
    "bsmallmatrix",
)
MAX_SIDE = 8
MAX_EXPANDED = 5  # rows of a determinant
MAX_POWER = 12
_BASIS = {"unit i": 0, "unit j": 1, "unit k": 2}


_Matrices = dict[str, Rows]  # by the names that stand for them in the tree of a formula


def has_matrix(tokens: list[Token]) -> bool:
    return any(kind == "c" and value.startswith("begin ") and value[6:] in MATRICES for kind, value in tokens)


def matrix_key(tokens: list[Token]) -> Key:
    """The key of a formula with matrices: of a matrix, or of a number where determinants are taken.

    Raises:
        Unreadable: When the tokens are no such formula.
        NoValue: When an entry has no value.
    """
    matrices: _Matrices = {}
    tree = parse(_named(tokens, matrices))
    value = _value(tree, matrices)
    return rows_key(value) if _is_matrix(value) else value_key(value)


def rows_key(rows: Rows) -> Key:
    return ("matrix", tuple(tuple(value_key(cell) for cell in row) for row in rows))


def vector_key(node: Node, names: frozenset[str]) -> Key | None:
    """The column of a vector 2i - 3j in unit vectors; None when the expression names none."""
    if not names or not names <= _BASIS.keys():
        return None
    zero = node
    for name in names:
        zero = substitute(zero, name, ("num", 0))
    if value_key(zero) != ("n", (0, 1)):
        raise Unreadable("a vector and a number")
    count = max(2, 1 + max(_BASIS[name] for name in names))
    column: list[tuple[Node]] = []
    for place in range(count):
        entry = node
        for name in names:
            entry = substitute(entry, name, ("num", int(_BASIS[name] == place)))
        column.append((entry,))
    return rows_key(tuple(column))


def _named(tokens: list[Token], matrices: _Matrices) -> list[Token]:
    """The tokens with a name for each matrix, and a bracket around the number that stands for a determinant."""
    result: list[Token] = []
    index = 0
    while index < len(tokens):
        kind, value = tokens[index]
        if kind == "c" and value.startswith("begin "):
            end = _end(tokens, index)
            rows = _rows(tokens[index + 1 : end], value[6:])
            name = f"matrix {len(matrices)}"
            matrices[name] = rows
            mark: Token = ("v", name)
            result += [("f", "det"), ("o", "("), mark, ("o", ")")] if value[6:] in ("vmatrix", "Vmatrix") else [mark]
            index = end + 1
        elif kind == "c" and value in ("det", "tr"):
            result.append(("f", value))
            index += 1
        else:
            result.append(tokens[index])
            index += 1
    return result


def _end(tokens: list[Token], start: int) -> int:
    """The end of the environment that begins at `start`."""
    depth = 0
    for index in range(start, len(tokens)):
        kind, value = tokens[index]
        if kind == "c":
            depth += value.startswith("begin ") - value.startswith("end ")
            if depth == 0:
                return index
    raise Unreadable("an open environment")


def _rows(tokens: list[Token], environment: str) -> Rows:
    if environment not in MATRICES:
        raise Unreadable(environment)
    lines, _ = split(tokens, ("\\\\",))
    lines = [[t for t in line if t != ("c", "hline")] for line in lines]
    rows = tuple(tuple(parse(cell) for cell in cells(line)) for line in lines if line)
    if not rows or len({len(row) for row in rows}) != 1 or max(len(rows), len(rows[0])) > MAX_SIDE * 4:
        raise Unreadable("ragged rows")
    return rows


def _is_matrix(value: Any) -> bool:
    """Rows hold rows; a tree begins with its kind."""
    return type(value[0]) is tuple


def _value(node: Node, matrices: _Matrices) -> Any:
    """Rows, or a tree of numbers."""
    kind = node[0]
    if kind == "var" and node[1] in matrices:
        return matrices[node[1]]
    if kind in ("num", "var") or not any(type(n) is tuple for n in node[1:]):
        return node
    if kind == "pow" and node[2] in (("var", "T"), ("var", "top")):
        base = _value(node[1], matrices)
        if _is_matrix(base):
            return tuple(zip(*base, strict=True))
    values = [_value(n, matrices) if type(n) is tuple else n for n in node[1:]]
    if not any(_is_matrix(v) for v in values if type(v) is tuple):
        return (kind, *values)
    return _operated(kind, values)


def _operated(kind: str, values: list[Any]) -> Any:
    if kind == "add":
        total = values[0]
        for value in values[1:]:
            total = _added(total, value)
        return total
    if kind == "mul":
        product = values[0]
        for value in values[1:]:
            product = _multiplied(product, value)
        return product
    if kind == "neg":
        return _scaled(values[0], ("num", -1))
    if kind == "div" and _is_matrix(values[0]) and not _is_matrix(values[1]):
        return _scaled(values[0], ("div", ("num", 1), values[1]))
    if kind == "pow" and _is_matrix(values[0]):
        return _power(values[0], values[1])
    if kind in ("det", "abs"):
        return _determinant(values[0])
    if kind == "tr":
        return (
            "add",
            ("num", 0),
            *(values[0][i][i] for i in range(len(values[0])) if len(values[0][0]) == len(values[0])),
        )
    raise Unreadable(f"{kind} of a matrix")


def _added(a: Any, b: Any) -> Rows:
    if not (_is_matrix(a) and _is_matrix(b)) or len(a) != len(b) or len(a[0]) != len(b[0]):
        raise Unreadable("a sum of matrices of other shapes")
    return tuple(tuple(("add", x, y) for x, y in zip(p, q, strict=True)) for p, q in zip(a, b, strict=True))


def _scaled(rows: Rows, factor: Node) -> Rows:
    return tuple(tuple(("mul", factor, cell) for cell in row) for row in rows)


def _multiplied(a: Any, b: Any) -> Any:
    if not _is_matrix(a) or not _is_matrix(b):
        if _is_matrix(a) or _is_matrix(b):
            return _scaled(a, b) if _is_matrix(a) else _scaled(b, a)
        return ("mul", a, b)
    if len(a) == len(b) > 1 and len(a[0]) == len(b[0]) == 1:  # a dot product of columns
        a = tuple(zip(*a, strict=True))
    if len(a[0]) != len(b) or max(len(a), len(b), len(b[0])) > MAX_SIDE:
        raise Unreadable("a product of matrices of other shapes")
    columns = list(zip(*b, strict=True))
    rows = tuple(
        tuple(("add", ("num", 0), *(("mul", x, y) for x, y in zip(row, c, strict=True))) for c in columns) for row in a
    )
    return rows[0][0] if len(rows) == len(rows[0]) == 1 else rows


def _power(rows: Rows, exponent: Node) -> Rows:
    number = (
        exponent[1]
        if exponent[0] == "num"
        else -exponent[1][1]
        if exponent[0] == "neg" and exponent[1][0] == "num"
        else None
    )
    if not isinstance(number, int) or not -MAX_POWER <= number <= MAX_POWER or len(rows) != len(rows[0]):
        raise Unreadable("a power of a matrix")
    base = rows if number >= 0 else _inverse(rows)
    result: Rows = tuple(tuple(("num", int(i == j)) for j in range(len(rows))) for i in range(len(rows)))
    for _ in range(abs(number)):
        result = _simplified(_multiplied(result, base))
    return result


def _simplified(rows: Rows) -> Rows:
    """Entries that are fractions as such, so that powers do not grow trees."""
    return tuple(tuple(_number(cell) for cell in row) for row in rows)


def _number(node: Node) -> Node:
    key = value_key(node)
    return ("num", Fraction(*key[1])) if key[0] == "n" and len(key[1]) == 2 else node


def _determinant(rows: Any) -> Node:
    """Laplace's expansion along the first row."""
    if not _is_matrix(rows) or len(rows) != len(rows[0]) or len(rows) > MAX_EXPANDED:
        raise Unreadable("no determinant")
    if len(rows) == 1:
        return rows[0][0]  # type: ignore[no-any-return]
    terms: list[Node] = []
    for column, entry in enumerate(rows[0]):
        term = ("mul", entry, _determinant(_without(rows, 0, column)))
        terms.append(("neg", term) if column % 2 else term)
    return ("add", *terms)


def _without(rows: Rows, i: int, j: int) -> Rows:
    return tuple(row[:j] + row[j + 1 :] for index, row in enumerate(rows) if index != i)


def _inverse(rows: Rows) -> Rows:
    """The adjugate over the determinant."""
    whole = _determinant(rows)
    if len(rows) == 1:
        return ((("div", ("num", 1), whole),),)
    size = range(len(rows))
    return tuple(
        tuple(("div", ("mul", ("num", (-1) ** (i + j)), _determinant(_without(rows, j, i))), whole) for j in size)
        for i in size
    )
