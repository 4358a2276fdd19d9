"""Expressions written in SQL, for methods that take them: filter, selectExpr, expr."""

from __future__ import annotations

from minispark.sql.errors import translated
from minispark.sql.parser.statements import parse_expression
from planner.columns.expressions import Expr


def expression(text: str) -> Expr:
    """The expression of a text.

    Raises ParseException.

    >>> expression("a + 1").name
    '+'
    """
    with translated():
        return parse_expression(text)
