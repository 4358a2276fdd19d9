"""Rows as lines of csv, json and text files, as Spark writes them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from executors.formats.csv import flag
from executors.formats.plain import escaped
from executors.formats.values import strptime
from planner.columns import types as t
from planner.columns.casting import cast
from planner.columns.functions.registry import Settings

_ATOMS = (t.NumericType, t.BooleanType)


@dataclass(frozen=True)
class Style:
    """How values become text: the options of the writer."""

    options: Mapping[str, str]
    settings: Settings

    @property
    def zone(self) -> str:
        return self.options.get("timezone", self.settings.zone)


def lines(form: str, frame: pl.DataFrame, schema: t.StructType, style: Style) -> pl.Series:
    """The lines of a frame, without their ends; columns are by position."""
    frame = frame.rename({old: str(at) for at, old in enumerate(frame.columns)})
    if form == "text":
        return frame["0"].fill_null("")
    if form == "csv":
        found = frame.select(_csv(frame, schema, style).alias("x"))["x"]
        # Spark writes no line for a row of nothing at all, which only a row of one null is.
        return found.filter(found != "") if len(schema) == 1 else found
    return _json(frame, schema, style)


def _plain(value: pl.Expr, kind: t.DataType, style: Style) -> pl.Expr:
    """A value of an atomic type as text."""
    match kind:
        case t.StringType():
            return value
        case t.NullType():
            return value.cast(pl.String)
        case t.DateType():
            return value.dt.strftime(strptime(style.options.get("dateformat", "yyyy-MM-dd")))
        case t.TimestampType():
            return _instant(value.dt.convert_time_zone(style.zone), "timestampformat", style)
        case t.TimestampNTZType():
            pattern = style.options.get("timestampntzformat", "yyyy-MM-dd'T'HH:mm:ss.SSS")
            return value.dt.strftime(strptime(pattern))
    return cast(value, kind, t.STRING, "ansi", style.settings)


def _instant(local: pl.Expr, option: str, style: Style) -> pl.Expr:
    pattern = style.options.get(option)
    if pattern is None:
        text = local.dt.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        return text.str.replace(r"\+00:00$", "Z")
    return local.dt.strftime(strptime(pattern))


# ---- csv -----------------------------------------------------------------------------------------


def header(schema: t.StructType, options: Mapping[str, str]) -> str:
    """The first line of a CSV file."""
    names = pl.DataFrame({"x": schema.names})
    every = flag(options, "quoteall")
    fields = names.select(_field(pl.col("x"), options, every).alias("x"))["x"]
    return _sep(options).join(fields.to_list())


def _sep(options: Mapping[str, str]) -> str:
    return escaped(options.get("sep", options.get("delimiter", ",")))


def _csv(frame: pl.DataFrame, schema: t.StructType, style: Style) -> pl.Expr:
    options = style.options
    null = options.get("nullvalue", "")
    every = flag(options, "quoteall")
    fields = []
    for at, each in enumerate(schema.fields):
        value = pl.col(str(at))
        if isinstance(each.dataType, t.BinaryType):
            value = value.bin.encode("hex").str.to_uppercase().str.replace_all("(..)", "$1 ")
            text = pl.lit("[") + value.str.strip_chars_end(" ") + pl.lit("]")
        else:
            text = _plain(value, each.dataType, style)
        nothing = pl.lit(null or '""') if every else pl.lit(null)
        if every or not _is_plain(frame[str(at)], each.dataType, options):
            text = _field(text, options, every)
        fields.append(text.fill_null(nothing))
    return pl.concat_str(fields, separator=_sep(options))


def _is_plain(values: pl.Series, kind: t.DataType, options: Mapping[str, str]) -> bool:
    """Whether no value of a column can need quotes or lose blanks."""
    sep, quote = _sep(options), options.get("quote", '"')
    if isinstance(kind, t.StringType):
        special = "".join(map(re.escape, {*sep, quote, options.get("comment", "#")}))
        found = values.str.contains(rf"^$|^[ \t]|[ \t]$|[\r\n{special}]").any()
        return not found
    patterns = {"dateformat", "timestampformat", "timestampntzformat"} & options.keys()
    simple = (t.NumericType, t.BooleanType, t.DateType, t.TimestampType, t.TimestampNTZType)
    marks = set("0123456789+-.:") | set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    odd = {*sep, *quote, *options.get("comment", "#")}
    return isinstance(kind, simple) and not patterns and not marks & odd


def _field(text: pl.Expr, options: Mapping[str, str], every: bool) -> pl.Expr:
    """Text with quotes around it where it needs them."""
    quote, escape = options.get("quote", '"'), options.get("escape", "\\")
    if flag(options, "ignoreleadingwhitespace", "true"):
        text = text.str.strip_chars_start(" \t")
    if flag(options, "ignoretrailingwhitespace", "true"):
        text = text.str.strip_chars_end(" \t")
    inner = text
    if escape != quote:
        inner = inner.str.replace_all(escape, escape * 2, literal=True)
    inner = inner.str.replace_all(quote, escape + quote, literal=True)
    quoted = pl.lit(quote) + inner + pl.lit(quote)
    needs = text.str.contains(_sep(options), literal=True) | text.str.contains("[\r\n]")
    needs = needs | text.str.starts_with(options.get("comment", "#"))
    if flag(options, "escapequotes", "true"):
        needs = needs | text.str.contains(quote, literal=True)
    else:
        needs = needs | text.str.starts_with(quote)
    empty = pl.lit(options.get("emptyvalue", quote * 2))
    return pl.when(text == "").then(empty).when(needs | pl.lit(every)).then(quoted).otherwise(text)


# ---- json ----------------------------------------------------------------------------------------


def _json(frame: pl.DataFrame, schema: t.StructType, style: Style) -> pl.Series:
    keep = not flag(style.options, "ignorenullfields", "true")
    fields = []
    for at, each in enumerate(schema.fields):
        name, column = str(at), frame[str(at)]
        if isinstance(each.dataType, t.ArrayType | t.MapType | t.StructType | t.BinaryType):
            made = [_dumped(v, each.dataType, style, keep) for v in column.to_list()]
            frame = frame.with_columns(pl.Series(name, made, dtype=pl.String))
            text = pl.col(name)
        else:
            text = _scalar(pl.col(name), each.dataType, style)
        field = pl.lit(json.dumps(each.name, ensure_ascii=False) + ":") + text
        if keep:
            field = field.fill_null(json.dumps(each.name, ensure_ascii=False) + ":null")
        fields.append(field)
    inside = pl.concat_str(fields, separator=",", ignore_nulls=True)
    return frame.select((pl.lit("{") + inside + pl.lit("}")).alias("x"))["x"]


def _scalar(value: pl.Expr, kind: t.DataType, style: Style) -> pl.Expr:
    text = _plain(value, kind, style)
    if isinstance(kind, t.DoubleType | t.FloatType):
        odd = value.is_nan() | value.is_infinite()
        return pl.when(odd).then(pl.lit('"') + text + pl.lit('"')).otherwise(text)
    if isinstance(kind, _ATOMS):
        return text
    if isinstance(kind, t.StringType):
        whole = pl.struct(text.alias("x")).struct.json_encode()
        return pl.when(text.is_not_null()).then(whole.str.slice(5).str.head(-1))
    return pl.lit('"') + text + pl.lit('"')


def _dumped(value: Any, kind: t.DataType, style: Style, keep: bool) -> str | None:
    if value is None:
        return None
    return _nested(value, kind, style, keep)


def _nested(value: Any, kind: t.DataType, style: Style, keep: bool) -> str:
    """A value of any type as JSON."""
    if value is None:
        return "null"
    match kind:
        case t.ArrayType():
            inner = [_nested(each, kind.elementType, style, keep) for each in value]
            return f"[{','.join(inner)}]"
        case t.MapType():
            pairs = [
                _pair(entry) for entry in (value.items() if hasattr(value, "items") else value)
            ]
            texts = [
                f"{_quoted(_one(k, kind.keyType, style))}:{_nested(v, kind.valueType, style, keep)}"
                for k, v in pairs
            ]
            return f"{{{','.join(texts)}}}"
        case t.StructType():
            parts = [
                f"{_quoted(f.name)}:{_nested(value[f.name], f.dataType, style, keep)}"
                for f in kind.fields
                if keep or value[f.name] is not None
            ]
            return f"{{{','.join(parts)}}}"
        case t.BinaryType():
            return _quoted(base64.b64encode(value).decode())
        case t.BooleanType():
            return str(value).lower()
        case t.DoubleType() | t.FloatType():
            text = _one(value, kind, style)
            return text if text[-1].isdigit() else _quoted(text)
        case t.NumericType():
            return _one(value, kind, style)
    return _quoted(_one(value, kind, style))


def _pair(entry: Any) -> tuple[Any, Any]:
    if isinstance(entry, Mapping):
        return entry["key"], entry["value"]
    key, value = entry
    return key, value


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _one(value: Any, kind: t.DataType, style: Style) -> str:
    """One value of an atomic type as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    assert isinstance(value, bool | float | date | datetime | timedelta)
    frame = pl.DataFrame({"x": pl.Series([value])})
    found: str = frame.select(_plain(pl.col("x"), kind, style))["x"].item()
    return found


def refused(form: str, schema: t.StructType) -> Sequence[str]:
    """The names of columns that a format cannot hold."""
    nested = (t.ArrayType, t.MapType, t.StructType)
    if form == "csv":
        return [f.name for f in schema.fields if isinstance(f.dataType, (*nested, t.NullType))]
    if form == "text":
        return [f.name for f in schema.fields if not isinstance(f.dataType, t.StringType)]
    if form == "orc":
        lengths = (t.NullType, t.DayTimeIntervalType, t.YearMonthIntervalType)
        return [f.name for f in schema.fields if isinstance(f.dataType, lengths)]
    return []
