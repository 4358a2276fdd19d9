"""Rows that a subquery aggregates, and that the query around it has already.

    … FROM big JOIN small ON big.key = small.key
    WHERE big.x < (SELECT avg(b.x) FROM big b WHERE b.key = small.key)

The join has all rows of `big` with the keys that will be asked for, and of one key each row equally
often. So the averages of its rows are those of the rows of `big`, which need not be read again.

When a subquery is contained in the query around it: Zuzarte et al., WinMagic: Subquery Elimination
Using Window Aggregation, 2003. (Theirs becomes a window; this one groups the join's own rows.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.columns.expressions import Alias, Attr, Call, Expr, attributes, substitute
from planner.query import logical as l
from planner.query.fingerprint import fingerprints
from planner.query.optimiser.flat import Flat, flat
from planner.query.optimiser.shapes import steady
from planner.query.statistics import Sizes

# Aggregates that do not mind if every row comes twice.
_AVERAGES = frozenset({"avg", "mean", "min", "max", "bool_and", "bool_or", "every", "some", "any"})

_Asked = Sequence[tuple[Expr, Attr]]  # a key of the outer query, the group that it looks up
_Places = dict[Attr, Expr]  # the column of the outer query for each of the inner one


def own_rows(outer: l.Plan, inner: l.Aggregate, asked: _Asked, sizes: Sizes) -> l.Plan | None:
    """The rows of an aggregate's groups, taken from those of the query that asks for them.

    Parameters
    ----------
    outer : Plan
        The rows that ask.
    inner : Aggregate
        What they ask.
    asked : pairs of expression and column
        What of `outer` must be equal to which group of `inner`.
    sizes : Sizes
        Guesses of how many rows plans give.

    Returns
    -------
    Plan or None
        `outer` with the columns of the child of `inner`; None if it lacks some of the rows.
    """
    if not all(_ignores_copies(value.child) for value in inner.values):
        return None
    if sizes.rows(outer) > sizes.rows(inner.child):
        return None
    if not _same_always(outer):
        return None
    around, within = flat(outer), flat(inner.child)
    for places in _places(around, within):
        if _contained(around, within, places, asked):
            columns = [
                Alias(places[attr], attr.name, attr.id, attr.metadata)
                for attr in inner.child.output
            ]
            return l.Project(outer, tuple(columns), site=outer.site)
    return None


def _ignores_copies(value: Expr) -> bool:
    return isinstance(value, Call) and (value.distinct or value.name in _AVERAGES)


def _same_always(plan: l.Plan) -> bool:
    return all(steady(each) for node in l.children_first(plan) for each in node.expressions)


def _places(around: Flat, within: Flat) -> Iterator[_Places]:
    """The ways to find each table of the inner query among those of the outer one."""
    there = [fingerprints(table)[id(table)] for table in around.tables]
    wanted = [fingerprints(table)[id(table)] for table in within.tables]

    def ways(at: int, used: frozenset[int], found: _Places) -> Iterator[_Places]:
        if at == len(wanted):
            yield found
            return
        for place, text in enumerate(there):
            if text == wanted[at] and place not in used:
                both = zip(within.tables[at].output, around.tables[place].output, strict=True)
                yield from ways(at + 1, used | {place}, {**found, **dict(both)})

    return ways(0, frozenset(), {})


def _contained(around: Flat, within: Flat, places: _Places, asked: _Asked) -> bool:
    """Whether the outer query leaves out no row of a group that is asked for, and repeats all rows
    of a group equally often: it says of them what the inner query says, and what it says of them
    and other tables it says of groups alone."""
    own = set(places.values())
    inner_classes = [{places[attr] for attr in each} for each in within.classes]
    if not all(any(each <= {*own_class} for own_class in around.classes) for each in inner_classes):
        return False
    keys = {(places[group], ask) for ask, group in asked}
    for each in around.classes:
        mine = own & {*each}
        if len(mine) > 1 and not any(mine <= known for known in inner_classes):
            return False
        others = mine and {*each} - own
        if others and not any((group, ask) in keys for group in mine for ask in each):
            return False
    said = {substitute(each, places) for each in within.others}
    of_own = {each for each in around.others if not own.isdisjoint(attributes(each))}
    return said == of_own
