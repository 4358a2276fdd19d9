"""Aggregates of distinct values in stages: what is equal is put together before it is moved.

Each task makes one row of all rows that are equal in the groups and the values that are to be
distinct, with the states of the other aggregates in it. After an exchange these rows are put
together again, and the distinct values are aggregated as any others. Several calls over different
values make rows of their own each (a *set*), told apart by a number, side by side in one exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Expr, Literal
from planner.columns.functions.registry import Aggregate, find
from planner.query import logical as l
from planner.query.fragment import Finished, Merged, Only, Partial, Regrouped
from planner.query.lowering.pieces import Piece, Spread, States, Workshop
from planner.query.lowering.states import has_steps, states_of
from planner.query.spans import different, origin

_FEW = 8  # groups for each task: with fewer, some tasks would have most of the rows
_FEWER = 0.5  # what is left of the rows at most where putting together pays


@dataclass(frozen=True)
class Values:
    """The aggregates, ready: the distinct ones over columns of distinct values, no longer distinct.

    `sets` are those columns with the expressions they are made of, a tuple for each set.
    """

    plain: tuple[Alias, ...]
    all: tuple[Alias, ...]
    sets: tuple[tuple[Alias, ...], ...]


def can(node: l.Aggregate) -> bool:
    """Whether there are distinct values, and all aggregates can be made of states."""
    calls = [_call(value) for value in node.values]
    return any(call.distinct for call in calls) and all(
        has_steps(call) and (not call.distinct or _entry(call).skips) for call in calls
    )


def lowered_in_steps(node: l.Aggregate, piece: Piece, shop: Workshop) -> Piece | None:
    """The piece of an aggregate for which `can` is true; None where one step is as good."""
    values = _values(node.values)
    few = _few(node, shop)
    if not few and not _pays(node, values, shop):
        return None
    mark = Attr("set", t.INT, False)
    states = tuple(states_of(value, shop) for value in values.plain)
    found, by = _partial(node, piece, values, states, mark)
    found = shop.hashed(found, by if few else node.groups)
    again = Regrouped(found.plan, by, values.plain, states, site=node.site)
    only = Only(mark, 0) if mark in by else None
    final = tuple(_known(value, values.plain, states, shop) for value in values.all)
    whole = Regrouped(again, node.groups, values.all, final, only, site=node.site)
    if not few:
        plan = Finished(whole, node.groups, values.all, final, site=node.site)
        return Piece(plan, found.spread.seen_as(node.groups))
    before = Piece(whole, Spread(found.width))
    after = shop.hashed(before, node.groups) if node.groups else shop.gathered(before)
    if not isinstance(after.plan, l.Rows):  # it is in one place already
        plan = Finished(whole, node.groups, values.all, final, site=node.site)
        return Piece(plan, after.spread)
    merged = Merged(node.groups, values.all, final, 0, site=node.site)
    return Piece(States(merged, after.plan.node, site=node.site), after.spread)


# ---- when ----------------------------------------------------------------------------------------


def _few(node: l.Aggregate, shop: Workshop) -> bool:
    """Whether there are so few groups that their rows must be shared out by value too."""
    for attr in node.groups:
        found = origin(node.child, attr)
        if found is None or different(*found) is None:
            return True  # there may be
    return shop.sizes.different(node.child, node.groups) < _FEW * shop.wide


def _pays(node: l.Aggregate, values: Values, shop: Workshop) -> bool:
    """Whether far fewer rows are left when what is equal is put together."""
    rows = shop.sizes.rows(node.child)
    left = sum(
        shop.sizes.different(node.child, [*node.groups, *(each.child for each in of_set)])
        for of_set in values.sets
    )
    return left <= _FEWER * rows


# ---- what ----------------------------------------------------------------------------------------


def _call(value: Alias) -> Call:
    assert isinstance(value.child, Call)
    return value.child


def _entry(call: Call) -> Aggregate:
    entry = find(call.name)
    assert isinstance(entry, Aggregate)
    return entry


def _values(values: Sequence[Alias]) -> Values:
    sets: dict[tuple[Expr, ...], tuple[Alias, ...]] = {}
    found, plain = [], []
    for value in values:
        call = _call(value)
        if not call.distinct:
            plain.append(value)
            found.append(value)
            continue
        constants = _entry(call).constants
        args = tuple(arg for at, arg in enumerate(call.args) if at not in constants)
        if call.where is not None:  # a row whose values are NULL counts for nothing
            args = tuple(Call("case_when", (call.where, a), kind=a.type) for a in args)
        if args not in sets:
            sets[args] = tuple(Alias(arg, f"distinct {at}") for at, arg in enumerate(args))
        columns = iter(sets[args])
        over = tuple(
            arg if at in constants else next(columns).attr for at, arg in enumerate(call.args)
        )
        found.append(replace(value, child=replace(call, args=over, where=None, distinct=False)))
    return Values(tuple(plain), tuple(found), tuple(sets.values()))


def _partial(
    node: l.Aggregate,
    piece: Piece,
    values: Values,
    states: tuple[tuple[Attr, ...], ...],
    mark: Attr,
) -> tuple[Piece, tuple[Attr, ...]]:
    """A row for each combination of groups and values of a set in a task, with the states of the
    other aggregates in those of the first set; and the columns that tell such rows apart."""
    below, site, groups = piece.plan, node.site, node.groups
    made = tuple(each for of_set in values.sets for each in of_set)
    below = l.Project(below, (*below.output, *made), site=site)
    first, *others = values.sets
    by = (*groups, *(each.attr for each in first))
    plan: l.Plan = Partial(below, by, values.plain, states, site=site)
    if not others:
        return Piece(plan, Spread(piece.width)), by
    columns = (*groups, *(each.attr for each in made), mark)
    attrs = (*columns, *(attr for each in states for attr in each))
    attrs = tuple(attr if attr in groups else replace(attr, null=True) for attr in attrs)
    sides = [_padded(plan, attrs, mark, 0)]
    for place, of_set in enumerate(others, 1):
        keys = (*groups, *(each.attr for each in of_set))
        sides.append(_padded(Partial(below, keys, (), (), site=site), attrs, mark, place))
    return Piece(l.Union(tuple(sides), attrs, site=site), Spread(piece.width)), columns


def _padded(plan: l.Plan, attrs: Sequence[Attr], mark: Attr, place: int) -> l.Plan:
    """The plan's rows with all columns: NULL in those of other sets, `place` in `mark`."""
    there = {attr.id: attr for attr in plan.output}

    def column(attr: Attr) -> Attr | Alias:
        if attr.id == mark.id:
            return Alias(Literal(place, t.INT), "set")
        return there.get(attr.id) or Alias(Literal(None, attr.kind), attr.name)

    return l.Project(plan, tuple(map(column, attrs)), site=plan.site)


def _known(
    value: Alias,
    plain: Sequence[Alias],
    states: Sequence[tuple[Attr, ...]],
    shop: Workshop,
) -> tuple[Attr, ...]:
    """The columns of a value's states: those that the rows have, or new ones."""
    for other, known in zip(plain, states, strict=True):
        if other is value:
            return known
    return states_of(value, shop)
