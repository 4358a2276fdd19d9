"""Which input partitions an output partition of a Narrow node reads: rules as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reads:
    """One to one: output partition p reads input partition p."""

    def of(self, partition: int) -> tuple[int, ...]:
        return (partition,)

    def width(self, child_width: int) -> int:
        return child_width


ONE_TO_ONE = Reads()


@dataclass(frozen=True)
class Groups(Reads):
    """Output partition p reads the input partitions `groups[p]`, in that order (coalesce)."""

    groups: tuple[tuple[int, ...], ...]

    def of(self, partition: int) -> tuple[int, ...]:
        return self.groups[partition]

    def width(self, child_width: int) -> int:
        return len(self.groups)


@dataclass(frozen=True)
class LeftOf(Reads):
    """The left side of a cartesian product with `right` partitions: p reads p // right."""

    right: int

    def of(self, partition: int) -> tuple[int, ...]:
        return (partition // self.right,)

    def width(self, child_width: int) -> int:
        return child_width * self.right


@dataclass(frozen=True)
class RightOf(Reads):
    """The right side of a cartesian product with `left` partitions: p reads p % its width."""

    left: int
    right: int

    def of(self, partition: int) -> tuple[int, ...]:
        return (partition % self.right,)

    def width(self, child_width: int) -> int:
        return self.left * child_width


def pick(*partitions: int) -> Groups:
    """Only the named input partitions, in that order."""
    return Groups(tuple((p,) for p in partitions))


def coalesce(width: int, into: int) -> Groups:
    """`width` partitions packed into at most `into` runs of neighbours, sizes as even as can be."""
    into = max(1, min(width, into))
    return Groups(
        tuple(tuple(range(i * width // into, (i + 1) * width // into)) for i in range(into))
    )
