"""Plans for tests of rules, and plans as short text."""

from __future__ import annotations

from typing import Any

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Expr, Literal, Name, Order
from planner.columns.functions import loaded
from planner.columns.typing import Scope, bind
from planner.query import logical as l
from planner.query.analysis import requests
from planner.query.analysis.naming import text_of

assert loaded.MODULES  # the functions are registered by importing them
_KINDS = {bool: t.BOOLEAN, int: t.INT, float: t.DOUBLE, str: t.STRING}


def scan(name: str, rows: int = 1000, **columns: t.DataType) -> l.Scan:
    """A file's columns; without any: k and v, with the table's name before them."""
    kinds = columns or {f"{name}_k": t.INT, f"{name}_v": t.INT}
    attrs = tuple(Attr(column, kind) for column, kind in kinds.items())
    return l.Scan("parquet", attrs, (l.FileSlice(name, rows, rows * 8),), label=f"{name} ")


def expr(value: Any) -> Expr:
    if isinstance(value, Expr):
        return value
    return Name((value,)) if isinstance(value, str) else lit(value)


def lit(value: Any) -> Expr:
    return Literal(value, _KINDS[type(value)])


def call(name: str, *args: Any) -> Call:
    return Call(name, tuple(map(expr, args)))


def both(*parts: Expr) -> Expr:
    found = parts[0]
    for part in parts[1:]:
        found = Call("and", (found, part))
    return found


def scope(*plans: l.Plan) -> Scope:
    return Scope(tuple(attr for plan in plans for attr in plan.output))


def where(plan: l.Plan, condition: Expr) -> l.Plan:
    return requests.where(plan, condition, scope(plan))


def select(plan: l.Plan, *columns: Any) -> l.Plan:
    return requests.select(plan, [expr(column) for column in columns], scope(plan))


def group(plan: l.Plan, key: str, value: Expr) -> l.Aggregate:
    names = scope(plan)
    bound = bind(expr(key), names)
    assert isinstance(bound, Attr)
    return l.Aggregate(plan, (bound,), (Alias(bind(value, names), "value"),))


def order(plan: l.Plan, key: str) -> l.Plan:
    return requests.order(plan, [Order(expr(key))], scope(plan))


def join(left: l.Plan, right: l.Plan, condition: Expr | None = None, kind: str = "inner") -> l.Join:
    bound = None if condition is None else bind(condition, scope(left, right))
    return l.Join(left, right, kind, bound)


def named(value: Any, name: str) -> Alias:
    return Alias(expr(value), name)


def shown(plan: l.Plan) -> str:
    """A plan in one line: Filter[…](Scan[…])."""
    inside = ", ".join(map(shown, plan.children))
    return f"{type(plan).__name__}{_own(plan)}" + (f"({inside})" if inside else "")


def _own(plan: l.Plan) -> str:
    match plan:
        case l.Scan():
            filters = "".join(f" ? {text_of(each)}" for each in plan.filters)
            return f"[{' '.join(attr.name for attr in plan.attrs)}{filters}]"
        case l.Project():
            return f"[{', '.join(map(text_of, plan.columns))}]"
        case l.Filter():
            return f"[{text_of(plan.condition)}]"
        case l.Join():
            return f"[{plan.kind}{': ' + text_of(plan.condition) if plan.condition else ''}]"
        case l.Aggregate():
            return f"[{', '.join(map(text_of, (*plan.groups, *plan.values)))}]"
        case l.Limit():
            return f"[{plan.count} after {plan.offset}]"
    return ""
