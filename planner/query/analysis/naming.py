"""An expression as text: the name of a column that was given none, and in messages."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from planner.columns import types as t
from planner.columns.casts.spans import day_time_text, year_month_text
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Cast,
    ExistsQuery,
    Expr,
    InQuery,
    Lambda,
    Literal,
    Name,
    Order,
    Outer,
    Over,
    PythonCall,
    ScalarQuery,
    Star,
    Untyped,
    Variable,
)
from planner.query.analysis import wordings

_WITHIN = {"percentile_cont", "percentile_disc", "listagg", "string_agg"}
_PICKS = {"first", "last", "first_value", "last_value", "any_value"}
_BETWEEN = {"+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "<=>", "and", "or", "div"}
_BETWEEN |= {"&", "|", "^", "<<", ">>", ">>>"}


def text_of(expr: Expr) -> str:
    """The expression as PySpark names a column of it.

    >>> from planner.columns import types as t
    >>> text_of(Call("+", (Name(("a",)), Literal(1, t.INT))))
    '(a + 1)'
    """
    match expr:
        case Name(parts):
            return ".".join(parts)
        case Star(qualifier):
            return ".".join((*qualifier, "*"))
        case Variable():
            return "namedlambdavariable()"
        case Attr():
            return expr.name
        case Outer(attr):
            return f"outer({attr.name})"
        case Literal(value, kind):
            return "NULL" if value is None else _value(value, kind)
        case Alias(child, name):
            return f"{text_of(child)} AS {name}"
        case Cast(child, kind, mode):
            if mode == "implied" or expr.hidden:
                return text_of(child)
            if mode == "typed":  # TIMESTAMP '…'
                return f"{kind.simpleString().upper()} '{text_of(child)}'"
            word = "TRY_CAST" if mode == "try" else "CAST"
            return f"{word}({text_of(child)} AS {kind.simpleString().upper()})"
        case Order(child):
            way = "ASC" if expr.ascending else "DESC"
            return f"{text_of(child)} {way} NULLS {'FIRST' if expr.nulls_lead else 'LAST'}"
        case Over():
            return f"{text_of(expr.call)} OVER ({_window(expr)})"
        case Lambda(params, body):
            names = ", ".join(map(text_of, params))
            return f"lambdafunction({text_of(body)}, {names})"
        case PythonCall():
            return f"{expr.name}({', '.join(map(text_of, expr.args))})"
        case InQuery(_, values):
            return f"({', '.join(map(text_of, values))} IN (listquery()))"
        case ScalarQuery():
            return "scalarsubquery()"
        case ExistsQuery():
            return "exists()"
        case Call():
            return _call(expr)
    return type(expr).__name__.lower()


def _value(value: Any, kind: t.DataType) -> str:
    if isinstance(kind, t.DayTimeIntervalType):
        return day_time_text(value, kind)
    if isinstance(kind, t.YearMonthIntervalType):
        return year_month_text(value, kind)
    if isinstance(kind, t.TimestampNTZType | t.TimestampType) and isinstance(value, datetime):
        return f"{kind.simpleString().upper()} '{_clock(value)}'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return f"X'{value.hex().upper()}'"
    if type(value) is date:
        return f"DATE '{value}'"
    if isinstance(value, float):
        return _real(value)
    return str(value)


def _real(value: float) -> str:
    """A binary fraction as Java writes it.

    >>> _real(1e20), _real(0.25), _real(float("nan")), _real(1e-05)
    ('1.0E20', '0.25', 'NaN', '1.0E-5')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, *rest = map(str, digits)
    power = int(exponent) + len(rest)
    return f"{'-' * sign}{first}.{''.join(rest) or '0'}E{power}"


def _clock(value: datetime) -> str:
    """The digits of a time, in UTC."""
    text = value.strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{value.microsecond:06d}".rstrip("0") if value.microsecond else text


_ANY = "namedlambdavariable()"
_NONE = f"({_ANY} IS NULL)"
_USUAL_ORDER = (  # the function that array_sort has where it is given none
    f"lambdafunction((IF(({_NONE} AND {_NONE}), 0, (IF({_NONE}, 1, (IF({_NONE}, -1, "
    f"(IF(({_ANY} < {_ANY}), -1, (IF(({_ANY} > {_ANY}), 1, 0)))))))))), {_ANY}, {_ANY})"
)


def _call(call: Call) -> str:
    if call.shown == "between":
        low, high = call.args
        assert isinstance(low, Call) and isinstance(high, Call)
        return f"between({', '.join(map(text_of, (*low.args, high.args[1])))})"
    args = [text_of(arg) for arg in call.args]
    if call.shown:
        return call.shown.format(*args)
    if call.name in ("+", "-") and _moves(call):
        return _moved(call, args)
    if call.name in _BETWEEN and len(args) == 2:
        word = call.name.upper() if call.name in ("and", "or") else call.name
        text = f"({args[0]} {word} {args[1]})"
        return f"(NOT ({args[0]} = {args[1]}))" if call.name == "!=" else text
    form = wordings.FORMS.get((call.name, len(args)))
    if form is not None:
        return form.format(*args)
    args = wordings.usual(call.name, args)
    if call.name in wordings.CAPITALS:
        return f"{call.name.upper()}({', '.join(args)})"
    return _other(call, args)


def _other(call: Call, args: list[str]) -> str:
    """A call whose text is not its name and arguments, or is."""
    match call.name:
        case "nullif":
            return f"nullif({args[0]}, {args[-1]})"
        case "zeroifnull" | "nullifzero":  # what they compare with is an argument of ours
            return f"{call.name}({args[0]})"
        case "window" | "session_window" | "_metadata":
            return call.name
        case "log":
            return f"LOG({', '.join(args)})"
        case "in":
            return f"({args[0]} IN ({', '.join(args[1:])}))"
        case "case_when":
            return _case(args)
        case "with_field":
            change = _change(args[0], args[1].split("."), f"WithField({args[2]})")
            return f"update_fields({args[0]}, {change})"
        case "drop_fields":
            drops = [_change(args[0], name.split("."), "dropfield()") for name in args[1:]]
            return f"update_fields({args[0]}, {', '.join(drops)})"
        case "from_json" | "from_csv" | "to_json" | "to_csv" | "schema_of_json" | "schema_of_csv":
            return f"{call.name}({args[0]})"
        case "to_char" | "to_varchar":
            return _written(call, args)
        case "mode" if len(args) == 2:
            down = "" if args[1] == "false" else " DESC"
            return f"mode() WITHIN GROUP (ORDER BY {args[0]}{down})" if down else f"mode({args[0]})"
        case "try_make_timestamp" if len(args) == 7:
            return f"{call.name}({', '.join(args[:6])})"
        case "array_sort" if len(args) == 1:
            return f"array_sort({args[0]}, {_USUAL_ORDER})"
        case "aggregate" | "reduce" if len(args) == 3:
            same = f"lambdafunction({_ANY}, {_ANY})"
            return f"{call.name}({', '.join(args)}, {same})"
        case "get_item":
            field = _is_field(call)
            return f"{args[0]}.{args[1]}" if field else f"{args[0]}[{args[1]}]"
    return _plain(call, args)


def _written(call: Call, args: list[str]) -> str:
    """to_char, which is another function for times and bytes."""
    try:
        kind = call.args[0].type
    except Untyped:
        return f"{call.name}({', '.join(args)})"
    if isinstance(kind, t.DateType | t.TimestampType | t.TimestampNTZType):
        return f"date_format({', '.join(args)})"
    if not isinstance(kind, t.BinaryType):
        return f"to_char({', '.join(args)})"
    form = args[1].lower()
    if call.name == "to_varchar":
        return f"to_varchar({', '.join(args) if form == 'utf-8' else args[0]})"
    if form == "utf-8":
        return f"decode({', '.join(args)})"
    return f"{form}({args[0]})"


_TIMES = (t.TimestampType, t.TimestampNTZType, t.DateType)
_SPANS = (t.DayTimeIntervalType, t.YearMonthIntervalType)


def _moves(call: Call) -> bool:
    """Whether a sum moves a time by a length of time, or a date by days."""
    try:
        first, second = (arg.type for arg in call.args[:2])
        days = isinstance(first, t.DateType) and isinstance(second, t.IntegralType)
        return days or (isinstance(first, _TIMES) and isinstance(second, _SPANS))
    except Untyped:
        return False


def _moved(call: Call, args: list[str]) -> str:
    if isinstance(call.args[1].type, t.IntegralType):
        return f"{'date_add' if call.name == '+' else 'date_sub'}({args[0]}, {args[1]})"
    days = isinstance(call.args[1].type, t.DayTimeIntervalType)
    if not isinstance(call.args[0].type, t.DateType) or not days or call.type != t.DATE:
        return f"{args[0]} {call.name} {args[1]}"
    count = f"extractansiintervaldays({args[1]})"
    return f"date_add({args[0]}, {count if call.name == '+' else f'(- {count})'})"


def _plain(call: Call, args: list[str]) -> str:
    """A call by its name and arguments, with what aggregates have besides."""
    distinct = "DISTINCT " if call.distinct else ""
    if call.name in _WITHIN and len(args) > 2:
        return _within(call, args, distinct)
    name = wordings.CALLED.get(call.name, call.name)
    if name in _PICKS:
        args = args[:1]  # whether NULLs count is not part of the name
    text = f"{name}({distinct}{', '.join(args)})"
    if name == "nth_value" and (call.ignore_nulls or len(args) > 2):
        text = f"{name}({', '.join(args[:2])}) ignore nulls"
    return text if call.where is None else f"{text} FILTER (WHERE {text_of(call.where)})"


def _change(struct: str, path: list[str], change: str) -> str:
    """What is done to a field of a struct, or to one inside it."""
    if len(path) == 1:
        return change
    inner = f"{struct}.{path[0]}"
    return f"WithField(update_fields({inner}, {_change(inner, path[1:], change)}))"


def _is_field(call: Call) -> bool:
    """Whether get_item takes a field of a struct: those are named with a dot."""
    of, what = call.args
    if not isinstance(what, Literal) or not isinstance(what.value, str):
        return False
    try:
        return not isinstance(of.type, t.MapType)
    except Untyped:
        return True


def _within(call: Call, args: list[str], distinct: str) -> str:
    """An aggregate whose order became arguments: see minispark/sql/parser/within.py."""
    if call.name.startswith("percentile"):
        way = " DESC" if args[2] == "true" else ""
        return f"{call.name}({distinct}{args[1]}) WITHIN GROUP (ORDER BY {args[0]}{way})"
    ends = [*args[3:], *("true" for _ in range(5 - len(args)))]
    way = "ASC" if ends[0] == "true" else "DESC"
    way += " NULLS FIRST" if ends[1] == "true" else " NULLS LAST"
    return f"listagg({distinct}{args[0]}, {args[1]}) WITHIN GROUP (ORDER BY {args[2]} {way})"


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
        if isinstance(over.call, Call) and over.call.name in ("lag", "lead"):
            place = f"{frame.start} FOLLOWING"  # their own frame, which Spark writes so
            parts.append(f"ROWS BETWEEN {place} AND {place}")
            return " ".join(parts)
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
    shown = text_of(value) if isinstance(value, Expr) else str(value)
    return f"{shown[1:]} PRECEDING" if shown.startswith("-") else f"{shown} FOLLOWING"
