"""Text in JSON, CSV and XML as values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minispark.sql.column import Column, expr_of, named
from minispark.sql.functions.making import of
from planner.columns import types as t
from planner.columns.expressions import Call, Expr, Literal


def _options(options: Mapping[str, Any] | None) -> tuple[Expr, ...]:
    if not options:
        return ()
    texts = [
        str(each).lower() if isinstance(each, bool) else str(each)
        for pair in options.items()
        for each in pair
    ]
    return (Call("map", tuple(Literal(text, t.STRING) for text in texts)),)


def _schema(schema: Any) -> Expr:
    if isinstance(schema, t.DataType):
        return Literal(schema.json(), t.STRING)
    return expr_of(schema)


def from_json(col: Any, schema: Any, options: Mapping[str, str] | None = None) -> Column:
    """JSON text as a value of a type: a DataType, or one as SQL writes it."""
    return of("from_json", named(col), _schema(schema), *_options(options))


def to_json(col: Any, options: Mapping[str, str] | None = None) -> Column:
    """A struct, array or map as JSON text."""
    return of("to_json", named(col), *_options(options))


def from_csv(col: Any, schema: Any, options: Mapping[str, str] | None = None) -> Column:
    """A line of CSV as a struct."""
    return of("from_csv", named(col), _schema(schema), *_options(options))


def to_csv(col: Any, options: Mapping[str, str] | None = None) -> Column:
    """A struct as a line of CSV."""
    return of("to_csv", named(col), *_options(options))


def from_xml(col: Any, schema: Any, options: Mapping[str, str] | None = None) -> Column:
    """XML text as a struct."""
    return of("from_xml", named(col), _schema(schema), *_options(options))


def to_xml(col: Any, options: Mapping[str, str] | None = None) -> Column:
    """A struct as XML text."""
    return of("to_xml", named(col), *_options(options))


def schema_of_json(json: Any, options: Mapping[str, str] | None = None) -> Column:
    """The type of JSON text, as SQL writes it."""
    return of("schema_of_json", expr_of(json), *_options(options))


def schema_of_csv(csv: Any, options: Mapping[str, str] | None = None) -> Column:
    """The type of a line of CSV, as SQL writes it."""
    return of("schema_of_csv", expr_of(csv), *_options(options))


def schema_of_xml(xml: Any, options: Mapping[str, str] | None = None) -> Column:
    """The type of XML text, as SQL writes it."""
    return of("schema_of_xml", expr_of(xml), *_options(options))
