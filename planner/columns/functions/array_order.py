"""Arrays in order: smallest and largest elements, sorts, sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import common, implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Lambda
from planner.columns.functions.arrays import as_array, element, wants
from planner.columns.functions.elements import (
    PLACE,
    ROW,
    VALUE,
    apart,
    body_of,
    by_batch,
    evaluated,
    params_of,
    together,
)
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import (
    ARRAY,
    BOOL,
    At,
    Mismatch,
    Settings,
    Typed,
    coerced,
    scalar,
)

_PLAIN = (t.IntegralType, t.DateType, t.TimestampType, t.TimestampNTZType)


def _ordered(name: str, args: Sequence[Expr]) -> Typed:
    wants(name, args, 1)
    arg = as_array(name, args[0])
    _can_be_ordered(name, element(arg.type))
    return (arg,), element(arg.type), True


def _can_be_ordered(name: str, kind: t.DataType) -> None:
    if isinstance(kind, t.MapType):
        raise Mismatch(
            f"{name}: {kind.simpleString()} has no order", "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"
        )


@scalar("array_min", resolve=lambda args, at: _ordered("array_min", args))
def array_min(at: At, array: pl.Expr) -> pl.Expr:
    if isinstance(at.type, _PLAIN):
        return array.list.min()
    return array.list.drop_nulls().list.sort().list.first()


@scalar("array_max", resolve=lambda args, at: _ordered("array_max", args))
def array_max(at: At, array: pl.Expr) -> pl.Expr:
    """The last in order: NaN is the largest number."""
    if isinstance(at.type, _PLAIN):
        return array.list.max()
    return array.list.drop_nulls().list.sort().list.last()


def _sorted(args: Sequence[Expr], settings: Settings) -> Typed:
    args = coerced("sort_array", args, (ARRAY, BOOL), None, 1)
    array = as_array("sort_array", args[0])
    _can_be_ordered("sort_array", element(array.type))
    return (array, *args[1:]), array.type, array.nullable


@scalar("sort_array", resolve=_sorted)
def sort_array(at: At, array: pl.Expr, ascending: pl.Expr | None = None) -> pl.Expr:
    """NULLs come first upwards and last downwards."""
    up = array.list.sort(nulls_last=False)
    if ascending is None or at.values[1] is True:
        return up
    down = array.list.sort(descending=True, nulls_last=True)
    if at.values[1] is False:
        return down
    return pl.when(ascending).then(up).when(~ascending).then(down)


def _compared(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("array_sort", args, 1, 2)
    array = as_array("array_sort", args[0])
    if len(args) == 1:
        _can_be_ordered("array_sort", element(array.type))
        return (array,), array.type, array.nullable
    if not isinstance(args[1], Lambda) or args[1].type not in (t.INT, t.NULL):
        raise Mismatch(
            "the function given to array_sort must give an int",
            "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE",
        )
    return (array, args[1]), array.type, array.nullable


@scalar("array_sort", resolve=_compared)
def array_sort(at: At, array: pl.Expr, compare: Callable[..., pl.Expr] | None = None) -> pl.Expr:
    """NULLs last, or as a function of two elements says: negative, 0 or positive."""
    if compare is None:
        return array.list.sort(nulls_last=True)
    names = params_of(at, 1)
    found, outer = body_of(compare, names)
    words = "the function given to array_sort gave NULL"
    expr = raise_where(found.is_null(), "COMPARATOR_RETURNS_NULL", words, found)

    def run(lists: pl.Series, *columns: pl.Series) -> pl.Series:
        flat = apart(lists, names[0])
        pairs = flat.join(flat.rename({names[0]: names[1], PLACE: "#other"}), on=ROW)
        values = evaluated(pairs, expr, columns, outer)
        order: list[int] = []
        table = dict(zip(zip(pairs[ROW], pairs[PLACE], pairs["#other"], strict=True), values))  # noqa: B905
        start = 0
        for row, size in enumerate(lists.list.len().fill_null(0)):
            key = cmp_to_key(lambda a, b, row=row: table[row, a, b])  # type: ignore[misc]
            order += [start + place for place in sorted(range(size), key=key)]
            start += size
        return together(flat[names[0]].gather(order), lists.list.len(), lists.is_not_null())

    return by_batch(run, at.type, array, *map(pl.col, outer))


def _shuffled(args: Sequence[Expr], settings: Settings) -> Typed:
    raise NotImplementedError(
        "shuffle is not there: its order could not be that of Spark; use "
        "transform with rand() and array_sort"
    )


@scalar("shuffle", resolve=_shuffled)
def shuffle(at: At, *args: pl.Expr) -> pl.Expr:
    raise NotImplementedError("shuffle is not there")


# ---- sequence ------------------------------------------------------------------------------------

_TIMES = (t.DateType, t.TimestampType, t.TimestampNTZType)


def _sequence(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("sequence", args, 2, 3)
    one = common(arg.type for arg in args[:2])
    null = any(arg.nullable for arg in args)
    if isinstance(one, t.IntegralType):
        step = common([one, *(arg.type for arg in args[2:])])
        if isinstance(step, t.IntegralType):
            return tuple(implied(arg, step) for arg in args), t.ArrayType(step, False), null
    if isinstance(one, _TIMES):
        steps = args[2:]
        if all(
            isinstance(s.type, t.DayTimeIntervalType | t.YearMonthIntervalType | t.NullType)
            for s in steps
        ):
            ends = tuple(implied(arg, one) for arg in args[:2])
            return (*ends, *steps), t.ArrayType(one, False), null
    kinds = ", ".join(arg.type.simpleString() for arg in args)
    raise Mismatch(
        f"sequence is for whole numbers, or for dates and times with an interval, not {kinds}",
        "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES",
    )


@scalar("sequence", resolve=_sequence)
def sequence(at: At, start: pl.Expr, stop: pl.Expr, step: pl.Expr | None = None) -> pl.Expr:
    kind = element(at.type)
    months = len(at.types) > 2 and isinstance(at.types[2], t.YearMonthIntervalType)
    if months:
        assert step is not None
        return _by_months(at, start, stop, step)
    first, last, by = _as_numbers(kind, start, stop, step)
    if step is None:
        by = pl.when(first <= last).then(_day(kind)).otherwise(-_day(kind))
    if kind == t.DATE and step is not None:
        uneven = (by % 86_400_000_000 != 0).fill_null(False)
        words = "the step of a sequence of dates must be of whole days"
        by = raise_where(uneven, "_LEGACY_ERROR_TEMP_3242", words, by)
    wrong = ((by > 0) & (first > last)) | ((by < 0) & (first < last))
    wrong = wrong | ((by == 0) & (first != last))
    words = "the step of a sequence must lead from its start to its end"
    by = raise_where(wrong, "SEQUENCE_WRONG_BOUNDARIES", words, by)
    end = last + by.sign()
    some = pl.int_ranges(first, end, pl.when(by == 0).then(1).otherwise(by))
    alone = pl.concat_list(first)
    found = pl.when(by == 0).then(alone).when(by.is_not_null()).then(some)
    if kind == t.DATE:
        return found.list.eval((pl.element() // 86_400_000_000).cast(pl.Int32).cast(pl.Date))
    return found.list.eval(pl.element().cast(to_polars(kind)))


def _day(kind: t.DataType) -> pl.Expr:
    """The step where none is given."""
    return pl.lit(86_400_000_000 if isinstance(kind, _TIMES) else 1, dtype=pl.Int64)


def _as_numbers(kind: t.DataType, *values: pl.Expr | None) -> list[Any]:
    """Whole numbers of 64 bits; times and their steps in microseconds."""
    found: list[Any] = []
    for value in values:
        if value is None:
            found.append(None)
        elif kind == t.DATE and len(found) < 2:
            found.append(value.cast(pl.Int32).cast(pl.Int64) * 86_400_000_000)
        else:
            found.append(value.cast(pl.Int64))
    return found


def _by_months(at: At, start: pl.Expr, stop: pl.Expr, step: pl.Expr) -> pl.Expr:
    """Every element is the start and some months, so that the 31st does not become the 28th."""
    zone = at.settings.zone if element(at.type) == t.TIMESTAMP else None

    def run(starts: pl.Series, stops: pl.Series, steps: pl.Series) -> pl.Series:
        frame = pl.DataFrame({"a": starts, "z": stops, "by": steps.cast(pl.Int64)})
        if zone is not None:
            frame = frame.with_columns(pl.col("a", "z").dt.convert_time_zone(zone))
        a, z, by = pl.col("a"), pl.col("z"), pl.col("by")
        wrong = ((by > 0) & (a > z)) | ((by < 0) & (a < z)) | ((by == 0) & (a != z))
        words = "the step of a sequence must lead from its start to its end"
        by = raise_where(wrong, "SEQUENCE_WRONG_BOUNDARIES", words, by)
        apart_by = (z.dt.year() - a.dt.year()) * 12 + z.dt.month().cast(pl.Int32)
        months = (apart_by - a.dt.month().cast(pl.Int32)).cast(pl.Int64)
        most = pl.when(by == 0).then(0).otherwise((months / by).floor().cast(pl.Int64))
        counts = frame.with_columns(by).select(
            pl.when(by.is_not_null()).then(pl.int_ranges(0, most + 1))
        )
        lists = counts.to_series()
        flat = apart(lists)
        more = (flat[VALUE] * frame["by"].gather(flat[ROW])).cast(pl.String) + "mo"
        rows = frame.select("a", "z", "by")[flat[ROW]].with_columns(more.alias("more"))
        values = rows.select(x=a.dt.offset_by(pl.col("more")), z=z, by=pl.col("by"))
        good = values.select(
            pl.when(pl.col("by") >= 0).then(pl.col("x") <= z).otherwise(pl.col("x") >= z)
        ).to_series()
        kept = flat.with_columns(values["x"].alias(VALUE)).filter(good)
        sizes = kept.group_by(ROW).len("#n")
        every = pl.DataFrame({ROW: pl.int_range(len(starts), eager=True)})
        lengths = every.join(sizes, on=ROW, how="left", maintain_order="left")["#n"]
        return together(kept[VALUE], lengths, lists.is_not_null())

    return by_batch(run, at.type, start, stop, step)
