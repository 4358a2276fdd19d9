"""Windows of time and sessions in a request: columns made below it, before anything else.

A row whose time is NULL is in no window, so it goes. Windows that slide overlap: a row is there
once for each that it is in. A session is known when all rows of a group are: those that are no
further apart than their gaps are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planner.columns import types as t
from planner.columns.conditions import is_not_null
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Expr,
    Frame,
    Literal,
    Order,
    Over,
    calls_in,
    rewrite,
    walk,
)
from planner.columns.typing import AnalysisError, Scope, bind
from planner.query import logical as l

SESSION = "session_window"
NAMES = ("window", SESSION)
_UP_TO_HERE = Frame("rows", None, 0)
_BEFORE = Frame("rows", None, -1)

Change = Callable[[Expr], Expr]


def has_time_window(exprs: Sequence[Expr]) -> bool:
    """Whether a window of time or a session is asked for."""
    return any(
        isinstance(each, Call) and each.name in NAMES
        for expr in exprs
        if not calls_in(expr).isdisjoint(NAMES)
        for each in walk(expr)
    )


def in_time(
    plan: l.Plan, exprs: Sequence[Expr], groups: Sequence[Expr], scope: Scope
) -> tuple[l.Plan, Change]:
    """The plan with the window that typed expressions ask for as a further column, and what puts
    that column into the expressions. Sessions are those of the rows of `groups`.

    Raises AnalysisError for more than one window.
    """
    calls = {
        each: None
        for expr in exprs
        for each in walk(expr)
        if isinstance(each, Call) and each.name in NAMES
    }
    if len(calls) > 1:
        raise AnalysisError(
            "several windows of time in one query would make a row of each pair of them: group by "
            "one, and then by the other",
            "_LEGACY_ERROR_TEMP_1039",
        )
    (call,) = calls
    if call.name != SESSION:
        plan, attr = _window(plan, call)
    else:
        others = [_bare(each) for each in groups if call not in walk(each)]
        together = len(others) < len(groups)
        plan, attr = _session(plan, call, others if together else None, scope)
    return plan, lambda expr: rewrite(expr, lambda each: attr if each == call else each)


def _bare(expr: Expr) -> Expr:
    return expr.child if isinstance(expr, Alias) else expr


def _window(plan: l.Plan, call: Call) -> tuple[l.Plan, Attr]:
    time, size, slide, _ = call.args
    assert isinstance(size, Literal) and isinstance(slide, Literal)
    if time.nullable:
        plan = l.Filter(plan, is_not_null(time))
    if size.value == slide.value:
        made = Alias(call, call.name)
        return l.Project(plan, (*plan.output, made)), made.attr
    attr = Attr(call.name, call.type)
    several = [
        Call("window", (*call.args, Literal(back, t.LONG)), kind=call.kind, null=True)
        for back in range(-(-size.value // slide.value))
    ]
    rows = tuple((*plan.output, each) for each in several)
    return l.Filter(l.Expand(plan, rows, (*plan.output, attr)), is_not_null(attr)), attr


def _session(
    plan: l.Plan, call: Call, keys: Sequence[Expr] | None, scope: Scope
) -> tuple[l.Plan, Attr]:
    """The session of each row: its own if `keys` is None, else that of all rows of its keys that
    touch."""
    own = Alias(call, SESSION)
    plan = l.Project(plan, (*plan.output, own))

    def made(name: str, *args: Expr) -> Expr:
        return bind(Call(name, args), scope, check=False)

    def part(of: Attr, name: str) -> Expr:
        return made("get_item", of, Literal(name, t.STRING))

    start, end = Alias(part(own.attr, "start"), "start"), Alias(part(own.attr, "end"), "end")
    kept = plan.output[:-1]
    plan = l.Project(plan, (*plan.output, start, end))
    plan = l.Filter(plan, made("<", start.attr, end.attr))  # which is not so of NULLs either
    if keys is None:
        return plan, own.attr
    order = (Order(start.attr),)
    latest = Alias(Over(made("max", end.attr), tuple(keys), order, _BEFORE), "latest")
    plan = l.Window(plan, (latest,))
    one, none = Literal(1, t.INT), Literal(0, t.INT)
    joins = made("<=", start.attr, latest.attr)
    first = Alias(made("case_when", joins, none, one), "first")
    plan = l.Project(plan, (*plan.output, first))
    number = Alias(Over(made("sum", first.attr), tuple(keys), order, _UP_TO_HERE), "number")
    plan = l.Window(plan, (number,))
    group, every = (*keys, number.attr), Frame("rows", None, None)
    begin = Alias(Over(made("min", start.attr), group, (), every), "begin")
    last = Alias(Over(made("max", end.attr), group, (), every), "last")
    plan = l.Window(plan, (begin, last))
    names = [Literal("start", t.STRING), Literal("end", t.STRING)]
    found = Alias(made("named_struct", names[0], begin.attr, names[1], last.attr), SESSION)
    return l.Project(plan, (*kept, found)), found.attr
