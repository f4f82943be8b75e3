"""A row of a formula as an expression of SymPy: terms, factors, powers, functions and what they apply to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inktex.errors import LatexError
from inktex.latex.spacing import Kind, head, kinds
from inktex.latex.tree import Command, Environment, Fence, Node, Row, Script, Symbol, to_tokens
from inktex.notations.scripts import is_degree, without_primes
from inktex.notations.spacing import array_in
from inktex.notations.sympy import operators
from inktex.notations.sympy.calculus import INTEGRALS, derivation, integrand
from inktex.notations.sympy.names import CALLED, FUNCTIONS, LISTS
from inktex.notations.sympy.values import Binding, Value, call, negative, power, product, quotient, refusal
from inktex.notations.sympy.variables import constant, variable, visible

Statement = Callable[[Sequence[Node]], str]

_TIMES = frozenset({r"\times", r"\cdot", "*"})
_DIVIDED = frozenset({r"\div", "/"})
_JOINING = _TIMES | _DIVIDED | {r"\mod"}
_SERIES = frozenset({r"\sum", r"\prod"})
_OPERATORS = _SERIES.union(INTEGRALS, FUNCTIONS, LISTS, {r"\lim"})
_NAMED_FENCES = {"|": "Abs", r"\lfloor": "floor", r"\lceil": "ceiling"}
_GROUPS = frozenset({("(", ")"), ("[", "]"), (r"\{", r"\}")})
_INVERSE = Row((Symbol("-"), Symbol("1")))
_LISTS = {"(": "Tuple", r"\{": "FiniteSet"}


class Expression:
    """Reads the things of a row from left to right."""

    def __init__(self, items: Sequence[Node], statement: Statement) -> None:
        """Take the things of a row, and what reads equations within them."""
        self.items = visible(items)
        self.kinds = kinds(self.items)
        self.statement = statement
        self.at = 0

    def read(self) -> Value:
        """Return the whole row.

        Raises:
            LatexError: something in it means nothing to SymPy, or is missing.
        """
        value = self.sum()
        if self.at < len(self.items):
            raise refusal(self.token())
        return value

    def sum(self) -> Value:
        """Return terms with their signs."""
        minus = self.signs()
        value = self.product()
        value = negative(value) if minus else value
        while self.token() in ("+", "-"):
            sign = "-" if self.signs() else "+"
            right = self.product().within(Binding.PRODUCT)
            value = Value(f"{value.within(Binding.SUM)} {sign} {right}", Binding.SUM)
        return value

    def product(self) -> Value:
        """Return the factors up to the end of the term."""
        value = self.factor()
        while self.at < len(self.items) and self.token() not in ("+", "-"):
            token = self.token()
            self.at += token in _JOINING
            other = negative(self.factor()) if token in _JOINING and self.signs() else self.factor()
            if token in _DIVIDED:
                value = quotient(value, other)
            else:
                value = call("Mod", value.text, other.text) if token == r"\mod" else product([value, other])
        return value

    def factor(self) -> Value:
        """Return one thing with its scripts, and the factorials and per cent after it.

        Raises:
            LatexError: nothing is there.
        """
        if self.at >= len(self.items):
            raise LatexError("SymPy needs an operand where the formula has none.")
        value = self.operator() if self.token() in _OPERATORS else self.atom()
        while self.token() in ("!", r"\%"):
            value = call("factorial", value.text) if self.token() == "!" else quotient(value, Value("100"))
            self.at += 1
        return value

    def atom(self) -> Value:
        """Return a thing that applies to nothing after it, but for a letter before parentheses and `d/dx`."""
        item = self.items[self.at]
        base, sub, sup = (item.base, item.sub, item.sup) if isinstance(item, Script) else (item, None, None)
        self.at += 1
        if base is None:
            raise LatexError("SymPy has no counterpart for scripts without a base.")
        found = derivation(base) if isinstance(base, Command) and base is item else None
        if found is not None:
            function = self.of(found.function) if found.function else self.product()
            return operators.derivative(found, function, self.inner)
        primes, sup = without_primes(sup)
        if sub is None and self.is_called(head(base)):
            if sup == _INVERSE:
                raise LatexError("SymPy has no counterpart for the inverse of a function.")
            value = self.called(base, primes)
        else:
            value = self.based(base, sub, primes)
        if is_degree(sup):
            return call("rad", value.text)
        return value if sup is None else power(value, self.inner(sup))

    def based(self, base: Node, sub: Row | None, primes: int) -> Value:
        """Return a thing with its subscript."""
        named = variable(base, sub, primes, self.inner)
        if named is not None:
            return named
        if sub is not None or primes:
            what = "primes" if primes else "a subscript"
            raise LatexError(f"SymPy has no counterpart for {what} of '{' '.join(to_tokens(base))}'.")
        match base:
            case Symbol(token):
                return constant(token)
            case Fence():
                return self.fence(base)
            case Environment("matrix", rows):
                return self.matrix(rows)
            case Command():
                return self.command(base)
        raise LatexError("SymPy has no counterpart for scripts on scripts.")

    def command(self, node: Command) -> Value:
        """Return a command with its arguments."""
        first, last = node.arguments[0], node.arguments[-1]
        match node.name:
            case r"\frac":
                return quotient(self.inner(first), self.inner(last))
            case r"\sqrt" if node.option is not None:
                return call("root", self.inner(first).text, self.inner(node.option).text)
            case r"\sqrt":
                return call("sqrt", self.inner(first).text)
            case r"\binom":
                return call("binomial", self.inner(first).text, self.inner(last).text)
            case r"\boxed":
                return self.inner(first)
        raise refusal(node.name)

    def fence(self, node: Fence) -> Value:
        """Return what stands between delimiters."""
        array = array_in(node)
        if array is not None and node.left == r"\{" and not node.right:
            return self.cases(array)
        if array is not None and node.left == node.right == "|":
            return call("det", self.matrix(array.rows).text)
        if node.left in _NAMED_FENCES and node.right in (node.left, node.left.replace(r"\l", r"\r")):
            return call(_NAMED_FENCES[node.left], self.inner(node.body).text)
        if (node.left, node.right) not in _GROUPS:
            raise refusal(node.left or node.right)
        if Symbol(",") not in node.body.items:
            return self.inner(node.body)
        if node.left not in _LISTS:
            raise refusal(node.left)
        return Value(call(_LISTS[node.left], *self.arguments(node.body.items)).text, Binding.STATEMENT)

    def matrix(self, rows: Sequence[Sequence[Row]]) -> Value:
        """Return a matrix."""
        lines = (f"[{', '.join(self.inner(cell).text for cell in cells)}]" for cells in rows)
        return Value(f"Matrix([{', '.join(lines)}])")

    def cases(self, array: Environment) -> Value:
        """Return what is defined piece by piece, the condition after each; of single statements a list."""
        if all(len(cells) == 1 for cells in array.rows):
            statements = [self.statement(cells[0].items) for cells in array.rows]
            return Value(f"[{', '.join(statements)}]", Binding.STATEMENT)
        if array.name == "aligned":
            lines = ([item for cell in cells for item in cell.items] for cells in array.rows)
            return Value(f"[{', '.join(self.statement(line) for line in lines)}]", Binding.STATEMENT)
        pieces = []
        for cells in array.rows:
            value, condition = (_without_words(row.items) for row in (cells[0], cells[-1]))
            holds = self.statement(condition) if condition else "True"
            pieces.append(f"({self.of(value).text}, {holds})")
        return call("Piecewise", *pieces)

    def is_called(self, token: str) -> bool:
        """Whether the parentheses that come next hold the arguments of a letter, or of a named function."""
        following = self.items[self.at] if self.at < len(self.items) else None
        if not isinstance(following, Fence) or (following.left, following.right) != ("(", ")"):
            return False
        listed = len(token) == 1 and token.isalpha() and Symbol(",") in following.body.items
        return listed or token in CALLED or token == r"\operatorname"

    def called(self, base: Node, primes: int) -> Value:
        """Return a function of the parentheses that come next, or its derivative."""
        named = base.arguments[0].items[0] if isinstance(base, Command) else base
        name = head(named).removeprefix("\\")
        following = self.items[self.at]
        arguments = self.arguments(following.body.items) if isinstance(following, Fence) else []
        self.at += 1
        if not primes:
            return call(name, *arguments)
        variable_ = arguments[0] if arguments[0].isidentifier() else "x"
        order = f"({variable_}, {primes})" if primes > 1 else variable_
        value = call("Derivative", call(name, variable_).text, order)
        return value if variable_ == arguments[0] else call("Subs", value.text, variable_, arguments[0])

    def operator(self) -> Value:
        """Return a function or a large operator with what it applies to."""
        item = self.items[self.at]
        token = head(item)
        sub, sup = (item.sub, item.sup) if isinstance(item, Script) else (None, None)
        self.at += 1
        if token in _SERIES:
            return operators.series(token, sub, sup, self.product(), self.inner)
        if token == r"\lim":
            return operators.limit(sub, self.product(), self.inner)
        if token in INTEGRALS:
            found = integrand(self.items[self.at :], INTEGRALS[token])
            if found is None:
                raise LatexError(f"SymPy needs the variable of '{token}'.")
            self.at += found.length
            body = self.of(found.body) if found.body else Value("1")
            return operators.integral(found.variables, body, sub, sup, token, self.inner)
        following = self.items[self.at] if self.at < len(self.items) else None
        if token in LISTS:
            if sub or sup or not isinstance(following, Fence) or following.left not in _LISTS:
                raise LatexError(f"SymPy needs the arguments of '{token}' in parentheses.")
            self.at += 1
            return call(LISTS[token], *self.arguments(following.body.items))
        return operators.function(token, sub, sup, self.argument(), self.inner)

    def argument(self) -> Value:
        """Return what a function applies to: parentheses, or the factors up to the next operator."""
        minus = self.signs()
        value = self.factor()
        alone = isinstance(self.items[self.at - 1], Fence) and not minus
        while not alone and self.at < len(self.items) and self.token() not in _OPERATORS | _JOINING:
            if self.kinds[self.at] is not Kind.ORDINARY:
                break
            value = product([value, self.factor()])
        return negative(value) if minus else value

    def arguments(self, items: Sequence[Node]) -> list[str]:
        """Return what commas separate."""
        parts: list[list[Node]] = [[]]
        for item in items:
            if item == Symbol(","):
                parts.append([])
            else:
                parts[-1].append(item)
        return [self.of(part).text for part in parts]

    def signs(self) -> bool:
        """Pass signs; True if together they change the sign."""
        minus = False
        while self.token() in ("+", "-"):
            minus ^= self.token() == "-"
            self.at += 1
        return minus

    def token(self) -> str:
        """Return the token that comes next, also under scripts; "" if there is none."""
        return head(self.items[self.at]) if self.at < len(self.items) else ""

    def inner(self, row: Row) -> Value:
        """Return a row within this one."""
        return self.of(row.items)

    def of(self, items: Sequence[Node]) -> Value:
        """Return things within this row."""
        return Expression(items, self.statement).read()


def _without_words(items: Sequence[Node]) -> list[Node]:
    """Return the formula of a condition such as `, if x > 0`."""
    words = (r"\text", ",", ".", ";")
    return [item for item in visible(items) if head(item) not in words]
