"""A fragment: the part of a logical plan that one task runs, as a flat list.

Nodes come children first, and name their children by place (as Slots), so that a plan of any depth
can be pickled. Leaves are tables, ranges, scans, and the inputs of the task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.columns.expressions import Alias, Attr, Order
from planner.columns.functions.registry import Settings
from planner.query.logical import One, Plan, Slot


@dataclass(frozen=True, eq=False)
class Input(Plan):
    """What comes to the task from outside: side `side` of its inputs."""

    attrs: tuple[Attr, ...]
    side: int

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


@dataclass(frozen=True, eq=False)
class Leaf(Plan):
    """A leaf that is another in each partition (slices of a scan): it is the row of side `side`."""

    attrs: tuple[Attr, ...]
    side: int

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


@dataclass(frozen=True, eq=False)
class Partial(One):
    """The groups, and the states of each aggregate over the rows of one partition."""

    groups: tuple[Attr, ...]
    values: tuple[Alias, ...]
    states: tuple[tuple[Attr, ...], ...]

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.groups, *(state for each in self.states for state in each))


@dataclass(frozen=True, eq=False)
class Merged(Plan):
    """The aggregates of the states that come from side `side`; `states` of each of `values`, as
    `Partial` gives them."""

    groups: tuple[Attr, ...]
    values: tuple[Alias, ...]
    states: tuple[tuple[Attr, ...], ...]
    side: int

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.groups, *(value.attr for value in self.values))


@dataclass(frozen=True)
class Only:
    """The rows whose column `mark` is `value`."""

    mark: Attr
    value: int


@dataclass(frozen=True, eq=False)
class Regrouped(One):
    """The groups, and the states of each aggregate, of rows that are groups with states already.

    States that the child has are merged (those of the rows that `only` names, if given); those of
    other aggregates are made of the child's rows.
    """

    groups: tuple[Attr, ...]
    values: tuple[Alias, ...]
    states: tuple[tuple[Attr, ...], ...]
    only: Only | None = None

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.groups, *(state for each in self.states for state in each))


@dataclass(frozen=True, eq=False)
class Finished(One):
    """The aggregates that the child's `states` come to."""

    groups: tuple[Attr, ...]
    values: tuple[Alias, ...]
    states: tuple[tuple[Attr, ...], ...]

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.groups, *(value.attr for value in self.values))


@dataclass(frozen=True, eq=False)
class Sampled(One):
    """Evenly spaced rows of the child in `order`, up to `most`; `weight` says how many rows each
    of them stands for."""

    order: tuple[Order, ...]
    most: int
    weight: Attr

    def _columns(self) -> tuple[Attr, ...]:
        return (*_keys(self.order), self.weight)


@dataclass(frozen=True, eq=False)
class Bounds(One):
    """Of sampled rows those that cut all rows into `channels` even parts, in order."""

    order: tuple[Order, ...]
    channels: int
    weight: Attr

    def _columns(self) -> tuple[Attr, ...]:
        return _keys(self.order)


@dataclass(frozen=True, eq=False)
class Ranked(One):
    """The child's rows and, in the last column, how many rows of `bounds` come before each."""

    bounds: Plan
    order: tuple[Order, ...]
    channel: Attr

    @property
    def children(self) -> tuple[Plan, ...]:
        return (self.child, self.bounds)

    def with_children(self, children: tuple[Plan, ...]) -> Plan:
        return replace(self, child=children[0], bounds=children[1])

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.child.output, self.channel)


@dataclass(frozen=True, eq=False)
class Slabs(One):
    """The child's rows and, in the last column, which of `channels` even runs each belongs to."""

    channels: int
    channel: Attr

    def _columns(self) -> tuple[Attr, ...]:
        return (*self.child.output, self.channel)


def _keys(order: Sequence[Order]) -> tuple[Attr, ...]:
    return tuple(dict.fromkeys(key.child for key in order if isinstance(key.child, Attr)))


@dataclass(frozen=True, eq=False)
class Fragment:
    """`nodes[-1]` is the result; a Slot in a node's place of a child is an index into `nodes`."""

    nodes: tuple[Plan, ...]
    settings: Settings

    @property
    def output(self) -> tuple[Attr, ...]:
        """The columns of the result."""
        return self.nodes[-1].output


def flatten(plan: Plan, settings: Settings) -> Fragment:
    """The plan as a flat list; what occurs twice is there once."""
    places: dict[int, int] = {}
    nodes: list[Plan] = []
    todo: list[tuple[Plan, bool]] = [(plan, False)]
    while todo:
        node, ready = todo.pop()
        if id(node) in places:
            continue
        if not ready:
            todo.append((node, True))
            todo.extend((child, False) for child in reversed(node.children))
            continue
        slots = tuple(Slot(child.output, places[id(child)]) for child in node.children)
        places[id(node)] = len(nodes)
        nodes.append(node.with_children(slots) if slots else node)
    return Fragment(tuple(nodes), settings)


def children_of(node: Plan) -> Sequence[int]:
    """The places of a flat node's children."""
    return [child.index for child in node.children if isinstance(child, Slot)]
