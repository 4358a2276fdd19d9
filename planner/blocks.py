"""What the driver knows of blocks: where they are and how they are cut. Never their contents."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Block:
    """Some bytes that executors hold. `where` is the back end's own handle (a path, an object ref).

    The block is lost with its `node`; None means that the driver itself holds it.
    """

    where: Any
    node: str | None
    bytes: int


@dataclass(frozen=True)
class Slice:
    """The bytes of `channel` in a block that map partition `source` of `exchange` wrote."""

    exchange: int
    source: int
    channel: int
    block: Block
    start: int
    length: int


@dataclass(frozen=True, eq=False)
class MapOutput:
    """One map task's answer: its channels one after the other over one or more blocks.

    `bounds` has channels + 1 positions, as if the blocks were one; block g begins with channel
    `firsts[g]` (one block for each destination node).
    """

    blocks: tuple[Block, ...]
    firsts: tuple[int, ...]
    bounds: array[int]
    rows: int = 0

    def size(self, channel: int) -> int:
        """Bytes in a channel."""
        return self.bounds[channel + 1] - self.bounds[channel]

    def cut(self, exchange: int, source: int, channel: int) -> Slice | None:
        """The slice that holds `channel`, None where it is empty."""
        length = self.size(channel)
        if not length:
            return None
        group = bisect_right(self.firsts, channel) - 1
        start = self.bounds[channel] - self.bounds[self.firsts[group]]
        return Slice(exchange, source, channel, self.blocks[group], start, length)


class Outputs:
    """The output table of one exchange: a MapOutput, or None, for each map partition."""

    def __init__(self, maps: int) -> None:
        self.table: list[MapOutput | None] = [None] * maps
        self.absent = maps

    def put(self, source: int, output: MapOutput) -> None:
        if self.table[source] is None:
            self.absent -= 1
        self.table[source] = output

    def forget(self, source: int) -> MapOutput | None:
        """Drop and return what map partition `source` wrote."""
        output = self.table[source]
        if output is not None:
            self.table[source] = None
            self.absent += 1
        return output

    def missing(self) -> Iterator[int]:
        return (at for at, output in enumerate(self.table) if output is None)

    def slices(self, exchange: int, channels: tuple[int, ...]) -> tuple[Slice, ...]:
        """The slices of these channels in map order; empty ones are left out."""
        found = []
        for channel in channels:
            for source, output in enumerate(self.table):
                assert output is not None, "a reader started before its exchange was complete"
                part = output.cut(exchange, source, channel)
                if part is not None:
                    found.append(part)
        return tuple(found)

    def sizes(self) -> tuple[int, ...]:
        """Bytes in each channel over all map partitions that are there."""
        total: list[int] = []
        for output in self.table:
            if output is None:
                continue
            if not total:
                total = [0] * (len(output.bounds) - 1)
            for channel in range(len(total)):
                total[channel] += output.size(channel)
        return tuple(total)
