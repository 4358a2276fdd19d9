"""Between which values the columns of a task lie, and how many rows there are at most: what the
footers of files tell, and the inputs that are there. Nothing is guessed: sums rely on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property, partial, singledispatchmethod
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr
from planner.columns.units import Limits, in_units, scale_of
from planner.query import fragment as f
from planner.query import logical as l

_DEEPEST = 20  # projections that a column is followed through
_LONGEST = 1 << 16  # rows of an input whose decimals are looked at, which Arrow does slowly
_SAME_ROWS = (l.Filter, l.Sort, l.Limit, l.Tail, l.Known, l.Hint, l.Repartition, l.Sample)
_FEWER_ROWS = (*_SAME_ROWS, l.Project, l.Distinct, l.Window, l.Aggregate, f.Partial, f.Finished)
_PASSED_ON = (*_SAME_ROWS, l.Distinct, l.Window, l.Generate, l.Join)
_LEFT_ONLY = ("semi", "anti", "null-aware anti", "single")


class Extents:
    """What is known of the nodes of a task's fragment, by their places."""

    def __init__(self, nodes: Sequence[l.Plan], sides: Sequence[Sequence[Any]]) -> None:
        self._nodes = nodes
        self._sides = sides

    # ---- rows ------------------------------------------------------------------------------------

    def rows(self, place: int) -> int | None:
        """The most rows that a node can have; None if that is not known."""
        return self._rows[place]

    @cached_property
    def _rows(self) -> list[int | None]:
        found: list[int | None] = []
        for node in self._nodes:  # children first
            found.append(self._most(node, [found[place] for place in f.children_of(node)]))
        return found

    def _most(self, node: l.Plan, below: list[int | None]) -> int | None:
        if not below:
            return self._of_leaf(node)
        known = [each for each in below if each is not None]
        if len(known) < len(below):
            return None
        if isinstance(node, l.Sample) and node.replacement:
            return None
        if isinstance(node, _FEWER_ROWS):
            return max(1, known[0])  # of no rows too an aggregate may give one
        if isinstance(node, l.Union):
            return sum(known)
        if isinstance(node, l.Expand):
            return known[0] * len(node.projections)
        if isinstance(node, l.Join):
            left, right = known
            return left if node.kind in _LEFT_ONLY else left * right + left + right
        return None

    def _of_leaf(self, node: l.Plan) -> int | None:
        if isinstance(node, l.Scan):
            told = all(each.rows >= 0 and each.layout >= 0 for each in node.slices)  # not guessed
            return sum(each.rows for each in node.slices) if told else None
        if isinstance(node, l.Range):
            return len(range(node.start, node.stop, node.step))
        if isinstance(node, l.Table):
            return int(node.data.num_rows)
        if isinstance(node, f.Input):
            return sum(int(table.num_rows) for table in self._sides[node.side])
        if isinstance(node, f.Leaf):
            counts_ = [self._of_leaf(each) for each in self._sides[node.side]]
            known = [each for each in counts_ if each is not None]
            return sum(known) if len(known) == len(counts_) else None
        return None

    # ---- values ----------------------------------------------------------------------------------

    def of(self, place: int) -> Callable[[Attr], Limits | None]:
        """A function of a node's columns: between which units their values lie, if known."""
        return lambda attr: self._limits(place, attr, _DEEPEST)

    def _limits(self, place: int, attr: Attr, deep: int) -> Limits | None:
        if not isinstance(attr.kind, t.DecimalType | t.IntegralType):
            return None
        while True:
            node = self._nodes[place]
            below = [child for child in node.children if isinstance(child, l.Slot)]
            if not below:
                return self._leaf(node, attr)
            if isinstance(node, l.Project):
                value = next((c for c in node.columns if _named(c) == attr), None)
                if isinstance(value, Alias):
                    if not deep:
                        return None
                    known = partial(self._limits, below[0].index, deep=deep - 1)
                    found = in_units(value.child, known)
                    return None if found is None else (found.low, found.high)
            elif isinstance(node, l.Union):
                return self._of_sides(node, below, attr, deep)
            elif not _passes(node, attr):
                return None
            child = next((each for each in below if attr in each.output), None)
            if child is None:
                return None
            place = child.index

    def _of_sides(
        self, node: l.Union, below: Sequence[l.Slot], attr: Attr, deep: int
    ) -> Limits | None:
        """Of all sides together, by the column's place."""
        if not deep:
            return None
        at = node.attrs.index(attr)
        columns = [side.output[at] for side in below]
        if any(column.kind != attr.kind for column in columns):
            return None
        each = (
            self._limits(side.index, column, deep - 1)
            for side, column in zip(below, columns, strict=True)
        )
        return _around(each)

    @singledispatchmethod
    def _leaf(self, node: l.Plan, attr: Attr) -> Limits | None:
        return None

    @_leaf.register
    def _scan(self, node: l.Scan, attr: Attr) -> Limits | None:
        if attr.name not in node.sure or attr in node.partitioned:
            return None
        for name, low, high in node.spans:
            if name == attr.name:
                return _outwards(low, attr, -1), _outwards(high, attr, 1)
        return 0, 0  # it has no values

    @_leaf.register
    def _range(self, node: l.Range, attr: Attr) -> Limits | None:
        return min(node.start, node.stop), max(node.start, node.stop)

    @_leaf.register
    def _table(self, node: l.Table, attr: Attr) -> Limits | None:
        return _in_tables([node.data], node.attrs.index(attr), attr)

    @_leaf.register
    def _input(self, node: f.Input, attr: Attr) -> Limits | None:
        return _in_tables(self._sides[node.side], node.attrs.index(attr), attr)

    @_leaf.register
    def _pieces(self, node: f.Leaf, attr: Attr) -> Limits | None:
        return _around(self._leaf(each, attr) for each in self._sides[node.side])


def _named(column: Attr | Alias) -> Attr:
    return column.attr if isinstance(column, Alias) else column


def _passes(node: l.Plan, attr: Attr) -> bool:
    """Whether a node hands a column of a child on, with no other values than it has."""
    if isinstance(node, l.Aggregate):
        return attr in node.groups
    return isinstance(node, _PASSED_ON)


def _around(parts: Any) -> Limits | None:
    found = list(parts)
    if not found or None in found:
        return None
    return min(low for low, _ in found), max(high for _, high in found)


def _outwards(value: float, attr: Attr, sign: int) -> int:
    """An end in units, with room for the digits that a binary fraction does not hold."""
    units = value * 10.0 ** scale_of(attr.kind)
    away = units + sign * (1 + abs(units) * 2.0**-45)
    return math.floor(away) if sign < 0 else math.ceil(away)


def _in_tables(tables: Sequence[pa.Table], place: int, attr: Attr) -> Limits | None:
    """Between which values a column lies; None where looking takes longer than it saves."""
    columns = [table.column(place) for table in tables]
    whole = all(pa.types.is_integer(column.type) for column in columns)
    if not whole and not all(pa.types.is_decimal(column.type) for column in columns):
        return None
    if not whole and sum(map(len, columns)) > _LONGEST:
        return None
    found = []
    for column in columns:
        if column.null_count < len(column):
            ends = pc.min_max(column).as_py()
            scale = scale_of(attr.kind)
            found.append((_units(ends["min"], scale), _units(ends["max"], scale)))
    return _around(found) if found else (0, 0)


def _units(value: Any, scale: int) -> int:
    return value if isinstance(value, int) else int(value.scaleb(scale))
