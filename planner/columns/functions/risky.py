"""What can fail on a value, so that it must not be computed where its answer is not asked for.

Polars computes the branches of a choice only for the rows that take them, but both sides of AND
and OR, and all of COALESCE, for every row. Those become choices when a later part can fail.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns import types as t
from planner.columns.expressions import Attr, Call, Cast, Expr, Literal, Variable, walk
from planner.columns.functions.registry import Settings

_ALWAYS = frozenset({"raise_error", "assert_true"})
_UNDER_ANSI = frozenset(
    [
        "/",
        "%",
        "div",
        "mod",
        "pmod",
        "get_item",
        "element_at",
        "elt",
        "to_date",
        "to_timestamp",
        "to_timestamp_ntz",
        "to_timestamp_ltz",
        "make_date",
        "make_timestamp",
        "make_interval",
        "to_number",
        "to_binary",
        "unhex",
        "next_day",
        "parse_url",
        "url_decode",
        "from_json",
        "from_csv",
        "factorial",
        "conv",
        "sqrt",
        "round",
        "bround",
        "ceil",
        "floor",
        "negative",
        "abs",
        "array_position",
        "to_unix_timestamp",
        "unix_timestamp",
    ]
)
_SUMS = frozenset(["+", "-", "*"])


def can_fail(exprs: Sequence[Expr], settings: Settings) -> bool:
    """Whether one of the expressions may raise for a row."""
    return any(_fails(each, settings) for expr in exprs for each in walk(expr))


def must_wait(expr: Expr, settings: Settings) -> bool:
    """Whether it may raise for rows that Polars keeps from a branch: it raises on purpose, or a
    part of it that can fail is made of constants."""
    return any(
        _fails(each, settings) and (_on_purpose(each) or not any(map(_varies, walk(each))))
        for each in walk(expr)
    )


def _on_purpose(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.name in _ALWAYS


def _varies(expr: Expr) -> bool:
    return isinstance(expr, Attr | Variable)


def _fails(expr: Expr, settings: Settings) -> bool:
    match expr:
        case Call(name) if name in _ALWAYS:
            return True
        case Call(name) if settings.ansi and name in _UNDER_ANSI:
            return True
        case Call(name) if settings.ansi and name in _SUMS:
            kind = expr.type
            wide = isinstance(kind, t.DecimalType) and kind.precision == t.DecimalType.MAX
            return wide or isinstance(kind, t.IntegralType)
        case Cast(child, kind, mode) if settings.ansi and mode != "try":
            return not isinstance(child, Literal) and _cast_fails(child.type, kind)
    return False


def _cast_fails(old: t.DataType, new: t.DataType) -> bool:
    if isinstance(new, t.StringType | t.BinaryType | t.BooleanType | t.FloatType | t.DoubleType):
        return isinstance(old, t.StringType) and not isinstance(new, t.StringType | t.BinaryType)
    if isinstance(old, t.IntegralType) and isinstance(new, t.IntegralType):
        return new.bits < old.bits
    return old != new and not isinstance(old, t.DateType | t.TimestampType | t.TimestampNTZType)
