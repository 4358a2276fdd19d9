"""Conditions taken apart: what all must be true, and what a join can look up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from planner import logical as l
from planner import types as t
from planner.expressions import Call, Expr, Literal, attributes


def conjuncts(condition: Expr | None) -> list[Expr]:
    """The parts of a condition that all must be true."""
    if condition is None:
        return []
    if isinstance(condition, Call) and condition.name == "and":
        return conjuncts(condition.args[0]) + conjuncts(condition.args[1])
    return [condition]


def equal_keys(node: l.Join) -> tuple[list[tuple[Expr, Expr]], list[Expr]]:
    """The pairs (expression of the left side, of the right) that must be equal, and the rest."""
    left, right = set(node.left.output), set(node.right.output)
    pairs, rest = [], []
    for part in conjuncts(node.condition):
        if isinstance(part, Call) and part.name in ("=", "=="):
            a, b = part.args
            of_a, of_b = set(attributes(a)), set(attributes(b))
            if of_a and of_b and of_a <= left and of_b <= right:
                pairs.append((a, b))
                continue
            if of_a and of_b and of_a <= right and of_b <= left:
                pairs.append((b, a))
                continue
        rest.append(part)
    return pairs, rest


def conjunction(parts: Sequence[Expr]) -> Expr:
    """All of them: the opposite of `conjuncts`."""
    if not parts:
        return Literal(True, t.BOOLEAN)
    return reduce(both, parts)


def both(a: Expr, b: Expr) -> Expr:
    """a AND b, typed."""
    null = a.nullable or b.nullable
    return Call("and", (a, b), kind=t.BOOLEAN, null=null)
