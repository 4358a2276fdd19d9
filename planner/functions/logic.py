"""Comparisons, and three-valued logic."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner import types as t
from planner.coercion import common, implied
from planner.columnar import to_polars
from planner.expressions import Expr
from planner.functions.registry import ANY, BOOL, At, Mismatch, Settings, Typed, scalar


def alike(name: str, args: Sequence[Expr]) -> tuple[Expr, ...]:
    """The arguments as one type."""
    one = common(arg.type for arg in args)
    if one is None:
        kinds = " and ".join(arg.type.simpleString() for arg in args)
        raise Mismatch(f"{name} cannot compare {kinds}", "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES")
    return tuple(implied(arg, one) for arg in args)


def _compared(args: Sequence[Expr], settings: Settings) -> Typed:
    return alike("a comparison", args), t.BOOLEAN, any(arg.nullable for arg in args)


@scalar("=", "==", resolve=_compared)
def equal(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a == b


@scalar("!=", "<>", resolve=_compared)
def unequal(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a != b


@scalar("<", resolve=_compared)
def less(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a < b


@scalar("<=", resolve=_compared)
def at_most(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a <= b


@scalar(">", resolve=_compared)
def more(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a > b


@scalar(">=", resolve=_compared)
def at_least(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a >= b


def _null_safe(args: Sequence[Expr], settings: Settings) -> Typed:
    return alike("<=>", args), t.BOOLEAN, False


@scalar("<=>", resolve=_null_safe)
def same(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a.eq_missing(b)


@scalar("and", takes=(BOOL, BOOL), gives=t.BOOLEAN)
def both(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a & b


@scalar("or", takes=(BOOL, BOOL), gives=t.BOOLEAN)
def either(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
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
    return alike("in", args), t.BOOLEAN, any(arg.nullable for arg in args)


@scalar("in", resolve=_listed)
def listed(at: At, value: pl.Expr, *choices: pl.Expr) -> pl.Expr:
    """NULL where no choice is equal and one is NULL, or the value is."""
    if all(each is not None for each in at.values[1:]):
        kind = to_polars(at.types[0])
        return value.is_in(pl.Series(at.values[1:], dtype=kind).implode())
    return pl.any_horizontal([value == choice for choice in choices])


# ---- choices -------------------------------------------------------------------------------------


def _cases(args: Sequence[Expr], settings: Settings) -> Typed:
    """case_when(condition, value, condition, value, …, otherwise?)."""
    values = [*args[1::2], *(args[-1:] if len(args) % 2 else ())]
    own = iter(alike("the branches of case", values))
    conditions = [implied(arg, t.BOOLEAN) for arg in args[: len(args) // 2 * 2 : 2]]
    if any(condition.type != t.BOOLEAN for condition in conditions):
        raise Mismatch("a condition of case must be a boolean")
    found: list[Expr] = []
    for condition in conditions:
        found += [condition, next(own)]
    found += own
    kind = found[1].type
    null = len(args) % 2 == 0 or any(value.nullable for value in values)
    return tuple(found), kind, null


@scalar("case_when", resolve=_cases)
def case_when(at: At, *args: pl.Expr) -> pl.Expr:
    chosen = pl.when(args[0]).then(args[1])
    for place in range(2, len(args) - 1, 2):
        chosen = chosen.when(args[place]).then(args[place + 1])  # type: ignore[assignment]
    if len(args) % 2:
        return chosen.otherwise(args[-1])
    return chosen.otherwise(pl.lit(None, dtype=to_polars(at.type)))


def _first_of(args: Sequence[Expr], settings: Settings) -> Typed:
    own = alike("coalesce", args)
    return own, own[0].type, all(arg.nullable for arg in args)


@scalar("coalesce", resolve=_first_of)
def coalesce(at: At, *args: pl.Expr) -> pl.Expr:
    return pl.coalesce(args)
