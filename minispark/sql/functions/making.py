"""How functions of columns are made: a call of the function table, over columns and constants."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from minispark.sql.column import Column, expr_of, named
from planner.columns.expressions import Call, Expr
from planner.columns.functions.loaded import MODULES
from planner.columns.functions.registry import TABLE

assert MODULES  # the table is filled by importing them


def known(name: str) -> str:
    """The name, if the table of functions has it. Raises NotImplementedError."""
    if name not in TABLE:
        raise NotImplementedError(f"the function {name} is not there yet")
    return name


def call(name: str, *args: Any, **more: Any) -> Column:
    """A call over columns: text is the name of a column."""
    return Column(Call(known(name), tuple(named(arg) for arg in args), **more))


def of(name: str, *args: Expr, **more: Any) -> Column:
    """A call over expressions."""
    return Column(Call(known(name), args, **more))


def flat(cols: Sequence[Any]) -> list[Any]:
    """Columns given one by one, or as one list."""
    if len(cols) == 1 and isinstance(cols[0], list | tuple | set):
        return list(cols[0])
    return list(cols)


_LEFT_OUT = object()


class _Parameter:
    """One parameter of a line of the table."""

    def __init__(self, text: str) -> None:
        self.many = text.startswith("*")
        self.name, _, default = text.lstrip("*").partition(":")
        self.optional = self.name.endswith("?")
        self.name = self.name.rstrip("?")
        self.constant = self.name.endswith("=")
        self.name = self.name.rstrip("=")
        self.default: Any = inspect.Parameter.empty
        if default:
            self.default = ast.literal_eval(default)
        elif self.optional:
            self.default = None

    def shown(self) -> inspect.Parameter:
        if self.many:
            return inspect.Parameter(self.name, inspect.Parameter.VAR_POSITIONAL)
        return inspect.Parameter(
            self.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=self.default
        )

    def expr(self, value: Any) -> Expr:
        return expr_of(value) if self.constant else named(value)


def made(line: str) -> Callable[..., Column]:
    """The function of a line of the table in `simple.py`.

    >>> made("repeat(col, n=)")("a", 2)
    Column<'repeat(a, 2)'>
    """
    name, _, rest = line.partition("(")
    inside = rest.rstrip(")").strip()
    parameters = [_Parameter(text.strip()) for text in inside.split(",")] if inside else []
    signature = inspect.Signature([parameter.shown() for parameter in parameters])

    def function(*args: Any, **named_args: Any) -> Column:
        bound = signature.bind(*args, **named_args)
        bound.apply_defaults()
        found: list[Expr] = []
        missing = 0
        for parameter in parameters:
            value = bound.arguments[parameter.name]
            if parameter.many:
                found += [parameter.expr(each) for each in flat(value)]
            elif value is None and parameter.optional:
                missing += 1
            else:
                found += [expr_of(None)] * missing
                missing = 0
                found.append(
                    parameter.expr(value) if value is not parameter.default else expr_of(value)
                )
        return of(name, *found)

    function.__name__ = function.__qualname__ = name
    function.__module__ = "minispark.sql.functions"
    function.__doc__ = f"The function {name} of SQL."
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function
