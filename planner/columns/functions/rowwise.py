"""Functions of single values, in Python, for what Polars has no columnar form for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import polars as pl

from planner.columns import types as t
from planner.columns.expressions import Expr
from planner.columns.functions.elements import by_row
from planner.columns.functions.raising import END, MARK
from planner.columns.functions.registry import Settings, Typed, scalar


def each(f: Callable[..., Any], kind: t.DataType, *args: pl.Expr) -> pl.Expr:
    """`f` of the values of each row; NULL where one of them is."""

    def strict(*values: Any) -> Any:
        return None if None in values else f(*values)

    return by_row(strict, kind, *args)


def fail(code: str, message: str) -> NoReturn:
    """End the query with an error of Spark's class `code`; for use inside `each`."""
    raise pl.exceptions.ComputeError(f"{MARK}{code}:{message}{END}")


def as_bool(found: pl.Expr) -> pl.Expr:
    """An expression that Polars knows to be boolean."""
    return found.cast(pl.Boolean)


def absent(names: str, instead: str = "") -> None:
    """Enter functions that are not there yet, so that they say so."""

    def enter(name: str) -> None:
        def resolve(args: object, settings: Settings) -> Typed:
            hint = f"; use {instead}" if instead else ""
            raise NotImplementedError(f"the function {name} is not there yet{hint}")

        def build(*args: object) -> pl.Expr:
            raise NotImplementedError(name)

        scalar(name, resolve=resolve)(build)

    for name in names.split():
        enter(name)


def literal_only(name: str, what: str, expr: Expr, value: Any) -> Any:
    """The value of an argument that has to be a constant here."""
    if value is None and expr.children:
        raise NotImplementedError(f"{name} with {what} that is not a constant")
    return value
