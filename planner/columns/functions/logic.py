"""Comparisons, and three-valued logic.

NaN is equal to itself and larger than any number, -0.0 equals 0.0: Polars has it so too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import common, common_without_ansi, implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr
from planner.columns.functions.branches import choose
from planner.columns.functions.ordering import is_nested, order
from planner.columns.functions.registry import (
    ANY,
    BOOL,
    At,
    Kind,
    Mismatch,
    Settings,
    Typed,
    scalar,
)
from planner.columns.functions.risky import can_fail


def alike(
    name: str, args: Sequence[Expr], code: str = "DATA_DIFF_TYPES", ansi: bool = True
) -> tuple[Expr, ...]:
    """The arguments as one type."""
    kinds_of = [arg.type for arg in args]
    one = common(kinds_of) if ansi else common_without_ansi(kinds_of)
    if one is None:
        kinds = " and ".join(arg.type.simpleString() for arg in args)
        raise Mismatch(f"{name} cannot bring {kinds} together", f"DATATYPE_MISMATCH.{code}")
    return tuple(implied(arg, one) for arg in args)


def has_map(kind: t.DataType) -> bool:
    """Whether a type is or has a map, which cannot be compared."""
    match kind:
        case t.MapType():
            return True
        case t.ArrayType(elementType=inner):
            return has_map(inner)
        case t.StructType():
            return any(has_map(field.dataType) for field in kind.fields)
    return False


def _pair(name: str, args: Sequence[Expr]) -> tuple[Expr, ...]:
    if len(args) != 2:
        raise Mismatch(
            f"{name} takes 2 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    own = alike(name, args, "BINARY_OP_DIFF_TYPES")
    if has_map(own[0].type):
        kind = own[0].type.simpleString()
        raise Mismatch(f"{name} cannot compare {kind}", "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE")
    return own


def _compared(args: Sequence[Expr], settings: Settings) -> Typed:
    return _pair("a comparison", args), t.BOOLEAN, any(arg.nullable for arg in args)


def _enter(names: Sequence[str], test: Callable[[pl.Expr, pl.Expr | int], pl.Expr]) -> None:
    @scalar(*names, resolve=_compared)
    def build(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
        if is_nested(at.types[0]):
            return test(order(a, b, at.types[0]), 0)
        return test(a, b)


def _test(sign: str) -> Callable[[pl.Expr, pl.Expr | int], pl.Expr]:
    return lambda a, b: getattr(a, sign)(b)


_enter(("=", "=="), _test("eq"))
_enter(("!=", "<>"), _test("ne"))
_enter(("<",), _test("lt"))
_enter(("<=",), _test("le"))
_enter((">",), _test("gt"))
_enter((">=",), _test("ge"))


def _null_safe(args: Sequence[Expr], settings: Settings) -> Typed:
    return _pair("<=>", args), t.BOOLEAN, False


@scalar("<=>", "equal_null", resolve=_null_safe)
def same(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    if is_nested(at.types[0]):
        none = a.is_null() & b.is_null()
        return pl.when(none).then(True).otherwise((order(a, b, at.types[0]) == 0).fill_null(False))
    return a.eq_missing(b)


def _logical(found: t.DataType) -> t.DataType | None:
    return t.BOOLEAN if isinstance(found, t.BooleanType | t.NullType | t.StringType) else None


LOGICAL = Kind("a boolean", _logical)


def _both(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 2:
        raise Mismatch(
            f"this takes 2 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    for arg in args:
        if _logical(arg.type) is None:
            different = args[0].type != args[1].type
            code = "BINARY_OP_DIFF_TYPES" if different else "BINARY_OP_WRONG_TYPE"
            kind = arg.type.simpleString()
            raise Mismatch(
                f"a condition must be a boolean, not {kind}", f"DATATYPE_MISMATCH.{code}"
            )
    null = any(arg.nullable for arg in args)
    return tuple(implied(arg, t.BOOLEAN) for arg in args), t.BOOLEAN, null


@scalar("and", resolve=_both)
def both(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    if can_fail(at.args[1:], at.settings):
        return choose(at, [(a.fill_null(True), a & b)], pl.lit(False))
    return a & b


@scalar("or", resolve=_both)
def either(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    if can_fail(at.args[1:], at.settings):
        return choose(at, [(a, pl.lit(True))], a | b)
    return a | b


@scalar("not", takes=(BOOL,), gives=t.BOOLEAN)
def negation(at: At, a: pl.Expr) -> pl.Expr:
    return ~a


@scalar("isnull", takes=(ANY,), gives=t.BOOLEAN, null=False)
def is_null(at: At, a: pl.Expr) -> pl.Expr:
    return a.is_null()


@scalar("isnotnull", takes=(ANY,), gives=t.BOOLEAN, null=False)
def is_not_null(at: At, a: pl.Expr) -> pl.Expr:
    return a.is_not_null()


def _listed(args: Sequence[Expr], settings: Settings) -> Typed:
    own = alike("in", args, ansi=settings.ansi)
    if has_map(own[0].type):
        kind = own[0].type.simpleString()
        raise Mismatch(f"in cannot compare {kind}", "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE")
    return own, t.BOOLEAN, any(arg.nullable for arg in args)


@scalar("in", resolve=_listed)
def listed(at: At, value: pl.Expr, *choices: pl.Expr) -> pl.Expr:
    """NULL where no choice is equal and one is NULL, or the value is."""
    if is_nested(at.types[0]):
        return pl.any_horizontal([order(value, each, at.types[0]) == 0 for each in choices])
    plain = not any(isinstance(at.types[0], k) for k in (t.FloatType, t.DoubleType))
    if plain and all(each is not None for each in at.values[1:]):
        kind = to_polars(at.types[0])
        return value.is_in(pl.Series(at.values[1:], dtype=kind).implode())
    return pl.any_horizontal([value == choice for choice in choices])


def _within(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 3:
        raise Mismatch(
            f"between takes 3 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    low, high = _pair("between", args[:2]), _pair("between", (args[0], args[2]))
    own = (low[0], low[1], high[0], high[1])
    return own, t.BOOLEAN, any(arg.nullable for arg in args)


@scalar("between", resolve=_within)
def between(at: At, a: pl.Expr, low: pl.Expr, b: pl.Expr, high: pl.Expr) -> pl.Expr:
    more = order(a, low, at.types[0]) >= 0 if is_nested(at.types[0]) else a >= low
    less = order(b, high, at.types[2]) <= 0 if is_nested(at.types[2]) else b <= high
    return more & less
