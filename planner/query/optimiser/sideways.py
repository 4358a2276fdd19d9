"""Groups that no row will look up are not computed.

An aggregate that is joined by its groups gives a row for every group there is, though the other
side may ask for few: `… = (SELECT avg(x) FROM big WHERE big.key = small.key)`. Where the other side
takes the key from a small table, the rows of the aggregate are first reduced to the keys of that
table, by a semi join. Where it has those rows itself, they are not even read (`subsumed.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.columns import types as t
from planner.columns.conditions import equal_keys
from planner.columns.expressions import Alias, Attr, Call, Expr
from planner.query import logical as l
from planner.query.optimiser.semis import sunk
from planner.query.optimiser.shapes import parents_first, shared, steady
from planner.query.optimiser.subsumed import own_rows
from planner.query.statistics import Sizes

_KINDS = ("inner", "left", "semi", "anti")
_FEW = 100  # a table is small if the aggregate reads one so many times longer


def sideways(plan: l.Plan) -> l.Plan:
    """The plan with aggregates reduced to the groups that joins can ask for."""
    at = _Finding(Sizes(), shared(parents_first(plan)))

    def change(node: l.Plan) -> l.Plan:
        if isinstance(node, l.Join) and node.kind in _KINDS and id(node.right) not in at.many:
            if node.kind in ("semi", "anti") and _is_residual(node):
                return _looked_up(node, at)
            return _reduced(node, at)
        return node

    return l.bottom_up(plan, change)


def _reduced(join: l.Join, at: _Finding) -> l.Plan:
    pairs = equal_keys(join)[0]
    looks = [
        (ask, found) for ask, given in pairs if (found := _aggregate(join.right, given, at.many))
    ]
    if not looks:
        return join
    path, aggregate, _ = looks[0][1]
    asked = [(ask, group) for ask, (_, _, group) in looks]
    rows = own_rows(join.left, aggregate, asked, at.sizes) or _fewer(
        join.left, aggregate, asked, at
    )
    if rows is None:
        return join
    new: l.Plan = aggregate.changed(child=rows)
    for above in reversed(path):
        new = above.with_children((new,))
    return join.changed(right=new)


def _fewer(
    outer: l.Plan, aggregate: l.Aggregate, asked: list[tuple[Expr, Attr]], at: _Finding
) -> l.Plan | None:
    """The rows of the aggregate with keys of a small table; None if no such table tells the keys
    that are asked for."""
    few = at.sizes.whole(aggregate.child) / _FEW
    for ask, group in asked:
        tables = [each for each in _sources(outer, ask) if at.sizes.rows(each[0]) <= few]
        if tables:
            table, key = min(tables, key=lambda each: at.sizes.rows(each[0]))
            return at.chosen(aggregate.child, group, table, key)
    return None


@dataclass(eq=False)
class _Finding:
    """What the rule knows of a plan. Nodes with an id in `many` are more than one place's."""

    sizes: Sizes
    many: set[int]
    _keys: dict[tuple[int, Attr], tuple[l.Plan, l.Plan]] = field(default_factory=dict)

    def chosen(self, rows: l.Plan, column: Attr, table: l.Plan, key: Attr) -> l.Plan:
        """The rows whose column is a key of the table; asked twice, the keys are one plan."""
        at = (id(table), key)
        if at not in self._keys:
            self._keys[at] = (table, l.renewed(l.Project(table, (key,))))
        keys = self._keys[at][1]
        same = Call("=", (column, keys.output[0]), kind=t.BOOLEAN, null=True)
        return sunk(l.Join(rows, keys, "semi", same, site=rows.site), self.sizes, self.many)


def _is_residual(join: l.Join) -> bool:
    pairs, rest = equal_keys(join)
    return bool(pairs and rest)


def _looked_up(join: l.Join, at: _Finding) -> l.Plan:
    """A semi or anti join that compares more than keys, over the rows with keys of its left side
    only: all rows of a key are gathered for it."""
    base = join.left
    while isinstance(base, l.Join) and base.kind in ("semi", "anti"):
        base = base.left
    asked, given = equal_keys(join)[0][0]
    if not (isinstance(asked, Attr) and isinstance(given, Attr)):
        return join
    if at.sizes.rows(base) * _FEW > at.sizes.rows(join.right):
        return join
    return join.changed(right=at.chosen(join.right, given, base, asked))


def _aggregate(
    plan: l.Plan, key: Expr, many: set[int]
) -> tuple[list[l.Plan], l.Aggregate, Attr] | None:
    """The aggregate that a plan is made of, what is above it, and the group that `key` is."""
    path: list[l.Plan] = []
    while id(plan) not in many and isinstance(key, Attr):
        if isinstance(plan, l.Aggregate):
            return (path, plan, key) if key in plan.groups else None
        if isinstance(plan, l.Project):
            key = _value(plan, key)
        elif not isinstance(plan, l.Filter):
            return None
        path.append(plan)
        plan = plan.children[0]
    return None


def _value(plan: l.Project, attr: Attr) -> Expr:
    """What a projection makes a column of."""
    for column in plan.columns:
        if isinstance(column, Alias) and column.attr == attr:
            return column.child
    return attr


def _sources(plan: l.Plan, key: Expr) -> Iterator[tuple[l.Plan, Attr]]:
    """Filtered tables, each with a column in which every value of `key` is."""
    todo = [(plan, key)]
    while todo:
        plan, key = todo.pop()
        if not isinstance(key, Attr) or key not in plan.output:
            continue
        if _is_table(plan):
            if any(isinstance(node, l.Filter) for node in l.walk(plan)):
                yield plan, key
        elif isinstance(plan, l.Project):
            todo.append((plan.child, _value(plan, key)))
        elif isinstance(plan, l.Filter | l.Sort | l.Known):
            todo.append((plan.child, key))
        elif isinstance(plan, l.Join) and plan.kind in ("inner", "semi"):
            todo += [(side, key) for side in plan.children]
            for a, b in equal_keys(plan)[0]:
                todo += [(plan.right, b)] if a == key else []
                todo += [(plan.left, a)] if b == key else []
        elif isinstance(plan, l.Join) and plan.kind in ("left", "anti", "single"):
            todo.append((plan.left, key))


def _is_table(plan: l.Plan) -> bool:
    """Whether a plan is rows of files or of a table, chosen by conditions."""
    while isinstance(plan, l.Project | l.Filter | l.Known):
        if not all(steady(each) for each in plan.expressions):
            return False
        plan = plan.child
    return isinstance(plan, l.Scan | l.Table)
