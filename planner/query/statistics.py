"""How large the answer of a plan will be: a guess from footers, tables and rules of thumb."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import singledispatchmethod

from planner.columns import types as t
from planner.columns.conditions import conjuncts, equal_keys
from planner.columns.expressions import Attr, Call, Expr
from planner.query import logical as l

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
_KEPT = {"=": 0.05, "==": 0.05, "<=>": 0.05, "like": 0.1, "startswith": 0.1, "isnull": 0.05}


@dataclass(frozen=True)
class Size:
    """Rows, and bytes of the wanted columns in memory."""

    rows: float
    bytes: float


def row_bytes(attrs: tuple[Attr, ...]) -> int:
    """Bytes of one row of these columns."""
    return sum(_WIDTHS.get(type(attr.kind), 8) for attr in attrs) or 1


def selectivity(condition: Expr) -> float:
    """The part of the rows for which a condition is true."""
    part = 1.0
    for each in conjuncts(condition):
        part *= _part(each)
    return max(part, 1e-6)


def _part(condition: Expr) -> float:
    if not isinstance(condition, Call):
        return 0.5
    name, args = condition.name, condition.args
    if name in _KEPT:
        return _KEPT[name]
    if name == "or":
        return min(1.0, _part(args[0]) + _part(args[1]))
    if name == "and":
        return selectivity(condition)
    if name == "not":
        return 1 - _part(args[0])
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

    def _whole(self, plan: l.Plan) -> float:
        """The rows of the largest table below a plan, all of it."""
        known = self._wholes.get(id(plan))
        if known is None:
            leaves = [node for node in l.walk(plan) if not node.children]
            known = (plan, max([self.rows(leaf) for leaf in leaves], default=1.0))
            self._wholes[id(plan)] = known
        return known[1]

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
        return self.rows(node.child) * selectivity(node.condition)

    @_rows.register
    def _aggregate(self, node: l.Aggregate) -> float:
        if not node.groups:
            return 1.0
        return max(1.0, self.rows(node.child) / 4)

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
        match node.kind:
            case "semi" | "anti" | "null-aware anti":
                return left / 2
            case "single":
                return left
        pairs, rest = equal_keys(node)
        found = left * right
        if pairs:  # one side's key names the rows of a table, most likely of the smaller one
            found /= max(1.0, min(self._whole(node.left), self._whole(node.right)))
        for part in rest:
            found *= selectivity(part)
        if node.kind in ("left", "full"):
            found = max(found, left)
        if node.kind in ("right", "full"):
            found = max(found, right)
        return found
