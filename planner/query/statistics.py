"""How large the answer of a plan will be: a guess from footers, tables and rules of thumb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod

from planner.columns import types as t
from planner.columns.conditions import conjuncts, equal_keys
from planner.columns.expressions import Attr, Call, Expr, Literal
from planner.query import logical as l
from planner.query.spans import different, number, origin, span

UNKNOWN_ROWS = 1e9  # of what tells nothing: too much to be sent to everyone
_TEXT = 20  # bytes of a text
_NESTED = 80
_WIDTHS: dict[type[t.DataType], int] = {
    t.BooleanType: 1,
    t.ByteType: 1,
    t.ShortType: 2,
    t.IntegerType: 4,
    t.FloatType: 4,
    t.DateType: 4,
    t.StringType: _TEXT,
    t.BinaryType: _TEXT,
    t.DecimalType: 16,
    t.NullType: 1,
    t.ArrayType: _NESTED,
    t.MapType: _NESTED,
    t.StructType: _NESTED,
}
_KEPT = {
    "=": 0.05,
    "==": 0.05,
    "<=>": 0.05,
    "like": 0.1,
    "startswith": 0.1,
    "endswith": 0.1,
    "contains": 0.1,
    "isnull": 0.05,
}


@dataclass(frozen=True)
class Size:
    """Rows, and bytes of the wanted columns in memory."""

    rows: float
    bytes: float


def row_bytes(attrs: tuple[Attr, ...]) -> int:
    """Bytes of one row of these columns."""
    return sum(_WIDTHS.get(type(attr.kind), 8) for attr in attrs) or 1


def selectivity(condition: Expr, plan: l.Plan | None = None) -> float:
    """The part of the rows for which a condition is true, over a plan's columns if it is given."""
    part = 1.0
    between: dict[Attr, tuple[float, float, float, float]] = {}
    for each in conjuncts(condition):
        limits = _limits(each, plan)
        if limits is None:
            part *= _part(each, plan)
        else:  # all limits of one column together
            attr, *(own) = limits
            low, high, least, most = between.get(attr, tuple(own))
            between[attr] = (max(low, own[0]), min(high, own[1]), least, most)
    for low, high, least, most in between.values():
        part *= min(1.0, max(high - low, 0.0) / max(most - least, 1.0))
    return max(part, 1e-6)


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _limits(condition: Expr, plan: l.Plan | None) -> tuple[Attr, float, float, float, float] | None:
    """Of a column compared with a constant: the column of its leaf, the least and the greatest
    value left, and those that there are."""
    if plan is None or not isinstance(condition, Call) or condition.name not in _TURNED:
        return None
    a, b = condition.args
    sign = condition.name
    if isinstance(a, Literal):
        a, b, sign = b, a, _TURNED[sign]
    value = number(b.value) if isinstance(b, Literal) else None
    found = origin(plan, a)
    known = span(*found) if found else None
    if found is None or known is None or value is None:
        return None
    least, most = known
    if sign in ("<", "<="):
        return found[1], least, min(value, most), least, most
    return found[1], max(value, least), most, least, most


def _part(condition: Expr, plan: l.Plan | None) -> float:
    if not isinstance(condition, Call):
        return 0.5
    name, args = condition.name, condition.args
    if name == "or":
        return min(1.0, _part(args[0], plan) + _part(args[1], plan))
    if name == "and":
        return selectivity(condition, plan)
    if name == "not":
        return 1 - _part(args[0], plan)
    if name in ("=", "==", "<=>", "in") and plan is not None:
        found = origin(plan, args[0])
        count = different(*found) if found else None
        if count is not None and all(isinstance(each, Literal) for each in args[1:]):
            return min(1.0, (len(args) - 1) / count)
    if name in _KEPT:
        return _KEPT[name]
    if name == "in":
        return min(0.5, 0.05 * (len(args) - 1))
    if name == "isnotnull":
        return 0.95
    if name in ("!=", "<>"):
        return 0.9
    return 0.3


@dataclass
class Sizes:
    """Sizes of plans, each found once."""

    _known: dict[int, tuple[l.Plan, float]] = field(default_factory=dict)
    _wholes: dict[int, tuple[l.Plan, float]] = field(default_factory=dict)

    def of(self, plan: l.Plan) -> Size:
        """The size of a plan."""
        rows = self.rows(plan)
        return Size(rows, rows * row_bytes(plan.output))

    def rows(self, plan: l.Plan) -> float:
        """How many rows a plan gives."""
        todo = [plan]
        while todo:
            node = todo[-1]
            below = [child for child in node.children if id(child) not in self._known]
            if below and id(node) not in self._known:
                todo.extend(below)
                continue
            todo.pop()
            if id(node) not in self._known:
                self._known[id(node)] = (node, float(self._rows(node)))
        return self._known[id(plan)][1]

    def whole(self, plan: l.Plan) -> float:
        """The rows of the largest table below a plan, all of it."""
        known = self._wholes.get(id(plan))
        if known is None:
            leaves = [node for node in l.walk(plan) if not node.children]
            known = (plan, max([self.rows(leaf) for leaf in leaves], default=1.0))
            self._wholes[id(plan)] = known
        return known[1]

    def different(self, plan: l.Plan, exprs: Sequence[Expr]) -> float:
        """How many combinations of values of some expressions there are at most, whatever
        conditions have left of them."""
        of_leaves: dict[int, tuple[l.Plan, float]] = {}
        found = 1.0
        for expr in exprs:
            from_ = origin(plan, expr)
            if from_ is None:
                return self.whole(plan)
            leaf, attr = from_
            count = different(leaf, attr) or self.rows(leaf)
            of_leaves[id(leaf)] = (leaf, of_leaves.get(id(leaf), (leaf, 1.0))[1] * count)
        for leaf, count in of_leaves.values():
            found *= max(1.0, min(count, self.rows(leaf)))
        return found

    @singledispatchmethod
    def _rows(self, node: l.Plan) -> float:
        children = node.children
        return self.rows(children[0]) if children else UNKNOWN_ROWS

    @_rows.register
    def _table(self, node: l.Table) -> float:
        return float(node.data.num_rows)

    @_rows.register
    def _range(self, node: l.Range) -> float:
        return len(range(node.start, node.stop, node.step))

    @_rows.register
    def _scan(self, node: l.Scan) -> float:
        if all(each.rows >= 0 for each in node.slices):
            return sum(each.rows for each in node.slices)
        if all(each.bytes >= 0 for each in node.slices):
            return sum(each.bytes for each in node.slices) / row_bytes(node.attrs)
        return UNKNOWN_ROWS

    @_rows.register
    def _given(self, node: l.Rows) -> float:
        return node.rows if node.rows >= 0 else UNKNOWN_ROWS

    @_rows.register
    def _filter(self, node: l.Filter) -> float:
        rows = self.rows(node.child)
        return max(min(rows, 1.0), rows * selectivity(node.condition, node.child))

    @_rows.register
    def _aggregate(self, node: l.Aggregate) -> float:
        if not node.groups:
            return 1.0
        rows = self.rows(node.child)
        return max(1.0, min(rows / 4, self.different(node.child, node.groups)))

    @_rows.register
    def _distinct(self, node: l.Distinct) -> float:
        return max(1.0, self.rows(node.child) / 2)

    @_rows.register
    def _expand(self, node: l.Expand) -> float:
        return self.rows(node.child) * len(node.projections)

    @_rows.register
    def _limit(self, node: l.Limit) -> float:
        rows = self.rows(node.child)
        return rows if node.count is None else min(rows, float(node.count))

    @_rows.register
    def _tail(self, node: l.Tail) -> float:
        return min(self.rows(node.child), float(node.count))

    @_rows.register
    def _sample(self, node: l.Sample) -> float:
        return self.rows(node.child) * max(0.0, node.high - node.low)

    @_rows.register
    def _union(self, node: l.Union) -> float:
        return sum(self.rows(side) for side in node.sides)

    @_rows.register
    def _join(self, node: l.Join) -> float:
        left, right = self.rows(node.left), self.rows(node.right)
        if node.kind == "single":
            return left
        pairs, rest = equal_keys(node)
        keys = [a for a, _ in pairs], [b for _, b in pairs]
        if node.kind in ("semi", "anti", "null-aware anti"):
            most = max(1.0, self.different(node.left, keys[0]) if pairs else 2 * right)
            part = min(1.0, min(right, self.different(node.right, keys[1])) / most)
            return max(1.0, left * (part if node.kind == "semi" else max(0.1, 1 - part)))
        found = left * right
        if pairs:  # one side's key names the rows of a table, most likely of the smaller one
            there = (self.different(side, k) for side, k in zip(node.children, keys, strict=True))
            found /= max(1.0, min(there))
        for each in rest:
            found *= selectivity(each)
        if node.kind in ("left", "full"):
            found = max(found, left)
        if node.kind in ("right", "full"):
            found = max(found, right)
        return found
