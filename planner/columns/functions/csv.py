"""Functions of lines of CSV."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr
from planner.columns.functions.arrays import wants
from planner.columns.functions.elements import by_row
from planner.columns.functions.json import (
    FORMS,
    MALFORMED,
    forms_of,
    options_of,
    schema_in,
    sql_text,
)
from planner.columns.functions.json_values import Forms, Number, Wrong, as_type, plain_text
from planner.columns.functions.raising import MARK
from planner.columns.functions.registry import (
    TEXT,
    At,
    Mismatch,
    Settings,
    Typed,
    coerced,
    scalar,
    value_of,
)

_READING = ("sep", "delimiter", "mode", *FORMS)
_WRITING = ("sep", "delimiter", *FORMS)


def split(line: str, separator: str) -> list[str | None]:
    """The values of a line; None where there is nothing between separators."""
    parts = next(csv.reader([line], delimiter=separator, escapechar="\\", doublequote=False))
    return [part or None for part in parts]


def _separator(options: dict[str, str]) -> str:
    return options.get("sep", options.get("delimiter", ","))


def _typed_from(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("from_csv", args, 2, 3)
    kind = t.nullable(schema_in("from_csv", args[1]))
    if not isinstance(kind, t.StructType):
        raise Mismatch(f"from_csv gives structs, not {kind.simpleString()}")
    for field in kind.fields:
        if not isinstance(field.dataType, t.AtomicType):
            raise Mismatch(
                f"a line of CSV cannot hold {field.dataType.simpleString()}",
                "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE",
            )
    options_of("from_csv", args, 2, _READING)
    text = coerced("from_csv", args[:1], (TEXT,), None, None)
    return (*text, *args[1:]), kind, text[0].nullable


@scalar("from_csv", resolve=_typed_from)
def from_csv(at: At, text: pl.Expr, *more: pl.Expr) -> pl.Expr:
    options = options_of("from_csv", at.args, 2, _READING)
    separator, kind, forms = _separator(options), at.type, forms_of(options, at)
    strict = options.get("mode", "PERMISSIVE").upper() == "FAILFAST"
    assert isinstance(kind, t.StructType)

    def read(value: str | None) -> dict[str, Any] | None:
        if value is None:
            return None
        parts = split(value, separator) if value else []
        found: dict[str, Any] = {}
        wrong = len(parts) != len(kind.fields)
        for place, field in enumerate(kind.fields):
            part = parts[place] if place < len(parts) else None
            try:
                found[field.name] = _value(part, field.dataType, forms)
            except Wrong:
                found[field.name], wrong = None, True
        if wrong and strict:
            words = f"this line is not what the schema says: {value}"
            raise pl.exceptions.ComputeError(f"{MARK}{MALFORMED}:{words}")
        return found

    return by_row(read, kind, text)


def _value(part: str | None, kind: t.DataType, forms: Forms) -> Any:
    if part is None:
        return None
    if isinstance(kind, t.StringType):
        return part
    if isinstance(kind, t.BooleanType):
        if part.lower() not in ("true", "false"):
            raise Wrong
        return part.lower() == "true"
    if isinstance(kind, t.IntegralType) and not re.fullmatch(r"[+-]?\d+", part):
        raise Wrong
    if isinstance(kind, t.FloatType | t.DoubleType):
        try:
            return float(part)
        except ValueError:
            raise Wrong from None
    return as_type(Number(part) if isinstance(kind, t.NumericType) else part, kind, forms, [])


def _as_line(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("to_csv", args, 1, 2)
    if not isinstance(args[0].type, t.StructType):
        raise Mismatch(f"to_csv takes structs, not {args[0].type.simpleString()}")
    for field in args[0].type.fields:
        if not isinstance(field.dataType, t.AtomicType | t.NullType):
            raise NotImplementedError(
                f"to_csv of {field.dataType.simpleString()} in a struct is not there"
            )
    options_of("to_csv", args, 1, _WRITING)
    return tuple(args), t.STRING, True


@scalar("to_csv", resolve=_as_line)
def to_csv(at: At, value: pl.Expr, *more: pl.Expr) -> pl.Expr:
    options = options_of("to_csv", at.args, 1, _WRITING)
    separator, kind, forms = _separator(options), at.types[0], forms_of(options, at)
    assert isinstance(kind, t.StructType)

    def line(row: dict[str, Any] | None) -> str | None:
        if row is None:
            return None
        parts = [
            "" if row[f.name] is None else _quoted(row[f.name], f.dataType, forms, separator)
            for f in kind.fields
        ]
        return separator.join(parts)

    return by_row(line, t.STRING, value)


def _quoted(value: Any, kind: t.DataType, forms: Forms, separator: str) -> str:
    text = plain_text(value, kind, forms)
    if not text:
        return '""'
    if not any(mark in text for mark in (separator, '"', "\n", "\r")):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# ---- the type of a line --------------------------------------------------------------------------


def _kind(part: str | None) -> t.DataType:
    if part is None:
        return t.STRING
    if re.fullmatch(r"[+-]?\d+", part):
        number = int(part)
        return t.INT if -(1 << 31) <= number < 1 << 31 else t.LONG
    if part.lower() in ("true", "false"):
        return t.BOOLEAN
    for made, kind in ((float, t.DOUBLE), (dt.date.fromisoformat, t.DATE)):
        try:
            made(part)
        except ValueError:
            continue
        return kind
    try:
        dt.datetime.fromisoformat(part)
    except ValueError:
        return t.STRING
    return t.TIMESTAMP


def _of_constant(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("schema_of_csv", args, 1, 2)
    if not isinstance(value_of(args[0]), str):
        raise Mismatch("schema_of_csv takes constant text", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
    options_of("schema_of_csv", args, 1, ("sep", "delimiter"))
    return tuple(args), t.STRING, False


@scalar("schema_of_csv", resolve=_of_constant)
def schema_of_csv(at: At, text: pl.Expr, *more: pl.Expr) -> pl.Expr:
    options = options_of("schema_of_csv", at.args, 1, ("sep", "delimiter"))
    parts = split(at.values[0], _separator(options))
    fields = [t.StructField(f"_c{place}", _kind(part)) for place, part in enumerate(parts)]
    return pl.lit(sql_text(t.StructType(fields)), dtype=to_polars(t.STRING))
