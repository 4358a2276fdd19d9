"""How users see what a dataset promises about its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from executors.hashing import portable_hash
from planner.partitioning import Partitioner


class DatasetPartitioner:
    """Keys are in partition `partitionFunc(key) % numPartitions`.

    Two are equal when both their fields are.
    """

    def __init__(self, numPartitions: int, partitionFunc: Callable[[Any], int]) -> None:
        self.numPartitions = numPartitions
        self.partitionFunc = partitionFunc

    @classmethod
    def of(cls, promise: Partitioner) -> DatasetPartitioner:
        """The public face of a planner's promise."""
        return cls(promise.channels, promise.func or portable_hash)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DatasetPartitioner)
            and self.numPartitions == other.numPartitions
            and self.partitionFunc == other.partitionFunc
        )

    def __hash__(self) -> int:
        return hash((self.numPartitions, self.partitionFunc))

    def __call__(self, key: Any) -> int:
        """The partition of `key`. Ask it inside a task: the driver hashes strings differently."""
        return self.partitionFunc(key) % self.numPartitions

    def __repr__(self) -> str:
        name = getattr(self.partitionFunc, "__name__", repr(self.partitionFunc))
        return f"Partitioner({self.numPartitions}, {name})"
