"""Frames: the unit in which rows are written into blocks.

A frame is one byte of kind, eight bytes of length, and the payload: `P` a pickled list of rows,
`Z` the same compressed with LZ4, `M` the marks of the next frame's keys (see marks.py), `A` one
Arrow table as an IPC stream (compressed inside if at all).

The stream of an `A` frame begins 64 bytes after its head does and is filled up to a multiple of 64,
so that in a block of such frames all buffers are aligned and can be used where they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from executors import pickling
from executors.marks import Marks, marks_of
from executors.relational.splitting import compact
from executors.unpicklable import dump_rows

if TYPE_CHECKING:
    import pyarrow as pa

Frame = bytes | memoryview
_HEAD = struct.Struct("<cQ")
_ROWS = 4096
_ALIGNED = 64


def is_table(row: Any) -> bool:
    """Whether a row is an Arrow table."""
    kind = type(row)
    return kind.__module__ == "pyarrow.lib" and kind.__name__ == "Table"


def all_tables(rows: list[Any]) -> bool:
    """Whether all rows, and at least one, are Arrow tables."""
    return bool(rows) and all(map(is_table, rows))


def count(rows: list[Any]) -> int:
    """How many rows there are; those of tables, where the rows are tables."""
    return sum(row.num_rows for row in rows) if all_tables(rows) else len(rows)


def encode(rows: list[Any], compress: bool = False, mark: bool = False) -> Frame:
    """Rows as frames, with marks if they are to be had. Short ones: pickling remembers every object
    of a frame, and a memory that outgrows the processor's cache makes a frame of a million rows
    four times slower."""
    if all_tables(rows):
        tables = [_table(row, compress) for row in rows]
        return tables[0] if len(tables) == 1 else b"".join(tables)
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


def _table(table: pa.Table, compress: bool) -> memoryview:
    """A table as a frame, written in its place: into Arrow's own pool of memory, since pages that
    are fresh from the system take several times what the copying does."""
    import pyarrow as pa  # where there are tables it is loaded

    table = compact(table)
    packed = compress and table.nbytes > 1024
    options = pa.ipc.IpcWriteOptions(compression="lz4" if packed else None)

    def write(sink: Any) -> None:
        with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
            stream.write_table(table)

    measure = pa.MockOutputStream()
    write(measure)
    length = -(-measure.size() // _ALIGNED) * _ALIGNED
    buffer = pa.allocate_buffer(_ALIGNED + length)
    frame, start = memoryview(buffer).cast("B"), _ALIGNED - _HEAD.size
    _HEAD.pack_into(frame, 0, b"A", start + length)
    frame[_HEAD.size : _ALIGNED] = bytes(start)
    frame[_ALIGNED + measure.size() :] = bytes(length - measure.size())
    write(pa.FixedSizeBufferWriter(pa.py_buffer(frame[_ALIGNED:])))
    return frame


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
    if kind == b"A":
        import pyarrow as pa

        return [pa.ipc.open_stream(payload[_ALIGNED - _HEAD.size :]).read_all()]
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
