"""A subquery computed for every distinct combination of the outer values that it uses.

`depending` adds those values to each node as columns ("domain"): a node that used one as `Outer`
uses the column instead, groups and partitions get it as a further key, joins of two sides that both
have it compare it. This works for every subquery, at the price of computing the outer plan twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.columns import types as t
from planner.columns.conditions import conjunction, conjuncts, same
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Expr,
    Frame,
    Literal,
    Outer,
    Over,
    rewrite,
    walk,
)
from planner.query import logical as l

Columns = tuple[Attr, ...]


def depending(
    plan: l.Plan, around: l.Plan, outer: Sequence[Attr]
) -> tuple[l.Plan, tuple[Expr, ...]]:
    """The plan's rows for every distinct combination of `outer` in `around`, and the conditions
    that pair them with the rows of `around`."""
    domain = _Domain(l.Distinct(l.Project(around, tuple(outer))), tuple(outer))
    made, columns = domain.of(plan)
    return made, tuple(same(a, b) for a, b in zip(outer, columns, strict=True))


@dataclass(frozen=True, eq=False)
class _Domain:
    """The combinations of outer values."""

    rows: l.Plan
    outer: Columns

    def fresh(self) -> tuple[l.Plan, Columns]:
        """The combinations, as columns of their own."""
        made = l.renewed(self.rows)
        return made, made.output

    def inside(self, expr: Expr, columns: Columns) -> Expr:
        """An expression with the domain's columns in the place of `Outer`s."""
        values = dict(zip(self.outer, columns, strict=True))

        def change(each: Expr) -> Expr:
            return values.get(each.attr, each) if isinstance(each, Outer) else each

        return rewrite(expr, change)

    def used(self, plan: l.Plan) -> bool:
        """Whether a plan depends on outer values."""
        own = set(self.outer)
        return any(
            isinstance(each, Outer) and each.attr in own
            for node in l.walk(plan)
            for expr in node.expressions
            for each in walk(expr)
        )

    def of(self, plan: l.Plan) -> tuple[l.Plan, Columns]:
        """The plan for all combinations, and which columns of it they are."""
        if not self.used(plan):
            rows, columns = self.fresh()
            return l.Join(rows, plan, "cross"), columns
        match plan:
            case l.Project():
                child, columns = self.of(plan.child)
                own = tuple(self._column(each, columns) for each in plan.columns)
                return l.Project(child, (*own, *columns)), columns
            case l.Aggregate():
                return self._aggregate(plan)
            case l.Distinct():
                child, columns = self.of(plan.child)
                return l.Distinct(child, (*plan.keys, *columns) if plan.keys else ()), columns
            case l.Window():
                child, columns = self.of(plan.child)
                values = tuple(self._windowed(each, columns) for each in plan.values)
                return l.Window(child, values), columns
            case l.Limit():
                return self._limit(plan)
            case l.Join():
                return self._join(plan)
            case l.Union():
                return self._union(plan)
            case l.SetOp():
                left, of_left = self._in_order(plan.left)
                right, _ = self._in_order(plan.right)
                return replace(plan, left=left, right=right), of_left
            case l.Expand():
                child, columns = self.of(plan.child)
                every = tuple(
                    (*(self.inside(each, columns) for each in row), *columns)
                    for row in plan.projections
                )
                copies = tuple(replace(c, id=Attr(c.name, c.kind).id) for c in columns)
                return l.Expand(child, every, (*plan.attrs, *copies)), copies
            case l.Known():
                child, columns = self.of(plan.child)
                return l.Known(child, plan.qualifier), columns
            case l.Filter() | l.Sort() | l.Hint() | l.Generate() | l.Sample() | l.Repartition():
                child, columns = self.of(plan.child)
                expressions = tuple(self.inside(each, columns) for each in plan.expressions)
                return plan.with_children((child,)).with_expressions(expressions), columns
        raise NotImplementedError(
            f"a subquery that uses columns of the query around it below {type(plan).__name__}"
        )

    def _column(self, each: Attr | Alias, columns: Columns) -> Attr | Alias:
        if isinstance(each, Attr):
            return each
        return replace(each, child=self.inside(each.child, columns))

    def _windowed(self, value: Alias, columns: Columns) -> Alias:
        over = self.inside(value.child, columns)
        assert isinstance(over, Over)
        return replace(value, child=replace(over, partition=(*over.partition, *columns)))

    def _aggregate(self, plan: l.Aggregate) -> tuple[l.Plan, Columns]:
        child, columns = self.of(plan.child)
        values = tuple(replace(v, child=self.inside(v.child, columns)) for v in plan.values)
        if plan.groups:
            return l.Aggregate(child, (*plan.groups, *columns), values), columns
        # Combinations without rows have a row here: NULLs, and counts of 0.
        inner = tuple(replace(v, id=Attr(v.name, v.type).id) for v in values)
        found = l.Aggregate(child, columns, inner)
        rows, own = self.fresh()
        pairs = conjunction([same(a, b) for a, b in zip(own, columns, strict=True)])
        joined = l.Join(rows, found, "left", pairs)
        shown = tuple(
            Alias(_of_nothing(old), new.name, new.id)
            for old, new in zip(inner, values, strict=True)
        )
        return l.Project(joined, (*shown, *own)), own

    def _limit(self, plan: l.Limit) -> tuple[l.Plan, Columns]:
        """The first rows of each combination, by their number in the order of the sort below."""
        if isinstance(plan.child, l.Project | l.Known):  # the order may be by what they drop
            inner = replace(plan, child=plan.child.child)
            return self.of(plan.child.with_children((inner,)))
        child, columns = self.of(plan.child)
        order = child.order if isinstance(child, l.Sort) else ()
        frame = Frame("rows", None, 0)
        number = Call("row_number", (), kind=t.INT, null=False)
        place = Alias(Over(number, columns, order, frame), "place")
        numbered = l.Window(child, (place,))
        parts: list[Expr] = [_compared(">", place.attr, plan.offset)]
        if plan.count is not None:
            parts.append(_compared("<=", place.attr, plan.offset + plan.count))
        kept = l.Filter(numbered, conjunction(parts))
        return l.Project(kept, child.output), columns

    def _join(self, plan: l.Join) -> tuple[l.Plan, Columns]:
        of_left, of_right = self.used(plan.left), self.used(plan.right)
        parts = conjuncts(plan.condition)
        tied = any(isinstance(e, Outer) and e.attr in self.outer for p in parts for e in walk(p))
        from_right = plan.kind in ("right",)
        both = (
            (of_left and of_right)
            or plan.kind == "full"
            or (plan.kind not in ("inner", "cross") and (of_left if from_right else of_right))
        )
        if both:
            left, on_left = self.of(plan.left)
            right, on_right = self.of(plan.right)
            parts += [same(a, b) for a, b in zip(on_left, on_right, strict=True)]
            columns = on_right if from_right else on_left
        elif from_right or (of_right and not of_left):
            left, (right, columns) = plan.left, self.of(plan.right)
        else:
            (left, columns), right = self.of(plan.left), plan.right
        if tied:
            parts = [self.inside(part, columns) for part in parts]
        kind = "inner" if plan.kind == "cross" and parts else plan.kind
        if kind == "null-aware anti" and both:
            raise NotImplementedError("NOT IN over a subquery that uses columns from further out")
        made = l.Join(left, right, kind, conjunction(parts) if parts else None)
        if kind != "full":
            return made, columns
        merged = tuple(
            Alias(Call("coalesce", (a, b), kind=a.kind, null=a.null and b.null), a.name)
            for a, b in zip(on_left, on_right, strict=True)
        )
        return l.Project(made, (*made.output, *merged)), tuple(each.attr for each in merged)

    def _in_order(self, plan: l.Plan) -> tuple[l.Plan, Columns]:
        """The plan's own columns by position, then the domain's."""
        made, columns = self.of(plan)
        return l.Project(made, (*plan.output, *columns)), columns

    def _union(self, plan: l.Union) -> tuple[l.Plan, Columns]:
        sides = [self._in_order(side)[0] for side in plan.sides]
        columns = tuple(replace(a, id=Attr(a.name, a.kind).id) for a in self.outer)
        return l.Union(tuple(sides), (*plan.attrs, *columns)), columns


def _compared(sign: str, attr: Attr, number: int) -> Expr:
    return Call(sign, (attr, Literal(number, t.INT)), kind=t.BOOLEAN, null=False)


COUNTS = ("count", "count_if", "approx_count_distinct", "regr_count")
"""Aggregates that are 0 of no rows."""


def counts(value: Alias) -> bool:
    """Whether an aggregate is 0 of no rows."""
    return isinstance(value.child, Call) and value.child.name in COUNTS


def _of_nothing(value: Alias) -> Expr:
    """An aggregate's value after a left join with the groups that there are."""
    attr = replace(value.attr, null=True)
    if value.child.nullable:
        return attr
    if counts(value):
        return zero(attr)
    if isinstance(value.type, t.ArrayType):
        return Call("coalesce", (attr, Literal([], value.type)), kind=value.type, null=False)
    raise NotImplementedError(f"{value.name} in a subquery that uses columns of the query around")


def zero(attr: Attr) -> Expr:
    """A count as it is after a left join: 0 where there was nothing to count."""
    from_join = replace(attr, null=True)
    return Call("coalesce", (from_join, Literal(0, attr.kind)), kind=attr.kind, null=False)
