"""Arrow columns as pandas series, for users and for their functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from executors.relational.pyvalues import coerced, values_of
from planner.columns import types as t
from planner.columns.columnar import to_arrow
from planner.columns.expressions import Attr
from planner.columns.row import Row

_NESTED = (t.ArrayType, t.MapType, t.StructType)
_PLAIN = (t.DecimalType, t.ArrayType, t.MapType, t.StructType, t.BinaryType, t.DateType)


def series_of(column: pa.ChunkedArray, kind: t.DataType, zone: str) -> Any:
    """A pandas series; instants are shown by the clock of `zone`, without it."""
    import pandas as pd  # on first use

    if isinstance(kind, t.TimestampType):
        found = column.cast(pa.timestamp("ns", "UTC"), safe=False).to_pandas()
        return pd.Series(found).dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None)
    if isinstance(kind, t.TimestampNTZType):
        return column.cast(pa.timestamp("ns"), safe=False).to_pandas()
    if isinstance(kind, _NESTED) and _is_plain(kind):  # lists are arrays of NumPy, as in PySpark
        return pd.Series(column.to_pandas(maps_as_pydicts="strict"), dtype=object)
    if isinstance(kind, _PLAIN):
        return pd.Series([_without_rows(v) for v in values_of(column, kind)], dtype=object)
    if isinstance(kind, t.IntegralType) and column.null_count:
        return column.cast(pa.float64(), safe=False).to_pandas()
    return column.to_pandas()


def _is_plain(kind: t.DataType) -> bool:
    """Whether Arrow makes the values that users expect of a type, at any depth."""
    match kind:
        case t.ArrayType():
            return _is_plain(kind.elementType)
        case t.MapType():
            return _is_plain(kind.keyType) and _is_plain(kind.valueType)
        case t.StructType():
            return all(_is_plain(field.dataType) for field in kind.fields)
    return isinstance(kind, t.NumericType | t.StringType | t.BooleanType | t.DateType)


def _without_rows(value: Any) -> Any:
    """A value with dicts in the place of Rows, at any depth."""
    if isinstance(value, Row):
        return value.asDict(recursive=True)
    if isinstance(value, dict):
        return {key: _without_rows(each) for key, each in value.items()}
    return value


def table_of_series(columns: Sequence[Any], names: Sequence[str], rows: int) -> Any:
    """Series as a pandas frame; names may repeat."""
    import pandas as pd  # on first use

    if not columns:
        return pd.DataFrame(index=range(rows))
    found = pd.concat(columns, axis=1)
    found.columns = pd.Index(list(names))
    return found


def arrow_of_frame(frame: Any, attrs: Sequence[Attr], zone: str, label: str) -> pa.Table:
    """A pandas frame as a table, with values as the promised columns want them.

    Raises TypeError where it is no frame.
    """
    import pandas as pd  # on first use

    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{label} must give pandas frames, not {type(frame).__name__}")
    kinds = {attr.name: attr.kind for attr in attrs}
    by_name = set(map(str, frame.columns)) >= set(kinds)
    names, columns = [], []
    if frame.empty and not len(frame.columns):
        return pa.Table.from_arrays(
            [pa.array([], to_arrow(a.kind)) for a in attrs], names=[a.name for a in attrs]
        )
    for at, name in enumerate(frame.columns):
        kind = kinds.get(str(name)) if by_name else attrs[at].kind if at < len(attrs) else None
        series = frame.iloc[:, at]
        names.append(str(name))
        if kind is None:
            columns.append(pa.Array.from_pandas(series))
        else:
            columns.append(scalar_of(series, kind, zone, f"{label}, column {name}"))
    return pa.Table.from_arrays(columns, names=names)


def scalar_of(values: Any, kind: t.DataType, zone: str, label: str) -> pa.Array:
    """A series (or list) as a column of a type. Raises TypeError where it cannot be."""
    import pandas as pd  # on first use

    wanted = to_arrow(kind)
    if isinstance(kind, t.StructType) and isinstance(values, pd.DataFrame):
        values = values.to_dict("records")
    series = values if isinstance(values, pd.Series) else pd.Series(list(values))
    if isinstance(kind, t.TimestampType):
        if getattr(series.dtype, "tz", None) is None:
            series = pd.to_datetime(series).dt.tz_localize(zone)
        return _plain(pa.Array.from_pandas(series)).cast(wanted, safe=False)
    try:
        if isinstance(kind, t.MapType | t.StructType | t.ArrayType | t.DecimalType):
            into = coerced(kind, label)
            return pa.array([None if _missing(v) else into(v) for v in series], wanted)
        found = _plain(pa.Array.from_pandas(series))
        if isinstance(kind, t.StringType) and not pa.types.is_string(found.type):
            return pa.array([None if _missing(v) else str(v) for v in series], wanted)
        return found.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise TypeError(
            f"{label} should give {kind.simpleString()}, and gave {series.dtype}: {error}"
        ) from None


def _plain(found: pa.Array | pa.ChunkedArray) -> pa.Array:
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)
