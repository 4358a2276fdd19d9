"""What planning needs of Parquet files: their columns, rows and sizes, from the footers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from executors.formats.columns import merged, of_footer
from executors.formats.errors import FilesError
from executors.formats.files import locate
from executors.formats.footers import Spans, spans_of, together
from executors.formats.listing import Listed, Listing
from planner.columns import types as t
from planner.columns.columnar import schema_to_arrow
from planner.query.logical import FileSlice

_FOOTERS = 2048  # of how many files all are read; of more, this many say how the others are
_THREADS = 8


@dataclass(frozen=True)
class Footer:
    """What the end of a file says. `names` tell layouts apart."""

    file: Listed
    schema: t.StructType
    names: tuple[tuple[str, str], ...]
    groups: tuple[tuple[int, int], ...]
    spans: Spans = Spans()


def footer(file: Listed, ntz: bool = True, files: int = 1) -> Footer:
    """The footer of a file, one of `files` that are read together.

    Raises
    ------
    FilesError
        It is not a Parquet file, or not all of one; the message names it.
    """
    from pyarrow import parquet

    place, inside = locate(file.path)
    try:
        with place.system.open_input_file(inside) as opened:
            found = parquet.read_metadata(opened)
        schema = found.schema.to_arrow_schema()
    except PermissionError as error:
        raise PermissionError(
            error.errno, f"{file.shown} may not be read: {os.strerror(error.errno or 0)}"
        ) from None
    except (OSError, ValueError) as error:
        raise FilesError(
            f"cannot read the footer of {file.shown} ({file.size} bytes): it is not a Parquet "
            f"file, or a part of it is missing: {error}",
            "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER",
        ) from error
    groups = [found.row_group(at) for at in range(found.num_row_groups)]
    sizes = _as_stored([(group.num_rows, group.total_byte_size) for group in groups], file.size)
    try:
        kinds = of_footer(schema, _old_times(found), ntz)
    except TypeError as error:
        raise FilesError(f"{file.shown}: {error}", "PARQUET_TYPE_NOT_SUPPORTED") from error
    names = tuple((f.name, str(f.type)) for f in schema)
    return Footer(file, kinds, names, sizes, spans_of(groups, files))


def _as_stored(groups: Sequence[tuple[int, int]], size: int) -> tuple[tuple[int, int], ...]:
    """(rows, bytes) of row groups with the bytes that they have in the file, if its size is known:
    footers tell what they are unpacked."""
    total = sum(each for _, each in groups)
    part = size / total if size and total else 1.0
    return tuple((rows, round(each * part)) for rows, each in groups)


def _old_times(found: Any) -> frozenset[str]:
    """The paths of columns of INT96, which only times have."""
    columns = (found.schema.column(at) for at in range(found.num_columns))
    return frozenset(each.path for each in columns if each.physical_type == "INT96")


@dataclass(frozen=True)
class Survey:
    """The columns of the files together, those of each layout, and a slice a file."""

    schema: t.StructType
    layouts: tuple[t.StructType, ...]
    slices: tuple[FileSlice, ...]
    spans: Spans = Spans()


def described(paths: Sequence[str]) -> tuple[pa.Schema, tuple[FileSlice, ...]]:
    """The schema of the first file, and a slice for each file with its rows and bytes."""
    found = surveyed(Listing(tuple(Listed(path, path, 0) for path in paths)))
    return schema_to_arrow(found.schema), found.slices


def surveyed(
    listing: Listing,
    values: Sequence[tuple[Any, ...]] = (),
    merge: bool = False,
    sensitive: bool = False,
    ntz: bool = True,
) -> Survey:
    """What footers say of files; the columns are the first file's, or those of all together.

    Raises
    ------
    FilesError
        A file is damaged, or (with `merge`) columns do not go together.
    """
    files = listing.files
    asked = files if merge or len(files) <= _FOOTERS else files[:_FOOTERS]
    if len(asked) > 1:
        with ThreadPoolExecutor(_THREADS) as pool:
            footers = list(pool.map(lambda file: footer(file, ntz, len(files)), asked))
    else:  # starting a thread takes longer than reading a footer
        footers = [footer(file, ntz) for file in asked]
    if not footers:
        return Survey(t.StructType([]), (), ())
    places: dict[tuple[tuple[str, str], ...], int] = {}
    layouts: list[t.StructType] = []
    slices = []
    values = values or [()] * len(files)
    for each, folder in zip(footers, values, strict=False):
        if each.names not in places:
            places[each.names] = len(layouts)
            layouts.append(each.schema)
        rows, size = (sum(group[at] for group in each.groups) for at in (0, 1))
        layout = places[each.names]
        slices.append(FileSlice(each.file.path, rows, size, folder, (), each.groups, layout))
    ratio = sum(s.rows for s in slices) / max(1, sum(each.file.size for each in footers))
    for file, folder in list(zip(files, values, strict=True))[len(footers) :]:
        slices.append(FileSlice(file.path, int(file.size * ratio), file.size, folder, layout=-1))
    if merge:
        schema = merged([(each.file.shown, each.schema) for each in footers], sensitive)
    else:
        schema = footers[0].schema
    spans = together([each.spans for each in footers])
    if len(footers) < len(files):
        spans = Spans(spans.of)
    return Survey(schema, tuple(layouts), tuple(slices), spans)


def tables(path: str, columns: Sequence[str] | None, first: int, rows: int) -> Iterator[pa.Table]:
    """The rows [first, first + rows) of a file as Arrow tables, one a row group; all if rows < 0,
    and all columns if None."""
    from pyarrow import parquet

    place, inside = locate(path)
    with place.system.open_input_file(inside) as opened:
        file = parquet.ParquetFile(opened, pre_buffer=True)
        at = 0
        for group in range(file.metadata.num_row_groups):
            wide = file.metadata.row_group(group).num_rows
            start, stop = (0, wide) if rows < 0 else (max(0, first - at), first + rows - at)
            if start < min(stop, wide):
                table: pa.Table = file.read_row_group(
                    group, columns=None if columns is None else list(columns)
                )
                yield table.slice(start, stop - start)
            at += wide
