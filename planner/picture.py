"""Plans as text, with stages and the user's call sites."""

from __future__ import annotations

from functools import singledispatch

from planner.plan import Exchange, Narrow, Node, Persist, Source, Union, Zip
from planner.stages import Splitter

_MARGIN = " |  "


def debug_string(plan: Node, splitter: Splitter) -> str:
    """The lineage of `plan`, newest first; each `+-` is an exchange, where a new stage begins.

    The number in brackets is the number of partitions; kept datasets name their level.
    """
    lines: list[str] = []
    seen: set[int] = set()
    stack: list[tuple[Node, str, bool]] = [(plan, "", True)]
    while stack:
        asked, margin, fresh = stack.pop()
        node = splitter.resolve(asked)
        head = f"({node.width}) " if fresh else _MARGIN
        again = node.id in seen and not isinstance(node, Source)
        kept = splitter.kept.get(node.id)
        note = f" [kept: {kept[1]}]" if kept is not None else ""
        tail = " (see above)" if again else ""
        lines.append(f"{margin}{head}{_words(node)} [{node.site}]{note}{tail}")
        if again:
            continue
        seen.add(node.id)
        below = margin + (" " * len(head) if fresh else _MARGIN)
        if isinstance(node, Exchange):
            stack.append((node.child, f"{margin}{' |  ' if not fresh else '    '}+-", True))
        else:
            for child in reversed(node.children):
                branch = len(node.children) > 1
                stack.append((child, below if branch else margin, branch))
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
