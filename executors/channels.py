"""The map side of an exchange: rows into channels, channels into frames."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch
from itertools import islice
from operator import itemgetter
from typing import Any, BinaryIO

from executors import frames
from executors.frames import Frame
from executors.hashing import best_hash, portable_hash, refuse_unhashable
from executors.relational import splitting
from executors.spill import Spills
from planner import partitioning as parts

Rows = Iterator[Any]
# Says whether the readers shall check how keys hash.
Deal = Callable[[list[Any], list[list[Any]]], bool | None]
_KEY = itemgetter(0)
_FRAME = 8 << 20  # bytes a frame should have
_OF_TABLES = (parts.HashColumns, parts.DealColumns, parts.ChannelColumn)
_FIRST = 1024  # rows after which the size of a row is known


@singledispatch
def dealer(partitioning: parts.Partitioning, index: int) -> Deal:
    """A function that deals a batch of rows of map partition `index` to the channels' lists."""
    raise TypeError(f"no dealer for {partitioning!r}")


@dealer.register
def _hash(partitioning: parts.Hash, index: int) -> Deal:
    channels = partitioning.channels

    def deal(rows: list[Any], lists: list[list[Any]]) -> bool:
        if channels == 1:
            lists[0].extend(rows)
            return False
        keys = list(map(_KEY, rows))
        hash_of = best_hash(keys)
        adds = [each.append for each in lists]
        try:
            for row, hashed in zip(rows, map(hash_of, keys), strict=True):
                adds[hashed % channels](row)
        except TypeError as error:
            refuse_unhashable(error, keys)
        return hash_of is portable_hash

    return deal


@dealer.register
def _round_robin(partitioning: parts.RoundRobin, index: int) -> Deal:
    channels = partitioning.channels
    dealt = index  # another start for each map partition, so that short ones spread

    def deal(rows: list[Any], lists: list[list[Any]]) -> None:
        nonlocal dealt
        for channel in range(channels):
            lists[channel].extend(rows[(channel - dealt) % channels :: channels])
        dealt += len(rows)

    return deal


@dealer.register
def _single(partitioning: parts.Single, index: int) -> Deal:
    return lambda rows, lists: lists[0].extend(rows)


@dealer.register
def _broadcast(partitioning: parts.Broadcast, index: int) -> Deal:
    return lambda rows, lists: lists[0].extend(rows)


@dealer.register
def _direct(partitioning: parts.Direct, index: int) -> Deal:
    def deal(rows: list[Any], lists: list[list[Any]]) -> None:
        for channel, row in rows:
            lists[channel].append(row)

    def deal_runs(runs: list[Any], lists: list[list[Any]]) -> None:
        for channel, rows in runs:
            lists[channel].extend(rows)

    return deal_runs if partitioning.runs else deal


@dealer.register
def _hash_columns(partitioning: parts.HashColumns, index: int) -> Deal:
    channels, keys = partitioning.channels, partitioning.keys

    def deal(tables: list[Any], lists: list[list[Any]]) -> None:
        for channel, table in splitting.by_hash(tables, keys, channels):
            lists[channel].append(table)

    return deal


@dealer.register
def _deal_columns(partitioning: parts.DealColumns, index: int) -> Deal:
    dealt = index

    def deal(tables: list[Any], lists: list[list[Any]]) -> None:
        nonlocal dealt
        for channel, table in splitting.dealt(tables, partitioning.channels, dealt):
            lists[channel].append(table)
        dealt += sum(table.num_rows for table in tables)

    return deal


@dealer.register
def _channel_column(partitioning: parts.ChannelColumn, index: int) -> Deal:
    def deal(tables: list[Any], lists: list[list[Any]]) -> None:
        for channel, table in splitting.by_last_column(tables, partitioning.channels):
            lists[channel].append(table)

    return deal


class Written:
    """The frames of each channel, in memory or, over `limit` bytes, in a temporary file."""

    def __init__(self, channels: int, spills: Spills, limit: int, compress: bool) -> None:
        self.rows = 0
        self.bytes = 0
        self._lists: list[list[Frame]] = [[] for _ in range(channels)]
        self._spilled: list[list[tuple[int, int]]] = [[] for _ in range(channels)]
        self._file: BinaryIO | None = None
        self._in_memory = 0
        self._spills = spills
        self._limit = limit
        self._compress = compress

    def add(self, lists: list[list[Any]], mark: bool = False) -> int:
        """Encode what each channel has got, with marks of its keys; the bytes that came to."""
        before = self.bytes
        for rows, done in zip(lists, self._lists, strict=True):
            if rows:
                frame = frames.encode(rows, self._compress, mark)
                self.rows += frames.count(rows)
                self.bytes += len(frame)
                done.append(frame)
                rows.clear()
        self._in_memory += self.bytes - before
        if self._in_memory > self._limit:
            self._spill()
        return self.bytes - before

    def _spill(self) -> None:
        if self._file is None:
            self._file = self._spills.file()
        at = self._file.seek(0, 2)
        for done, places in zip(self._lists, self._spilled, strict=True):
            for frame in done:
                self._file.write(frame)
                places.append((at, len(frame)))
                at += len(frame)
            done.clear()
        self._in_memory = 0

    def bounds(self) -> array[int]:
        """Where each channel begins, and where the last one ends."""
        found = array("Q", [0])
        for done, places in zip(self._lists, self._spilled, strict=True):
            size = sum(map(len, done)) + sum(length for _, length in places)
            found.append(found[-1] + size)
        return found

    def frames(self, first: int, last: int) -> list[Frame]:
        """The frames of channels first … last - 1, in order."""
        found: list[Frame] = []
        for channel in range(first, last):
            for at, length in self._spilled[channel]:
                assert self._file is not None
                self._file.seek(at)
                found.append(self._file.read(length))
            found += self._lists[channel]
        return found


def write_channels(
    rows: Rows,
    partitioning: parts.Partitioning,
    index: int,
    spills: Spills,
    limit: int,
    compress: bool = False,
) -> Written:
    """Deal all rows to their channels and encode them."""
    deal = dealer(partitioning, index)
    lists: list[list[Any]] = [[] for _ in range(partitioning.channels)]
    written = Written(partitioning.channels, spills, limit, compress)
    tables = isinstance(partitioning, _OF_TABLES)
    size = 1 if tables else _FIRST
    while batch := list(islice(rows, size)):
        mark = bool(deal(batch, lists))
        bytes_now = written.add(lists, mark)
        size = max(1, min(1 << 17, _FRAME * len(batch) // max(1, bytes_now)))
    return written


def pieces(written: Written, firsts: Sequence[int], channels: int) -> list[list[Frame]]:
    """The frames of each block to write, when block g begins with channel `firsts[g]`."""
    ends = [*firsts[1:], channels]
    return [written.frames(first, end) for first, end in zip(firsts, ends, strict=True)]
