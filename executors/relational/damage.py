"""Which file made a query fail, where Polars does not say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from executors.formats.files import locate, name_of
from executors.formats.parquet import tables
from executors.relational.errors import QueryError
from planner.query import logical as l


def blamed(nodes: Iterable[Any], error: Exception) -> QueryError | None:
    """The error with the name of the file that is gone or damaged; None if none is.

    Files are looked at again, one by one, so this is only for a query that has failed.
    """
    scans = [node for node in nodes if isinstance(node, l.Scan)]
    paths = dict.fromkeys(piece.path for scan in scans for piece in scan.slices)
    for path in paths:
        place, inside = locate(path)
        if isinstance(error, FileNotFoundError) and not place.system.get_file_info(inside).is_file:
            return QueryError(
                f"{name_of(path)} is not there any more: it was when the DataFrame was made; "
                "read it anew",
                "FAILED_READ_FILE.FILE_NOT_EXIST",
            )
    if "parquet" not in str(error):
        return None
    for scan in scans:
        for piece in scan.slices if scan.format == "parquet" else ():
            found = _damage(piece.path)
            if found is not None:
                said = " ".join(str(found).split())
                return QueryError(
                    f"{name_of(piece.path)} is damaged: {said}", "FAILED_READ_FILE.NO_HINT"
                )
    return None


def _damage(path: str) -> Exception | None:
    """What is wrong with a Parquet file."""
    try:
        for _ in tables(path, None, 0, -1):
            continue
    except (OSError, ValueError) as error:
        return error
    return None
