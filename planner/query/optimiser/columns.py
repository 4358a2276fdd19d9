"""Only the columns that somebody needs are read, computed and moved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from planner.columns.expressions import Alias, Attr, attributes
from planner.query import logical as l
from planner.query.optimiser.shapes import parents_first
from planner.query.statistics import row_bytes

Wanted = set[Attr]


def columns(plan: l.Plan) -> l.Plan:
    """The plan without columns that nobody needs."""
    order = parents_first(plan)
    wanted: dict[int, Wanted] = {id(plan): set(plan.output)}
    for node in order:
        for child, needs in zip(node.children, needed(node, wanted[id(node)]), strict=True):
            wanted.setdefault(id(child), set()).update(needs or _narrowest(child))
    done: dict[int, l.Plan] = {}
    for node in reversed(order):
        children = [done[id(child)] for child in node.children]
        done[id(node)] = narrowed(node, children, wanted[id(node)])
    found = done[id(plan)]
    return found if found.output == plan.output else l.Project(found, plan.output, site=plan.site)


def _narrowest(plan: l.Plan) -> Wanted:
    """The column that costs least: a table without any would not say how many rows it has."""
    return {min(plan.output, key=lambda attr: row_bytes((attr,)))} if plan.output else set()


# ---- what a node needs of its children -----------------------------------------------------------


@singledispatch
def needed(node: l.Plan, wanted: Wanted) -> list[Wanted]:
    """The columns of each child that `node` needs to give the `wanted` ones: all, unless known."""
    return [set(child.output) for child in node.children]


@needed.register(l.Filter)
@needed.register(l.Sort)
@needed.register(l.Repartition)
@needed.register(l.Limit)
@needed.register(l.Tail)
@needed.register(l.Sample)
@needed.register(l.Known)
@needed.register(l.Hint)
@needed.register(l.Generate)
def _passing(node: l.One, wanted: Wanted) -> list[Wanted]:
    there = node.child.there
    return [(wanted & there) | (attributes(*node.expressions).keys() & there)]


@needed.register
def _project(node: l.Project, wanted: Wanted) -> list[Wanted]:
    return [set(attributes(*_kept(node, wanted)))]


def _kept(node: l.Project, wanted: Wanted) -> tuple[Attr | Alias, ...]:
    if node.there <= wanted:
        return node.columns
    return tuple([c for c, attr in zip(node.columns, node.output, strict=True) if attr in wanted])


@needed.register
def _aggregate(node: l.Aggregate, wanted: Wanted) -> list[Wanted]:
    return [set(attributes(*node.groups, *_values(node, wanted)))]


def _values(node: l.Aggregate | l.Window, wanted: Wanted) -> tuple[Alias, ...]:
    return tuple(value for value in node.values if value.attr in wanted)


@needed.register
def _window(node: l.Window, wanted: Wanted) -> list[Wanted]:
    return [(wanted & set(node.child.output)) | set(attributes(*_values(node, wanted)))]


@needed.register
def _expand(node: l.Expand, wanted: Wanted) -> list[Wanted]:
    places = _places(node.attrs, wanted)
    return [set(attributes(*(p[at] for p in node.projections for at in places)))]


@needed.register
def _distinct(node: l.Distinct, wanted: Wanted) -> list[Wanted]:
    return [wanted | set(node.keys) if node.keys else set(node.child.output)]


@needed.register
def _join(node: l.Join, wanted: Wanted) -> list[Wanted]:
    used = wanted | set(attributes(*node.expressions))
    return [used & node.left.there, used & node.right.there]


@needed.register
def _union(node: l.Union, wanted: Wanted) -> list[Wanted]:
    places = _places(node.attrs, wanted)
    return [{side.output[at] for at in places} for side in node.sides]


def _places(attrs: Sequence[Attr], wanted: Wanted) -> list[int]:
    return [place for place, attr in enumerate(attrs) if attr in wanted]


# ---- the node without the others -----------------------------------------------------------------


def _over(node: l.Plan, children: Sequence[l.Plan]) -> l.Plan:
    if all(a is b for a, b in zip(children, node.children, strict=True)):
        return node
    return node.with_children(tuple(children))


def _only(plan: l.Plan, wanted: Wanted) -> l.Plan:
    """A child cut down to the columns that are wanted of it, before rows are moved or kept."""
    output = tuple(attr for attr in plan.output if attr in wanted)
    if len(output) == len(plan.output):
        return plan
    if isinstance(plan, l.Project):
        return l.Project(plan.child, _kept(plan, wanted), site=plan.site)
    return l.Project(plan, output, site=plan.site)


@singledispatch
def narrowed(node: l.Plan, children: list[l.Plan], wanted: Wanted) -> l.Plan:
    """`node` over new children, which may have fewer columns; it may have more than are wanted."""
    exact = [
        child if child.output == old.output else l.Project(child, old.output, site=old.site)
        for child, old in zip(children, node.children, strict=True)
    ]
    return _over(node, exact)


@narrowed.register(l.Filter)
@narrowed.register(l.Known)
@narrowed.register(l.Hint)
@narrowed.register(l.Generate)
@narrowed.register(l.Sample)
@narrowed.register(l.Limit)
@narrowed.register(l.Tail)
def _narrow_passing(node: l.One, children: list[l.Plan], wanted: Wanted) -> l.Plan:
    return _over(node, children)


@narrowed.register(l.Sort)
@narrowed.register(l.Repartition)
@narrowed.register(l.Distinct)
@narrowed.register(l.Window)
@narrowed.register(l.Aggregate)
@narrowed.register(l.Join)
def _narrow_moving(node: l.Plan, children: list[l.Plan], wanted: Wanted) -> l.Plan:
    needs = [
        need or _narrowest(child)
        for need, child in zip(needed(node, wanted), node.children, strict=True)
    ]
    if isinstance(node, l.Distinct) and not node.keys:
        return narrowed.dispatch(l.Plan)(node, children, wanted)
    cut = [_only(child, need) for child, need in zip(children, needs, strict=True)]
    found = _over(node, cut)
    if isinstance(found, l.Aggregate | l.Window):
        values = _values(found, wanted)
        if len(values) < len(found.values):
            if not values and isinstance(found, l.Window):
                return found.child
            return found.changed(values=values)
    return found


@narrowed.register
def _narrow_project(node: l.Project, children: list[l.Plan], wanted: Wanted) -> l.Plan:
    kept = _kept(node, wanted)
    if len(kept) == len(node.columns):
        return _over(node, children)
    return l.Project(children[0], kept, site=node.site)


@narrowed.register
def _narrow_scan(node: l.Scan, children: list[l.Plan], wanted: Wanted) -> l.Plan:
    attrs = tuple(attr for attr in node.attrs if attr in wanted)
    return node if len(attrs) == len(node.attrs) else node.changed(attrs=attrs)


@narrowed.register
def _narrow_table(node: l.Table, children: list[l.Plan], wanted: Wanted) -> l.Plan:
    places = _places(node.attrs, wanted)
    if len(places) == len(node.attrs) or not places:
        return node
    return node.changed(attrs=tuple(node.attrs[at] for at in places), data=node.data.select(places))


@narrowed.register
def _narrow_expand(node: l.Expand, children: list[l.Plan], wanted: Wanted) -> l.Plan:
    places = _places(node.attrs, wanted)
    if len(places) == len(node.attrs) or not places:
        return _over(node, children)
    projections = tuple(tuple(p[at] for at in places) for p in node.projections)
    attrs = tuple(node.attrs[at] for at in places)
    return node.changed(child=children[0], projections=projections, attrs=attrs)


@narrowed.register
def _narrow_union(node: l.Union, children: list[l.Plan], wanted: Wanted) -> l.Plan:
    places = _places(node.attrs, wanted)
    outputs = [tuple(side.output[at] for at in places) for side in node.sides]
    sides = tuple(
        child if child.output == output else l.Project(child, output, site=node.site)
        for child, output in zip(children, outputs, strict=True)
    )
    return node.changed(sides=sides, attrs=tuple(node.attrs[at] for at in places))
