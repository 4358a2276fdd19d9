"""Windows: rows are sorted once, and every function is had from ranges of sorted rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from executors.relational import moments
from executors.relational.frames import (
    END,
    PARTITION,
    PEER,
    PEER_END,
    ROW,
    START,
    Key,
    Ranges,
    folded,
    located,
    ranges,
    reaches,
    summed,
)
from executors.relational.nodes import Making, lazily
from planner.columns import types as t
from planner.columns.building import at_of
from planner.columns.columnar import to_polars
from planner.columns.expressions import Alias, Attr, Call, Frame, Over
from planner.columns.functions.aggregates import TOO_LARGE, quotient
from planner.columns.functions.aggregates_values import skips_nulls
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import Aggregate, At, WindowOnly, find
from planner.columns.functions.windows import Place
from planner.query import logical as l
from planner.query.aggregation import key, prepared

_SAFE = 2.0**62  # sums up to here fit 64 bits whatever their order
_CHUNK = 4_000_000  # rows that ranges are spread out to at a time
_SPANS = (t.DayTimeIntervalType, t.YearMonthIntervalType)
_REACHING = ("sum", "try_sum", "avg", "mean", "try_avg")
_ORDER = "#o0"  # the first order key
_PLACE = Place(*(pl.col(each) for each in (ROW, START, END, PEER, PEER_END)))


@lazily.register
def _window(node: l.Window, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    overs = [value.child for value in node.values if isinstance(value.child, Over)]
    first, calls = prepared(
        tuple(Alias(_columned(over), value.name, value.id) for over, value in _pairs(node)),
    )
    partition = overs[0].partition
    keys = {f"#p{i}": key(at.build(each), each.type) for i, each in enumerate(partition)}
    order = {f"#o{i}": key(at.build(o.child), o.type) for i, o in enumerate(overs[0].order)}
    below = children[0].with_columns(
        *(at.build(each).alias(each.attr.column) for each in first),
        *(value.alias(name) for name, value in {**keys, **order}.items()),
    )
    columns = [attr.column for attr in node.output]
    if not order and all(over.frame == Frame("rows", None, None) for over in overs):
        values = [_everywhere(call, list(keys), at) for call in calls]
        named = [v.alias(call.attr.column) for v, call in zip(values, calls, strict=True)]
        return below.with_columns(named).select(columns)
    sorting = Sorting(list(keys), list(order), overs, calls, at)
    schema = {attr.column: to_polars(attr.kind) for attr in node.output}
    return below.map_batches(lambda frame: sorting(frame).select(columns), schema=schema)


def _everywhere(value: Alias, keys: list[str], at: Making) -> pl.Expr:
    """An aggregate of whole partitions, for each of their rows. Only the aggregations themselves
    are done by partition: what is made of them is done once."""
    call = value.child
    assert isinstance(call, Call)
    entry = find(call.name)
    assert isinstance(entry, Aggregate)

    def reach(found: pl.Expr) -> pl.Expr:
        return found.over(keys) if keys else found

    if call.where is not None or entry.final is None or entry.partial is None:
        return reach(at.build(call))
    args = [at.build(arg) for arg in call.args]
    own = at_of(call, at.settings)
    if call.name in _REACHING:
        return entry.build(replace(own, reach=reach), *args)
    return entry.final(own, *(reach(state) for state in entry.partial(own, *args)))


def _pairs(node: l.Window) -> list[tuple[Over, Alias]]:
    return [(value.child, value) for value in node.values if isinstance(value.child, Over)]


def _columned(over: Over) -> Call:
    assert isinstance(over.call, Call)
    return over.call


@dataclass(frozen=True, eq=False)
class Sorting:
    """The windows of one partitioning and order, as a function of the rows."""

    partition: list[str]
    order: list[str]
    overs: list[Over]
    calls: tuple[Alias, ...]
    at: Making

    def __call__(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows in window order, with the values."""
        orders = self.overs[0].order
        keys = [Key(name, False, True) for name in self.partition]
        keys += [
            Key(name, not order.ascending, order.nulls_lead)
            for name, order in zip(self.order, orders, strict=True)
        ]
        spare = [*self.partition, *self.order]
        if any(over.frame is not None and reaches(over.frame) for over in self.overs):
            spare.remove(_ORDER)
        rows = Sorted(located(frame, keys, len(self.partition), spare), self.at)
        places: list[pl.Expr] = []
        values: list[pl.Series] = []
        for over, value in zip(self.overs, self.calls, strict=True):
            call = value.child
            assert isinstance(call, Call)
            entry = find(call.name)
            if isinstance(entry, WindowOnly):
                args = [self.at.build(arg) for arg in call.args]
                built = entry.build(at_of(call, self.at.settings), _PLACE, *args)
                places.append(built.alias(value.attr.column))
            else:
                wanted = over.frame
                assert wanted is not None, (
                    "planner/query/analysis/windows.py gives every window its frame"
                )
                if (wanted.unit, wanted.start, wanted.end) not in rows.known:
                    rows.know(wanted, over)
                values.append(rows.value(call, wanted).alias(value.attr.column))
        return rows.frame.with_columns(*places, *values)


@dataclass(eq=False)
class Sorted:
    """Located rows, and the ranges of frames over them."""

    frame: pl.DataFrame
    at: Making
    known: dict[Any, Ranges] = field(default_factory=dict)

    def know(self, wanted: Frame, over: Over) -> None:
        """Find the ranges of a frame."""
        found = ranges(self.frame, wanted, over.order, _ORDER)
        self.known[wanted.unit, wanted.start, wanted.end] = found

    def value(self, call: Call, wanted: Frame) -> pl.Series:
        """An aggregate over the frames of all rows."""
        over = self.known[wanted.unit, wanted.start, wanted.end]
        if wanted.start is None and wanted.end is None:
            return self._of_partitions(call)
        how = _HOW.get(call.name)
        if call.where is None and how is not None:
            found: pl.Series | None = how(self, call, wanted, over)
            if found is not None:
                return found
        return self._spread(call, over)

    def arg(self, call: Call, place: int = 0) -> pl.Series:
        """The column that an argument is."""
        arg = call.args[place]
        assert isinstance(arg, Attr)
        return self.frame[arg.column]

    def running(self, made: pl.Expr, values: pl.Series) -> pl.Series:
        """`made` of the column v, in each partition."""
        partitions = self.frame[PARTITION]
        pair = pl.DataFrame({"v": values, "p": partitions.set_sorted()})
        one = not values.len() or partitions[-1] == 0
        return pair.select(made if one else made.over("p")).to_series()

    # ---- any aggregate -----------------------------------------------------------------------

    def _of_partitions(self, call: Call) -> pl.Series:
        built = self.at.build(call).alias("#value")
        each = self.frame.group_by(PARTITION).agg(built).sort(PARTITION)
        return each["#value"].gather(self.frame[PARTITION])

    def _spread(self, call: Call, over: Ranges) -> pl.Series:
        """Ranges that differ are spread out to their rows, so many at a time, and grouped."""
        built = self.at.build(call).alias("#value")
        needed = [a.column for a in (*call.args, call.where) if isinstance(a, Attr)]
        columns = self.frame.select(needed or [ROW])
        both = pl.DataFrame({"low": over.low, "high": over.high})
        number = both.select(
            pl.any_horizontal(pl.all().ne_missing(pl.all().shift(1))).cast(pl.Int64).cum_sum()
        ).to_series()
        number = number - (number.first() or 0)
        distinct = both.with_columns(number.alias("n")).unique("n", keep="first").sort("n")
        some = distinct.filter(pl.col("high") > pl.col("low"))
        chunk = (some["high"] - some["low"]).cum_sum() // _CHUNK
        empty = columns.clear().select(built)
        found = [empty.with_columns(pl.lit(None, dtype=pl.Int64).alias("n")).select("n", "#value")]
        for part in _chunks(some, chunk):
            rows = part.select("n", pl.int_ranges("low", "high").alias(ROW)).explode(ROW)
            spread = columns[rows[ROW]].with_columns(rows["n"])
            found.append(spread.group_by("n", maintain_order=True).agg(built))
        answers = pl.concat(found).with_row_index("#place")
        places = distinct.join(answers.select("n", "#place"), on="n", how="left").sort("n")
        return answers["#value"].gather(places["#place"].fill_null(0).gather(number))


def _chunks(some: pl.DataFrame, chunk: pl.Series) -> list[pl.DataFrame]:
    if not some.height:
        return []
    starts = [*chunk.rle_id().unique_counts().cum_sum().to_list()]
    return [some[a:b] for a, b in zip([0, *starts[:-1]], starts, strict=True)]


# ---- aggregates that ranges give directly --------------------------------------------------------


def _counts(rows: Sorted, call: Call, over: Ranges) -> pl.Series:
    return summed(rows.arg(call).is_not_null().cast(pl.Int64), over)


def _count(rows: Sorted, call: Call, wanted: Frame, over: Ranges) -> pl.Series | None:
    return _counts(rows, call, over) if len(call.args) == 1 else None


def _count_if(rows: Sorted, call: Call, wanted: Frame, over: Ranges) -> pl.Series:
    return summed(rows.arg(call).cast(pl.Int64), over)


def _totals(rows: Sorted, call: Call, wanted: Frame, over: Ranges) -> pl.Series:
    """Sums, without regard to frames that have no value: exact, or in floats."""
    values, kind = rows.arg(call), call.args[0].type
    if isinstance(kind, t.DecimalType):
        return summed(values.cast(pl.Decimal(t.DecimalType.MAX, kind.scale)), over)
    if isinstance(kind, t.IntegralType):
        large = kind == t.LONG and (values.cast(pl.Float64).abs().sum() or 0) > _SAFE
        return summed(values.cast(pl.Int128 if large else pl.Int64), over)
    if isinstance(kind, _SPANS):
        return summed(values.cast(pl.Int64), over)
    wide = values.cast(pl.Float64)
    if wanted.start is None:
        running = rows.running(pl.col("v").cum_sum(), wide.fill_null(0.0))
        return running.gather((over.high - 1).clip(0))
    if wanted.end is None and wide.len():
        running = rows.running(pl.col("v").cum_sum(reverse=True), wide.fill_null(0.0))
        return running.gather(over.low.clip(0, wide.len() - 1))
    return folded(wide, over, lambda a, b: a + b)


def _sum(rows: Sorted, call: Call, wanted: Frame, over: Ranges) -> pl.Series:
    """The sum of one number each is the number itself, checked as sums are."""
    counts, kind = _counts(rows, call, over), call.type
    totals = _totals(rows, call, wanted, over)
    some = pl.DataFrame({"n": counts, "v": totals}).select(
        pl.when(pl.col("n") > 0).then(pl.col("v"))
    )
    value, own = some.to_series(), at_of(call, rows.at.settings)
    if kind != t.LONG or call.args[0].type != t.LONG:
        return value.cast(to_polars(kind))
    return pl.select(_checked(own, pl.lit(value), call.name == "sum")).to_series()


def _checked(at: At, value: pl.Expr, raises: bool) -> pl.Expr:
    low, high = -(2**63), 2**63
    fits = (value >= low) & (value < high)
    if at.ansi and raises:
        from_ = pl.when(fits | value.is_null()).then(value)
        return raise_where(~fits, "ARITHMETIC_OVERFLOW", TOO_LARGE, from_.cast(pl.Int64))
    if at.ansi:
        return pl.when(fits).then(value).cast(pl.Int64)
    wrapped = (value - low) % (high - low) + low
    return wrapped.cast(pl.Int64)


def _avg(rows: Sorted, call: Call, wanted: Frame, over: Ranges) -> pl.Series:
    own = at_of(call, rows.at.settings)
    totals = _totals(rows, call, wanted, over)
    if not isinstance(call.args[0].type, (t.DecimalType, *_SPANS)):
        totals = totals.cast(pl.Float64)
    pair = pl.DataFrame({"s": totals, "n": _counts(rows, call, over)})
    found = quotient(own, pl.col("s"), pl.col("n"))
    return pair.select(found.cast(to_polars(call.type))).to_series()


def _running_extreme(kind: pl.DataType, least: bool) -> pl.Expr:
    """The smallest or largest of the rows up to here, of the column v; NaN is the largest."""
    value = pl.col("v")
    known = pl.when(~value.is_nan()).then(value) if kind.is_float() else value
    found = (known.cum_min() if least else known.cum_max()).forward_fill()
    if not kind.is_float():
        return found
    seen = value.is_nan().fill_null(False).cast(pl.Int8).cum_max() == 1
    nan = pl.lit(float("nan"), dtype=kind)
    return pl.when(seen & found.is_null() if least else seen).then(nan).otherwise(found)


def _moments(rows: Sorted, call: Call, wanted: Frame, over: Ranges) -> pl.Series:
    entry = find(call.name)
    assert isinstance(entry, Aggregate)
    values = [rows.arg(call, place) for place in range(len(call.args))]
    return moments.over_ranges(entry, at_of(call, rows.at.settings), values, over)


def _extreme(least: bool) -> Any:
    def found(rows: Sorted, call: Call, wanted: Frame, over: Ranges) -> pl.Series | None:
        values = rows.arg(call)
        if isinstance(values.dtype, (pl.Struct, pl.List, pl.Null)):
            return None
        if wanted.start is None and (values.dtype.is_numeric() or values.dtype.is_temporal()):
            running = rows.running(_running_extreme(values.dtype, least), values)
            place = pl.DataFrame({"low": over.low, "high": over.high}).select(
                pl.when(pl.col("high") > pl.col("low")).then(pl.col("high") - 1)
            )
            return running.gather(place.to_series())

        def pick(a: pl.Expr, b: pl.Expr) -> pl.Expr:
            return pl.when(a <= b if least else a >= b).then(a).otherwise(b)

        return folded(values, over, pick)

    return found


def _bits(combine: Any) -> Any:
    return lambda rows, call, wanted, over: folded(rows.arg(call), over, combine)


def _nth_of(call: Call, rows: Sorted) -> tuple[bool, int]:
    """(from the end, which)."""
    own = at_of(call, rows.at.settings)
    if call.name == "nth_value":
        return False, own.values[1] - 1
    return call.name in ("last", "last_value"), 0


def _placed(rows: Sorted, call: Call, wanted: Frame, over: Ranges) -> pl.Series:
    """first, last and nth_value: one row of each frame, or one of its rows that are not NULL."""
    values = rows.arg(call)
    low, high = over.low, over.high
    if skips_nulls(at_of(call, rows.at.settings)):
        known = values.is_not_null()
        upto = pl.concat([pl.Series([0]), known.cast(pl.Int64).cum_sum()])
        low, high = upto.gather(low), upto.gather(high)
        values = values.filter(known)
    last, n = _nth_of(call, rows)
    place = high - 1 if last else low + n
    there = pl.DataFrame({"low": low, "high": high, "at": place})
    inside = (pl.col("at") >= pl.col("low")) & (pl.col("at") < pl.col("high"))
    return values.gather(there.select(pl.when(inside).then("at")).to_series())


_HOW: dict[str, Any] = {
    "count": _count,
    "count_if": _count_if,
    "sum": _sum,
    "try_sum": _sum,
    "avg": _avg,
    "mean": _avg,
    "try_avg": _avg,
    "min": _extreme(True),
    "max": _extreme(False),
    **dict.fromkeys(("bool_and", "every"), _extreme(True)),
    **dict.fromkeys(("bool_or", "some", "any"), _extreme(False)),
    "bit_and": _bits(lambda a, b: a & b),
    "bit_or": _bits(lambda a, b: a | b),
    "bit_xor": _bits(lambda a, b: a ^ b),
    "product": _bits(lambda a, b: a * b),
    **dict.fromkeys(("first", "first_value", "any_value", "last", "last_value"), _placed),
    "nth_value": _placed,
    **dict.fromkeys(moments.FIELDS, _moments),
}
