"""Split a plan into stages at its exchanges.

A *job* is one question asked of a plan. A *stage* is the work between exchanges: every partition
of it is one *task*, and a task that has to run again is a new *attempt*. A map stage writes one
block a task, cut into *channels*; channel c of all blocks, in map order, is partition c for the
reader.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from planner.levels import StorageLevel
from planner.ops import Op, Relational
from planner.partitioning import Hash, Partitioning
from planner.plan import Exchange, Narrow, Node, Persist, Source, Union, Zip, is_broadcast
from planner.program import (
    Apply,
    Beside,
    Fetch,
    Keep,
    Program,
    Read,
    Step,
    Together,
    is_barrier,
)
from planner.reads import ONE_TO_ONE
from planner.site import Site
from planner.sources import Part

_stage_ids = itertools.count()


@dataclass(frozen=True)
class Change:
    """What measured sizes changed in a stage, and why, in words.

    The exchanges `gone` are not written any more: what would have filled them is now part of the
    stage. Those in `whole` are read whole by each of its tasks. `tasks` is how many these are.
    """

    why: str
    tasks: int
    gone: tuple[int, ...] = ()
    whole: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Stage:
    """One program over `width` partitions. `exchange` is the id of the exchange it writes for.

    `parents` are the stages that fill the exchanges it fetches, by exchange id; `sources` the parts
    of its Read steps by step index (they stay with the driver, a task carries its own). What fills
    the exchanges `later` should begin when the others are written: it may turn out not to be needed
    then. `changes` tells how measured sizes made the stage another one than was planned.
    """

    program: Program
    width: int
    site: Site
    parents: Mapping[int, Stage]
    sources: Mapping[int, tuple[Part, ...]]
    output: Partitioning | None = None
    exchange: int | None = None
    id: int = field(default_factory=_stage_ids.__next__)
    later: frozenset[int] = frozenset()
    changes: tuple[Change, ...] = ()

    @property
    def barrier(self) -> bool:
        return is_barrier(self.program)

    @property
    def title(self) -> str:
        """What its tasks do of a query and the user's line; empty for stages of rows."""
        ops = [
            op
            for step in self.program
            for op in (step.ops if isinstance(step, Apply) else (getattr(step, "op", None),))
            if isinstance(op, Relational)
        ]
        return f"{ops[-1].label}, {self.site}" if ops else ""

    def __repr__(self) -> str:
        return f"Stage({self.id}, {self.width} tasks, {self.site})"


def ancestors(stage: Stage, instead: Mapping[int, Stage] = {}) -> list[Stage]:
    """A stage and all stages it may need; those with an id in `instead` are as they are there."""
    found: dict[int, Stage] = {}
    stack = [stage]
    while stack:
        planned = stack.pop()
        if planned.id not in found:
            found[planned.id] = instead.get(planned.id, planned)
            stack.extend(found[planned.id].parents.values())
    return list(found.values())


class Splitter:
    """Turns plans into stages and remembers each exchange's stage, so a later job finds it again.

    `kept` maps a node's id to (persist id, level) while the dataset is to be kept; `cuts` maps a
    node's id to the Source that stands for it since its checkpoint. Both belong to the session,
    as does `on_new`, told of each exchange that gets a stage.
    """

    def __init__(self, on_new: Callable[[Exchange], None] = lambda exchange: None) -> None:
        self._on_new = on_new
        self.stages: dict[int, Stage] = {}
        self.kept: dict[int, tuple[int, StorageLevel]] = {}
        self.cuts: dict[int, Source] = {}

    def result_stage(self, plan: Node) -> Stage:
        """The stage that computes `plan` itself; its ancestors hang on it as parents."""
        for exchange in self._unsplit_exchanges(plan):
            self.stages[exchange.id] = self._stage(exchange.child, exchange)
            self._on_new(exchange)
        return self._stage(plan, None)

    def forget(self, node_id: int) -> None:
        """The node with this id is gone."""
        self.stages.pop(node_id, None)
        self.kept.pop(node_id, None)
        self.cuts.pop(node_id, None)

    def resolve(self, node: Node) -> Node:
        """The node that stands in for `node`: its checkpoint, or the child of an idle Persist."""
        while True:
            if node.id in self.cuts:
                return self.cuts[node.id]
            if not isinstance(node, Persist):
                return node
            node = node.child

    def _unsplit_exchanges(self, plan: Node) -> list[Exchange]:
        """Exchanges below `plan` that have no stage yet, those that feed others first."""
        found: list[Exchange] = []
        seen: set[int] = set()
        stack: list[tuple[Node, bool]] = [(plan, False)]
        while stack:
            node, entered = stack.pop()
            if entered:
                assert isinstance(node, Exchange)
                found.append(node)
                continue
            node = self.resolve(node)
            if node.id in seen or node.id in self.stages:
                continue
            seen.add(node.id)
            if isinstance(node, Exchange):
                stack.append((node, True))
            stack.extend((child, False) for child in node.children)
        return found

    def _stage(self, root: Node, exchange: Exchange | None) -> Stage:
        flat = _Flattener(self)
        flat.add(root)
        return Stage(
            program=tuple(flat.steps),
            width=flat.steps[-1].width,
            site=exchange.site if exchange is not None else root.site,
            parents=flat.parents,
            sources=flat.sources,
            output=exchange.partitioning if exchange is not None else None,
            exchange=exchange.id if exchange is not None else None,
            later=frozenset(flat.later),
        )


class _Flattener:
    """Writes the steps of one stage, inputs first, each node once."""

    def __init__(self, splitter: Splitter) -> None:
        self.splitter = splitter
        self.steps: list[Step] = []
        self.parents: dict[int, Stage] = {}
        self.sources: dict[int, tuple[Part, ...]] = {}
        self.index: dict[int, int] = {}
        self.later: set[int] = set()

    def add(self, root: Node) -> None:
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            asked, entered = stack.pop()
            node = self.splitter.resolve(asked)
            if node.id in self.index:
                continue
            chain = self._chain(node)
            below = self._below(chain[0])
            if entered:
                self._write(node, chain, below)
            else:
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(below))
        if not self.steps or self.index[self.splitter.resolve(root).id] != len(self.steps) - 1:
            raise AssertionError("the root of a stage is its last step")

    def _below(self, node: Node) -> tuple[Node, ...]:
        if isinstance(node, Exchange):
            return ()
        return tuple(self.splitter.resolve(child) for child in node.children)

    def _chain(self, node: Node) -> list[Node]:
        """The run of one-to-one Narrow nodes that ends in `node`, lowest first."""
        run = [node]
        while isinstance(run[-1], Narrow) and run[-1].reads is ONE_TO_ONE:
            child = self.splitter.resolve(run[-1].child)
            if not isinstance(child, Narrow) or child.id in self.splitter.kept:
                break
            run.append(child)
        run.reverse()
        return run

    def _write(self, node: Node, chain: list[Node], below: tuple[Node, ...]) -> None:
        lowest = chain[0]
        at = tuple(self.index[child.id] for child in below)
        step: Step
        if isinstance(lowest, Narrow):
            ops: list[Op] = [each.op for each in chain if isinstance(each, Narrow)]
            sites = tuple(each.site for each in chain)
            step = Apply(node.width, at[0], tuple(ops), sites, lowest.reads)
        elif isinstance(node, Source):
            self.sources[len(self.steps)] = node.parts
            step = Read(node.width, node.label, node.site)
        elif isinstance(node, Exchange):
            self.parents[node.id] = self.splitter.stages[node.id]
            hashed = node.width if isinstance(node.partitioning, Hash) else 0
            step = Fetch(node.width, node.id, is_broadcast(node), hashed)
        elif isinstance(node, Zip):
            whole = tuple(is_broadcast(child) for child in below)
            step = Together(node.width, at, whole, node.op, node.site)
            late = node.op.later if isinstance(node.op, Relational) else ()
            waiting = [below[each.side] for each in late]
            self.later |= {side.id for side in waiting if isinstance(side, Exchange)}
        elif isinstance(node, Union):
            starts = [0]
            for child in below:
                starts.append(starts[-1] + child.width)
            step = Beside(node.width, at, tuple(starts[:-1]))
        else:
            raise TypeError(f"not a physical node: {node!r}")
        self.steps.append(step)
        if node.id in self.splitter.kept:
            persist, level = self.splitter.kept[node.id]
            self.steps.append(Keep(node.width, len(self.steps) - 1, persist, level, node.site))
        self.index[node.id] = len(self.steps) - 1
