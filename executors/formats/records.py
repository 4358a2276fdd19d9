"""Flat files of binary records, all of one length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from executors.formats.files import Found, locate
from executors.formats.text import BLOCK
from planner.sources import RecordsPart

_CHUNK = 1 << 20


def split(files: Sequence[Found], length: int) -> tuple[RecordsPart, ...]:
    """Partitions of whole records, each within one file.

    Raises
    ------
    ValueError
        `length` is below 1, or a file does not consist of whole records.
    """
    if length < 1:
        raise ValueError(f"recordLength must be at least 1 byte, not {length}")
    size = max(1, BLOCK // length) * length
    parts = []
    for file in files:
        if file.size % length:
            raise ValueError(
                f"{file.shown} has {file.size} bytes, which is not a multiple of the record "
                f"length of {length}"
            )
        for start in range(0, file.size, size):
            stop = min(start + size, file.size)
            parts.append(RecordsPart(((file.path, start, stop),), length))
    return tuple(parts)


def records(part: RecordsPart) -> Iterator[bytes]:
    """The records of a partition."""
    step = max(1, _CHUNK // part.length) * part.length
    for path, start, stop in part.pieces:
        place, inside = locate(path)
        with place.system.open_input_file(inside) as file:
            for at in range(start, stop, step):
                chunk = file.read_at(min(step, stop - at), at)
                if len(chunk) % part.length:
                    raise OSError(f"{path} became shorter while it was read")
                for first in range(0, len(chunk), part.length):
                    yield chunk[first : first + part.length]
