"""Computing in steps: parts of checked arithmetic become columns before what is made of them.

Polars finds equal parts of expressions, but not parts of parts, and each product of decimals looks
at its sides several times: `price * (1 - discount) * (1 + tax)` would compute the first product
four times. Only arithmetic, casts and comparisons are looked into: what a choice does not take is
not computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeGuard

from planner.columns import types as t
from planner.columns.expressions import Alias, Call, Cast, Expr

_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "div", "negative"})
_OF_UNITS = frozenset({"#units", "#plus", "#minus", "#times"})
_MOST_DIGITS = 38
_SEEN_THROUGH = _ARITHMETIC | _OF_UNITS | {"=", "==", "!=", "<>", "<", "<=", ">", ">="}


def in_steps(columns: Sequence[Alias]) -> tuple[list[list[Alias]], list[Alias]]:
    """(what to compute first, step by step; the same columns over that).

    Examples
    --------
    >>> from planner.columns.expressions import Attr
    >>> price = Attr("price", t.DecimalType(9, 2))
    >>> double = Call("+", (price, price), kind=t.DecimalType(10, 2))
    >>> square = Call("*", (double, double), kind=t.DecimalType(21, 4))
    >>> steps, (found,) = in_steps([Alias(square, "x")])
    >>> [[column.child == double for column in step] for step in steps]
    [[True]]
    """
    often = Counter(each for column in columns for each in _parts(column.child))
    made: dict[Expr, tuple[int, Alias]] = {}

    def over(expr: Expr) -> tuple[Expr, int]:
        """The expression over columns made before, and the steps that it needs."""
        if isinstance(expr, Cast):
            child, steps = part(expr.child, False)
            return (replace(expr, child=child), steps) if steps else (expr, 0)
        if not isinstance(expr, Call) or expr.name not in _SEEN_THROUGH:
            return expr, 0
        found = [part(arg, _looks_again(expr)) for arg in expr.args]
        steps = max((each for _, each in found), default=0)
        return (replace(expr, args=tuple(arg for arg, _ in found)), steps) if steps else (expr, 0)

    def part(expr: Expr, again: bool) -> tuple[Expr, int]:
        """The same of an expression that may be a step itself."""
        if not _is_work(expr) or not (again or often[expr] > 1):
            return over(expr)
        if expr not in made:
            child, before = over(expr)
            made[expr] = before + 1, Alias(child, "#")
        steps, column = made[expr]
        return column.attr, steps

    last = [replace(column, child=part(column.child, False)[0]) for column in columns]
    deep = max((step for step, _ in made.values()), default=0)
    steps = [[each for at, each in made.values() if at == step] for step in range(1, deep + 1)]
    return steps, last


def _parts(expr: Expr) -> Iterator[Expr]:
    """The arithmetic that an expression computes for every row."""
    if _is_work(expr):
        yield expr
    if isinstance(expr, Cast):
        yield from _parts(expr.child)
    elif isinstance(expr, Call) and expr.name in _SEEN_THROUGH:
        for arg in expr.args:
            yield from _parts(arg)


def _is_work(expr: Expr) -> TypeGuard[Call]:
    """Whether an expression is exact arithmetic, which is worth a column where it is used twice."""
    return (
        isinstance(expr, Call)
        and (expr.name in _ARITHMETIC or expr.name in _OF_UNITS)
        and isinstance(expr.type, t.DecimalType | t.IntegralType)
    )


def _looks_again(expr: Call) -> bool:
    """Whether each side is needed several times: where digits have to be counted, and of whole
    numbers, whose sums are compared with their sides. A chain of n would be computed 3^n times."""
    if isinstance(expr.type, t.DecimalType):
        return expr.type.precision == _MOST_DIGITS
    return isinstance(expr.type, t.IntegralType) and expr.name not in _OF_UNITS
