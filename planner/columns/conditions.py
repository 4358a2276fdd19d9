"""Conditions taken apart: what all must be true, and what a join can look up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from functools import reduce

from planner.columns import types as t
from planner.columns.expressions import Attr, Call, Expr, Literal, Outer, attributes, holds
from planner.query import logical as l

EQUAL = ("=", "==")
SAME = "<=>"  # equal, and NULL equals NULL


def conjuncts(condition: Expr | None) -> list[Expr]:
    """The parts of a condition that all must be true.

    What every branch of an OR demands is a part of its own: of (a AND b) OR (a AND c) the parts
    are a, and b OR c. So a join finds the equality that all branches repeat.
    """
    found: list[Expr] = []
    todo = [] if condition is None else [condition]
    while todo:
        part = todo.pop()
        if isinstance(part, Call) and part.name == "and":
            todo += reversed(part.args)
        elif isinstance(part, Call) and part.name == "or":
            found += _factored(part)
        elif not (isinstance(part, Literal) and part.value is True):
            found.append(part)
    return found


def disjuncts(condition: Expr) -> list[Expr]:
    """The parts of a condition of which one must be true."""
    found: list[Expr] = []
    todo = [condition]
    while todo:
        part = todo.pop()
        if isinstance(part, Call) and part.name == "or":
            todo += reversed(part.args)
        else:
            found.append(part)
    return found


def _factored(condition: Call) -> list[Expr]:
    branches = [conjuncts(branch) for branch in disjuncts(condition)]
    shared = [part for part in branches[0] if all(part in branch for branch in branches[1:])]
    if not shared:
        return [condition]
    rests = [[part for part in branch if part not in shared] for branch in branches]
    if not all(rests):
        return shared  # a branch demands no more than this
    return [*shared, reduce(either, map(conjunction, rests))]


def equal_keys(node: l.Join) -> tuple[list[tuple[Expr, Expr]], list[Expr]]:
    """The pairs (expression of the left side, of the right) that must be equal, and the rest."""
    return _pairs(conjuncts(node.condition), node.left.there, node.right.there, EQUAL)


def same_keys(
    parts: Sequence[Expr], left: Iterable[Attr], right: Iterable[Attr]
) -> tuple[list[tuple[Expr, Expr]], list[Expr]]:
    """As `equal_keys`, of conditions `a <=> b`."""
    return _pairs(parts, set(left), set(right), (SAME,))


def _pairs(
    parts: Sequence[Expr], left: Set[Attr], right: Set[Attr], signs: Sequence[str]
) -> tuple[list[tuple[Expr, Expr]], list[Expr]]:
    pairs: list[tuple[Expr, Expr]] = []
    rest: list[Expr] = []
    for part in parts:
        found = _sides(part, left, right, signs)
        if found is None:
            rest.append(part)
        else:
            pairs.append(found)
    return pairs, rest


def _sides(
    part: Expr, left: Set[Attr], right: Set[Attr], signs: Sequence[str]
) -> tuple[Expr, Expr] | None:
    """A comparison of the two sides as (of the left, of the right)."""
    if not isinstance(part, Call) or part.name not in signs or has_outer(part):
        return None
    a, b = part.args
    of_a, of_b = attributes(a).keys(), attributes(b).keys()
    if not of_a or not of_b:
        return None
    if of_a <= left and of_b <= right:
        return a, b
    return (b, a) if of_a <= right and of_b <= left else None


def has_outer(expr: Expr) -> bool:
    """Whether an expression uses a column of a query around."""
    return holds(expr, Outer)


def conjunction(parts: Sequence[Expr]) -> Expr:
    """All of them: the opposite of `conjuncts`."""
    if not parts:
        return Literal(True, t.BOOLEAN)
    return reduce(both, parts)


def both(a: Expr, b: Expr) -> Expr:
    """a AND b, typed."""
    null = a.nullable or b.nullable
    return Call("and", (a, b), kind=t.BOOLEAN, null=null)


def either(a: Expr, b: Expr) -> Expr:
    """a OR b, typed."""
    return Call("or", (a, b), kind=t.BOOLEAN, null=a.nullable or b.nullable)


def negated(a: Expr) -> Expr:
    """NOT a, typed."""
    return Call("not", (a,), kind=t.BOOLEAN, null=a.nullable)


def is_null(a: Expr) -> Expr:
    """a IS NULL, typed."""
    return Call("isnull", (a,), kind=t.BOOLEAN, null=False)


def is_not_null(a: Expr) -> Expr:
    """a IS NOT NULL, typed."""
    return Call("isnotnull", (a,), kind=t.BOOLEAN, null=False)


def same(a: Expr, b: Expr) -> Expr:
    """a <=> b of one type; as plain equality if neither can be NULL."""
    if not a.nullable and not b.nullable:
        return Call("=", (a, b), kind=t.BOOLEAN, null=False)
    return Call(SAME, (a, b), kind=t.BOOLEAN, null=False)
