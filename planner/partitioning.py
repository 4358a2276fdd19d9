"""How rows are sent to the channels of an exchange, and what that promises afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Partitioner:
    """What a keyed dataset promises about where its keys are: `func(key) % channels`.

    `func` is None for the engine's own hash. Two partitioners are equal when both fields are,
    and then equal keys sit in partitions of the same number.
    """

    channels: int
    func: Callable[[Any], int] | None = None


@dataclass(frozen=True)
class Partitioning:
    """Where an exchange sends a row. `channels` is the width on the reading side."""

    channels: int

    @property
    def promise(self) -> Partitioner | None:
        """What readers may rely on about keys, or None."""
        return None


@dataclass(frozen=True)
class Hash(Partitioning):
    """Row `(key, value)` goes to channel `hash(key) % channels`, by the workers' shared hash."""

    @property
    def promise(self) -> Partitioner | None:
        return Partitioner(self.channels)


@dataclass(frozen=True)
class RoundRobin(Partitioning):
    """Rows are dealt evenly; the start depends on the map partition only, so reruns agree."""


@dataclass(frozen=True)
class Single(Partitioning):
    """Everything to one channel."""

    channels: int = 1


@dataclass(frozen=True)
class Broadcast(Partitioning):
    """Every reader gets all rows, in map order. One channel is written."""

    channels: int = 1


@dataclass(frozen=True)
class Direct(Partitioning):
    """The row is `(channel, payload)` and says itself where the payload goes.

    With `runs` the payload is a list of rows.
    """

    by: Partitioner | None = None
    runs: bool = False

    @property
    def promise(self) -> Partitioner | None:
        return self.by


# ---- tables: the rows of an exchange are Arrow tables, and these deal the rows in them -----------


@dataclass(frozen=True)
class HashColumns(Partitioning):
    """A table's row goes where the hash of its columns at places `keys` says: the same in every
    process, and for equal values (0.0 and -0.0 are equal, and so are NaNs and NULLs). Both sides
    of a join must have one type for each key."""

    keys: tuple[int, ...] = ()


@dataclass(frozen=True)
class DealColumns(Partitioning):
    """A table's rows are dealt evenly. Who gets which depends on the rows only and not on their
    order, so that a map task that runs again deals as it did before."""


@dataclass(frozen=True)
class ChannelColumn(Partitioning):
    """A table's last column says where each row goes, and is left behind."""
