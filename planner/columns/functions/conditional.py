"""Choices between values."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.branches import choose
from planner.columns.functions.logic import LOGICAL, alike
from planner.columns.functions.ordering import is_nested, order
from planner.columns.functions.registry import (
    NUMBER,
    At,
    Mismatch,
    Settings,
    Typed,
    coerced,
    scalar,
)
from planner.columns.functions.risky import can_fail


def _condition(arg: Expr) -> Expr:
    if LOGICAL.to(arg.type) is None:
        raise Mismatch(f"a condition must be a boolean, and is {arg.type.simpleString()}")
    return implied(arg, t.BOOLEAN)


def _cases(args: Sequence[Expr], settings: Settings) -> Typed:
    """case_when(condition, value, condition, value, …, otherwise?)."""
    if len(args) < 2:
        raise Mismatch(
            "case takes at least a condition and a value", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    values = [*args[1::2], *(args[-1:] if len(args) % 2 else ())]
    own = iter(alike("the branches of case", values, ansi=settings.ansi))
    found: list[Expr] = []
    for condition in args[: len(args) // 2 * 2 : 2]:
        found += [_condition(condition), next(own)]
    found += own
    null = len(args) % 2 == 0 or any(value.nullable for value in values)
    return tuple(found), found[1].type, null


@scalar("case_when", "when", resolve=_cases)
def case_when(at: At, *args: pl.Expr) -> pl.Expr:
    whole = len(args) // 2 * 2
    none = pl.lit(None, dtype=to_polars(at.type))
    cases = list(zip(args[:whole:2], args[1:whole:2], strict=True))
    return choose(at, cases, args[-1] if len(args) % 2 else none)


def _if(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 3:
        raise Mismatch(
            f"if takes 3 arguments, and was given {len(args)}", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    return _cases(args, settings)


@scalar("if", "iff", resolve=_if)
def choice(at: At, condition: pl.Expr, value: pl.Expr, other: pl.Expr) -> pl.Expr:
    return choose(at, [(condition, value)], other)


def _first_of(args: Sequence[Expr], settings: Settings) -> Typed:
    if not args:
        raise Mismatch("coalesce takes at least 1 argument", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
    own = alike("coalesce", args, ansi=settings.ansi)
    return own, own[0].type, all(arg.nullable for arg in args)


def _two(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 2:
        raise Mismatch(
            f"nvl takes 2 arguments, and was given {len(args)}", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    return _first_of(args, settings)


@scalar("coalesce", resolve=_first_of)
def coalesce(at: At, *args: pl.Expr) -> pl.Expr:
    if not can_fail(at.args[1:], at.settings):
        return pl.coalesce(args) if len(args) > 1 else args[0]
    return choose(at, [(each.is_not_null(), each) for each in args[:-1]], args[-1])


scalar("nvl", "ifnull", resolve=_two)(coalesce)


def _second_if(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 3:
        raise Mismatch(
            f"nvl2 takes 3 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    own = alike("nvl2", args[1:], ansi=settings.ansi)
    return (args[0], *own), own[0].type, any(arg.nullable for arg in own)


@scalar("nvl2", resolve=_second_if)
def nvl2(at: At, test: pl.Expr, value: pl.Expr, other: pl.Expr) -> pl.Expr:
    return choose(at, [(test.is_not_null(), value)], other)


def _null_if(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 2:
        raise Mismatch(
            f"nullif takes 2 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    own = alike("nullif", args, "BINARY_OP_DIFF_TYPES")
    return (args[0], *own), args[0].type, True


@scalar("nullif", resolve=_null_if)
def nullif(at: At, value: pl.Expr, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    same = order(a, b, at.types[1]) == 0 if is_nested(at.types[1]) else a == b
    return pl.when(same.fill_null(False).not_()).then(value)


def _zero_if_null(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 1:
        raise Mismatch(
            f"zeroifnull takes 1 argument, not {len(args)}", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    return _first_of((*args, Literal(0, t.INT)), settings)


scalar("zeroifnull", resolve=_zero_if_null)(coalesce)


def _null_if_zero(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 1:
        raise Mismatch(
            f"nullifzero takes 1 argument, not {len(args)}", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    return _null_if((*args, Literal(0, t.INT)), settings)


scalar("nullifzero", resolve=_null_if_zero)(nullif)


def _extreme(name: str) -> object:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        if len(args) < 2:
            raise Mismatch(
                f"{name} takes at least 2 arguments", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
            )
        texts = [isinstance(arg.type, t.StringType) for arg in args]
        plain = [isinstance(arg.type, t.NumericType) for arg in args]
        if any(texts) and any(plain):
            kinds = ", ".join(arg.type.simpleString() for arg in args)
            raise Mismatch(
                f"the arguments of {name} must be of one type, and are {kinds}",
                "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
            )
        own = alike(name, args, ansi=settings.ansi)
        return own, own[0].type, all(arg.nullable for arg in args)

    return resolve


def _chosen(at: At, args: Sequence[pl.Expr], larger: bool) -> pl.Expr:
    """NULLs do not count; NaN is the largest."""
    found = args[0]
    for each in args[1:]:
        if is_nested(at.type):
            size = order(each, found, at.type)
            better = size > 0 if larger else size < 0
        else:
            better = each > found if larger else each < found
        found = pl.when(found.is_null() | better.fill_null(False)).then(each).otherwise(found)
    return found


@scalar("greatest", resolve=_extreme("greatest"))  # type: ignore[arg-type]
def greatest(at: At, *args: pl.Expr) -> pl.Expr:
    return _chosen(at, args, True)


@scalar("least", resolve=_extreme("least"))  # type: ignore[arg-type]
def least(at: At, *args: pl.Expr) -> pl.Expr:
    return _chosen(at, args, False)


@scalar("isnan", takes=(NUMBER,), gives=t.BOOLEAN, null=False)
def isnan(at: At, a: pl.Expr) -> pl.Expr:
    if not isinstance(at.types[0], t.FloatType | t.DoubleType):
        return a.is_null() & a.is_not_null()
    return a.is_nan().fill_null(False)


def _of_reals(args: Sequence[Expr], settings: Settings) -> Typed:
    own = coerced("nanvl", args, (NUMBER, NUMBER), None, None)
    float_ = all(arg.type == t.FLOAT for arg in own)
    kind: t.DataType = t.FLOAT if float_ else t.DOUBLE
    return tuple(implied(arg, kind) for arg in own), kind, any(arg.nullable for arg in own)


@scalar("nanvl", resolve=_of_reals)
def nanvl(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return pl.when(a.is_nan()).then(b).otherwise(a)
