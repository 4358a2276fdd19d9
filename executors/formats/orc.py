"""ORC files, through pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from executors.formats.errors import FilesError
from executors.formats.files import locate, name_of
from executors.formats.listing import Listed, Listing
from planner.columns import types as t
from planner.columns.columnar import from_arrow, to_arrow
from planner.columns.functions.registry import Settings
from planner.query.logical import FileSlice


def surveyed(
    listing: Listing, values: Sequence[tuple[object, ...]]
) -> tuple[t.StructType, tuple[FileSlice, ...]]:
    """The columns of the first file, and a slice for each file with its rows.

    Raises
    ------
    FilesError
        A file is damaged; the message names it.
    """
    schema, slices = t.StructType([]), []
    for at, (file, folder) in enumerate(zip(listing.files, values, strict=True)):
        found = _opened(file.path, file)
        if at == 0:
            schema = t.StructType([t.StructField(f.name, _kind(f.type)) for f in found.schema])
        slices.append(FileSlice(file.path, found.nrows, file.size, folder))
    return schema, tuple(slices)


def _kind(kind: pa.DataType) -> t.DataType:
    """The type of a column; a time without a zone is an instant, as in Spark."""
    found = t.nullable(from_arrow(kind))
    return t.TIMESTAMP if found == t.TIMESTAMP_NTZ else found


def _instants(column: pa.Array, zone: str) -> pa.Array:
    """Times without a zone as instants of a zone."""
    from pyarrow import compute

    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        return compute.assume_timezone(column, zone, ambiguous="earliest", nonexistent="latest")
    return column


def _opened(path: str, file: Listed | None = None):  # type: ignore[no-untyped-def]
    from pyarrow import orc

    place, inside = locate(path)
    try:
        return orc.ORCFile(place.system.open_input_file(inside))
    except (OSError, ValueError) as error:
        size = f" ({file.size} bytes)" if file else ""
        raise FilesError(
            f"cannot read {name_of(path)}{size}: it is not an ORC file, or a part of it is "
            f"missing: {error}",
            "FAILED_READ_FILE.NO_HINT",
        ) from error


def read(
    piece: FileSlice,
    layout: t.StructType,
    names: Sequence[str],
    options: dict[str, str],
    settings: Settings,
) -> Iterator[pa.Table]:
    """The columns `names` of a file, a stripe at a time."""
    file = _opened(piece.path)
    kinds = {field.name: field.dataType for field in layout.fields}
    there = {name.lower(): name for name in file.schema.names}
    own = {name: there[name.lower()] for name in names if name.lower() in there}
    for at in range(file.nstripes):
        batch = file.read_stripe(at, columns=list(own.values()) or file.schema.names[:1])
        columns = [
            _instants(batch.column(batch.schema.get_field_index(own[name])), settings.zone)
            if name in own
            else pa.nulls(batch.num_rows, to_arrow(kinds[name]))
            for name in names
        ]
        if columns:
            yield pa.Table.from_arrays(columns, names=list(names))
        else:
            yield pa.table({"#row": pa.repeat(True, batch.num_rows)})
