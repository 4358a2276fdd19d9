"""Columns: expressions as users write them."""

from __future__ import annotations

from typing import Any

from planner import types as t
from planner.expressions import Alias, Call, Expr, Literal, Name, Order


def literal(value: Any) -> Expr:
    """A Python value as an expression."""
    kind: t.DataType
    if value is None:
        kind = t.NULL
    elif isinstance(value, bool):
        kind = t.BOOLEAN
    elif isinstance(value, int):
        kind = t.INT if -(2**31) <= value < 2**31 else t.LONG
    elif isinstance(value, float):
        kind = t.DOUBLE
    elif isinstance(value, str):
        kind = t.STRING
    else:
        raise NotImplementedError(f"literal of {type(value).__name__}")
    return Literal(value, kind)


class Column:
    """An expression over the columns of a DataFrame."""

    def __init__(self, expr: Expr) -> None:
        self._expr = expr

    def _call(self, name: str, *others: Any) -> Column:
        return Column(Call(name, (self._expr, *(expr_of(other) for other in others))))

    def __add__(self, other: Any) -> Column:
        return self._call("+", other)

    def __mul__(self, other: Any) -> Column:
        return self._call("*", other)

    def __eq__(self, other: object) -> Column:  # type: ignore[override]
        return self._call("=", other)

    def __gt__(self, other: Any) -> Column:
        return self._call(">", other)

    def __and__(self, other: Any) -> Column:
        return self._call("and", other)

    def alias(self, name: str) -> Column:
        """The column under another name."""
        return Column(Alias(self._expr, name))

    def desc(self) -> Column:
        """A sort key, the largest first."""
        return Column(Order(self._expr, False))


def expr_of(value: Any) -> Expr:
    """The expression of a column or a Python value."""
    return value._expr if isinstance(value, Column) else literal(value)


def named(value: Any) -> Expr:
    """The expression of a column or a name."""
    return Name((value,)) if isinstance(value, str) else expr_of(value)
