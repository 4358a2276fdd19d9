"""Formats that are read by us, not by Polars: each as a frame that reads when it is collected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from executors.formats import orc, plain
from executors.formats.csv import read as read_csv
from executors.formats.json import read as read_json
from planner.columns import types as t
from planner.columns.columnar import to_polars
from planner.columns.functions.registry import Settings
from planner.query.logical import FileSlice

Read = Callable[[Sequence[str]], Iterator[Any]]


class Reader(Protocol):
    """Reads the columns `names` of a slice, in frames."""

    def __call__(
        self,
        piece: FileSlice,
        layout: t.StructType,
        names: Sequence[str],
        options: dict[str, str],
        settings: Settings,
    ) -> Iterator[pl.DataFrame | pa.Table]: ...


_READERS: dict[str, Reader] = {
    "csv": read_csv,
    "json": read_json,
    "orc": orc.read,
    "text": plain.read,
}


def rows(
    form: str,
    piece: FileSlice,
    layout: t.StructType,
    names: Sequence[str],
    options: Sequence[tuple[str, Any]],
    settings: Settings,
) -> pl.LazyFrame:
    """The columns `names` of a slice of a file; `layout` are all columns of the file."""
    read, given = _READERS[form], dict(options)
    kinds = {field.name: to_polars(field.dataType) for field in layout.fields}
    schema = {name: kinds[name] for name in names}

    def some(columns: Sequence[str]) -> Iterator[Any]:
        # What a row must be like depends on all columns that the query needs, so it is `names`
        # that are read, whatever is asked for here.
        return read(piece, layout, names, given, settings)

    return frame_of(some, schema or {"#row": pl.Boolean()})


def frame_of(read: Read, schema: dict[str, pl.DataType]) -> pl.LazyFrame:
    """A frame whose rows `read(columns)` gives, as frames or Arrow tables, when it is collected."""

    def source(
        columns: list[str] | None, condition: pl.Expr | None, most: int | None, batch: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = list(schema) if columns is None else columns
        left = most
        for table in read(wanted):
            frame = pl.from_arrow(table) if isinstance(table, pa.Table) else table
            assert isinstance(frame, pl.DataFrame)
            if "#row" in wanted and "#row" not in frame.columns:
                frame = frame.with_columns(pl.lit(True).alias("#row"))
            frame = frame.select(pl.col(name).cast(schema[name]) for name in wanted)
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            yield frame if condition is None else frame.filter(condition)
            if left == 0:
                return

    return pl.io.plugins.register_io_source(source, schema=schema)
