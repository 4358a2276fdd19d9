"""An expression as `repr` of a Column shows it: functions by name, operators like functions."""

from __future__ import annotations

from typing import Any

from planner.columns.expressions import (
    Alias,
    Aliases,
    Attr,
    Call,
    Cast,
    Expr,
    Frame,
    Lambda,
    Literal,
    Name,
    Order,
    Over,
    PythonCall,
    Star,
    Variable,
)

_NAMES = {"not": "!", "isnull": "isNull", "isnotnull": "isNotNull", "rlike": "RLIKE"}


def shown(expr: Expr) -> str:
    """The text of an expression.

    >>> shown(Call("+", (Name(("a",)), Name(("b",)))))
    '+(a, b)'
    """
    match expr:
        case Name(parts):
            return ".".join(parts)
        case Star(qualifier):
            return ".".join((*qualifier, "*"))
        case Attr() | Variable():
            return expr.name
        case Literal(value):
            return _constant(value)
        case Alias(child, name):
            return f"{shown(child)} AS {name}"
        case Aliases(child, names):
            return f"{shown(child)} AS ({', '.join(names)})"
        case Cast(child, kind, mode):
            word = "TRY_CAST" if mode == "try" else "CAST"
            return f"{word}({shown(child)} AS {kind.simpleString().upper()})"
        case Order(child):
            way = "ASC" if expr.ascending else "DESC"
            return f"{shown(child)} {way} NULLS {'FIRST' if expr.nulls_lead else 'LAST'}"
        case Over():
            return f"{shown(expr.call)} OVER ({_window(expr)})"
        case Lambda(params, body):
            return f"lambdafunction({', '.join([shown(body), *(p.name for p in params)])})"
        case PythonCall():
            return f"{expr.name}({', '.join(map(shown, expr.args))})"
        case Call():
            return _call(expr)
    return type(expr).__name__.lower()


def _constant(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)


def _call(call: Call) -> str:
    args = [shown(arg) for arg in call.args]
    match call.name:
        case "!=":
            return f"!(=({', '.join(args)}))"
        case "get_item":
            return f"{args[0]}[{args[1]}]"
        case "case_when":
            pairs = [f"WHEN {args[at]} THEN {args[at + 1]}" for at in range(0, len(args) - 1, 2)]
            rest = [f"ELSE {args[-1]}"] if len(args) % 2 else []
            return f"CASE {' '.join([*pairs, *rest])} END"
    return f"{_NAMES.get(call.name, call.name)}({', '.join(args)})"


def _window(over: Over) -> str:
    parts = []
    if over.partition:
        parts.append(f"PARTITION BY {', '.join(map(shown, over.partition))}")
    if over.order:
        parts.append(f"ORDER BY {', '.join(map(shown, over.order))}")
    if over.frame is not None:
        parts.append(_frame(over.frame))
    return " ".join(parts)


def _frame(frame: Frame) -> str:
    start, end = (
        _bound(each, side) for each, side in ((frame.start, "PRECEDING"), (frame.end, "FOLLOWING"))
    )
    return f"{frame.unit.upper()} BETWEEN {start} AND {end}"


def _bound(value: Any, side: str) -> str:
    if value is None:
        return f"UNBOUNDED {side}"
    if value == 0:
        return "CURRENT ROW"
    return f"{abs(value)} {'PRECEDING' if value < 0 else 'FOLLOWING'}"
