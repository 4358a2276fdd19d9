"""Operators on numbers."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner import types as t
from planner.coercion import bounded, common, implied, literal_as_decimal
from planner.columnar import to_polars
from planner.expressions import Expr
from planner.functions.raising import raise_where
from planner.functions.registry import (
    NUMBER,
    At,
    Mismatch,
    Settings,
    Typed,
    resolver,
    scalar,
)


def _decimals(args: Sequence[Expr]) -> tuple[t.DecimalType, t.DecimalType] | None:
    """The types of two operands as decimals, if that is what they are computed as."""
    if not any(isinstance(arg.type, t.DecimalType) for arg in args):
        return None
    left, right = literal_as_decimal(args[0]), literal_as_decimal(args[1])
    return None if left is None or right is None else (left, right)


def sum_type(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The type of a + b, a - b (Spark's rules, as in all of these)."""
    scale = max(a.scale, b.scale)
    return bounded(max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale)


def product_type(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The type of a * b."""
    return bounded(a.precision + b.precision + 1, a.scale + b.scale)


def quotient_type(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The type of a / b."""
    scale = max(6, a.scale + b.precision + 1)
    return bounded(a.precision - a.scale + b.scale + scale, scale)


def remainder_type(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The type of a % b."""
    scale = max(a.scale, b.scale)
    return bounded(min(a.precision - a.scale, b.precision - b.scale) + scale, scale)


def _two(name: str, args: Sequence[Expr], of_decimals: object, real: bool = False) -> Typed:
    if len(args) != 2:
        raise Mismatch(f"{name} takes 2 arguments, and was given {len(args)}", "WRONG_NUM_ARGS")
    null = any(arg.nullable for arg in args)
    found = _decimals(args)
    if found is not None:
        kind: t.DataType = of_decimals(*found)  # type: ignore[operator]
        own = tuple(implied(arg, each) for arg, each in zip(args, found, strict=True))
        return own, kind, null or name in ("/", "%")
    both = common(arg.type for arg in args)
    one = t.DOUBLE if real and isinstance(both, (t.NumericType, t.NullType)) else both
    if isinstance(one, (t.NullType, t.StringType)):
        one = t.DOUBLE
    if not isinstance(one, t.NumericType):
        kinds = " and ".join(arg.type.simpleString() for arg in args)
        raise Mismatch(
            f"{name} is for numbers, and was given {kinds}",
            "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
        )
    return tuple(implied(arg, one) for arg in args), one, null


@scalar("+", resolve=lambda args, at: _two("+", args, sum_type))
def plus(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _checked(at, a, b, a + b, "+")


@scalar("-", resolve=lambda args, at: _two("-", args, sum_type))
def minus(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _checked(at, a, b, a - b, "-")


@scalar("*", resolve=lambda args, at: _two("*", args, product_type))
def times(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    if isinstance(at.type, t.DecimalType):
        exact = pl.Decimal(t.DecimalType.MAX, at.type.scale)
        return (a.cast(exact) * b).cast(to_polars(at.type))
    return _checked(at, a, b, a * b, "*")


@scalar("/", resolve=lambda args, at: _two("/", args, quotient_type, real=True))
def over(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    zero = b == 0
    if isinstance(at.type, t.DecimalType):
        exact = pl.Decimal(t.DecimalType.MAX, at.type.scale)
        found = (a.cast(exact) / pl.when(~zero).then(b)).cast(to_polars(at.type))
    else:
        found = a / pl.when(~zero).then(b)
    return _by_zero(at, zero & a.is_not_null(), found)


def _by_zero(at: At, zero: pl.Expr, found: pl.Expr) -> pl.Expr:
    """Division by zero: an error under ANSI, else NULL."""
    nonzero = at.values[1] is not None and at.values[1] != 0
    if not at.ansi or nonzero:
        return found
    return raise_where(zero, "DIVIDE_BY_ZERO", "division by zero; use try_divide for NULL", found)


def _checked(at: At, a: pl.Expr, b: pl.Expr, found: pl.Expr, sign: str) -> pl.Expr:
    """The result in its type; under ANSI whole numbers that do not fit are an error."""
    kind = to_polars(at.type)
    if isinstance(at.type, t.DecimalType):
        return found.cast(kind)
    if not at.ansi or not isinstance(at.type, t.IntegralType):
        return found
    wide: pl.DataType = pl.Int128() if at.type == t.LONG else pl.Int64()
    x, y = a.cast(wide), b.cast(wide)
    exact = x + y if sign == "+" else x - y if sign == "-" else x * y
    message = f"{at.type.simpleString()} overflow in {sign}; use try_ functions for NULL"
    return raise_where(exact != found.cast(wide), "ARITHMETIC_OVERFLOW", message, found)


def _negated(args: Sequence[Expr], settings: Settings) -> Typed:
    return resolver("negative", (NUMBER,), lambda types: types[0])(args, settings)


@scalar("negative", resolve=_negated)
def negative(at: At, a: pl.Expr) -> pl.Expr:
    return (-a).cast(to_polars(at.type))
