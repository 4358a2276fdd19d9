"""`spark.createDataFrame`: the user's data as a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from executors.relational.pyvalues import BadValue, table_of
from minispark.dataset.dataset import Dataset
from minispark.errors import (
    IllegalArgumentException,
    PySparkIndexError,
    PySparkTypeError,
    PySparkValueError,
)
from minispark.sql.column import type_named
from minispark.sql.crossing import as_rows, plan_of_dataset, plan_of_table
from minispark.sql.errors import translated
from minispark.sql.pandas_frames import arrow_of
from planner.columns import types as t
from planner.columns.columnar import schema_from_arrow
from planner.columns.inference import has_unknown, row_type, schema_of
from planner.query import logical as l

if TYPE_CHECKING:
    from minispark.sql.session import SparkSession


def plan_of(
    spark: SparkSession,
    data: Any,
    schema: Any,
    sampling: float | None,
    verify: bool,
) -> l.Plan:
    """The plan of data in any of the forms that createDataFrame takes."""
    if isinstance(data, type(None)) or hasattr(data, "_plan") and hasattr(data, "dtypes"):
        raise PySparkTypeError("data is already a DataFrame, or None", "INVALID_TYPE")
    kind, names = _asked(schema)
    module = type(data).__module__.split(".")[0]
    with translated():
        if isinstance(data, pa.Table | pa.RecordBatch):
            table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
            return _of_table(table, kind, names)
        if module == "pandas" and hasattr(data, "columns"):
            try:
                table = arrow_of(data, kind, spark._engine.settings.zone)
            except (pa.ArrowInvalid, pa.ArrowTypeError):  # objects of several kinds in a column
                rows = list(data.itertuples(index=False, name=None))
                return _of_rows(rows, kind, names or list(map(str, data.columns)), verify)
            return _of_table(table, kind, names)
        if module == "polars" and hasattr(data, "to_arrow"):
            return _of_table(data.to_arrow(), kind, names)
        if module == "numpy":
            return _of_array(data, kind, names)
        if isinstance(data, Dataset):
            return _of_dataset(data, kind, names, sampling, verify)
        return _of_rows(list(data), kind, names, verify)


def _asked(schema: Any) -> tuple[t.StructType | None, list[str] | None]:
    """The schema that was asked for: a type, or names."""
    if schema is None:
        return None, None
    if isinstance(schema, list | tuple):
        return None, [str(name) for name in schema]
    found = type_named(schema)
    if not isinstance(found, t.StructType):
        found = t.StructType([t.StructField("value", found, True)])
    return found, None


def _of_rows(
    rows: list[Any], kind: t.StructType | None, names: list[str] | None, verify: bool
) -> l.Plan:
    if kind is None:
        if not rows:
            raise PySparkValueError(
                "no types can be found in no rows: give a schema", "CANNOT_INFER_EMPTY_SCHEMA"
            )
        found = schema_of(rows, names)
        kind = _named(found, names)
        verify = False
        if has_unknown(kind):
            raise PySparkValueError(
                "a column has nothing but None, so its type is not known: give a schema",
                "CANNOT_DETERMINE_TYPE",
            )
        by_name = any(isinstance(row, dict) for row in rows)
        rows = [_in_order(row, found) for row in rows] if by_name else rows
        _refuse_short(rows, len(kind.fields))
    return plan_of_table(_table(as_rows(rows, kind), kind, verify), kind)


def _table(rows: Sequence[Any], kind: t.StructType, verify: bool) -> pa.Table:
    """As `table_of`; the error names the row."""
    try:
        return table_of(rows, kind, verify)
    except BadValue:
        first, end = 0, len(rows)  # the first bad row is from `first` on, before `end`
        while end - first > 1:
            middle = (first + end) // 2
            if _fits(rows[first:middle], kind, verify):
                first = middle
            else:
                end = middle
        try:
            return table_of(rows[first:end], kind, verify)
        except BadValue as error:
            message = f"row {first + 1} of the data: {error}"
            raise BadValue(message, error.code, error.of_type) from None


def _fits(rows: Sequence[Any], kind: t.StructType, verify: bool) -> bool:
    try:
        table_of(rows, kind, verify)
    except BadValue:
        return False
    return True


def _refuse_more(names: list[str] | None, columns: int) -> None:
    """Refuse names for which there is no column."""
    if names is not None and len(names) > columns:
        raise PySparkIndexError(
            f"there are {len(names)} names and {columns} column{'s' * (columns != 1)}: "
            f"{', '.join(names[columns:])} would have no values",
            "LENGTH_SHOULD_BE_THE_SAME",
        )


def _in_order(row: Any, kind: t.StructType) -> Any:
    return [row.get(name) for name in kind.names] if isinstance(row, dict) else row


def _refuse_short(rows: Sequence[Any], wide: int) -> None:
    """Refuse rows that have fewer values than others."""
    for place, row in enumerate(rows, 1):
        if isinstance(row, list | tuple) and len(row) < wide:
            raise IllegalArgumentException(
                f"row {place} of the data has {len(row)} values, and others {wide}",
                "STRUCT_ARRAY_LENGTH_MISMATCH",
            )


def _named(kind: t.StructType, names: list[str] | None) -> t.StructType:
    """The schema with the names that were given."""
    _refuse_more(names, len(kind.fields))
    if names is None:
        return kind
    fields = [
        t.StructField(names[at] if at < len(names) else f.name, f.dataType, f.nullable)
        for at, f in enumerate(kind.fields)
    ]
    return t.StructType(fields)


def _of_table(table: pa.Table, kind: t.StructType | None, names: list[str] | None) -> l.Plan:
    found = schema_from_arrow(table.schema) if kind is None else kind
    if kind is None:
        found = _named(found, names)
    if len(found.fields) != table.num_columns:
        raise PySparkValueError(
            f"the data has {table.num_columns} columns, and the schema {len(found.fields)}",
            "LENGTH_SHOULD_BE_THE_SAME",
        )
    return plan_of_table(table, found)


def _of_array(data: Any, kind: t.StructType | None, names: list[str] | None) -> l.Plan:
    """A NumPy array: of one dimension, or of two."""
    if data.ndim == 1:
        columns, given = [data], names or ["value"]
    elif data.ndim == 2:
        columns = [data[:, at] for at in range(data.shape[1])]
        given = names or [f"_{at + 1}" for at in range(data.shape[1])]
    else:
        raise PySparkValueError(
            "an array must have one or two dimensions", "INVALID_NDARRAY_DIMENSION"
        )
    table = pa.Table.from_arrays([pa.array(column) for column in columns], names=given)
    return _of_table(table, kind, None)


def _of_dataset(
    data: Dataset,
    kind: t.StructType | None,
    names: list[str] | None,
    sampling: float | None,
    verify: bool,
) -> l.Plan:
    if kind is not None:
        return plan_of_dataset(data, kind, verify)
    if sampling is None:
        found = _first_known(data.take(100), names)
    else:
        chosen: Iterable[Any] = data if sampling > 0.99 else data.sample(False, float(sampling))
        found = schema_of(chosen.collect(), names)  # type: ignore[attr-defined]
    found = _named(found, names)
    if has_unknown(found):
        raise PySparkValueError(
            "a column has nothing but None in the first rows: give a schema or a samplingRatio",
            "CANNOT_DETERMINE_TYPE",
        )
    return plan_of_dataset(data.map(_InOrder(found)), found, False)


def _first_known(rows: Sequence[Any], names: list[str] | None) -> t.StructType:
    """The schema of the first row, with further rows where it has None."""
    if not rows:
        raise PySparkValueError(
            "no types can be found in no rows: give a schema", "CANNOT_INFER_EMPTY_SCHEMA"
        )
    found = row_type(rows[0], names)
    for at in range(1, len(rows)):
        if not has_unknown(found):
            break
        found = schema_of(rows[: at + 1], names)
    return found


class _InOrder:
    """In a task: a dict as a list in the order of the schema."""

    def __init__(self, schema: t.StructType) -> None:
        self.schema = schema

    def __call__(self, row: Any) -> Any:
        return _in_order(row, self.schema)
