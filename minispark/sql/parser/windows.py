"""Window clauses as expressions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minispark.errors import ParseException
from minispark.sql.parser.expressions import Reader, reads
from minispark.sql.parser.reading import Node, sql_of
from planner.columns import types as t
from planner.columns.expressions import Call, Expr, Frame, Literal, Name, Order, Over, walk
from planner.columns.functions.registry import Settings
from planner.columns.typing import Scope, bind, constant


@reads("Window", args="this partition_by order spec alias over first")
def over(at: Reader, node: Node) -> Expr:
    """A function over a window, which may have a name from the WINDOW clause."""
    call = at.expr(node.this)
    partition, order, frame = _window(at, node, ())
    return Over(call, partition, order, frame)


def _window(
    at: Reader, node: Node, seen: tuple[str, ...]
) -> tuple[tuple[Expr, ...], tuple[Order, ...], Frame | None]:
    partition = at.exprs(node.args.get("partition_by") or ())
    order = node.args.get("order")
    orders = () if order is None else tuple(at.order(each) for each in order.expressions)
    spec = node.args.get("spec")
    frame = None if spec is None else _frame(at, spec)
    named = node.args.get("alias")
    if named is None:
        return partition, orders, frame
    name = named.name.lower()
    if name in seen or name not in at.windows:
        raise ParseException(f"there is no window {named.name}", "MISSING_WINDOW_SPECIFICATION")
    inner = _window(at, at.windows[name], (*seen, name))
    return partition or inner[0], orders or inner[1], frame or inner[2]


def _frame(at: Reader, spec: Node) -> Frame:
    unit = str(spec.args["kind"]).lower()
    if unit not in ("rows", "range"):
        raise ParseException(
            f"a window frame is of ROWS or RANGE, not {unit.upper()}", "PARSE_SYNTAX_ERROR"
        )
    start = _bound(at, spec.args.get("start"), spec.args.get("start_side"), unit)
    if spec.args.get("end") is None:
        return Frame(unit, start, 0)
    return Frame(unit, start, _bound(at, spec.args["end"], spec.args.get("end_side"), unit))


def _bound(at: Reader, value: Any, side: str | None, unit: str) -> Any:
    if value == "CURRENT ROW":
        return 0
    if value == "UNBOUNDED":
        return None
    literal = at.expr(value)
    if isinstance(literal, Call) and literal.name == "negative":
        raise ParseException(f"{sql_of(value)} cannot bound a frame", "PARSE_SYNTAX_ERROR")
    if isinstance(literal, Call) and not any(isinstance(e, Name) for e in walk(literal)):
        literal = constant(bind(literal, Scope(())), Settings()) or literal
    if not isinstance(literal, Literal) or literal.value is None:
        raise NotImplementedError(f"a frame bounded by an expression: {sql_of(value)}")
    before = str(side).upper() == "PRECEDING"
    amount = -literal.value if before else literal.value
    if isinstance(literal.kind, t.IntegralType | t.FloatType | t.DoubleType):
        return amount
    return replace(literal, value=amount)  # months are whole numbers too: the type tells
