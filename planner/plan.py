"""The six physical nodes. Everything a user can write becomes these frozen values.

Nodes compare by identity, carry the user's call site, and know their width (number of output
partitions) from the moment they are made, so nothing here ever recurses through a lineage.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.levels import StorageLevel
from planner.ops import Op
from planner.partitioning import Broadcast, Partitioner, Partitioning
from planner.reads import ONE_TO_ONE, Reads
from planner.site import NOWHERE, Site
from planner.sources import Part

_ids = itertools.count(1)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Node:
    """A dataset that can be computed partition by partition.

    `width` is its number of partitions, `promise` what is known of where keys are, `id` a number
    that is unique in this process.
    """

    site: Site = NOWHERE
    id: int = field(init=False, default_factory=_ids.__next__)
    width: int = field(init=False, default=0)
    promise: Partitioner | None = field(init=False, default=None)

    @property
    def children(self) -> tuple[Node, ...]:
        return ()

    def _know(self, width: int, promise: Partitioner | None = None) -> None:
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "promise", promise)

    def __repr__(self) -> str:
        return f"{type(self).__name__}#{self.id}[{self.width}] {self.site}"


@dataclass(frozen=True, eq=False, repr=False)
class Source(Node):
    """Partitions that can be read again."""

    parts: tuple[Part, ...]
    label: str = "Source"
    by: Partitioner | None = None

    def __post_init__(self) -> None:
        self._know(len(self.parts), self.by)


@dataclass(frozen=True, eq=False, repr=False)
class Narrow(Node):
    """Output partition p applies `op` to the input partitions that `reads` names.

    `keeps` says that the op leaves every row's key where it was, so the child's promise holds.
    """

    child: Node
    op: Op
    reads: Reads = ONE_TO_ONE
    keeps: bool = False

    def __post_init__(self) -> None:
        promise = self.child.promise if self.keeps and self.reads is ONE_TO_ONE else None
        self._know(self.reads.width(self.child.width), promise)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.child,)


@dataclass(frozen=True, eq=False, repr=False)
class Zip(Node):
    """Partition p of every child, given to one op. A Broadcast child fits any width."""

    sides: tuple[Node, ...]
    op: Op
    keeps: bool = False

    def __post_init__(self) -> None:
        widths = [side.width for side in self.sides if not is_broadcast(side)]
        if len(set(widths)) > 1:
            raise ValueError(f"Zip of datasets with different numbers of partitions: {widths}")
        promise = self.sides[0].promise if self.keeps else None
        self._know(widths[0] if widths else 1, promise)

    @property
    def children(self) -> tuple[Node, ...]:
        return self.sides


@dataclass(frozen=True, eq=False, repr=False)
class Union(Node):
    """The partitions of all sides, one after the other."""

    sides: tuple[Node, ...]

    def __post_init__(self) -> None:
        self._know(sum(side.width for side in self.sides))

    @property
    def children(self) -> tuple[Node, ...]:
        return self.sides


@dataclass(frozen=True, eq=False, repr=False)
class Exchange(Node):
    """The only wide node and the only stage boundary: moves rows between partitions."""

    child: Node
    partitioning: Partitioning

    def __post_init__(self) -> None:
        self._know(self.partitioning.channels, self.partitioning.promise)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.child,)


@dataclass(frozen=True, eq=False, repr=False)
class Persist(Node):
    """Partitions to keep at `level` once they were computed, for as long as the session says."""

    child: Node
    level: StorageLevel

    def __post_init__(self) -> None:
        self._know(self.child.width, self.child.promise)

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.child,)


def is_broadcast(node: Node) -> bool:
    """Whether `node` delivers all its rows to every reader."""
    return isinstance(node, Exchange) and isinstance(node.partitioning, Broadcast)


def walk(root: Node) -> Iterator[Node]:
    """Every node below `root` once, children before parents, without recursion."""
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, entered = stack.pop()
        if entered:
            yield node
        elif node.id not in seen:
            seen.add(node.id)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children))
