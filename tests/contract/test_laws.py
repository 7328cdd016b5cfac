"""Laws that many parts rely on are written once."""

from __future__ import annotations

import ast
from pathlib import Path

import mathquorum

ROOT = Path(mathquorum.__file__).parent


def _orders_clusters(node: ast.AST) -> bool:
    """A tuple that begins with the negative of a length, as `records.largest_first` returns."""
    return (
        isinstance(node, ast.Tuple)
        and isinstance(first := node.elts[0] if node.elts else None, ast.UnaryOp)
        and isinstance(first.op, ast.USub)
        and isinstance(first.operand, ast.Call)
        and ast.unparse(first.operand.func) == "len"
    )


def test_the_order_of_clusters_is_written_once() -> None:
    places = {
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if _orders_clusters(node) and file != ROOT / "records.py"
    }
    assert not places, f"clusters are ordered by records.largest_first, not here: {sorted(places)}"
