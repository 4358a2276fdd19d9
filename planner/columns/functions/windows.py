"""Functions that need the order of their window. They are built over rows in window order, where
the place of a row, of its partition and of its peers are columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.aggregates import constant
from planner.columns.functions.aggregates_values import skips_nulls
from planner.columns.functions.registry import (
    ANY,
    BOOL,
    INT,
    At,
    Mismatch,
    Resolve,
    Settings,
    Typed,
    aggregate,
    coerced,
    window,
)


@dataclass(frozen=True)
class Place:
    """Where a row is: its number, the first and the one after the last of its partition, and of
    its peers (rows that are equal in the order); all Int64, numbers of all rows from 0."""

    row: pl.Expr
    start: pl.Expr
    end: pl.Expr
    peer: pl.Expr
    peer_end: pl.Expr

    @property
    def count(self) -> pl.Expr:
        """The rows of the partition."""
        return self.end - self.start


@window("row_number", gives=t.INT, null=False)
def row_number(at: At, place: Place) -> pl.Expr:
    return (place.row - place.start + 1).cast(pl.Int32)


@window("rank", gives=t.INT, null=False)
def rank(at: At, place: Place) -> pl.Expr:
    return (place.peer - place.start + 1).cast(pl.Int32)


@window("dense_rank", gives=t.INT, null=False)
def dense_rank(at: At, place: Place) -> pl.Expr:
    """The count of runs of peers up to here, less those before the partition."""
    runs = (place.row == place.peer).cast(pl.Int64).cum_sum()
    return (runs - runs.gather(place.start) + 1).cast(pl.Int32)


@window("percent_rank", gives=t.DOUBLE, null=False)
def percent_rank(at: At, place: Place) -> pl.Expr:
    many = pl.when(place.count > 1)
    return many.then((place.peer - place.start) / (place.count - 1)).otherwise(0.0)


@window("cume_dist", gives=t.DOUBLE, null=False)
def cume_dist(at: At, place: Place) -> pl.Expr:
    return (place.peer_end - place.start) / place.count


def _ntile(args: Sequence[Expr], settings: Settings) -> Typed:
    own = coerced("ntile", args or (Literal(1, t.INT),), (INT,), None, None)
    if (constant("ntile", own, 0) or 0) < 1:
        raise Mismatch("ntile needs at least 1 bucket", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
    return own, t.INT, False


@window("ntile", resolve=_ntile)
def ntile(at: At, place: Place, buckets: pl.Expr) -> pl.Expr:
    """The first buckets have one row more, where the rows do not divide."""
    wanted = at.values[0]
    small, more = place.count // wanted, place.count % wanted
    at_row, large = place.row - place.start, (small + 1) * more
    of_small = more + (at_row - large) // pl.max_horizontal(small, pl.lit(1))
    found = pl.when(at_row < large).then(at_row // (small + 1)).otherwise(of_small)
    return (found + 1).cast(pl.Int32)


# ---- other rows ----------------------------------------------------------------------------------


def _shifted(name: str) -> Resolve:
    """(value, offset = 1, default = NULL); the default goes to the value's type."""

    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        given = (*args, *(Literal(1, t.INT), Literal(None, t.NULL))[max(len(args) - 1, 0) :])
        own = coerced(name, given, (ANY, INT, ANY), None, 3)
        constant(name, own, 1)
        default = implied(own[2], own[0].type)
        return (own[0], own[1], default), own[0].type, own[0].nullable or default.nullable

    return resolve


def _beside(at: At, place: Place, value: pl.Expr, default: pl.Expr, offset: int) -> pl.Expr:
    """The value `offset` rows on, or the default where the partition has none."""
    kind = to_polars(at.type)
    if at.ignore_nulls and offset:
        return _beside_known(at, place, value, default, offset)
    there = place.row + offset
    inside = (there >= place.start) & (there < place.end)
    return pl.when(inside).then(value.shift(-offset)).otherwise(default.cast(kind))


def _beside_known(at: At, place: Place, value: pl.Expr, default: pl.Expr, offset: int) -> pl.Expr:
    """As above among the rows that are not NULL."""
    known = value.is_not_null()
    upto = known.cast(pl.Int64).cum_sum()  # known rows up to here, this one too
    before = upto - known.cast(pl.Int64)
    number = upto - 1 + offset if offset > 0 else before + offset
    fits = (number >= 0) & (number < known.sum())
    safe = pl.when(fits).then(number)
    row = place.row.filter(known).gather(safe)
    inside = fits & (row >= place.start) & (row < place.end)
    found = value.filter(known).gather(safe)
    return pl.when(inside).then(found).otherwise(default.cast(to_polars(at.type)))


@window("lag", resolve=_shifted("lag"))
def lag(at: At, place: Place, value: pl.Expr, offset: pl.Expr, default: pl.Expr) -> pl.Expr:
    return _beside(at, place, value, default, -at.values[1])


@window("lead", resolve=_shifted("lead"))
def lead(at: At, place: Place, value: pl.Expr, offset: pl.Expr, default: pl.Expr) -> pl.Expr:
    return _beside(at, place, value, default, at.values[1])


def _nth(args: Sequence[Expr], settings: Settings) -> Typed:
    own = coerced("nth_value", args, (ANY, INT, BOOL), None, 2)
    if (constant("nth_value", own, 1) or 0) < 1:
        raise Mismatch("nth_value counts from 1", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
    return own, own[0].type, True


@aggregate(
    "nth_value",
    resolve=_nth,
    whole="the order of its values is that of the rows",
    constants=(1, 2),
    skips=False,
)
def nth_value(at: At, value: pl.Expr, n: pl.Expr, flag: pl.Expr | None = None) -> pl.Expr:
    """Of the rows of a frame the n-th; its frames are known, so it is an aggregate."""
    rows = value.drop_nulls() if skips_nulls(at) else value
    return rows.get(at.values[1] - 1, null_on_oob=True)
