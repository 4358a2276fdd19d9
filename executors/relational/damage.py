"""Which file made a query fail, where Polars does not say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from executors.formats.files import locate, name_of
from executors.formats.listing import Listed
from executors.formats.parquet import footer, tables
from executors.relational.errors import QueryError
from planner.columns import types as t
from planner.query import logical as l


def blamed(nodes: Iterable[Any], error: Exception) -> QueryError | None:
    """The error with the name of the file that is gone or damaged; None if none is.

    Files are looked at again, one by one, so this is only for a query that has failed.
    """
    scans = [node for node in nodes if isinstance(node, l.Scan)]
    paths = dict.fromkeys(piece.path for scan in scans for piece in scan.slices)
    for path in paths:
        found = _absent(path)
        if found is not None:
            return found
    for scan in scans:
        for piece in scan.slices if scan.format == "parquet" else ():
            damage = _damage(piece.path) if "parquet" in str(error) else None
            if damage is not None:
                said = " ".join(str(damage).split())
                what = "may not be read" if isinstance(damage, PermissionError) else "is damaged"
                return QueryError(
                    f"{name_of(piece.path)} {what}: {said}", "FAILED_READ_FILE.NO_HINT"
                )
            if piece.layout >= 0 and _changed(piece.path, scan.layouts[piece.layout]):
                return QueryError(
                    f"{name_of(piece.path)} has other columns than when the DataFrame was made: "
                    "read it anew",
                    "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH",
                )
    return None


def _absent(path: str) -> QueryError | None:
    """What is wrong if there is no file."""
    place, inside = locate(path)
    info = place.system.get_file_info(inside)
    if info.is_file:
        return None
    what = "is not there any more" if info.type.name == "NotFound" else "is no file any more"
    return QueryError(
        f"{name_of(path)} {what}: it was when the DataFrame was made; read it anew",
        "FAILED_READ_FILE.FILE_NOT_EXIST",
    )


def _changed(path: str, layout: t.StructType) -> bool:
    """Whether a Parquet file has other columns than it had."""
    file = Listed(path, name_of(path), 0)
    return all(footer(file, ntz).schema != layout for ntz in (True, False))


def _damage(path: str) -> Exception | None:
    """What is wrong with a Parquet file."""
    try:
        for _ in tables(path, None, 0, -1):
            continue
    except (OSError, ValueError) as error:
        return error
    return None
