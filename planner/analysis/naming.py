"""An expression as text: the name of a column that was given none, and in messages."""

from __future__ import annotations

from planner.expressions import (
    Alias,
    Attr,
    Call,
    Cast,
    Expr,
    InQuery,
    Lambda,
    Literal,
    Name,
    Order,
    Outer,
    Over,
    PythonCall,
    Star,
    Variable,
)

_BETWEEN = {"+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "<=>", "and", "or", "||"}


def text_of(expr: Expr) -> str:
    """The expression as PySpark names a column of it.

    >>> from planner import types as t
    >>> text_of(Call("+", (Name(("a",)), Literal(1, t.INT))))
    '(a + 1)'
    """
    match expr:
        case Name(parts):
            return ".".join(parts)
        case Star(qualifier):
            return ".".join((*qualifier, "*"))
        case Attr() | Variable():
            return expr.name
        case Outer(attr):
            return f"outer({attr.name})"
        case Literal(value):
            return "NULL" if value is None else _value(value)
        case Alias(child, name):
            return f"{text_of(child)} AS {name}"
        case Cast(child, kind, mode):
            if mode == "implied":
                return text_of(child)
            return f"CAST({text_of(child)} AS {kind.simpleString().upper()})"
        case Order(child):
            way = "ASC" if expr.ascending else "DESC"
            return f"{text_of(child)} {way} NULLS {'FIRST' if expr.nulls_lead else 'LAST'}"
        case Over():
            return f"{text_of(expr.call)} OVER ({_window(expr)})"
        case Lambda(params, body):
            names = ", ".join(param.name for param in params)
            return f"lambdafunction({text_of(body)}, {names})"
        case PythonCall():
            return f"{expr.name}({', '.join(map(text_of, expr.args))})"
        case InQuery(_, values):
            return f"({', '.join(map(text_of, values))} IN (query))"
        case Call():
            return _call(expr)
    return type(expr).__name__.lower()


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _call(call: Call) -> str:
    args = [text_of(arg) for arg in call.args]
    if call.name in _BETWEEN and len(args) == 2:
        word = call.name.upper() if call.name in ("and", "or") else call.name
        text = f"({args[0]} {word} {args[1]})"
        return f"(NOT ({args[0]} = {args[1]}))" if call.name == "!=" else text
    match call.name:
        case "not":
            return f"(NOT {args[0]})"
        case "negative":
            return f"(- {args[0]})"
        case "isnull":
            return f"({args[0]} IS NULL)"
        case "isnotnull":
            return f"({args[0]} IS NOT NULL)"
        case "in":
            return f"({args[0]} IN ({', '.join(args[1:])}))"
        case "case_when":
            return _case(args)
        case "get_item":
            field = isinstance(call.args[1], Literal) and isinstance(call.args[1].value, str)
            return f"{args[0]}.{args[1]}" if field else f"{args[0]}[{args[1]}]"
    distinct = "DISTINCT " if call.distinct else ""
    text = f"{call.name}({distinct}{', '.join(args)})"
    return text if call.where is None else f"{text} FILTER (WHERE {text_of(call.where)})"


def _case(args: list[str]) -> str:
    parts = [f"WHEN {args[at]} THEN {args[at + 1]}" for at in range(0, len(args) - 1, 2)]
    if len(args) % 2:
        parts.append(f"ELSE {args[-1]}")
    return f"CASE {' '.join(parts)} END"


def _window(over: Over) -> str:
    parts = []
    if over.partition:
        parts.append(f"PARTITION BY {', '.join(map(text_of, over.partition))}")
    if over.order:
        parts.append(f"ORDER BY {', '.join(map(text_of, over.order))}")
    if over.frame is not None:
        frame = over.frame
        parts.append(
            f"{frame.unit.upper()} BETWEEN {_bound(frame.start, 'PRECEDING')} "
            f"AND {_bound(frame.end, 'FOLLOWING')}"
        )
    return " ".join(parts)


def _bound(value: object, side: str) -> str:
    if value is None:
        return f"UNBOUNDED {side}"
    if value == 0:
        return "CURRENT ROW"
    return f"{value} FOLLOWING"
