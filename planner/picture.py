"""Plans as text, with stages and the user's call sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatch

from planner.plan import Exchange, Narrow, Node, Persist, Source, Union, Zip
from planner.stages import Change, Splitter

Changes = Mapping[int | None, Sequence[Change]]  # by the exchange that a stage writes for


@dataclass(frozen=True)
class _Part:
    """The stage that lines of a picture belong to: what it writes for, and how wide it was."""

    exchange: int | None
    width: int
    changes: Sequence[Change] = ()
    gone: frozenset[int] = field(init=False)
    whole: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        gone = frozenset(at for change in self.changes for at in change.gone)
        whole = frozenset(at for change in self.changes for at in change.whole)
        object.__setattr__(self, "gone", gone)
        object.__setattr__(self, "whole", whole)

    def tasks(self, node: Node) -> int:
        """How many partitions of a node there really are."""
        return self.changes[-1].tasks if self.changes and node.width == self.width else node.width


@dataclass(frozen=True)
class _Line:
    """A node that is to be drawn, with what stands before it and before those below it."""

    node: Node
    first: str
    margin: str
    counted: bool
    part: _Part
    begins: bool = False  # it is the last step of its stage


def debug_string(plan: Node, splitter: Splitter, changes: Changes | None = None) -> str:
    """The lineage of `plan`, newest first; each `+-` is an exchange, where a new stage begins.

    The number in brackets is the number of partitions; kept datasets name their level. With
    `changes` it is the plan as it was after them, and they are told below.
    """
    changes = changes or {}
    lines: list[str] = []
    told: list[str] = []
    seen: set[int] = set()
    whole = _Part(None, plan.width, changes.get(None, ()))
    stack = [_Line(plan, "", "", True, whole, begins=True)]
    while stack:
        line = stack.pop()
        node, part = splitter.resolve(line.node), line.part
        if isinstance(node, Exchange) and node.id in part.gone:  # its stage is part of this one
            stack.append(_Line(node.child, line.first, line.margin, True, part))
            continue
        again = node.id in seen and not isinstance(node, Source)
        kept = splitter.kept.get(node.id)
        head = f"({part.tasks(node)}) " if line.counted else " |  "
        note = f" [kept: {kept[1]}]" if kept is not None else ""
        note += " [read whole by every task]" if node.id in part.whole else ""
        for change in part.changes if line.begins else ():
            told.append(f"({len(told) + 1}) {change.why}")
            note += f" ({len(told)})"
        tail = " (see above)" if again else ""
        lines.append(f"{line.first}{head}{_words(node)} [{node.site}]{note}{tail}")
        if again:
            continue
        seen.add(node.id)
        if isinstance(node, Exchange) or len(node.children) > 1:
            first, rest = f"{line.margin} +-", f"{line.margin} |  "
            counted = True
        else:
            first, rest, counted = line.margin, line.margin, False
        begins = isinstance(node, Exchange)
        if isinstance(node, Exchange):
            part = _Part(node.id, node.child.width, changes.get(node.id, ()))
        stack.extend(
            _Line(child, first, rest, counted, part, begins) for child in reversed(node.children)
        )
    return "\n".join([*lines, *told])


@singledispatch
def _words(node: Node) -> str:
    return type(node).__name__


@_words.register
def _source(node: Source) -> str:
    return node.label


@_words.register
def _narrow(node: Narrow) -> str:
    return node.op.label


@_words.register
def _zip(node: Zip) -> str:
    return node.op.label


@_words.register
def _union(node: Union) -> str:
    return f"Union of {len(node.sides)}"


@_words.register
def _exchange(node: Exchange) -> str:
    return f"Exchange {type(node.partitioning).__name__}({node.width})"


@_words.register
def _persist(node: Persist) -> str:
    return f"Persist {node.level}"
