"""pandas frames as PySpark makes them of Arrow tables, and Arrow tables of pandas frames."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from executors.relational.pandas_values import series_of
from minispark.errors import PySparkImportError
from planner.columns import types as t
from planner.columns.columnar import from_arrow

if TYPE_CHECKING:
    import pandas as pd


def need_pandas(method: str) -> None:
    """Refuse a method that gives pandas frames where pandas is not installed.

    Raises
    ------
    PySparkImportError
        There is no pandas.
    """
    if importlib.util.find_spec("pandas") is None:
        raise PySparkImportError(
            f"{method} needs pandas, which is not installed: pip install pandas, or use "
            "toArrow(), toPolars() or collect()",
            "PACKAGE_NOT_INSTALLED",
        )


def frame_of(table: pa.Table, schema: t.StructType, zone: str) -> pd.DataFrame:
    """The pandas frame of a table; names may repeat."""
    import pandas as pd  # on first use

    columns = [
        series_of(column, field.dataType, zone)
        for column, field in zip(table.columns, schema.fields, strict=True)
    ]
    if not columns:
        return pd.DataFrame(index=range(table.num_rows))
    found = pd.concat(columns, axis=1)
    found.columns = pd.Index(schema.names)
    return found


def arrow_of(frame: Any, schema: t.StructType | None, zone: str) -> pa.Table:
    """The Arrow table of a pandas frame: times without a zone are in the session's."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.rename_columns([str(name) for name in frame.columns])
    columns = []
    for at, column in enumerate(table.columns):
        kind = schema.fields[at].dataType if schema is not None else from_arrow(column.type)
        wall = pa.types.is_timestamp(column.type) and column.type.tz is None
        if wall and (schema is None or isinstance(kind, t.TimestampType)):
            column = pa.compute.assume_timezone(column.cast(pa.timestamp("us"), safe=False), zone)
        columns.append(column)
    return pa.Table.from_arrays(columns, names=table.column_names)
