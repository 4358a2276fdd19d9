"""A tree of joins over some tables, with the fewest rows between its joins.

Of few tables every tree is looked at: the best one of a set of tables is made of the best ones of
two sets that it can be cut into. Of more, a chain grows from the two that give the fewest rows
together, by whatever gives the fewest next. A cross product comes only when no equality is left to
join by.

How trees are made of those of smaller sets: Selinger et al., Access Path Selection in a Relational
Database Management System, 1979; with sets that equalities hold together, and trees that are no
chains: Moerkotte and Neumann, Analysis of Two Existing and One New Dynamic Programming Algorithm
for the Generation of Optimal Bushy Join Trees without Cross Products, 2006.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log2

from planner.columns import types as t
from planner.columns.conditions import conjunction, conjuncts
from planner.columns.expressions import Attr, Call, Expr, attributes
from planner.query import logical as l
from planner.query.optimiser.shapes import filtered
from planner.query.statistics import Sizes

_FEW = 8  # tables of which every tree is looked at
_LOOK = 0.05  # what a look into a hash table costs beside a row that comes out,
_AT_HAND = 4096  # and as much again for each doubling beyond so many rows


def tree(
    tables: Sequence[l.Plan],
    classes: Sequence[Sequence[Attr]],
    conditions: Sequence[Expr],
    sizes: Sizes,
) -> l.Plan:
    """All the tables joined.

    Parameters
    ----------
    tables : plans
        What is joined.
    classes : lists of columns
        The columns of a class are equal to each other.
    conditions : expressions
        What else must be true.
    sizes : Sizes
        Guesses of how many rows plans give.
    """
    at = _Joining(classes, sizes)
    parts = [_Part(table, conditions, sizes.rows(table), 0.0) for table in tables]
    found = at.chain(at.held_together(parts) if len(parts) <= _FEW else parts)
    return filtered(found.plan, found.waiting)


def equal(a: Attr, b: Attr) -> Expr:
    """The condition that two columns are equal."""
    return Call("=", (a, b), kind=t.BOOLEAN, null=a.null or b.null)


@dataclass(frozen=True, eq=False)
class _Part:
    """Tables that are joined, the conditions that are not met yet, and what it costs."""

    plan: l.Plan
    waiting: Sequence[Expr]
    rows: float
    cost: float


@dataclass(frozen=True, eq=False)
class _Joining:
    classes: Sequence[Sequence[Attr]]
    sizes: Sizes

    def held_together(self, tables: Sequence[_Part]) -> list[_Part]:
        """The best trees of tables that equalities hold together. Sets of tables are numbers, with
        a bit for each."""
        near = self._neighbours(tables)
        best = {1 << at: table for at, table in enumerate(tables)}
        for these in range(1, 1 << len(tables)):
            if these not in best and _around(these, near) == these:
                cuts = [(best[a], best[b]) for a, b in _cuts(these) if a in best and b in best]
                best[these] = self._joined(*min(cuts, key=lambda cut: _cost(*cut)))
        found, left = [], (1 << len(tables)) - 1
        while left:
            found.append(best[_around(left, near)])
            left &= ~_around(left, near)
        return found

    def _neighbours(self, tables: Sequence[_Part]) -> list[int]:
        """For each table itself and those with which it has a column that must be equal."""
        near = [1 << at for at in range(len(tables))]
        for each in self.classes:
            own = [at for at, table in enumerate(tables) if not table.plan.there.isdisjoint(each)]
            all_of_them = sum(1 << at for at in own)
            for at in own:
                near[at] |= all_of_them
        return near

    def chain(self, parts: Sequence[_Part]) -> _Part:
        """All parts joined one after the other."""
        left = list(parts)
        if len(left) == 1:
            return left[0]
        pairs = list(combinations(left, 2))
        joins = [self._joined(a, b) for a, b in pairs]
        while True:
            grown, pair = min(zip(joins, pairs, strict=True), key=lambda found: _order(found[0]))
            left = [each for each in left if each not in pair]
            if not left:
                return grown
            pairs = [(grown, each) for each in left]
            joins = [self._joined(a, b) for a, b in pairs]

    def _joined(self, a: _Part, b: _Part) -> _Part:
        """The join by all conditions that these two can tell. One equality of a class is enough:
        within a side its columns are equal already."""
        of_a, of_b = a.plan.there, b.plan.there
        own: list[Expr] = []
        for each in self.classes:
            one = next((attr for attr in each if attr in of_a), None)
            other = next((attr for attr in each if attr in of_b), None)
            if one is not None and other is not None:
                own.append(equal(one, other))
        waiting = [each for each in a.waiting if each in b.waiting]
        there = of_a | of_b if waiting else of_a
        rest: list[Expr] = []
        for condition in waiting:
            (own if attributes(condition).keys() <= there else rest).append(condition)
        kind = "inner" if own else "cross"
        both = conjunction(own) if own else None
        plan = l.Join(a.plan, b.plan, kind, both, site=a.plan.site)
        rows = self.sizes.rows(plan)
        return _Part(plan, rest, rows, rows + _cost(a, b))


def _cost(a: _Part, b: _Part) -> float:
    """What the join of two parts costs without the rows that come out. Each row of the longer side
    looks into a hash table of the shorter one; that takes the longer the larger the table is, as
    more of it is outside the processor's caches."""
    built, probed = sorted((a.rows, b.rows))
    return a.cost + b.cost + _LOOK * probed * (1 + log2(1 + built / _AT_HAND))


def _order(part: _Part) -> tuple[bool, float]:
    """Joins by keys come before cross products, then those with fewer rows."""
    assert isinstance(part.plan, l.Join)
    by_key = any(
        isinstance(each, Call) and each.name in ("=", "==")
        for each in conjuncts(part.plan.condition)
    )
    return not by_key, part.rows


# ---- sets of tables ------------------------------------------------------------------------------


def _around(these: int, near: Sequence[int]) -> int:
    """Those of a set that are held together with the first of it.

    >>> bin(_around(0b1011, [0b0011, 0b0111, 0b1110, 0b1100]))
    '0b11'
    """
    found, new = 0, these & -these
    while new:
        at = new.bit_length() - 1
        found |= 1 << at
        new = (new | near[at]) & these & ~found
    return found


def _cuts(these: int) -> Iterator[tuple[int, int]]:
    """Each way to cut a set in two.

    >>> [(bin(a), bin(b)) for a, b in _cuts(0b111)]
    [('0b1', '0b110'), ('0b10', '0b101'), ('0b11', '0b100')]
    """
    some = these & (these - 1)
    while some > these ^ some:
        yield these ^ some, some
        some = (some - 1) & these
