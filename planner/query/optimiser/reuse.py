"""Plans that compute the same of a large table become one, which is computed once.

    big ─ filter ─┐                       big ─ filter ─┬─┐
    big ─ filter ─┴ join      becomes                   └─┴ join

It is not worth it for rows that are only read: to read them twice costs less than to keep them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from planner.columns.expressions import Alias
from planner.query import logical as l
from planner.query.fingerprint import fingerprints
from planner.query.optimiser.shapes import only_reads, steady
from planner.query.statistics import Sizes

_LARGE = 10_000  # rows


def reuse(plan: l.Plan) -> l.Plan:
    """The plan with equal parts made one."""
    sizes = Sizes()
    if not _reads_twice(plan, sizes):
        return plan
    texts = fingerprints(plan)
    plain = only_reads(l.children_first(plan))
    other: set[l.Plan] = set()  # nodes whose rows are others each time
    first: dict[str, l.Plan] = {}
    done: dict[l.Plan, l.Plan] = {}
    for node in l.children_first(plan):
        old = node.children
        new = node.with_children(tuple([done[child] for child in old])) if old else node
        if not all(map(steady, node.expressions)) or not other.isdisjoint(old):
            other.add(node)
        elif not isinstance(node, l.Hint | l.Known) and node not in plain:
            again = first.setdefault(texts[id(node)], new)
            if again is not new:
                new = _renamed(again, node)
        done[node] = new
    return done[plan]


def _reads_twice(plan: l.Plan, sizes: Sizes) -> bool:
    """Whether something large is read in two places."""
    leaves = [c for n in l.children_first(plan) for c in n.children if not c.children]
    times = Counter(map(_source, leaves))
    return any(times[_source(leaf)] > 1 and sizes.rows(leaf) >= _LARGE for leaf in leaves)


def _source(leaf: l.Plan) -> Any:
    if isinstance(leaf, l.Scan) and leaf.slices:
        return leaf.slices[0], len(leaf.slices)
    return id(leaf)


def _renamed(plan: l.Plan, old: l.Plan) -> l.Plan:
    """A plan with the columns of another one that computes the same."""
    if plan.output == old.output:
        return plan
    columns = [
        mine if mine == other else Alias(mine, other.name, other.id, other.metadata)
        for mine, other in zip(plan.output, old.output, strict=True)
    ]
    return l.Project(plan, tuple(columns), site=old.site)
