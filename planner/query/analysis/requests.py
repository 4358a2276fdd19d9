"""What users ask of a plan, as the next plan: select, where, group, join, order.

DataFrames and SQL both come through here, so that both mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.columns import types as t
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Cast,
    Expr,
    Name,
    Order,
    Over,
    Star,
    attributes,
    holds,
    rewrite,
    walk,
)
from planner.columns.functions.registry import Grouping, Settings, find
from planner.columns.typing import AnalysisError, Scope, aggregates, bind, is_aggregate, kind_of
from planner.query import logical as l
from planner.query.analysis.filenames import NAMES as OF_FILES
from planner.query.analysis.filenames import asks_for_files, with_files
from planner.query.analysis.generators import refuse, taken_out
from planner.query.analysis.naming import text_of
from planner.query.analysis.subqueries import filtered, with_queries
from planner.query.analysis.timewindows import NAMES as OF_TIME
from planner.query.analysis.timewindows import has_time_window, in_time
from planner.query.analysis.windows import with_frames, with_windows

_USUAL = Settings()
NEED_COLUMNS = frozenset((*OF_FILES, *OF_TIME))  # calls that become columns below a request


def scope_of(plan: l.Plan, settings: Settings, outer: Scope | None = None) -> Scope:
    """The names that a plan's columns give."""
    return Scope(plan.output, settings, outer)


def named(expr: Expr) -> Attr | Alias:
    """A typed expression as an output column, with the name that PySpark gives it."""
    if isinstance(expr, Attr | Alias):
        return expr
    inner = expr.child if isinstance(expr, Cast) else expr
    if isinstance(expr, Cast) and isinstance(inner, Attr):
        return Alias(expr, inner.name)
    return Alias(expr, text_of(with_frames(expr)))


def spread(exprs: Sequence[Expr], scope: Scope) -> list[Expr]:
    """The expressions with stars replaced by columns, as arguments too; count(*) stays."""
    found: list[Expr] = []
    for expr in exprs:
        if isinstance(expr, Star):
            found += star(expr, scope)
        else:
            found.append(rewrite(expr, lambda each: _spread_args(each, scope)))
    return found


def _spread_args(expr: Expr, scope: Scope) -> Expr:
    if not isinstance(expr, Call) or not any(isinstance(arg, Star) for arg in expr.args):
        return expr
    if expr.name.lower() == "count" and expr.args == (Star(),) and not expr.distinct:
        return expr
    args = [each for arg in expr.args for each in spread([arg], scope)]
    return replace(expr, args=tuple(args))


def item(expr: Expr, scope: Scope) -> Expr:
    """One thing selected, typed; a column has its name as it is written there, and a part of one
    that a name with dots finds the last of these."""
    bound = bind(expr, scope)
    if isinstance(expr, Name) and getattr(bound, "name", None) != expr.parts[-1]:
        return Alias(bound, expr.parts[-1])
    return bound


def star(expr: Star, scope: Scope) -> list[Expr]:
    """The columns that a star stands for."""
    if not expr.qualifier:
        return list(scope.attrs)
    of_table = scope.qualified(expr.qualifier, scope.attrs)
    if of_table:
        return list(of_table)
    struct = bind(Name(expr.qualifier), scope, check=False)
    if not isinstance(struct.type, t.StructType):
        raise AnalysisError(
            f"{'.'.join(expr.qualifier)}.*: that is no table and no struct", "CANNOT_RESOLVE_STAR"
        )
    return [
        bind(Alias(Name((*expr.qualifier, field.name)), field.name), scope, check=False)
        for field in struct.type.fields
    ]


def select(plan: l.Plan, exprs: Sequence[Expr], scope: Scope) -> l.Plan:
    """The plan's rows with other columns. Aggregates without groups make one row."""
    return query(plan, Request([item(expr, scope) for expr in spread(exprs, scope)]), scope)


def projected(plan: l.Plan, bound: Sequence[Expr], settings: Settings = _USUAL) -> l.Plan:
    """Typed expressions as columns; subqueries and windows are computed first, below."""
    return query(plan, Request(bound), Scope(plan.output, settings))


@dataclass(frozen=True)
class Request:
    """What is asked of rows at once, all of it typed over their columns: the columns wanted, and
    for a SELECT its other clauses. `groups` None means that there is no GROUP BY."""

    items: Sequence[Expr]
    groups: Sequence[Expr] | None = None
    having: Expr | None = None
    qualify: Expr | None = None
    order: Sequence[Order] = ()
    distinct: bool = False


def query(plan: l.Plan, asked: Request, scope: Scope) -> l.Plan:
    """The rows that a request asks for, with its items as columns."""
    settings = scope.settings
    plan, asked = _below(plan, asked, scope)
    taken = taken_out(asked.items, asked.order)
    if taken is not None:
        below = query(plan, replace(asked, items=taken.items, order=(), distinct=False), scope)
        return ordered(taken.above(below), taken.columns, taken.order, asked.distinct)
    items = [named(each) for each in asked.items]
    filters = [each for each in (asked.having, asked.qualify) if each is not None]
    exprs: list[Expr] = [*items, *filters, *(key.child for key in asked.order)]
    for expr in exprs:
        _refuse_alone(expr)
    if asked.groups is not None or any(map(is_aggregate, exprs)):
        plan, exprs = grouped(plan, asked.groups or (), exprs, scope)
    elif asked.having is not None:
        plan, exprs = grouped(plan, (), exprs, scope)
    if asked.having is not None:
        plan = filtered(plan, exprs.pop(len(items)), settings)
    plan, exprs = with_queries(plan, exprs, settings)
    plan, exprs = with_windows(plan, exprs)
    if asked.qualify is not None:
        plan = l.Filter(plan, exprs.pop(len(items)))
    columns = [_named_as(item, expr) for item, expr in zip(items, exprs[: len(items)], strict=True)]
    keys = [
        replace(key, child=expr) for key, expr in zip(asked.order, exprs[len(items) :], strict=True)
    ]
    return ordered(plan, columns, keys, asked.distinct)


def _below(plan: l.Plan, asked: Request, scope: Scope) -> tuple[l.Plan, Request]:
    """A request whose windows of time and names of files are columns of the plan."""
    if asks_for_files(_exprs(asked)):
        plan, change = with_files(plan)
        asked = _changed(asked, change)
    if has_time_window(_exprs(asked)):
        plan, change = in_time(plan, _exprs(asked), asked.groups or (), scope)
        asked = _changed(asked, change)
    return plan, asked


def _exprs(asked: Request) -> list[Expr]:
    filters = [each for each in (asked.having, asked.qualify) if each is not None]
    return [*asked.items, *(asked.groups or ()), *filters, *(key.child for key in asked.order)]


def _changed(asked: Request, change: Callable[[Expr], Expr]) -> Request:
    def named_as(item: Expr) -> Expr:
        new = change(item)
        return new if new is item or isinstance(new, Alias) else Alias(new, named(item).name)

    return replace(
        asked,
        items=list(map(named_as, asked.items)),
        groups=None if asked.groups is None else list(map(change, asked.groups)),
        having=None if asked.having is None else change(asked.having),
        qualify=None if asked.qualify is None else change(asked.qualify),
        order=[replace(key, child=change(key.child)) for key in asked.order],
    )


def _refuse_alone(expr: Expr) -> None:
    """Functions that only mean something in a window, or with grouping sets."""
    todo = [expr]
    while todo:
        each = todo.pop()
        if isinstance(each, Call) and (kind := kind_of(each)) in ("window", "grouping"):
            window = kind == "window"
            needs = "needs a window: OVER (…)" if window else "goes with rollup, cube and sets"
            raise AnalysisError(
                f"{text_of(each)} {needs}",
                "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE"
                if window
                else "UNSUPPORTED_GROUPING_EXPRESSION",
            )
        own = each.call.children if isinstance(each, Over) else each.children
        todo.extend(own)


def _named_as(item: Attr | Alias, expr: Expr) -> Attr | Alias:
    """What became of an item, still under its name."""
    if isinstance(expr, Alias) or (isinstance(expr, Attr) and isinstance(item, Attr)):
        return expr
    return Alias(expr, item.name)


def _apart(columns: Sequence[Attr | Alias]) -> list[Attr | Alias]:
    """Columns that are asked for twice as two columns."""
    there: set[Attr] = set()
    found: list[Attr | Alias] = []
    for column in columns:
        attr = _attr(column)
        found.append(Alias(_bare(column), attr.name) if attr in there else column)
        there.add(attr)
    return found


def ordered(
    plan: l.Plan, columns: Sequence[Attr | Alias], keys: Sequence[Order], distinct: bool
) -> l.Plan:
    """The columns of a plan, in an order that may use others."""
    columns = _apart(columns)
    by_value = {_bare(column): _attr(column) for column in reversed(columns)}
    shown = {_attr(column) for column in columns}
    hidden: list[Alias | Attr] = []
    found: list[Order] = []
    for key in keys:
        child = _bare(key.child) if isinstance(key.child, Alias) else key.child
        if child in by_value:
            child = by_value[child]
        elif child not in shown and attributes(child):
            if distinct:
                raise AnalysisError(
                    f"{text_of(child)}: rows made distinct can only be ordered by what is selected",
                    "UNRESOLVED_COLUMN.WITH_SUGGESTION",
                )
            place = child if isinstance(child, Attr) else Alias(child, text_of(child))
            hidden.append(place)
            child = _attr(place)
        found.append(replace(key, child=child))
    made: l.Plan = l.Project(plan, (*columns, *dict.fromkeys(hidden)))
    if distinct:
        made = l.Distinct(made)
    if not found:
        return made
    made = l.Sort(made, tuple(found))
    return l.Project(made, tuple(_attr(column) for column in columns)) if hidden else made


def where(plan: l.Plan, wanted: Expr, scope: Scope) -> l.Plan:
    """The rows for which a condition is true."""
    return kept(plan, condition(wanted, scope), scope)


def kept(plan: l.Plan, bound: Expr, scope: Scope) -> l.Plan:
    """The rows for which a typed condition is true."""
    if not needs_columns([bound]):
        return filtered(plan, bound, scope.settings)
    below, asked = _below(plan, Request([bound]), scope)
    (changed,) = map(_bare_alias, asked.items)
    return l.Project(filtered(below, changed, scope.settings), plan.output)


def needs_columns(exprs: Sequence[Expr]) -> bool:
    """Whether expressions ask for what becomes a column below them."""
    return asks_for_files(exprs) or has_time_window(exprs)


def _bare_alias(expr: Expr) -> Expr:
    return expr.child if isinstance(expr, Alias) else expr


def condition(wanted: Expr, scope: Scope) -> Expr:
    """A condition on rows, typed.

    Raises AnalysisError where it is no boolean, or has an aggregate.
    """
    bound = bind(wanted, scope)
    refuse([bound], "a condition")
    if bound.type not in (t.BOOLEAN, t.NULL):
        raise AnalysisError(
            f"a condition must be a boolean, and {text_of(bound)} is {bound.type.simpleString()}",
            "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
        )
    if holds(bound, Over):
        raise AnalysisError(
            f"{text_of(bound)}: a window function cannot be in where; use qualify, or filter what "
            "was selected",
            "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE",
        )
    if is_aggregate(bound):
        raise AnalysisError(
            f"{text_of(bound)}: an aggregate cannot be in where; use having, or filter the result "
            "of groupBy",
            "INVALID_WHERE_CONDITION",
        )
    return bound


def aggregate(
    plan: l.Plan, groups: Sequence[Expr], outputs: Sequence[Expr], scope: Scope
) -> l.Plan:
    """One row a group. `groups` and `outputs` are typed; outputs may use groups and aggregates.

    Raises AnalysisError for an output column that is neither.
    """
    return query(plan, Request(outputs, groups), scope)


def grouped(
    plan: l.Plan, groups: Sequence[Expr], exprs: Sequence[Expr], scope: Scope
) -> tuple[l.Plan, list[Expr]]:
    """The aggregates of typed expressions computed for each group, and the expressions over the
    result.

    Raises AnalysisError where one uses a column that is neither grouped by nor in an aggregate.
    """
    calls: dict[Expr, Alias] = {}
    for expr in exprs:
        for call in aggregates(expr):
            if any(is_aggregate(arg) for arg in call.children):
                raise AnalysisError(
                    f"{text_of(call)}: an aggregate cannot be inside an aggregate",
                    "NESTED_AGGREGATE_FUNCTION",
                )
            calls.setdefault(call, Alias(call, text_of(call)))
    keys = [named(group) for group in groups]
    below, inner = with_queries(plan, [*map(_bare, keys), *calls], scope.settings)
    inside = [_with_child(key, expr) for key, expr in zip(keys, inner, strict=False)]
    values = tuple(
        replace(alias, child=expr)
        for alias, expr in zip(calls.values(), inner[len(keys) :], strict=True)
    )
    more = tuple(dict.fromkeys(key for key in inside if isinstance(key, Alias)))
    if more:
        below = l.Project(below, (*below.output, *more))
    by_value = {_bare(key): _attr(new) for key, new in zip(keys, inside, strict=True)}

    def seen(expr: Expr) -> Expr:
        if expr in by_value:
            return by_value[expr]
        return calls[expr].attr if expr in calls else expr

    found = [_top(expr, seen) for expr in exprs]
    made = l.Aggregate(below, tuple(dict.fromkeys(by_value.values())), values)
    _refuse_others(found, made)
    return made, found


def _with_child(key: Attr | Alias, expr: Expr) -> Attr | Alias:
    return key if isinstance(key, Attr) else replace(key, child=expr)


def _top(expr: Expr, seen: Callable[[Expr], Expr]) -> Expr:
    """`seen` from the top down: a group's expression stands for itself, not for its parts."""
    new = seen(expr)
    if new is not expr:
        return new
    children = tuple(_top(child, seen) for child in expr.children)
    return expr.with_children(children) if children else expr


def _bare(key: Attr | Alias) -> Expr:
    return key.child if isinstance(key, Alias) else key


def _attr(key: Attr | Alias) -> Attr:
    return key.attr if isinstance(key, Alias) else key


def _refuse_others(found: Sequence[Expr], grouped: l.Aggregate) -> None:
    there = set(grouped.output)
    for expr in found:
        for each in walk(expr):
            if isinstance(each, Call) and isinstance(find(each.name), Grouping):
                raise AnalysisError(
                    f"{text_of(each)} goes with rollup, cube and grouping sets",
                    "UNSUPPORTED_GROUPING_EXPRESSION",
                )
            if isinstance(each, Attr) and each not in there:
                raise AnalysisError(
                    f"the column {each.name} is neither grouped by nor in an aggregate; group by "
                    f"it, or take first({each.name})",
                    "MISSING_AGGREGATION" if grouped.groups else "MISSING_GROUP_BY",
                )


def order(plan: l.Plan, keys: Sequence[Expr], scope: Scope, everywhere: bool = True) -> l.Plan:
    """The rows in order."""
    bound = [bind(key, scope) for key in keys]
    refuse(bound, "orderBy")
    for key in filter(is_aggregate, bound):
        raise AnalysisError(
            f"{text_of(key)}: an aggregate of all rows is no order of them; use groupBy, or an "
            "aggregate over a window",
            "UNSUPPORTED_EXPR_FOR_OPERATOR",
        )
    columns = plan.output
    if has_time_window(bound):
        plan, change = in_time(plan, bound, (), scope)
        bound = list(map(change, bound))
    orders = [key if isinstance(key, Order) else Order(key) for key in bound]
    below, children = with_queries(plan, [each.child for each in orders], scope.settings)
    below, children = with_windows(below, children)
    made = tuple(
        replace(each, child=_bare(c) if isinstance(c, Alias) else c)
        for each, c in zip(orders, children, strict=True)
    )
    found: l.Plan = l.Sort(below, made, everywhere)
    return found if below.output == columns else l.Project(found, columns)
