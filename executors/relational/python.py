"""Users' Python functions over batches of rows, in a task.

Each is a function `(partition, tables)` of iterators of Arrow tables, as `logical.Batches` wants.
Columns come by position; answers get the physical names of `attrs`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from executors.kernels.stopping import stopped_by_user
from executors.relational.fragments import named
from executors.relational.pandas_values import arrow_of_frame, scalar_of, series_of, table_of_series
from executors.relational.pyvalues import coerced, values_of
from planner.columns import types as t
from planner.columns.columnar import to_arrow
from planner.columns.expressions import Attr

BATCH = 10_000
_LONG = 200  # letters of a value in a message
Tables = Iterable[pa.Table]


def batches(tables: Tables, attrs: Sequence[Attr], size: int = BATCH) -> Iterator[pa.Table]:
    """The rows in tables of at most `size`, with the names and types that users see."""
    for table in tables:
        whole = named(table, attrs)
        for start in range(0, whole.num_rows, size):
            # Arrow believes any length of a table without columns.
            yield whole.slice(start, min(size, whole.num_rows - start))


def fitted(table: pa.Table, attrs: Sequence[Attr], label: str) -> pa.Table:
    """A function's answer with the promised columns, by name (by place if no name fits).

    Raises RuntimeError where they are not the promised ones.
    """
    wanted = [attr.name for attr in attrs]
    got = table.column_names
    if set(wanted) <= set(got) and len(set(wanted)) == len(wanted):
        if len(got) != len(wanted):
            extra = ", ".join(name for name in got if name not in wanted)
            raise RuntimeError(f"{label}: the answer has columns that were not promised: {extra}")
        table = table.select(wanted)
    elif len(got) != len(wanted) or not all(str(name).isdigit() for name in got):
        missing = ", ".join(name for name in wanted if name not in got)
        raise RuntimeError(
            f"{label}: the answer has the columns {', '.join(map(str, got))}, and lacks {missing}"
        )
    arrays = []
    for column, attr in zip(table.columns, attrs, strict=True):
        kind = to_arrow(attr.kind)
        try:
            arrays.append(column if column.type == kind else column.cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise TypeError(
                f"{label}: the column {attr.name} should be {attr.kind.simpleString()}, and is "
                f"{column.type}: {error}"
            ) from None
    return pa.Table.from_arrays(arrays, names=[attr.column for attr in attrs])


def frame_of(table: pa.Table, attrs: Sequence[Attr], zone: str) -> Any:
    """A pandas frame of a table."""
    columns = [series_of(c, a.kind, zone) for c, a in zip(table.columns, attrs, strict=True)]
    return table_of_series(columns, [attr.name for attr in attrs], table.num_rows)


@dataclass(frozen=True, eq=False)
class MapBatches:
    """mapInPandas, mapInArrow: a function of an iterator of frames."""

    f: Callable[..., Any]
    style: str
    given: tuple[Attr, ...]
    attrs: tuple[Attr, ...]
    zone: str
    label: str

    def __call__(self, partition: int, tables: Tables) -> Iterator[pa.Table]:
        parts = batches(tables, self.given)
        if self.style == "arrow":
            answers = self.f(
                batch for table in parts for batch in table.combine_chunks().to_batches()
            )
            for batch in _several(answers, self.label):
                if not isinstance(batch, pa.RecordBatch | pa.Table):
                    raise TypeError(
                        f"{self.label} must give record batches, not {type(batch).__name__}"
                    )
                found = (
                    pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
                )
                yield fitted(found, self.attrs, self.label)
            return
        frames = self.f(frame_of(table, self.given, self.zone) for table in parts)
        for frame in _several(frames, self.label):
            yield fitted(
                arrow_of_frame(frame, self.attrs, self.zone, self.label), self.attrs, self.label
            )


def _several(answers: Any, label: str) -> Iterable[Any]:
    if not isinstance(answers, Iterable):
        raise TypeError(
            f"the function given to {label} must give an iterator, and gave {_shown(answers)} of "
            f"type {type(answers).__name__}"
        )
    return answers


@dataclass(frozen=True, eq=False)
class ApplyGroups:
    """applyInPandas, applyInArrow: a function of each group; `given` are the user's columns, `keys`
    the grouped ones, `inside` all that come."""

    f: Callable[..., Any]
    style: str
    given: tuple[Attr, ...]
    keys: tuple[Attr, ...]
    inside: tuple[Attr, ...]
    attrs: tuple[Attr, ...]
    zone: str

    def __call__(self, partition: int, tables: Tables) -> Iterator[pa.Table]:
        takes_key = _arity(self.f) == 2
        wide = range(len(self.given))
        places = [self.inside.index(key) for key in self.keys]
        label = "applyInPandas" if self.style == "pandas" else "applyInArrow"
        for key, rows in groups(tables, self.inside, places):
            mine = pa.Table.from_arrays(
                [rows.column(at) for at in wide],
                schema=pa.schema([rows.schema.field(at) for at in wide]),
            )
            args: list[Any] = [self._one(mine)]
            if takes_key:
                args.insert(0, shown_key(key, self.style))
            yield self._answer(self.f(*args), label)

    def _one(self, table: pa.Table) -> Any:
        return table if self.style == "arrow" else frame_of(table, self.given, self.zone)

    def _answer(self, found: Any, label: str) -> pa.Table:
        if self.style == "arrow":
            found = pa.Table.from_batches([found]) if isinstance(found, pa.RecordBatch) else found
            return fitted(found, self.attrs, label)
        return fitted(arrow_of_frame(found, self.attrs, self.zone, label), self.attrs, label)


@dataclass(frozen=True, eq=False)
class CoGroups:
    """Cogrouped functions: both sides are under each other; column 0 says which side a row is of,
    the keys follow, `places` says where the columns of each side are."""

    f: Callable[..., Any]
    style: str
    inside: tuple[Attr, ...]
    keys: int
    places: tuple[range, range]
    names: tuple[list[str], list[str]]
    attrs: tuple[Attr, ...]
    zone: str

    def __call__(self, partition: int, tables: Tables) -> Iterator[pa.Table]:
        takes_key = _arity(self.f) == 3
        for key, rows in groups(tables, self.inside, list(range(1, self.keys + 1))):
            sides = [self._side(rows, number) for number in (0, 1)]
            args = [shown_key(key, self.style), *sides] if takes_key else sides
            found = self.f(*args)
            if self.style == "arrow":
                yield fitted(found, self.attrs, "cogroup")
            else:
                table = arrow_of_frame(found, self.attrs, self.zone, "cogroup")
                yield fitted(table, self.attrs, "cogroup")

    def _side(self, rows: pa.Table, number: int) -> Any:
        mine = rows.filter(pa.compute.equal(rows.column(0), number))
        places, names = self.places[number], self.names[number]
        fields = [self.inside[at] for at in places]
        if self.style == "arrow":
            return pa.Table.from_arrays([mine.column(at) for at in places], names=names)
        columns = [
            series_of(mine.column(at), a.kind, self.zone)
            for at, a in zip(places, fields, strict=True)
        ]
        return table_of_series(columns, names, mine.num_rows)


def groups(
    tables: Tables, attrs: Sequence[Attr], places: Sequence[int]
) -> Iterator[tuple[tuple[Any, ...], pa.Table]]:
    """(key, rows) for each group, keys in order; NULL is a key like others."""
    parts = [named(table, attrs) for table in tables]
    if not parts:
        return
    whole = pa.concat_tables(parts)
    if not places:
        if whole.num_rows:
            yield (), whole
        return
    frame = pl.DataFrame(
        {str(at): pl.from_arrow(whole.column(at)) for at in places}
    ).with_row_index("row")
    found = (
        frame.group_by([str(at) for at in places], maintain_order=True)
        .agg(pl.col("row"))
        .sort([str(at) for at in places], nulls_last=False)
    )
    ordered = whole.take(found["row"].explode().to_arrow()).combine_chunks()
    start = 0
    for size in found["row"].list.len():
        mine = ordered.slice(start, size)
        start += size
        key = tuple(values_of(mine.column(at).slice(0, 1), attrs[at].kind)[0] for at in places)
        yield key, mine


def shown_key(key: tuple[Any, ...], style: str) -> tuple[Any, ...]:
    """A group's key as the user's function gets it."""
    return tuple(pa.scalar(value) for value in key) if style == "arrow" else key


def _arity(f: Callable[..., Any]) -> int:
    try:
        return len(inspect.signature(f).parameters)
    except ValueError:
        return 1


# ---- functions of columns ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Calls:
    """One Python function of a query: the places of its arguments among the columns, and what it
    gives."""

    f: Callable[..., Any]
    args: tuple[int, ...]
    kind: t.DataType
    style: str
    name: str


@dataclass(frozen=True, eq=False)
class AddColumns:
    """udf and pandas_udf: the columns `given`, and one more for each call."""

    given: tuple[Attr, ...]
    kept: int
    calls: tuple[Calls, ...]
    attrs: tuple[Attr, ...]
    zone: str

    def __call__(self, partition: int, tables: Tables) -> Iterator[pa.Table]:
        names = [attr.column for attr in self.attrs]
        for first, table in _counted(batches(tables, self.given)):
            made = [self._column(call, table, first) for call in self.calls]
            columns = [table.column(at) for at in range(self.kept)]
            yield pa.Table.from_arrays([*columns, *made], names=names)

    def _column(self, call: Calls, table: pa.Table, first: int) -> pa.Array:
        columns = [table.column(at) for at in call.args]
        kinds = [self.given[at].kind for at in call.args]
        if call.style == "row":
            return by_row(call, columns, kinds, table.num_rows, first)
        if call.style == "arrow":
            return arrays(call, columns, table.num_rows)
        series = [series_of(c, k, self.zone) for c, k in zip(columns, kinds, strict=True)]
        if call.style == "iterator":
            one = iter([series[0] if len(series) == 1 else tuple(series)])
            found: Any = next(iter(call.f(one)), [])
        else:
            found = call.f(*series)
        if not hasattr(found, "__len__"):
            raise TypeError(
                f"{call.name} must give a pandas Series, and gave {_shown(found)} of type "
                f"{type(found).__name__}"
            )
        if len(found) != table.num_rows:
            raise RuntimeError(
                f"{call.name} was given {table.num_rows} rows, and gave {len(found)}"
            )
        return scalar_of(found, call.kind, self.zone, call.name)


def arrays(call: Calls, columns: Sequence[pa.ChunkedArray], rows: int) -> pa.Array:
    """A function of Arrow arrays, whose answer is one of as many values."""
    found = call.f(*map(_whole, columns))
    if not isinstance(found, pa.Array | pa.ChunkedArray):
        raise TypeError(f"{call.name} should give an Arrow array, and gave {type(found).__name__}")
    if len(found) != rows:
        raise RuntimeError(f"{call.name} was given {rows} rows, and gave {len(found)}")
    return found.cast(to_arrow(call.kind))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if not column.num_chunks:
        return pa.array([], column.type)
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _counted(tables: Iterator[pa.Table]) -> Iterator[tuple[int, pa.Table]]:
    first = 0
    for table in tables:
        yield first, table
        first += table.num_rows


def by_row(
    call: Calls,
    columns: Sequence[pa.ChunkedArray],
    kinds: Sequence[t.DataType],
    rows: int,
    first: int,
) -> pa.Array:
    """A function of every row. Its exception gets a note that names the row."""
    values = [values_of(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    out = coerced(call.kind, call.name)
    found: list[Any] = []
    f = call.f
    every = zip(*values, strict=True) if values else iter(((),) * rows)
    try:
        for args in every:
            answer = f(*args)
            found.append(None if answer is None else out(answer))
        return pa.array(found, to_arrow(call.kind))
    except StopIteration as error:  # it would end the rows quietly
        raise _noted(stopped_by_user(), call, values, first, len(found)) from error
    except (OverflowError, pa.ArrowInvalid) as error:
        if len(found) < rows:
            raise _noted(error, call, values, first, len(found)) from None
        at = next(at for at, value in enumerate(found) if not _fits(value, call.kind))
        wrong = OverflowError(
            f"{call.name} should give {call.kind.simpleString()}, and gave {found[at]!r}, which "
            "does not fit"
        )
        raise _noted(wrong, call, values, first, at) from None
    except Exception as error:
        raise _noted(error, call, values, first, len(found)) from error.__cause__


def _noted(
    error: Exception, call: Calls, values: Sequence[Sequence[Any]], first: int, at: int
) -> Exception:
    """The exception with the row that it is about."""
    given = ", ".join(_shown(column[at]) for column in values)
    error.add_note(f"in {call.name}({given}), row {first + at} of the partition")
    return error


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text)} letters)"


def _fits(value: Any, kind: t.DataType) -> bool:
    try:
        pa.array([value], to_arrow(kind))
    except (OverflowError, pa.ArrowInvalid):
        return False
    return True


@dataclass(frozen=True, eq=False)
class AggregateGroups:
    """Grouped pandas_udf: one row a group, of the keys and one value for each call."""

    given: tuple[Attr, ...]
    keys: tuple[int, ...]
    calls: tuple[Calls, ...]
    attrs: tuple[Attr, ...]
    zone: str

    def __call__(self, partition: int, tables: Tables) -> Iterator[pa.Table]:
        names = [attr.column for attr in self.attrs]
        rows: list[list[pa.Array]] = []
        for _, table in groups(tables, self.given, self.keys):
            row = [table.column(at).slice(0, 1).combine_chunks() for at in self.keys]
            for call in self.calls:
                series = [
                    series_of(table.column(at), self.given[at].kind, self.zone) for at in call.args
                ]
                row.append(scalar_of([call.f(*series)], call.kind, self.zone, call.name))
            rows.append([c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in row])
        if rows:
            columns = [pa.chunked_array(list(column)) for column in zip(*rows, strict=True)]
            yield pa.Table.from_arrays(columns, names=names)
