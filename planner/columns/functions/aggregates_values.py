"""Aggregates that pick or gather values: first, max_by, collect_list, listagg, mode."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.aggregates import constant, orderable
from planner.columns.functions.registry import (
    ANY,
    BOOL,
    INT,
    TEXT,
    At,
    Mismatch,
    Resolve,
    Settings,
    Typed,
    aggregate,
    coerced,
)

# ---- by place ------------------------------------------------------------------------------------


def _one_of(name: str) -> Resolve:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        own = coerced(name, args, (ANY, BOOL), None, 1)
        if len(own) == 2:
            constant(name, own, 1)
        return own, own[0].type, own[0].nullable or True

    return resolve


def skips_nulls(at: At) -> bool:
    """Whether first, last, nth_value leave NULLs out: by argument or by clause."""
    last = at.values[-1] if len(at.values) > 1 else None
    return at.ignore_nulls or (at.types[-1] == t.BOOLEAN and last is True)


def _first(at: At, value: pl.Expr, flag: pl.Expr | None = None) -> pl.Expr:
    return value.drop_nulls().first() if skips_nulls(at) else value.first()


def _last(at: At, value: pl.Expr, flag: pl.Expr | None = None) -> pl.Expr:
    return value.drop_nulls().last() if skips_nulls(at) else value.last()


def _seen(at: At, value: pl.Expr) -> pl.Expr:
    return (value.count() > 0) if skips_nulls(at) else (value.len() > 0)


@aggregate(
    "first",
    "first_value",
    "any_value",
    resolve=_one_of("first"),
    partial=lambda at, x, *_: (_first(at, x), _seen(at, x)),
    merge=lambda at, s, seen: (s.filter(seen).first(), seen.any()),
    final=lambda at, s, seen: s,
    states=lambda at: (at.type, t.BOOLEAN),
    constants=(1,),
    skips=False,
)
def first(at: At, value: pl.Expr, flag: pl.Expr | None = None) -> pl.Expr:
    return _first(at, value)


@aggregate(
    "last",
    "last_value",
    resolve=_one_of("last"),
    partial=lambda at, x, *_: (_last(at, x), _seen(at, x)),
    merge=lambda at, s, seen: (s.filter(seen).last(), seen.any()),
    final=lambda at, s, seen: s,
    states=lambda at: (at.type, t.BOOLEAN),
    constants=(1,),
    skips=False,
)
def last(at: At, value: pl.Expr, flag: pl.Expr | None = None) -> pl.Expr:
    return _last(at, value)


# ---- by another value ----------------------------------------------------------------------------


def _by(name: str) -> Resolve:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        own = coerced(name, args, (ANY, ANY, INT), None, 2)
        orderable(name, own[1].type)
        if len(own) == 2:
            return own, own[0].type, True
        if not 1 <= (constant(name, own, 2) or 0) <= 100000:
            raise Mismatch(
                f"{name}: k goes from 1 to 100000", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE"
            )
        return own, t.ArrayType(own[0].type, True), True

    return resolve


def _picked(at: At, value: pl.Expr, by: pl.Expr, largest_first: bool) -> pl.Expr:
    """The value where `by` is the extreme; `by` with NULL counts for nothing."""
    there = by.is_not_null()
    ordered = value.filter(there).sort_by(
        by.filter(there), descending=not largest_first, maintain_order=True
    )
    if len(at.values) < 3:
        return ordered.last()  # of equal ones the last, as in Spark
    some = ordered.tail(at.values[2]).reverse().implode()
    return pl.when(by.count() > 0).then(some)


def _best(at: At, rows: pl.Expr, by: pl.Expr, largest_first: bool) -> pl.Expr:
    """The best k rows (structs of by, value) as an array, the best one last."""
    count = at.values[2] if len(at.values) > 2 else 1
    ordered = rows.sort_by(by, descending=not largest_first, maintain_order=True)
    return ordered.tail(count).implode()


def _first_best(at: At, value: pl.Expr, by: pl.Expr, largest_first: bool) -> tuple[pl.Expr, ...]:
    there = by.is_not_null()
    rows = pl.struct(by.alias("by"), value.alias("value")).filter(there)
    return (_best(at, rows, by.filter(there), largest_first),)


def _best_of_all(at: At, state: pl.Expr, largest_first: bool) -> tuple[pl.Expr, ...]:
    rows = state.explode().drop_nulls()
    return (_best(at, rows, rows.struct.field("by"), largest_first),)


def _of_best(at: At, state: pl.Expr) -> pl.Expr:
    if len(at.values) < 3:
        return state.list.last().struct.field("value")
    values = state.list.reverse().list.eval(pl.element().struct.field("value"))
    return pl.when(state.list.len() > 0).then(values)


def _state_of_best(at: At) -> tuple[t.DataType, ...]:
    fields = [t.StructField("by", at.types[1]), t.StructField("value", at.types[0])]
    return (t.ArrayType(t.StructType(fields)),)


@aggregate(
    "max_by",
    resolve=_by("max_by"),
    partial=lambda at, x, y, *_: _first_best(at, x, y, True),
    merge=lambda at, s: _best_of_all(at, s, True),
    final=_of_best,
    states=_state_of_best,
    constants=(2,),
)
def max_by(at: At, value: pl.Expr, by: pl.Expr, k: pl.Expr | None = None) -> pl.Expr:
    return _picked(at, value, by, True)


@aggregate(
    "min_by",
    resolve=_by("min_by"),
    partial=lambda at, x, y, *_: _first_best(at, x, y, False),
    merge=lambda at, s: _best_of_all(at, s, False),
    final=_of_best,
    states=_state_of_best,
    constants=(2,),
)
def min_by(at: At, value: pl.Expr, by: pl.Expr, k: pl.Expr | None = None) -> pl.Expr:
    return _picked(at, value, by, False)


# ---- all values ----------------------------------------------------------------------------------


def _array_of(types: Sequence[t.DataType]) -> t.DataType:
    return t.ArrayType(types[0], False)


def _listed(value: pl.Expr) -> pl.Expr:
    return value.drop_nulls().implode()


def _set(value: pl.Expr) -> pl.Expr:
    return value.drop_nulls().unique(maintain_order=True).implode()


@aggregate(
    "collect_list",
    "array_agg",
    gives=_array_of,
    null=False,
    partial=lambda at, x: (_listed(x),),
    merge=lambda at, s: (_listed(s.explode()),),
    final=lambda at, s: s,
    states=lambda at: (at.type,),
)
def collect_list(at: At, value: pl.Expr) -> pl.Expr:
    return _listed(value)


@aggregate(
    "collect_set",
    gives=_array_of,
    null=False,
    partial=lambda at, x: (_set(x),),
    merge=lambda at, s: (_set(s.explode()),),
    final=lambda at, s: s,
    states=lambda at: (at.type,),
)
def collect_set(at: At, value: pl.Expr) -> pl.Expr:
    return _set(value)


def _joined(args: Sequence[Expr], settings: Settings) -> Typed:
    """listagg(text or bytes, delimiter?, key?, ascending?, nulls first?): WITHIN GROUP is the key
    that the values are sorted by."""
    if not 1 <= len(args) <= 5:
        raise Mismatch(
            f"listagg takes 1 or 2 arguments, and has {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    own = tuple(args) if len(args) > 1 else (*args, Literal(None, t.NULL))
    kind: t.DataType = t.BINARY if own[0].type == t.BINARY else t.STRING
    text = coerced("listagg", own[:1], (ANY if kind == t.BINARY else TEXT,), None, None)[0]
    given = constant("listagg", own, 1)
    if given is not None and not isinstance(given, bytes if kind == t.BINARY else str):
        raise Mismatch(f"the delimiter of listagg must be {kind.simpleString()}")
    return (text, *own[1:]), kind, True


@aggregate(
    "listagg",
    "string_agg",
    resolve=_joined,
    whole="the order of its values is that of the rows, or of a key",
    constants=(1, 3, 4),
)
def listagg(at: At, value: pl.Expr, delimiter: pl.Expr, *order: pl.Expr) -> pl.Expr:
    between = at.values[1]
    values = value
    if order:
        up = at.values[3] if len(order) > 1 else True
        first = at.values[4] if len(order) > 2 else up
        values = value.sort_by(
            order[0], descending=not up, nulls_last=not first, maintain_order=True
        )
    if at.type == t.BINARY:
        text = values.drop_nulls().bin.encode("hex").str.join((between or b"").hex())
        found = text.str.decode("hex")
    else:
        found = values.drop_nulls().str.join(between or "")
    return pl.when(value.count() > 0).then(found)


def _most(args: Sequence[Expr], settings: Settings) -> Typed:
    own = coerced("mode", args, (ANY, BOOL), None, 1)
    return own, own[0].type, True


@aggregate(
    "mode",
    resolve=_most,
    whole="it needs how often each value comes in all rows",
    constants=(1,),
)
def mode(at: At, value: pl.Expr, lowest: pl.Expr | None = None) -> pl.Expr:
    """Of values that are as frequent the smallest, whether asked for or not."""
    return value.drop_nulls().mode().sort().first().cast(to_polars(at.type))
