"""Files as Polars queries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby

import polars as pl

from executors.formats import reading
from executors.formats.columns import readable
from executors.formats.files import locate, name_of
from executors.formats.parquet import tables
from executors.relational.errors import QueryError
from executors.relational.nodes import Making, lazily
from planner.columns import types as t
from planner.columns.building import literal
from planner.columns.casting import cast
from planner.columns.columnar import to_polars
from planner.columns.expressions import Attr
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.pruning import joined, pruned

_LENIENT = pl.ScanCastOptions(
    integer_cast="upcast",
    float_cast="upcast",
    datetime_cast=["nanosecond-downcast", "convert-timezone"],
    missing_struct_fields="insert",
    extra_struct_fields="ignore",
)


@lazily.register
def _scan(node: l.Scan, children: Sequence[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    slices = joined(pruned(node, at.settings).slices)
    if node.format == "parquet":
        runs = groupby(slices, lambda piece: (piece.layout, piece.values, piece.pieces))
        found = [_parquet(node, list(run), at) for _, run in runs]
    else:
        found = [_rows(node, list(run), at) for _, run in groupby(slices, lambda p: p.values)]
    if not found:
        return pl.LazyFrame(schema={a.column: to_polars(a.kind) for a in node.attrs})
    return pl.concat(found) if len(found) > 1 else found[0]


# ---- Parquet -------------------------------------------------------------------------------------


def _parquet(node: l.Scan, slices: list[l.FileSlice], at: Making) -> pl.LazyFrame:
    """The rows of files of one schema in folders of one value (or of one piece of a file)."""
    first, settings = slices[0], at.settings
    layout = _layout(node, first.layout)
    at.opened[first.path] += 1
    frame = _opened(slices, layout, first.layout >= 0, again=at.opened[first.path] % 2 == 0)
    there = {f.name: f.dataType for f in layout.fields}
    fold = str if settings.case_sensitive else str.lower
    names = {fold(name): name for name in reversed(there)}
    folder = dict(zip(node.partitioned, first.values, strict=True))
    schema = frame.collect_schema()
    columns = []
    for attr in node.attrs:
        if attr in folder:
            value = literal(folder[attr], attr.kind)
        else:
            name = names.get(fold(attr.name), "")
            value = pl.lit(None, dtype=to_polars(attr.kind))
            if name in there:
                _check(node, attr, there[name], first.path)
                if name not in schema:  # `damage.py` says which file is not what it was
                    raise pl.exceptions.ColumnNotFoundError(name)
                value = _as(pl.col(name), schema[name], there[name], attr.kind, settings)
        columns.append(value.alias(attr.column))
    return _select(frame, columns)


def _layout(node: l.Scan, place: int) -> t.StructType:
    """The columns of a file; as they are wanted, where nobody has looked."""
    if node.layouts:
        return node.layouts[max(0, place)]
    of_file = [attr for attr in node.attrs if attr not in node.partitioned]
    return t.StructType([t.StructField(attr.name, attr.kind) for attr in of_file])


def _select(frame: pl.LazyFrame, columns: list[pl.Expr]) -> pl.LazyFrame:
    """The columns, as many rows as the frame has even if none of them is the frame's own."""
    if any(expr.meta.root_names() for expr in columns):
        return frame.select(columns)
    counted = frame.select(pl.len().alias("#rows"))
    return (
        counted.select(pl.lit(True).repeat_by("#rows").explode().alias("#row"))
        .filter(pl.col("#row"))
        .with_columns(columns)
    )


def _opened(
    slices: list[l.FileSlice], layout: t.StructType, known: bool, again: bool
) -> pl.LazyFrame:
    """The files as Polars reads them. It makes equal scans one and keeps the rows for all, which
    costs more than to read them again: so a second one is to differ."""
    paths = [each.path for each in slices]
    first = slices[0]
    if locate(first.path)[0].prefix != "file:":
        return pl.concat([_far(each, layout) for each in slices])
    if known:
        frame = pl.scan_parquet(paths, glob=False, hive_partitioning=False, cache=not again)
    else:
        frame = pl.scan_parquet(
            paths,
            glob=False,
            hive_partitioning=False,
            missing_columns="insert",
            extra_columns="ignore",
            cast_options=_LENIENT,
        )
    return frame.slice(*first.pieces) if first.pieces else frame


def _far(piece: l.FileSlice, layout: t.StructType) -> pl.LazyFrame:
    """A file that only its file system can read."""
    at, rows = piece.pieces or (0, -1)
    read = partial(tables, piece.path, first=at, rows=rows)
    return reading.frame_of(read, {f.name: to_polars(f.dataType) for f in layout.fields})


def _as(
    value: pl.Expr, found: pl.DataType, old: t.DataType, new: t.DataType, settings: Settings
) -> pl.Expr:
    """A column of a file as the type that is wanted of it."""
    wanted = to_polars(new)
    if found == wanted:
        return value
    if isinstance(old, t.TimestampNTZType) and isinstance(new, t.TimestampType):
        return cast(value.cast(pl.Datetime("us")), t.TIMESTAMP_NTZ, new, "ansi", settings)
    if isinstance(found, pl.Datetime) and isinstance(wanted, pl.Datetime):
        inside = value.dt.convert_time_zone("UTC") if found.time_zone else value
        naive = inside.dt.replace_time_zone(None).cast(pl.Datetime("us"))
        return naive.dt.replace_time_zone(wanted.time_zone)
    return value.cast(wanted)


def _check(node: l.Scan, attr: Attr, old: t.DataType, path: str) -> None:
    if not readable(old, attr.kind):
        first = dict(node.options).get("schema_from", "the schema that was given")
        raise QueryError(
            f"the column {attr.name} is {old.simpleString()} in {name_of(path)}, and "
            f"{attr.kind.simpleString()} in {first}: give a schema that fits both, or read them "
            "apart",
            "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH",
        )


# ---- formats that are read row by row ------------------------------------------------------------


def _rows(node: l.Scan, slices: list[l.FileSlice], at: Making) -> pl.LazyFrame:
    """The rows of files in folders of one value."""
    folder = dict(zip(node.partitioned, slices[0].values, strict=True))
    wanted = [attr for attr in node.attrs if attr not in folder]
    layout = node.layouts[0]
    frames = [
        reading.rows(
            node.format, piece, layout, [a.name for a in wanted], node.options, at.settings
        )
        for piece in slices
    ]
    frame = pl.concat(frames) if len(frames) > 1 else frames[0]
    columns = [
        (literal(folder[attr], attr.kind) if attr in folder else pl.col(attr.name)).alias(
            attr.column
        )
        for attr in node.attrs
    ]
    return _select(frame, columns)
