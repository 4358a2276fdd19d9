"""Our answers to the questions of `asking.py`, and how they differ from the recorded ones."""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
from decimal import Decimal
from functools import cache
from typing import Any

import polars as pl
from asking import OPERATORS, RECORDED, encoded
from text_cases import TEXT_TABLE
from time_cases import TIME_TABLE

import planner.columns.functions.loaded  # noqa: F401 - fills the table
from executors.relational.errors import QueryError, translated
from planner.columns import types as t
from planner.columns.building import build
from planner.columns.columnar import to_polars
from planner.columns.expressions import Attr, Call, Expr, Literal, Name
from planner.columns.functions.registry import Settings
from planner.columns.typing import AnalysisError, Scope, bind

STRINGS = re.compile(r"'((?:[^'\\]|''|\\.)*)'")  # SQL's, with '' for a quote in them


def kind_of(text: str) -> t.DataType:
    """The type that a short text names."""
    if text.startswith("decimal("):
        return t.DecimalType(*map(int, text[8:-1].split(",")))
    if text.startswith("array<"):
        return t.ArrayType(kind_of(text[6:-1]))
    return t.SIMPLE[text]()


@cache
def frame(table: str) -> tuple[pl.DataFrame, tuple[Attr, ...]]:
    """A table's rows with columns named as the engine names them."""
    if table == "one":
        attr = Attr("one", t.INT)
        return pl.DataFrame({attr.column: [1]}, schema={attr.column: pl.Int32}), (attr,)
    schema, rows = TEXT_TABLE if table == "text" else TIME_TABLE
    attrs = tuple(Attr(name, kind_of(kind)) for name, kind in schema.items())
    columns = [
        pl.Series(attr.column, [row[i] for row in rows], dtype=to_polars(attr.kind))
        for i, attr in enumerate(attrs)
    ]
    return pl.DataFrame(columns), attrs


def parsed(text: str) -> Expr:
    """An expression's tree."""
    python = STRINGS.sub(lambda m: "'" + m[1].replace("''", "\\'") + "'", text)
    return _tree(ast.parse(python, mode="eval").body)


def _tree(node: ast.expr) -> Expr:
    match node:
        case ast.Name("NULL"):
            return Literal(None, t.NULL)
        case ast.Name("true") | ast.Name("false"):
            return Literal(node.id == "true", t.BOOLEAN)
        case ast.Name(name):
            return Name((name,))
        case ast.Constant(float(value)):
            exact = Decimal(repr(value))
            scale = -int(exact.as_tuple().exponent)
            digits = max(len(exact.as_tuple().digits), scale)
            return Literal(exact, t.DecimalType(digits, scale))
        case ast.Constant(int(value)):
            return Literal(value, t.INT if abs(value) < 2**31 else t.LONG)
        case ast.Constant(str(value)):
            return Literal(value, t.STRING)
        case ast.UnaryOp(ast.USub(), ast.Constant()):
            inner = _tree(node.operand)
            assert isinstance(inner, Literal)
            return Literal(-inner.value, inner.kind)
        case ast.BinOp(left, operator, right):
            return Call(OPERATORS[type(operator)], (_tree(left), _tree(right)))
        case ast.Call(ast.Name("trim" | "ltrim" | "rtrim" as name), [chars, value]):
            return Call(name, (_tree(value), _tree(chars)))  # SQL has them in this order
        case ast.Call(ast.Name(name), args):
            return Call(name, tuple(_tree(arg) for arg in args))
    raise TypeError(ast.dump(node))


def answer(table: str, zone: str, ansi: bool, text: str) -> Any:
    """[type, values], or the class of the error."""
    rows, attrs = frame(table)
    settings = Settings(ansi=ansi, zone=zone)
    try:
        expr = bind(parsed(text), Scope(attrs, settings))
        with translated():
            found = (
                rows.lazy()
                .select(pl.int_range(pl.len()).alias("row"), build(expr, settings).alias("v"))
                .collect()
            )
    except (AnalysisError, QueryError) as error:
        return error.code
    series = found["v"]
    assert series.dtype == to_polars(expr.type), f"{series.dtype} for {expr.type}"
    values = [_naive(value) for value in series.to_list()]
    return [expr.type.simpleString(), [encoded(value) for value in values]]


def _naive(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(_naive(each) for each in value.values())
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


@cache
def recorded() -> dict[str, Any]:
    """PySpark's answers by question."""
    found: dict[str, Any] = json.loads(RECORDED.read_text())
    return found


def key(case: tuple[str, str, bool, str]) -> str:
    """What a case is recorded under."""
    table, zone, ansi, text = case
    return f"{table}|{zone}|{ansi}|{text}"
