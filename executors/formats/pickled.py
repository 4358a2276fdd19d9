"""Files of pickled rows, as saveAsPickleFile and checkpoints write them.

A file is a mark and then frames: eight bytes of length and a pickled list of rows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from executors import pickling
from executors.formats.files import Found, locate
from planner.sources import PickledPart

_MARK = b"minispark rows 1\n"
_HADOOP = b"SEQ"
_LENGTH = struct.Struct("<Q")
_ROWS = 1024  # in a frame, where the caller does not say


def split(files: Sequence[Found]) -> tuple[PickledPart, ...]:
    """One partition a file: frames cannot be found from the middle of one."""
    return tuple(PickledPart((file.path,)) for file in files)


def frames(rows: Iterable[Any], batch: int = 0) -> Iterator[bytes]:
    """The contents of a file of `rows`, `batch` of them in a frame (0 or less: as we like)."""
    size = batch if batch > 0 else _ROWS
    yield _MARK
    more = iter(rows)
    while some := list(islice(more, size)):
        payload = pickling.dumps(some)
        yield _LENGTH.pack(len(payload))
        yield payload


def rows(part: PickledPart) -> Iterator[Any]:
    """The rows of a partition.

    Raises
    ------
    OSError
        A file was not written by saveAsPickleFile, or is damaged; the message names it.
    """
    for path in part.paths:
        place, inside = locate(path)
        with place.system.open_input_stream(inside, compression=None) as file:
            _check(file.read(len(_MARK)), path)
            while head := file.read(_LENGTH.size):
                payload = _rest(file, head, path)
                yield from pickling.loads(payload)


def _check(mark: bytes, path: str) -> None:
    if mark.startswith(_HADOOP):
        raise NotImplementedError(
            f"{path} is a Hadoop sequence file, which cannot be read; save it with minispark's "
            "saveAsPickleFile, or as text"
        )
    if mark != _MARK:
        raise OSError(f"{path} was not written by saveAsPickleFile")


def _rest(file: Any, head: bytes, path: str) -> bytes:
    """The payload after its length `head`, all of it."""
    if len(head) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        payload: bytes = file.read(length)
        if len(payload) == length:
            return payload
    raise OSError(f"{path} ends in the middle of its rows: it is damaged")
