"""Conditions go down to where their columns come from: through projections, joins, aggregates,
unions and windows, into scans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from operator import is_

from planner.columns.conditions import conjunction, conjuncts
from planner.columns.expressions import Alias, Attr, Cast, Expr, Over, attributes, substitute
from planner.query import logical as l
from planner.query.optimiser.shapes import filtered, parents_first, shared, simple, steady


@dataclass
class Sent:
    """What a node does with conditions on its rows: those that `stay` above it, those for each
    child, and the node itself if it becomes another."""

    stay: list[Expr]
    children: list[list[Expr]] = field(default_factory=list)
    node: l.Plan | None = None


def push(plan: l.Plan) -> l.Plan:
    """The plan with every condition as far down as it can go."""
    order = parents_first(plan)
    many = shared(order)
    waiting: dict[int, list[Expr]] = {}  # conditions on the rows of a node, from above
    decided: dict[int, Sent] = {}
    for node in order:
        found = sent(node, waiting.get(id(node), []))
        decided[id(node)] = found
        for child, conditions in zip(node.children, found.children, strict=False):
            if id(child) not in many:
                waiting[id(child)] = conditions
    done: dict[int, l.Plan] = {}
    for node in reversed(order):
        done[id(node)] = _rebuilt(node, decided[id(node)], many, done)
    return done[id(plan)]


def _rebuilt(node: l.Plan, found: Sent, many: set[int], done: dict[int, l.Plan]) -> l.Plan:
    children = []
    for place, child in enumerate(node.children):
        new = done[id(child)]
        if id(child) in many and found.children:  # others stand on it too: it must stay as it is
            new = filtered(new, found.children[place])
        children.append(new)
    if isinstance(node, l.Filter):
        return filtered(children[0], found.stay)
    base = found.node or node
    same = all(a is b for a, b in zip(children, base.children, strict=True))
    return filtered(base if same else base.with_children(tuple(children)), found.stay)


def _split(conditions: Sequence[Expr], there: Iterable[Attr]) -> tuple[list[Expr], list[Expr]]:
    """The conditions on these columns alone that may be computed elsewhere; the others."""
    if not conditions:
        return [], []
    columns = there if isinstance(there, frozenset) else set(there)
    down: list[Expr] = []
    stay: list[Expr] = []
    for each in conditions:
        used = attributes(each).keys()
        (down if used and used <= columns and steady(each) else stay).append(each)
    return down, stay


@singledispatch
def sent(node: l.Plan, conditions: list[Expr]) -> Sent:
    """What `node` does with conditions on its rows: unless it is known, they stay."""
    return Sent(conditions, [[] for _ in node.children])


@sent.register
def _filter(node: l.Filter, conditions: list[Expr]) -> Sent:
    own = conjuncts(node.condition)
    if not all(map(steady, own)):
        return Sent([*own, *conditions], [[]])
    return Sent([], [[*own, *conditions]])


@sent.register(l.Sort)
@sent.register(l.Repartition)
@sent.register(l.Known)
@sent.register(l.Hint)
@sent.register(l.Generate)
def _columns_of_child(node: l.One, conditions: list[Expr]) -> Sent:
    down, stay = _split(conditions, node.child.there)
    return Sent(stay, [down])


@sent.register
def _project(node: l.Project, conditions: list[Expr]) -> Sent:
    if not conditions:
        return Sent([], [[]])
    values: dict[Attr, Expr] = {}
    for column in node.columns:
        if isinstance(column, Attr):
            values[column] = column
        elif steady(column.child):
            values[column.attr] = column.child
    down, stay = _split(conditions, tuple(values))
    down, others = [c for c in down if simple(c)], [c for c in down if not simple(c)]
    return Sent([*stay, *others], [[substitute(each, values) for each in down]])


@sent.register
def _aggregate(node: l.Aggregate, conditions: list[Expr]) -> Sent:
    down, stay = _split(conditions, node.groups)
    return Sent(stay, [down])


@sent.register
def _distinct(node: l.Distinct, conditions: list[Expr]) -> Sent:
    down, stay = _split(conditions, node.keys or node.output)
    return Sent(stay, [down])


@sent.register
def _window(node: l.Window, conditions: list[Expr]) -> Sent:
    keys: set[Expr] | None = None
    for value in node.values:
        assert isinstance(value.child, Over)
        own = set(value.child.partition)
        keys = own if keys is None else keys & own
    down, stay = _split(conditions, [key for key in keys or () if isinstance(key, Attr)])
    return Sent(stay, [down])


@sent.register
def _union(node: l.Union, conditions: list[Expr]) -> Sent:
    down, stay = _split([c for c in conditions if simple(c)], node.attrs)
    stay += [each for each in conditions if not simple(each)]
    children = []
    for side in node.sides:
        values: dict[Attr, Expr] = {
            new: old if old.kind == new.kind else Cast(old, new.kind)
            for old, new in zip(side.output, node.attrs, strict=True)
        }
        children.append([substitute(each, values) for each in down])
    return Sent(stay, children)


@sent.register
def _set_operation(node: l.SetOp, conditions: list[Expr]) -> Sent:
    pairs = list(zip(node.left.output, node.right.output, strict=True))
    alike = [left for left, right in pairs if left.kind == right.kind]
    down, stay = _split([c for c in conditions if simple(c)], alike)
    stay += [each for each in conditions if not simple(each)]
    values: dict[Attr, Expr] = dict(pairs)
    return Sent(stay, [down, [substitute(each, values) for each in down]])


@sent.register
def _scan(node: l.Scan, conditions: list[Expr]) -> Sent:
    """The reader may skip by them; that they hold is seen to above."""
    known = [each for each in conditions if steady(each) and attributes(each)]
    filters = tuple(dict.fromkeys((*node.filters, *known)))
    return Sent(conditions, [], node.changed(filters=filters) if known else None)


# Of which sides conditions above a join, and parts of its own condition, may go down.
_ABOVE = {
    "inner": "both",
    "cross": "both",
    "left": "left",
    "single": "left",
    "right": "right",
    "semi": "left",
    "anti": "left",
    "null-aware anti": "left",
}
_WITHIN = {
    "inner": "both",
    "cross": "both",
    "left": "right",
    "single": "right",
    "right": "left",
    "semi": "both",
    "anti": "right",
}


@sent.register
def _join(node: l.Join, conditions: list[Expr]) -> Sent:
    left, right, stay = _dealt(node, conditions, _ABOVE.get(node.kind, ""))
    parts = conjuncts(node.condition)
    own_left, own_right, own = _dealt(node, parts, _WITHIN.get(node.kind, ""))
    kind = node.kind
    if kind in ("inner", "cross"):
        own += [each for each in stay if steady(each) and attributes(each)]
        stay = [each for each in stay if not (steady(each) and attributes(each))]
        kind = "inner" if own else "cross"
    sides = [[*own_left, *left], [*own_right, *right]]
    if kind == node.kind and len(own) == len(parts) and all(map(is_, own, parts)):
        return Sent(stay, sides)
    condition = conjunction(list(dict.fromkeys(own))) if own else None
    if condition is None and kind not in ("cross", "inner"):
        condition = conjunction([]) if node.condition is not None else None
    return Sent(stay, sides, node.changed(kind=kind, condition=condition))


def _dealt(
    node: l.Join, conditions: Sequence[Expr], sides: str
) -> tuple[list[Expr], list[Expr], list[Expr]]:
    """(for the left, for the right, the others)."""
    left: list[Expr] = []
    right: list[Expr] = []
    rest = list(conditions)
    if sides in ("left", "both"):
        left, rest = _split(rest, node.left.there)
    if sides in ("right", "both"):
        right, rest = _split(rest, node.right.there)
    return left, right, rest


def bare(column: Attr | Alias) -> Expr:
    """The value of a column."""
    return column.child if isinstance(column, Alias) else column
