"""The elements of many rows at once: lists taken apart, worked on as one column, and put together.

Polars' own `list.eval` cannot see other columns. Here the lists of a batch become one flat frame
with the columns of their rows beside them, so any expression can be used on the elements, those of
lambdas inside lambdas too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from planner.columns import types as t
from planner.columns.columnar import to_polars
from planner.columns.expressions import Lambda, Variable
from planner.columns.functions.registry import At

_COMPAT = pl.CompatLevel.newest()
ROW, PLACE, VALUE, SIDE = "#row", "#place", "#value", "#side"


def by_batch(
    f: Callable[..., pl.Series], kind: t.DataType, *args: pl.Expr, polars: Any = None
) -> pl.Expr:
    """`f` of whole columns of equal length, which gives as many values, of type `kind`."""

    def run(columns: Sequence[pl.Series]) -> pl.Series:
        found = f(*evened(columns))
        return found if found.dtype == wanted else found.cast(wanted)

    wanted = polars or to_polars(kind)
    return pl.map_batches(args, run, return_dtype=wanted, is_elementwise=True)


def evened(columns: Sequence[pl.Series]) -> list[pl.Series]:
    """Constants repeated to the length of the others."""
    lengths = {len(column) for column in columns} - {1}
    size = lengths.pop() if lengths else 1
    return [each if len(each) == size else each.new_from_index(0, size) for each in columns]


def by_row(f: Callable[..., Any], kind: t.DataType, *args: pl.Expr) -> pl.Expr:
    """A Python function of the values of each row; for what has no columnar form."""
    wanted = to_polars(kind)

    def run(*columns: pl.Series) -> pl.Series:
        rows = zip(*(column.to_list() for column in columns), strict=True)
        return pl.Series([f(*row) for row in rows], dtype=wanted)

    return by_batch(run, kind, *args)


# ---- apart and together --------------------------------------------------------------------------


def apart(lists: pl.Series, value: str = VALUE) -> pl.DataFrame:
    """The elements of all lists with their row and their place in it; none of a NULL list."""
    rows = pl.DataFrame({ROW: pl.int_range(len(lists), eager=True), value: lists})
    found = rows.lazy().with_columns(pl.int_ranges(pl.col(value).list.len()).alias(PLACE))
    flat = found.filter(pl.col(value).list.len() > 0).explode(value, PLACE)
    return flat.select(ROW, PLACE, value).collect()


def together(values: pl.Series, lengths: pl.Series, there: pl.Series | None = None) -> pl.Series:
    """Lists of the given lengths; NULL where `there` is not true."""
    ends = lengths.fill_null(0).cast(pl.Int64).cum_sum()
    offsets = pl.concat([pl.Series([0], dtype=pl.Int64), ends.alias("")])
    mask = None if there is None else (~there).fill_null(True).to_arrow()
    made = pa.LargeListArray.from_arrays(
        offsets.to_arrow(), values.rechunk().to_arrow(compat_level=_COMPAT), mask=mask
    )
    found = pl.Series(pl.from_arrow(made))
    kind = pl.List(values.dtype)
    return found if found.dtype == kind else found.cast(kind)


def regrouped(flat: pl.DataFrame, size: int, there: pl.Series) -> pl.Series:
    """Lists of the elements of a flat frame (`ROW` ascending, `VALUE`) for `size` rows."""
    counted = flat.group_by(ROW).len("#len")
    every = pl.DataFrame({ROW: pl.int_range(size, eager=True)})
    lengths = every.join(counted, on=ROW, how="left", maintain_order="left")["#len"]
    return together(flat[VALUE], lengths, there)


# ---- an expression over elements -----------------------------------------------------------------


def each(
    body: Callable[..., pl.Expr], arrays: Sequence[pl.Expr], kind: t.DataType, *others: pl.Expr
) -> pl.Expr:
    """Lists of `body(element of each array …, *others)`; shorter arrays are filled with NULL."""
    names = [f"#element{place}" for place in range(len(arrays))]
    more = [f"#other{place}" for place in range(len(others))]
    expr = body(*map(pl.col, names), *map(pl.col, more))
    listed = t.ArrayType(kind)
    return by_batch(lambda *columns: _each(expr, columns, names, more), listed, *arrays, *others)


def _each(
    expr: pl.Expr, columns: Sequence[pl.Series], names: Sequence[str], others: Sequence[str]
) -> pl.Series:
    frame, lengths, there = aligned(columns[: len(names)], names)
    return together(evaluated(frame, expr, columns[len(names) :], others), lengths, there)


def aligned(
    lists: Sequence[pl.Series], names: Sequence[str]
) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """The elements of lists side by side, as long as the longest of each row; none of rows with a
    NULL. Gives the frame, the lengths of the rows, and which rows are not NULL."""
    there = pl.Series([True]).new_from_index(0, len(lists[0]))
    for one in lists:
        there &= one.is_not_null()
    if len(lists) == 1:
        return apart(lists[0], names[0]), lists[0].list.len(), there
    sizes = pl.DataFrame([one.list.len().alias(str(at)) for at, one in enumerate(lists)])
    lengths = sizes.select(pl.when(pl.lit(there)).then(pl.max_horizontal(pl.all()))).to_series()
    rows = pl.DataFrame({ROW: pl.int_range(len(there), eager=True), "#n": lengths})
    frame = rows.filter(pl.col("#n") > 0).with_columns(pl.int_ranges(pl.col("#n")).alias(PLACE))
    frame = frame.drop("#n").explode(PLACE)
    columns = [_padded(one, frame).alias(name) for one, name in zip(lists, names, strict=True)]
    return frame.with_columns(columns), lengths, there


def _padded(lists: pl.Series, places: pl.DataFrame) -> pl.Series:
    """The elements at rows and places; NULL behind the end of a list."""
    sizes = lists.list.len().cast(pl.Int64).fill_null(0)
    starts = sizes.cum_sum() - sizes
    row = places[ROW]
    rows = pl.DataFrame({"at": starts.gather(row) + places[PLACE], "size": sizes.gather(row)})
    inside = places[PLACE] < rows["size"]
    where = rows.select(pl.when(pl.lit(inside)).then("at")).to_series()
    flat = lists.filter(sizes > 0).explode()
    return flat.to_frame("x").select(pl.col("x").gather(where)).to_series()


def evaluated(
    frame: pl.DataFrame, expr: pl.Expr, columns: Sequence[pl.Series], names: Sequence[str]
) -> pl.Series:
    """An expression over elements and the columns of their rows."""
    rows = frame[ROW]
    beside = [column.gather(rows).alias(name) for column, name in zip(columns, names, strict=True)]
    return frame.with_columns(beside).with_columns(expr.alias("#out"))["#out"]


# ---- lambdas -------------------------------------------------------------------------------------


def params_of(at: At, place: int) -> list[str]:
    """Names of columns for the variables of a lambda argument, as no other column has them."""
    function = at.args[place]
    assert isinstance(function, Lambda)
    return [variable_name(param) for param in function.params]


def variable_name(param: Variable) -> str:
    return f"{param.name}##{param.id}"


def body_of(function: Callable[..., pl.Expr], names: Sequence[str]) -> tuple[pl.Expr, list[str]]:
    """The body of a lambda over columns of these names, and the other columns that it reads."""
    expr = function(*map(pl.col, names))
    own = set(names)
    return expr, [name for name in dict.fromkeys(expr.meta.root_names()) if name not in own]


def applied(at: At, place: int, function: Callable[..., pl.Expr], *arrays: pl.Expr) -> pl.Expr:
    """Lists of what the lambda gives of each element (and of its place, if it asks for that)."""
    names = params_of(at, place)
    expr, outer = body_of(function, names)
    lists = names[: len(arrays)]
    kind = t.ArrayType(at.args[place].type)

    def run(*columns: pl.Series) -> pl.Series:
        frame, lengths, there = aligned(columns[: len(lists)], lists)
        for name in names[len(lists) :]:
            frame = frame.with_columns(pl.col(PLACE).cast(pl.Int32).alias(name))
        return together(evaluated(frame, expr, columns[len(lists) :], outer), lengths, there)

    return by_batch(run, kind, *arrays, *map(pl.col, outer))
