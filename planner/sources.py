"""What a partition of a Source is made of: values that a worker can read again and again.

`executors/formats` holds the reader of each; what planning needs of a file (size, ranges) is
found there too and kept here as data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Part:
    """One partition of a source."""


@dataclass(frozen=True, eq=False)
class NothingPart(Part):
    """No rows: the op above it finds its data itself."""


@dataclass(frozen=True, eq=False)
class RangePart(Part):
    """The integers start, start + step, … below (above, for a negative step) stop."""

    start: int
    stop: int
    step: int


@dataclass(frozen=True, eq=False)
class RowsPart(Part):
    """Rows given by the driver: pickled lists, one after the other."""

    payload: bytes
    rows: int


@dataclass(frozen=True, eq=False)
class BlockPart(Part):
    """A block that executors hold for a node (a local checkpoint)."""

    block: Any
    node_id: int
    partition: int


@dataclass(frozen=True, eq=False)
class TextPart(Part):
    """The lines of bytes [start, stop) of each file, decoded as UTF-8 or left as bytes.

    A line that begins exactly at `stop` is still one of them, and at `start` only where that is the
    file's beginning: so Hadoop cuts. `stop` is None for a file that can only be read whole (a
    compressed one).
    """

    pieces: tuple[tuple[str, int, int | None], ...]
    use_unicode: bool = True


@dataclass(frozen=True, eq=False)
class FilesPart(Part):
    """Whole files as pairs `(path, content)`; text or bytes."""

    paths: tuple[str, ...]
    text: bool
    use_unicode: bool = True


@dataclass(frozen=True, eq=False)
class RecordsPart(Part):
    """Fixed-length binary records of bytes [start, stop) of each file."""

    pieces: tuple[tuple[str, int, int], ...]
    length: int


@dataclass(frozen=True, eq=False)
class PickledPart(Part):
    """Files written by saveAsPickleFile or a checkpoint."""

    paths: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ValuesPart(Part):
    """Rows that are plain values of the engine's own: the file slices that a task scans."""

    values: tuple[Any, ...]
