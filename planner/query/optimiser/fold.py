"""What is made of constants alone is computed once, and logic with a known part is made shorter."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_

from planner.columns import types as t
from planner.columns.expressions import Attr, Call, Cast, Expr, Literal, calls_in, holds, rewrite
from planner.columns.functions.registry import Settings
from planner.columns.typing import constant
from planner.query import logical as l
from planner.query.optimiser.shapes import simple, steady

TRUE, FALSE = Literal(True, t.BOOLEAN), Literal(False, t.BOOLEAN)


def folding(settings: Settings) -> Callable[[l.Plan], l.Plan]:
    """The rule, for these settings."""

    def fold(plan: l.Plan) -> l.Plan:
        """The plan with constant parts of expressions computed."""
        return l.bottom_up(plan, lambda node: _in_node(node, settings))

    return fold


def _in_node(node: l.Plan, settings: Settings) -> l.Plan:
    if not isinstance(node, l.Filter | l.Project | l.Join):
        return node
    old = node.expressions
    new = tuple([rewrite(e, lambda x: _folded(x, settings)) if _may_fold(e) else e for e in old])
    if all(map(is_, old, new)):
        return node
    return node.with_expressions(new)


def _may_fold(expr: Expr) -> bool:
    """Whether there is a constant in it, or a NOT."""
    return not isinstance(expr, Attr) and (holds(expr, Literal) or "not" in calls_in(expr))


def _folded(expr: Expr, settings: Settings) -> Expr:
    if isinstance(expr, Call):
        shorter = _logic(expr)
        if shorter is not expr:
            return shorter
    if not isinstance(expr, Call | Cast) or not expr.children:
        return expr
    if not all(isinstance(child, Literal) for child in expr.children):
        return expr
    if not (steady(expr) and simple(expr)):
        return expr
    return constant(expr, settings) or expr


def _logic(expr: Call) -> Expr:
    """AND, OR and NOT with a part that is known."""
    match expr.name, expr.args:
        case "and", (a, b):
            if FALSE in (a, b):
                return FALSE
            return b if a == TRUE else a if b == TRUE else expr
        case "or", (a, b):
            if TRUE in (a, b):
                return TRUE
            return b if a == FALSE else a if b == FALSE else expr
        case "not", (Call(name="not", args=(inner,)),):
            return inner
        case "not", (Literal(value=bool(value)),):
            return FALSE if value else TRUE
    return expr
