"""Partitions of Python rows as part files, written in tasks; executors/formats/commit.py publishes
them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from executors.formats import commit, pickled
from executors.formats.codecs import create, end_for

_ROWS = 2048  # lines joined before a write


def save_text_partition(
    job: commit.Job, partition: int, rows: Iterable[Any], codec: str | None = None
) -> str:
    """Write a partition as lines of UTF-8, in a task. Answers where it is.

    `str` and `bytes` rows are written as they are, others as `str(row)`. `codec` is the name of a
    Hadoop codec class, or gzip, bzip2, zstd, deflate.
    """
    return _save(job, f"part-{partition:05d}{end_for(codec)}", _lines(rows))


def save_pickle_partition(
    job: commit.Job, partition: int, rows: Iterable[Any], batch: int = 0
) -> str:
    """Write a partition as pickled rows, in a task. Answers where it is."""
    return _save(job, f"part-{partition:05d}", pickled.frames(rows, batch))


def _save(job: commit.Job, name: str, chunks: Iterable[bytes]) -> str:
    place, folder, attempt = commit.attempt(job)
    with create(place.system, posixpath.join(folder, name)) as file:
        for chunk in chunks:
            file.write(chunk)
    return posixpath.join(attempt, name)


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    more = iter(rows)
    while some := list(islice(more, _ROWS)):
        try:
            yield ("\n".join(some) + "\n").encode()
        except TypeError:  # not all are str
            yield b"".join(_line(row) + b"\n" for row in some)


def _line(row: Any) -> bytes:
    if isinstance(row, bytes):
        return row
    return (row if isinstance(row, str) else str(row)).encode()
