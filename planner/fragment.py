"""A fragment: the part of a logical plan that one task runs, as a flat list.

Nodes come children first, and name their children by place (as Slots), so that a plan of any depth
can be pickled. Leaves are tables, ranges, scans, and the inputs of the task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.expressions import Attr
from planner.functions.registry import Settings
from planner.logical import Plan, Slot


@dataclass(frozen=True, eq=False)
class Input(Plan):
    """What comes to the task from outside: side `side` of its inputs."""

    attrs: tuple[Attr, ...]
    side: int

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


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
