"""What planning needs of Parquet files: their columns and sizes, from the footers."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from planner.logical import FileSlice


def described(paths: Sequence[str]) -> tuple[pa.Schema, tuple[FileSlice, ...]]:
    """The schema of the first file, and a slice for each file with its rows and bytes."""
    from pyarrow import parquet  # on first use

    slices, schema = [], None
    for path in paths:
        footer = parquet.read_metadata(path)
        if schema is None:
            schema = footer.schema.to_arrow_schema()
        size = sum(footer.row_group(at).total_byte_size for at in range(footer.num_row_groups))
        slices.append(FileSlice(path, footer.num_rows, size))
    return schema or pa.schema([]), tuple(slices)
