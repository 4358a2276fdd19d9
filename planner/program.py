"""What one stage does, as a flat list of steps that tasks can carry.

A node graph becomes a tuple of steps in which a step names the steps it reads by index; runs of
one-to-one Narrow nodes become one `Apply`. `unfold` says which (step, partition) pairs one output
partition needs: the driver asks it what a task must be given, the worker what to run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.blocks import Slice
from planner.levels import StorageLevel
from planner.ops import MapPartitions, Op
from planner.reads import Reads
from planner.site import Site


@dataclass(frozen=True, eq=False)
class Step:
    """One step; `width` is its number of partitions."""

    width: int

    def inputs(self, partition: int) -> tuple[tuple[int, int], ...]:
        """The (step, partition) pairs that this partition reads."""
        return ()


@dataclass(frozen=True, eq=False)
class Read(Step):
    """A partition of a source; the task carries its part."""

    label: str
    site: Site


@dataclass(frozen=True, eq=False)
class Fetch(Step):
    """What an exchange delivers to partition p: the channels `view[p]` (channel p if no view).

    `shares`, (part, parts) for each partition, says which part of the map outputs it gets of
    them. With `everywhere` every reader gets channel 0, whole. `hashed` is the number of channels
    if rows were sent by the hash of their key: readers check a few.
    """

    exchange: int
    everywhere: bool = False
    hashed: int = 0
    view: tuple[tuple[int, ...], ...] | None = None
    shares: tuple[tuple[int, int], ...] | None = None

    def channels(self, partition: int) -> tuple[int, ...]:
        if self.everywhere:
            return (0,)
        return (partition,) if self.view is None else self.view[partition]

    def taken(self, partition: int, slices: tuple[Slice, ...]) -> tuple[Slice, ...]:
        """The slices of its channels that a partition reads."""
        part, parts = (0, 1) if self.shares is None else self.shares[partition]
        if self.everywhere or parts == 1:
            return slices
        sources = sorted({each.source for each in slices})
        own = {at for rank, at in enumerate(sources) if rank * parts // len(sources) == part}
        return tuple(each for each in slices if each.source in own)


@dataclass(frozen=True, eq=False)
class Apply(Step):
    """Ops one after the other over the input partitions that `reads` names."""

    child: int
    ops: tuple[Op, ...]
    sites: tuple[Site, ...]
    reads: Reads

    def inputs(self, partition: int) -> tuple[tuple[int, int], ...]:
        return tuple((self.child, p) for p in self.reads.of(partition))


@dataclass(frozen=True, eq=False)
class Together(Step):
    """One op over partition p of several steps (Zip). Broadcast sides are read at 0."""

    children: tuple[int, ...]
    everywhere: tuple[bool, ...]
    op: Op
    site: Site

    def inputs(self, partition: int) -> tuple[tuple[int, int], ...]:
        return tuple(
            (child, 0 if whole else partition)
            for child, whole in zip(self.children, self.everywhere, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Beside(Step):
    """Partitions of several steps side by side (Union); `starts[i]` is where child i begins."""

    children: tuple[int, ...]
    starts: tuple[int, ...]

    def inputs(self, partition: int) -> tuple[tuple[int, int], ...]:
        at = len(self.starts) - 1
        while self.starts[at] > partition:
            at -= 1
        return ((self.children[at], partition - self.starts[at]),)


@dataclass(frozen=True, eq=False)
class Keep(Step):
    """A kept dataset: taken from the store where it is there, computed and put there where not."""

    child: int
    persist: int
    level: StorageLevel
    site: Site

    def inputs(self, partition: int) -> tuple[tuple[int, int], ...]:
        return ((self.child, partition),)


Program = tuple[Step, ...]


@dataclass(frozen=True)
class Instance:
    """Partition `partition` of step `step`, fed by earlier instances of the same unfolding."""

    step: int
    partition: int
    inputs: tuple[int, ...]


def unfold(
    program: Program, partition: int, has: Callable[[int, int], bool]
) -> tuple[Instance, ...]:
    """The instances that output partition `partition` needs, inputs before users, the last is it.

    `has(persist, p)` says whether kept partition p is at hand; nothing below it is needed then.
    A pair used twice is unfolded twice: its rows are an iterator that can be read once.
    """
    done: list[Instance] = []
    places: list[int] = []  # positions in `done` that wait to be somebody's inputs
    stack: list[tuple[int, int, int]] = [(len(program) - 1, partition, -1)]
    while stack:
        at, p, fed_by = stack.pop()
        if fed_by >= 0:
            split = len(places) - fed_by
            inputs = tuple(places[split:])
            del places[split:]
            places.append(len(done))
            done.append(Instance(at, p, inputs))
            continue
        step = program[at]
        reads = step.inputs(p)
        if isinstance(step, Keep) and has(step.persist, p):
            reads = ()
        stack.append((at, p, len(reads)))
        stack.extend((child, q, -1) for child, q in reversed(reads))
    return tuple(done)


def is_barrier(program: Program) -> bool:
    """Whether any op asks that all tasks start together."""
    return any(
        isinstance(op, MapPartitions) and op.barrier
        for step in program
        if isinstance(step, Apply)
        for op in step.ops
    )
