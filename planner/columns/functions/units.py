"""Sums of whole numbers of 64 bits that stand for decimals: what `planner/columns/units.py` puts in
the place of decimals' own functions. Nothing is checked: it has seen that no value can leave 64
bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from planner.columns import types as t
from planner.columns.casts.numbers import scaled, unscaled
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr
from planner.columns.functions import aggregates
from planner.columns.functions.registry import (
    INNER,
    TABLE,
    Aggregate,
    At,
    Function,
    Mismatch,
    Settings,
    Typed,
)

assert aggregates  # it has filled the table
SUMS = ("sum", "try_sum", "avg", "mean", "try_avg")


def _unknown(args: Sequence[Expr], settings: Settings) -> Typed:
    raise Mismatch("a name that begins with # is no function's", "UNRESOLVED_ROUTINE")


def _enter(name: str, build: Callable[..., pl.Expr]) -> None:
    INNER[name] = Function(name, _unknown, build)


_enter("#units", lambda at, value: unscaled(value).cast(pl.Int64))
_enter("#plus", lambda at, a, b: a + b)
_enter("#minus", lambda at, a, b: a - b)
_enter("#times", lambda at, a, b: a * b)


# ---- aggregates of: units, a NULL of the type that they stand for, the bits of the sum -----------


def _total(at: At, value: pl.Expr, kind: t.DataType) -> pl.Expr:
    """The sum as `kind`, NULL of no values."""
    short = at.values[2] == 64
    wide = value if short else value.cast(pl.Int128)
    found = pl.when(value.count() > 0).then(wide.sum())
    if not isinstance(kind, t.DecimalType):
        return found
    if short:
        return scaled(found.cast(pl.Int128), kind)
    return scaled(found, t.DecimalType(t.DecimalType.MAX, kind.scale)).cast(to_polars(kind))


def _meant(at: At) -> At:
    """What the aggregate of the values themselves is told."""
    return At(at.type, at.types[1:2], (None,), at.settings)


def _of_units(entry: Aggregate) -> Aggregate:
    """The aggregate with the same states, made of units."""

    def partial(at: At, value: pl.Expr, *_: pl.Expr) -> tuple[pl.Expr, ...]:
        assert entry.states is not None
        kinds = entry.states(_meant(at))
        return (_total(at, value, kinds[0]), value.count().cast(pl.Int64))[: len(kinds)]

    def final(at: At, *states: pl.Expr) -> pl.Expr:
        assert entry.final is not None
        return entry.final(_meant(at), *states)

    def whole(at: At, *args: pl.Expr) -> pl.Expr:
        return final(at, *partial(at, *args))

    own = replace(entry, name=f"#{entry.name}", resolve=_unknown, build=whole)
    return replace(own, partial=partial, final=final, constants=(1, 2))


for _name in SUMS:
    _entry = TABLE[_name]
    assert isinstance(_entry, Aggregate)
    INNER[f"#{_name}"] = _of_units(_entry)
