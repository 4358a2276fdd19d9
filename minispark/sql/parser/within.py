"""Aggregates whose values have an order of their own: f(…) WITHIN GROUP (ORDER BY …)."""

from __future__ import annotations

from dataclasses import replace

from minispark.errors import ParseException
from minispark.sql.parser.expressions import Reader, reads
from minispark.sql.parser.reading import Node, sql_of
from planner.columns import types as t
from planner.columns.expressions import Call, Expr, Literal, Order


@reads("WithinGroup")
def within(at: Reader, node: Node) -> Expr:
    """The aggregate with its order as arguments, as planner/columns/functions takes it."""
    call = at.expr(node.this)
    keys = [at.order(each) for each in node.expression.expressions]
    if not isinstance(call, Call):
        raise ParseException(f"{sql_of(node)}: that is no aggregate", "PARSE_SYNTAX_ERROR")
    if len(keys) != 1:
        raise NotImplementedError(f"WITHIN GROUP with several keys: {sql_of(node)}")
    return replace(call, args=_ordered(call, keys[0], node))


def _ordered(call: Call, key: Order, node: Node) -> tuple[Expr, ...]:
    match call.name:
        case "percentile_cont" | "percentile_disc":
            return (key.child, *call.args, Literal(not key.ascending, t.BOOLEAN))
        case "mode" if key.ascending:
            return (key.child, *call.args, Literal(True, t.BOOLEAN))
        case "listagg" | "string_agg":
            between = call.args[1:2] or (Literal(None, t.NULL),)
            way = (Literal(key.ascending, t.BOOLEAN), Literal(key.nulls_lead, t.BOOLEAN))
            return (*call.args[:1], *between, key.child, *way)
    raise NotImplementedError(f"WITHIN GROUP: {sql_of(node)}")
