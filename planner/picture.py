"""Plans as text, with stages and the user's call sites."""

from __future__ import annotations

from functools import singledispatch

from planner.plan import Exchange, Narrow, Node, Persist, Source, Union, Zip
from planner.stages import Splitter


def debug_string(plan: Node, splitter: Splitter) -> str:
    """The lineage of `plan`, newest first; each `+-` is an exchange, where a new stage begins.

    The number in brackets is the number of partitions; kept datasets name their level.
    """
    lines: list[str] = []
    seen: set[int] = set()
    stack: list[tuple[Node, str, str, bool]] = [(plan, "", "", True)]
    while stack:
        asked, first, margin, counted = stack.pop()
        node = splitter.resolve(asked)
        again = node.id in seen and not isinstance(node, Source)
        kept = splitter.kept.get(node.id)
        head = f"({node.width}) " if counted else " |  "
        note = f" [kept: {kept[1]}]" if kept is not None else ""
        tail = " (see above)" if again else ""
        lines.append(f"{first}{head}{_words(node)} [{node.site}]{note}{tail}")
        if again:
            continue
        seen.add(node.id)
        if isinstance(node, Exchange) or len(node.children) > 1:
            first, rest = f"{margin} +-", f"{margin} |  "
            stack.extend((child, first, rest, True) for child in reversed(node.children))
        else:
            stack.extend((child, margin, margin, False) for child in node.children)
    return "\n".join(lines)


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
