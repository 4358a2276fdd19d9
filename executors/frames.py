"""Frames: the unit in which rows are written into blocks.

A frame is one byte of kind, eight bytes of length, and the payload: `P` a pickled list of rows,
`Z` the same compressed with LZ4, `M` the marks of the next frame's keys (see marks.py).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from executors import pickling
from executors.marks import Marks, marks_of
from executors.unpicklable import dump_rows

_HEAD = struct.Struct("<cQ")
_ROWS = 4096


def encode(rows: list[Any], compress: bool = False, mark: bool = False) -> bytes:
    """Rows as frames, with marks if they are to be had. Short ones: pickling remembers every object
    of a frame, and a memory that outgrows the processor's cache makes a frame of a million rows
    four times slower."""
    if len(rows) <= _ROWS:
        return _marked(rows, compress) if mark else _frame(rows, compress)
    starts = range(0, len(rows), _ROWS)
    frame = _marked if mark else _frame
    return b"".join(frame(rows[at : at + _ROWS], compress) for at in starts)


def _marked(rows: list[Any], compress: bool) -> bytes:
    payload = pickling.dumps(marks_of(rows))
    return _HEAD.pack(b"M", len(payload)) + payload + _frame(rows, compress)


def _frame(rows: list[Any], compress: bool) -> bytes:
    payload = dump_rows(rows)
    kind = b"P"
    if compress and len(payload) > 1024:
        import pyarrow  # only where bytes cross a network or go to disk

        packed = pyarrow.Codec("lz4").compress(payload, asbytes=True)
        kind, payload = b"Z", struct.pack("<Q", len(payload)) + packed
    return _HEAD.pack(kind, len(payload)) + payload


def decode(view: memoryview) -> Iterator[list[Any]]:
    """The lists of rows in a run of frames."""
    return map(itemgetter(0), decode_marked(view))


def decode_marked(view: memoryview) -> Iterator[tuple[list[Any], Marks]]:
    """The lists of rows in a run of frames, each with the marks that were sent along."""
    at = 0
    marks: Marks = ()
    while at < len(view):
        kind, length = _HEAD.unpack_from(view, at)
        at += _HEAD.size
        payload = view[at : at + length]
        at += length
        if kind == b"M":
            marks = pickling.loads(payload)
        else:
            yield _rows(kind, payload), marks
            marks = ()


def _rows(kind: bytes, payload: memoryview) -> list[Any]:
    if kind == b"P":
        rows: list[Any] = pickling.loads(payload)
        return rows
    if kind != b"Z":
        raise ValueError(f"unknown kind of frame {kind!r}: the block is damaged")
    import pyarrow

    (size,) = struct.unpack_from("<Q", payload)
    data = pyarrow.Codec("lz4").decompress(payload[8:], size, asbytes=True)
    unpacked: list[Any] = pickling.loads(data)
    return unpacked
