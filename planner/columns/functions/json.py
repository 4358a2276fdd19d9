"""Functions of JSON text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.columnar import to_polars
from planner.columns.ddl import BadType
from planner.columns.expressions import Call, Expr
from planner.columns.functions.arrays import wants
from planner.columns.functions.elements import by_row
from planner.columns.functions.generators import rows_of
from planner.columns.functions.json_values import (
    Forms,
    Number,
    Wrong,
    as_type,
    json_text,
    parsed,
    written,
)
from planner.columns.functions.raising import MARK
from planner.columns.functions.registry import (
    TEXT,
    At,
    Mismatch,
    Settings,
    Typed,
    coerced,
    generator,
    scalar,
    value_of,
)

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[(\*)\]|\['([^'\]?]+)'\]")


def options_of(name: str, args: Sequence[Expr], place: int, known: Sequence[str]) -> dict[str, str]:
    """The options given as a map of constants, names in small letters; refuses what is not here."""
    if len(args) <= place:
        return {}
    given = args[place]
    if not isinstance(given, Call) or given.name not in ("map", "create_map"):
        raise Mismatch(f"the options of {name} must be a map of constants", "INVALID_OPTIONS")
    texts = [value_of(arg) for arg in given.args]
    found = {str(k).lower(): str(v) for k, v in zip(texts[::2], texts[1::2], strict=True)}
    for key in found:
        if key not in known:
            raise NotImplementedError(f"the option {key} of {name} is not there")
    return found


def schema_in(name: str, arg: Expr) -> t.DataType:
    """The type that a constant names, as SQL or as JSON writes it."""
    text = value_of(arg)
    if isinstance(arg, Call) and arg.name in ("schema_of_json", "schema_of_csv"):
        text = "".join(_constant(arg).to_list())
    if not isinstance(text, str):
        raise Mismatch(
            f"the schema of {name} must be constant text", "INVALID_SCHEMA.NON_STRING_LITERAL"
        )
    try:
        if text.lstrip().startswith(("{", '"')):
            return t.from_json(json.loads(text))
        return t.parsed(text)
    except (BadType, ValueError) as error:
        raise Mismatch(f"the schema of {name}: {error}", "INVALID_SCHEMA.PARSE_ERROR") from None


def _constant(call: Call) -> pl.Series:
    text, *more = call.args
    build = {"schema_of_json": schema_text}.get(call.name)
    if build is None or more:
        raise NotImplementedError(f"{call.name} as a schema is only there without options")
    return pl.Series([build(str(value_of(text)))])


# ---- reading parts -------------------------------------------------------------------------------


def steps_of(path: str) -> list[str | int] | None:
    """A path as keys, places, and '*' as the place -1; None if it is none."""
    if not path.startswith("$"):
        return None
    found: list[str | int] = []
    at = 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return None
        key, place, star, quoted = step.groups()
        if key == "*":
            return None
        found.append(key or quoted or (-1 if star else int(place)))
        at = step.end()
    return found


RAW, QUOTED, FLAT = "raw", "quoted", "flat"


def found_at(value: Any, steps: Sequence[str | int], style: str = RAW) -> tuple[list[str], bool]:
    """The JSON texts that a path leads to, and whether there is one. Two stars in a row flatten;
    a star over one match stands for it alone; what is inside a list keeps its quotes."""
    if not steps:
        if style == RAW and type(value) is str:
            return [value], True
        if style == FLAT and isinstance(value, list):
            return _every(value, (), FLAT)
        return [written(value)], True
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        if not isinstance(value, dict) or value.get(step) is None:
            return [], False
        return found_at(value[step], rest, style)
    if not isinstance(value, list):
        return [], False
    if step != -1:
        inner = QUOTED if rest[:1] == [-1] else style
        return found_at(value[step], rest, inner) if step < len(value) else ([], False)
    if rest[:1] == [-1]:
        return _listed(*_every(value, rest[1:], FLAT))
    if style == QUOTED:
        return _listed(*_every(value, rest, QUOTED))
    each = [found_at(one, rest, QUOTED if style == RAW else FLAT) for one in value]
    texts, count = [text for part, _ in each for text in part], sum(found for _, found in each)
    return ([",".join(texts)], True) if count == 1 else _listed(texts, count > 1)


def _every(values: list[Any], rest: Sequence[str | int], style: str) -> tuple[list[str], bool]:
    each = [found_at(value, rest, style) for value in values]
    return [text for part, _ in each for text in part], any(found for _, found in each)


def _listed(texts: list[str], found: bool) -> tuple[list[str], bool]:
    return [f"[{','.join(texts)}]"], found


def json_at(text: str | None, path: str | None) -> str | None:
    """The part of JSON text at a path: text as it is, other things as JSON."""
    steps = None if path is None else steps_of(path)
    if text is None or steps is None:
        return None
    try:
        texts, found = found_at(parsed(text), steps)
    except ValueError:
        return None
    return texts[0] if found else None


@scalar("get_json_object", takes=(TEXT, TEXT), gives=t.STRING, null=True)
def get_json_object(at: At, text: pl.Expr, path: pl.Expr) -> pl.Expr:
    return by_row(json_at, t.STRING, text, path)


def _read(text: str | None) -> Any:
    """The value of JSON text; None if it is not JSON."""
    try:
        return None if text is None else parsed(text)
    except ValueError:
        return None


@scalar("json_array_length", takes=(TEXT,), gives=t.INT, null=True)
def json_array_length(at: At, text: pl.Expr) -> pl.Expr:
    def length(value: str | None) -> int | None:
        found = _read(value)
        return len(found) if isinstance(found, list) else None

    return by_row(length, t.INT, text)


@scalar("json_object_keys", takes=(TEXT,), gives=t.ArrayType(t.STRING), null=True)
def json_object_keys(at: At, text: pl.Expr) -> pl.Expr:
    def keys(value: str | None) -> list[str] | None:
        found = _read(value)
        return list(found) if isinstance(found, dict) else None

    return by_row(keys, at.type, text)


def _tuple(args: Sequence[Expr], settings: Settings) -> Typed:
    found = coerced("json_tuple", args, (TEXT, TEXT), TEXT, 2)
    fields = [t.StructField(f"c{place}", t.STRING) for place in range(len(args) - 1)]
    return found, rows_of(fields), False


@generator("json_tuple", resolve=_tuple)
def json_tuple(at: At, text: pl.Expr, *fields: pl.Expr) -> pl.Expr:
    def row(value: str | None, *names: str | None) -> list[dict[str, Any]]:
        found = _read(value)
        held = found if isinstance(found, dict) else {}
        parts = [held.get(name) for name in names]
        texts = [p if p is None or type(p) is str else written(p) for p in parts]
        return [{f"c{place}": each for place, each in enumerate(texts)}]

    return by_row(row, at.type, text, *fields)


# ---- whole values --------------------------------------------------------------------------------

MALFORMED = "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION"
FORMS = ("dateformat", "timestampformat", "timestampntzformat", "timezone")
_READING = ("mode", "columnnameofcorruptrecord", *FORMS)
_WRITING = ("ignorenullfields", *FORMS)


def forms_of(options: dict[str, str], at: At) -> Forms:
    """How options say that dates and times are written."""
    date, instant, plain, zone = (options.get(name) for name in FORMS)
    return Forms(zone or at.settings.zone, date, instant, plain)


def _typed_from(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("from_json", args, 2, 3)
    kind = t.nullable(schema_in("from_json", args[1]))
    if not isinstance(kind, t.StructType | t.ArrayType | t.MapType):
        raise Mismatch(
            f"from_json gives structs, arrays and maps, not {kind.simpleString()}",
            "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
        )
    options_of("from_json", args, 2, _READING)
    text = coerced("from_json", args[:1], (TEXT,), None, None)
    return (*text, *args[1:]), kind, True


@scalar("from_json", resolve=_typed_from)
def from_json(at: At, text: pl.Expr, *more: pl.Expr) -> pl.Expr:
    options = options_of("from_json", at.args, 2, _READING)
    strict = options.get("mode", "PERMISSIVE").upper() == "FAILFAST"
    corrupt = options.get("columnnameofcorruptrecord", "_corrupt_record")
    kind, forms = at.type, forms_of(options, at)

    def read(value: str | None) -> Any:
        if value is None:
            return None
        bad: list[str] = []
        found: Any
        try:
            found = _whole(parsed(value), kind, forms, bad) if value.strip() else None
        except (ValueError, Wrong):
            bad.append("")
            found = {} if isinstance(kind, t.StructType) else None
        if bad and strict:
            words = f"this text is not what the schema says: {value}"
            raise pl.exceptions.ComputeError(f"{MARK}{MALFORMED}:{words}")
        if bad and isinstance(kind, t.StructType) and corrupt in kind.names:
            found[corrupt] = value
        return found

    return by_row(read, kind, text)


def _whole(value: Any, kind: t.DataType, forms: Forms, bad: list[str]) -> Any:
    """The value of a row: NULL is a struct of NULLs, one struct an array of it."""
    if isinstance(kind, t.StructType) and value is None:
        return {}
    if (
        isinstance(kind, t.ArrayType)
        and isinstance(kind.elementType, t.StructType)
        and isinstance(value, dict)
    ):
        value = [value]
    return as_type(value, kind, forms, bad)


def _as_text(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("to_json", args, 1, 2)
    if not isinstance(args[0].type, t.StructType | t.ArrayType | t.MapType):
        raise Mismatch(
            f"to_json takes structs, arrays and maps, not {args[0].type.simpleString()}",
            "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
        )
    options_of("to_json", args, 1, _WRITING)
    return tuple(args), t.STRING, True


@scalar("to_json", resolve=_as_text)
def to_json(at: At, value: pl.Expr, *more: pl.Expr) -> pl.Expr:
    options = options_of("to_json", at.args, 1, _WRITING)
    drop = options.get("ignorenullfields", "true").lower() == "true"
    kind, forms = at.types[0], forms_of(options, at)

    def text(each: Any) -> str | None:
        return None if each is None else json_text(each, kind, forms, drop)

    return by_row(text, t.STRING, value)


# ---- the type of a text --------------------------------------------------------------------------


def kind_of_json(value: Any) -> t.DataType:
    """The type of a parsed value: whole numbers are wide, fields go by name."""
    if isinstance(value, dict):
        fields = [t.StructField(key, kind_of_json(value[key])) for key in sorted(value)]
        return t.StructType(fields)
    if isinstance(value, list):
        kind: t.DataType = t.NULL
        for each in value:
            kind = met(kind, kind_of_json(each))
        return t.ArrayType(kind)
    if isinstance(value, Number):
        if re.fullmatch(r"-?\d+", value):
            if -(1 << 63) <= int(value) < 1 << 63:
                return t.LONG
            digits = len(value.lstrip("-"))
            return t.DecimalType(digits, 0) if digits <= t.DecimalType.MAX else t.DOUBLE
        return t.DOUBLE
    if isinstance(value, bool):
        return t.BOOLEAN
    return t.NULL if value is None else t.STRING


def met(a: t.DataType, b: t.DataType) -> t.DataType:
    """The type of values of both types in one place; text if nothing else fits."""
    if a == b or isinstance(b, t.NullType):
        return a
    if isinstance(a, t.NullType):
        return b
    if isinstance(a, t.StructType) and isinstance(b, t.StructType):
        kinds = {field.name: field.dataType for field in a.fields}
        for field in b.fields:
            kinds[field.name] = met(kinds.get(field.name, t.NULL), field.dataType)
        return t.StructType([t.StructField(name, kinds[name]) for name in sorted(kinds)])
    if isinstance(a, t.ArrayType) and isinstance(b, t.ArrayType):
        return t.ArrayType(met(a.elementType, b.elementType))
    if isinstance(a, t.NumericType) and isinstance(b, t.NumericType):
        if t.DOUBLE in (a, b):
            return t.DOUBLE
        return a if isinstance(a, t.DecimalType) else b
    return t.STRING


def sql_text(kind: t.DataType) -> str:
    """A type as SQL writes it in capitals; what is only NULL is text."""
    match kind:
        case t.StructType():
            fields = (f"{_quoted(f.name)}: {sql_text(f.dataType)}" for f in kind.fields)
            return f"STRUCT<{', '.join(fields)}>"
        case t.ArrayType():
            return f"ARRAY<{sql_text(kind.elementType)}>"
        case t.NullType():
            return "STRING"
    return kind.simpleString().upper()


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f"`{name}`"


def schema_text(text: str) -> str:
    """The type of JSON text. Raises ValueError."""
    return sql_text(kind_of_json(parsed(text)))


def _of_constant(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("schema_of_json", args, 1, 2)
    if not isinstance(value_of(args[0]), str):
        raise Mismatch("schema_of_json takes constant text", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
    options_of("schema_of_json", args, 1, ())
    return tuple(args), t.STRING, False


@scalar("schema_of_json", resolve=_of_constant)
def schema_of_json(at: At, text: pl.Expr, *more: pl.Expr) -> pl.Expr:
    return pl.lit(schema_text(at.values[0]), dtype=to_polars(t.STRING))
