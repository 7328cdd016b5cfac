"""The way from tokens to an expression: a tolerant recursive-descent reader of LaTeX and ASCII mathematics.

The result is a tree of tuples, ("add", a, b), ("frac" is "div"), which `evaluation` evaluates. Nothing is executed and
nothing is guessed beyond the notation: what cannot be read raises `Unreadable`, and the answer is then compared as text.
"""

from __future__ import annotations

from collections import deque
from fractions import Fraction

from mathquorum.answers.expressions import Node, substitute, variables
from mathquorum.answers.tokens import Token

__all__ = ["Unreadable", "parse"]

MAX_DEPTH = 80
MAX_TOKENS = 3_000


class Unreadable(Exception):
    """The tokens are not one expression of the grammar."""


def parse(tokens: list[Token]) -> Node:
    """The expression that all the tokens form.

    Raises:
        Unreadable: When they do not.
    """
    if not tokens or len(tokens) > MAX_TOKENS:
        raise Unreadable("empty or too long")
    if len(tokens) == 1 and tokens[0][0] == "n":  # most entries of most matrices
        return ("num", tokens[0][1])
    parser = _Parser(_with_braces(tokens))
    node = parser.whole()
    if parser.position != parser.length:
        raise Unreadable(f"unexpected {parser.tokens[parser.position]}")
    return node


def _with_braces(tokens: list[Token]) -> list[Token]:
    """\\frac12 as \\frac{1}{2}: TeX takes one digit where there are no braces, and the lexer has read the number 12."""
    if not any(t in _TWO_ARGUMENTS and tokens[i + 1][0] == "n" for i, t in enumerate(tokens[:-1])):
        return tokens
    rest, result = deque(tokens), list[Token]()
    while rest:
        _move(rest, result)
    return result


def _move(rest: deque[Token], result: list[Token]) -> None:
    """Moves the next token, and the two arguments of a fraction with it."""
    token = rest.popleft()
    result.append(token)
    if token in _TWO_ARGUMENTS and rest and rest[0] != ("o", "("):
        _move_argument(rest, result)
        _move_argument(rest, result)


def _move_argument(rest: deque[Token], result: list[Token]) -> None:
    """Moves a group, one digit, or a command with what it takes."""
    if not rest:
        return
    kind, value = rest[0]
    if kind == "n" and isinstance(value, int):
        rest.popleft()
        digits = str(value)
        if len(digits) > 2 and digits[1] == "0":
            raise Unreadable("digits")
        if len(digits) > 1:
            rest.appendleft(("n", int(digits[1:])))
        result += [("o", "{"), ("n", int(digits[0])), ("o", "}")]
        return
    is_group = rest[0] == ("o", "{")
    _move(rest, result)
    if is_group:
        depth = 1
        while rest and depth:
            depth += (rest[0] == ("o", "{")) - (rest[0] == ("o", "}"))
            _move(rest, result)
    elif (kind, value) in (("o", "-"), ("f", "sqrt")):
        _move_argument(rest, result)


_TWO_ARGUMENTS = (("f", "frac"), ("f", "binom"))
_END: list[Token] = [("end", "")] * 6
_STARTS = frozenset("nvf")
_OPENING = {"(": ")", "[": "]", "{": "}"}
_BARS = {"lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil")}
_DEGREE_SIGNS = ([("o", "^"), ("c", "deg")], [("o", "^"), ("o", "{"), ("c", "deg"), ("o", "}")])
_LETTER_FUNCTIONS = frozenset("fghFGH")
_ONE_ARGUMENT_NAMES = """
sin cos tan cot sec csc sinh cosh tanh asin acos atan acot ln exp log abs floor ceil fact cis det tr
"""
_ONE_ARGUMENT = frozenset(_ONE_ARGUMENT_NAMES.split())
_INVERSE = {"sin": "asin", "cos": "acos", "tan": "atan", "cot": "acot"}


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = [*tokens, *_END]
        self.length = len(tokens)
        self.position = 0
        self.depth = 0
        self.bars = 0
        self.indices: list[str] = []  # of the sums and products around: there i is no imaginary unit

    # --- looking at tokens ---

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[self.position + ahead]  # marks of the end follow the tokens

    def at(self, *operators: str) -> bool:
        kind, value = self.tokens[self.position]
        return kind == "o" and value in operators

    def take(self) -> Token:
        token = self.tokens[self.position]
        if token[0] != "end":
            self.position += 1
        return token

    def expect(self, operator: str) -> None:
        if not self.at(operator):
            raise Unreadable(f"expected {operator}, found {self.peek()}")
        self.position += 1

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("too deep")

    # --- precedence, loosest first ---

    def whole(self) -> Node:
        """An expression, or two of them stacked by TeX's \\over and \\choose."""
        node = self.sum()
        if self.at("over", "choose"):
            name = "div" if self.take()[1] == "over" else "binom"
            node = (name, node, self.sum())
        return node

    def sum(self) -> Node:
        self.enter()
        parts = []
        negative = False
        while self.at("+", "-"):
            negative ^= self.take()[1] == "-"
        while True:
            part = self.product()
            parts.append(("neg", part) if negative else part)
            if self.at("|") and self.bars == 0 and self.peek(1) == ("o", "_"):  # F|_0^2 + 4
                self.take()
                parts = [self.evaluated(parts[0] if len(parts) == 1 else ("add", *parts))]
            if not self.at("+", "-"):
                break
            negative = False
            while self.at("+", "-"):
                negative ^= self.take()[1] == "-"
        self.depth -= 1
        node = parts[0] if len(parts) == 1 else ("add", *parts)
        if self.at("mod"):
            self.take()
            return ("mod", node, self.product())
        return node

    def product(self) -> Node:
        node = self.juxtaposed()
        while True:
            if self.at("*"):
                self.take()
                node = ("mul", node, self.signed())
            elif self.at("/"):
                self.take()
                node = ("div", node, self.signed(denominator=True))
            elif self.starts_factor():
                node = ("mul", node, self.juxtaposed())
            else:
                return node

    def signed(self, denominator: bool = False) -> Node:
        """A factor that may carry a sign, as in 2 * -3."""
        negative = False
        while self.at("+", "-"):
            negative ^= self.take()[1] == "-"
        if denominator:
            node = self.power()
            while node[0] == "var" and self.peek()[0] == "v":  # 1/xy is 1/(xy); 1/2x is x/2
                node = ("mul", node, self.power())
        else:
            node = self.juxtaposed()
        return ("neg", node) if negative else node

    def juxtaposed(self) -> Node:
        """Factors written side by side; a number before a fraction of numbers is a mixed number."""
        number = self.peek()[1] if self.peek()[0] == "n" else None
        node = self.power()
        if isinstance(number, int) and node == ("num", number) and self.peek() == ("f", "frac"):
            here = self.position
            fraction = self.power()
            if _is_proper(fraction):
                node = ("add", node, fraction)
            else:
                self.position = here
        elif isinstance(number, int) and node == ("num", number) and self.is_ascii_mixed():
            top, bottom = self.peek()[1], self.peek(2)[1]
            self.position += 3
            node = ("add", node, ("num", Fraction(top, bottom)))
        while self.starts_factor():
            node = ("mul", node, self.power())
        return node

    def is_ascii_mixed(self) -> bool:
        """1 1/2, written with a space."""
        (a, top), slash, (b, bottom) = self.peek(), self.peek(1), self.peek(2)
        return (
            a == b == "n"
            and slash == ("o", "/")
            and isinstance(top, int)
            and isinstance(bottom, int)
            and 0 < top < bottom
        )

    def starts_factor(self) -> bool:
        kind, value = self.peek()
        if kind == "n" and self.tokens[self.position - 1][0] == "n":
            raise Unreadable("two numbers side by side")
        if kind in _STARTS:
            return True
        if kind == "o":
            return value in ("(", "[", "{", "lfloor", "lceil") or (
                value == "|" and self.bars == 0 and self.peek(1) != ("o", "_")
            )
        return False

    def power(self) -> Node:
        self.enter()
        node = self.postfix(self.primary())
        if self.at("^"):
            self.take()
            node = self.postfix(("pow", node, self.exponent()))
        self.depth -= 1
        return node

    def exponent(self) -> Node:
        """What is raised: a group, one symbol, a signed number; x^y^z is x^(y^z)."""
        negative = False
        while self.at("+", "-"):
            negative ^= self.take()[1] == "-"
        node = self.postfix(self.primary())
        if self.at("^"):
            self.take()
            node = ("pow", node, self.exponent())
        return ("neg", node) if negative else node

    def postfix(self, node: Node) -> Node:
        while True:
            if self.at("!"):
                self.take()
                double = self.at("!") and self.peek(1) != ("o", "!")
                if double:
                    self.take()
                node = ("fact2" if double else "fact", node)
            elif self.at("%"):
                self.take()
            elif self.is_degree():
                node = ("deg", node)
            else:
                return node

    def is_degree(self) -> bool:
        """Consumes a degree sign: ^\\circ, ^{\\circ}, \\degree."""
        token = self.peek()
        if token == ("c", "deg"):
            self.position += 1
            return True
        if token == ("o", "^"):
            for sign in _DEGREE_SIGNS:
                if self.tokens[self.position : self.position + len(sign)] == sign:
                    self.position += len(sign)
                    return True
        return False

    # --- atoms ---

    def primary(self) -> Node:
        kind, value = self.take()
        if kind == "n":
            return ("num", value)
        if kind == "v":
            return self.variable(value)
        if kind == "f":
            return self.function(value)
        if kind == "o":
            if value in _OPENING:
                node = self.whole() if value == "{" else self.sum()
                self.expect(_OPENING[value])
                return self.evaluated(node) if value == "[" and self.at("_") else node
            if value == "|":
                self.bars += 1
                node = self.sum()
                self.bars -= 1
                self.expect("|")
                return ("abs", node)
            if value in ("_", "^"):
                return self.counted(value)
            if value in _BARS:
                closing, name = _BARS[value]
                node = self.sum()
                self.expect(closing)
                return (name, node)
        raise Unreadable(f"unexpected {kind} {value}")

    def evaluated(self, node: Node) -> Node:
        """F between the limits that follow: [F]_0^3, F|_{x=3}."""
        low_name, low = self.limit("_")
        high_name, high = self.limit("^") if self.at("^") else (None, None)
        names = variables(node)
        name = low_name or high_name or (next(iter(names)) if len(names) == 1 else None)
        if name is None or (high is None and low_name is None):
            raise Unreadable("which variable?")
        at_low = substitute(node, name, low)
        return at_low if high is None else ("add", substitute(node, name, high), ("neg", at_low))

    def limit(self, mark: str) -> tuple[str | None, Node]:
        """The name and value of _{x=3}, or the value of _0."""
        self.expect(mark)
        kind, name = self.peek(1)
        if self.at("{") and kind == "v" and self.peek(2) == ("o", "="):
            self.position += 3
            node = self.sum()
            self.expect("}")
            return str(name), node
        return None, self.latex_argument()

    def variable(self, name: str) -> Node:
        if name in ("pi", "e", "i") and not self.at("_") and name not in self.indices:
            return (name,)
        if (name in ("C", "P") or (name == "A" and self.at("_", "^"))) and (counted := self.chosen(name)) is not None:
            return counted
        if self.at("_"):
            self.take()
            name += "_" + self.subscript()
        primes = 0
        while self.at("'"):
            self.take()
            primes += 1
        name += "'" * primes
        if name[0] in _LETTER_FUNCTIONS:
            inverse = [("o", "^"), ("o", "{"), ("o", "-"), ("n", 1), ("o", "}")]
            if [self.peek(i) for i in range(5)] == inverse and self.peek(5) == ("o", "("):
                self.position += 5
                name += "^-1"
            wrapped = self.peek() == ("o", "{") and self.peek(1) == ("o", "(")
            if wrapped:
                self.take()
            if self.at("("):
                node = ("call", name, tuple(self.arguments()))
                if wrapped:
                    self.expect("}")
                return node
        return ("var", name)

    def counted(self, mark: str) -> Node:
        """{}_7C_3 and ^7P_3, of which the lexer leaves _7C_3 and ^7P_3."""
        whole = self.latex_argument()
        kind, name = self.take()
        if kind != "v" or name not in ("C", "P") or not self.at("_"):
            raise Unreadable(f"nothing before {mark}")
        self.take()
        return _choice(str(name), whole, self.latex_argument())

    def chosen(self, name: str) -> Node | None:
        """C_7^3 and C(7, 3): the ways to choose; None where C and P are names, as in C_1 and P(2, 3)."""
        here, depth = self.position, self.depth
        try:
            if self.at("_", "^"):
                first = (self.take()[1], self.latex_argument())
                if self.at("_", "^") and self.peek()[1] != first[0]:
                    marks = dict((first, (self.take()[1], self.latex_argument())))
                    if name == "A" and marks["_"][0] != "num":
                        raise Unreadable("a power of a name")
                    if _may_choose(marks["_"], marks["^"]):
                        return _choice(name, marks["_"], marks["^"])
                    if name != "A" and marks["^"][0] == "num" and _may_choose(marks["^"], marks["_"]):
                        return _choice(name, marks["^"], marks["_"])
            elif self.at("("):
                arguments = self.arguments()
                if len(arguments) == 2 and _may_choose(*arguments):
                    return _choice(name, *arguments)
        except Unreadable:
            pass
        self.position, self.depth = here, depth
        return None

    def subscript(self) -> str:
        kind, value = self.take()
        if kind in ("n", "v", "w"):
            return str(value)
        if (kind, value) != ("o", "{"):
            raise Unreadable("subscript")
        parts = []
        while not self.at("}"):
            kind, value = self.take()
            if kind not in ("n", "v", "w", "o"):
                raise Unreadable("subscript")
            parts.append(str(value))
        self.take()
        return "".join(parts)

    def arguments(self) -> list[Node]:
        """What stands between parentheses, or braces as in \\max\\{1, 2\\}."""
        close = "\\}" if self.at("\\{") else ")"
        self.expect("(" if close == ")" else "\\{")
        nodes = [self.sum()]
        while self.at(","):
            self.take()
            nodes.append(self.sum())
        self.expect(close)
        return nodes

    def function(self, name: str) -> Node:
        if name == "frac":
            top = self.latex_argument()
            return ("div", top, self.latex_argument())
        if name == "binom":
            if self.at("("):
                return ("binom", *self.two(self.arguments()))
            top = self.latex_argument()
            return ("binom", top, self.latex_argument())
        if name in ("sqrt", "cbrt"):
            return self.root(name)
        if name in ("sum", "prod"):
            return self.series(name)
        if name in ("gcd", "lcm", "max", "min"):
            return (name, *self.arguments())
        if name == "log" and self.at("("):
            node = self.logarithm()
            if node is not None:
                return node
        if name not in _ONE_ARGUMENT:
            raise Unreadable(name)
        return self.named(name)

    def logarithm(self) -> Node | None:
        """log(x, base), or None when there is no second argument."""
        here, depth = self.position, self.depth
        try:
            arguments = self.arguments()
        except Unreadable:
            arguments = []
        if len(arguments) == 2:
            return ("log", *arguments)
        self.position, self.depth = here, depth
        return None

    @staticmethod
    def two(nodes: list[Node]) -> list[Node]:
        if len(nodes) != 2:
            raise Unreadable("two arguments wanted")
        return nodes

    def root(self, name: str) -> Node:
        degree: Node = ("num", 3 if name == "cbrt" else 2)
        if name == "sqrt" and self.at("["):
            self.take()
            degree = self.sum()
            self.expect("]")
        return ("root", degree, self.postfix(self.primary()))

    def latex_argument(self) -> Node:
        """A group, or the next single character: \\frac12 is one half."""
        kind, value = self.peek()
        if kind == "o" and value == "-":
            self.take()
            return ("neg", self.latex_argument())
        if kind == "f" and value in ("sqrt", "frac"):
            self.take()
            return self.function(value)
        if kind == "v":
            self.take()
            return (value,) if value in ("pi", "e", "i") and value not in self.indices else ("var", value)
        return self.primary()

    def series(self, name: str) -> Node:
        """\\sum_{k=1}^{n} term"""
        self.expect("_")
        self.expect("{")
        kind, index = self.take()
        if kind != "v":
            raise Unreadable("index")
        self.expect("=")
        low = self.sum()
        self.expect("}")
        self.expect("^")
        high = self.latex_argument()
        self.indices.append(index)
        term = self.product()
        self.indices.pop()
        return (name, index, low, high, term)

    def named(self, name: str) -> Node:
        """A function of one argument, with the exponent or base that may stand before it."""
        base: Node | None = None
        exponent: Node | None = None
        while self.at("^", "_"):
            if self.take()[1] == "^":
                exponent = self.exponent()
            else:
                base = self.latex_argument() if self.peek()[0] != "n" else self.primary()
        if exponent in (("neg", ("num", 1)), ("num", -1)) and name in _INVERSE:
            name, exponent = _INVERSE[name], None
        argument = self.argument()
        if name == "log":
            node: Node = ("log", argument, base if base is not None else ("num", 10))
        elif base is not None:
            raise Unreadable("subscript")
        elif name == "cis":
            node = ("add", ("cos", argument), ("mul", ("i",), ("sin", argument)))
        else:
            node = (name, argument)
        return node if exponent is None else ("pow", node, exponent)

    def argument(self) -> Node:
        """sin(x) y is sin(x) times y; sin 2x y takes all three."""
        if self.at("-"):
            self.take()
            return ("neg", self.argument())
        if self.at("(", "{", "["):
            bracket = self.peek()[1]
            node = self.primary()
            return self.postfix(node) if bracket == "{" else node if not self.is_degree() else ("deg", node)
        if self.peek()[0] == "f" and self.peek()[1] not in ("sqrt", "frac", "cbrt"):
            return self.function(self.take()[1])
        node = self.power()
        while self.peek()[0] in ("n", "v") or self.peek() in (("f", "sqrt"), ("f", "frac"), ("o", "{")):
            node = ("mul", node, self.power())
        if self.at("/") and self.peek(1)[0] == "n":  # \sin \pi/4
            self.take()
            node = ("div", node, self.power())
        return node


def _may_choose(whole: Node, part: Node) -> bool:
    """Whether C(whole, part) counts choices: of numbers, the first is larger; of n, or of n + 1, a number."""
    if whole[0] == part[0] == "num":
        return isinstance(whole[1], int) and isinstance(part[1], int) and whole[1] > part[1] >= 0
    return part[0] in ("num", "var") and bool(variables(whole)) and variables(whole) <= {"n", "m", "N"}


def _choice(name: str, whole: Node, part: Node) -> Node:
    """Combinations, or arrangements in order."""
    node = ("binom", whole, part)
    return node if name == "C" else ("mul", node, ("fact", part))


def _is_proper(node: Node) -> bool:
    if node[0] != "div" or node[1][0] != "num" or node[2][0] != "num":
        return False
    top, bottom = node[1][1], node[2][1]
    return isinstance(top, int) and isinstance(bottom, int) and 0 < top < bottom
