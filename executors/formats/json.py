"""JSON files: a value a line (or a file), made rows of a schema by Spark's rules.

Where a few MB of lines hold exactly what the schema says, pyarrow parses them; else they go through
`jsontext`, value by value.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import polars as pl
import pyarrow as pa

from executors.formats import plain
from executors.formats.codecs import unpacked
from executors.formats.csv import flag, kept, mode_of, only_corrupt
from executors.formats.jsontext import Array, BadJson, Liberties, Number, Object, Parser
from executors.formats.plain import MARKED, UNREADABLE
from executors.formats.values import Spelling, typed
from planner.columns import types as t
from planner.columns.columnar import to_arrow, to_polars
from planner.columns.functions.registry import Settings
from planner.query.logical import FileSlice

_INTEGER = re.compile(r"-?[0-9]+")
_NOT_NUMBERS = {
    "NaN": "nan",
    "Infinity": "inf",
    "+Infinity": "inf",
    "-Infinity": "-inf",
    "INF": "inf",
    "+INF": "inf",
    "-INF": "-inf",
}
_LIBERAL = (
    "allowcomments",
    "allowunquotedfieldnames",
    "allownumericleadingzeros",
    "allowbackslashescapinganycharacter",
    "allowunquotedcontrolchars",
)


class Misfit(Exception):
    """A value that is not of the type of its column."""


@dataclass
class Making:
    """Makes Python values, as pyarrow takes them, of parsed JSON."""

    how: Spelling
    settings: Settings
    misfits: int = 0
    _moments: dict[tuple[str, t.DataType], Any] = field(default_factory=dict)

    def value(self, value: Any, kind: t.DataType) -> Any:
        """`value` as a value of type `kind`.

        Raises
        ------
        Misfit
            It is none. Fields of structs that are none are null, and counted in `misfits`.
        """
        if value is None:
            return None
        match kind:
            case t.StringType():
                text = _text(value)
                if UNREADABLE in text:
                    raise Misfit
                return text
            case t.StructType() if isinstance(value, Object):
                return {f.name: self._field(value, f) for f in kind.fields}
            case t.ArrayType() if isinstance(value, Array):
                return [self.value(each, kind.elementType) for each in value.items]
            case t.MapType() if isinstance(value, Object):
                return [(key, self.value(v, kind.valueType)) for key, v in value.fields.items()]
            case t.BooleanType() if isinstance(value, bool):
                return value
            case t.IntegralType() if isinstance(value, Number):
                return _whole(value, kind)
            case t.DecimalType() if isinstance(value, str):
                return _decimal(value, kind)
            case t.FractionalType() if isinstance(value, str):
                return _fraction(value)
            case t.BinaryType() if isinstance(value, str) and not isinstance(value, Number):
                try:
                    return base64.b64decode(value, validate=True)
                except binascii.Error:
                    raise Misfit from None
            case t.DateType() | t.TimestampType() | t.TimestampNTZType() if isinstance(value, str):
                return self._moment(value, kind)
        raise Misfit

    def _field(self, value: Object, wanted: t.StructField) -> Any:
        try:
            return self.value(value.fields.get(wanted.name), wanted.dataType)
        except Misfit:
            self.misfits += 1
            return None

    def _moment(self, text: str, kind: t.DataType) -> Any:
        if isinstance(text, Number):
            if kind != t.TIMESTAMP or not _INTEGER.fullmatch(text):
                raise Misfit
            return datetime.fromtimestamp(int(text), UTC)
        key = (text, kind)
        if key not in self._moments:
            one = pl.DataFrame({"x": [text]})
            self._moments[key] = one.select(typed(pl.col("x"), kind, self.how, self.settings))[
                "x"
            ].item()
        if self._moments[key] is None:
            raise Misfit
        return self._moments[key]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.raw if isinstance(value, Object | Array) else str(value)


def _whole(value: str, kind: t.IntegralType) -> int:
    if not _INTEGER.fullmatch(value):
        raise Misfit
    number = int(value)
    if not -(1 << (kind.bits - 1)) <= number < 1 << (kind.bits - 1):
        raise Misfit
    return number


def _fraction(value: str) -> float:
    if value in _NOT_NUMBERS:
        return float(_NOT_NUMBERS[value])
    if not isinstance(value, Number):
        raise Misfit
    return float(value)


def _decimal(value: str, kind: t.DecimalType) -> Decimal | None:
    try:
        found = Decimal(value)
        if not found.is_finite():
            raise Misfit
        rounded = found.quantize(Decimal(1).scaleb(-kind.scale), ROUND_HALF_UP)
    except InvalidOperation:
        raise Misfit from None
    return rounded if abs(rounded) < Decimal(10) ** (kind.precision - kind.scale) else None


# ---- rows ----------------------------------------------------------------------------------------


def read(
    piece: FileSlice,
    layout: t.StructType,
    names: Sequence[str],
    options: dict[str, str],
    settings: Settings,
) -> Iterator[pl.DataFrame]:
    """The columns `names` of a slice of a JSON file.

    Raises
    ------
    QueryError
        A record is malformed and the mode is FAILFAST; the message names file and line.
    """
    yield from made(texts(piece, options), piece, layout, names, options, settings)


def made(
    found: Iterable[pl.Series],
    piece: FileSlice,
    layout: t.StructType,
    names: Sequence[str],
    options: dict[str, str],
    settings: Settings,
) -> Iterator[pl.DataFrame]:
    """As `read`, for texts that are there; `piece` says where they come from."""
    corrupt = corrupt_name(options)
    if list(names) == [corrupt]:
        raise only_corrupt(corrupt)
    data = t.StructType([f for f in layout.fields if f.name in names and f.name != corrupt])

    def why(row: Mapping[str, Any]) -> str:
        return _wrong(row["raw"], data, options, settings)

    before = 0
    for lines in found:
        rows = None
        if not flag(options, "multiline"):
            rows = _quick(lines, data, options, settings)
        if rows is None:
            rows = _slow(lines, data, options, settings, before)
        before += lines.len()
        stays = kept(rows, mode_of(options), piece, why)
        raw = pl.col("raw").str.replace_all(UNREADABLE, "\ufffd", literal=True)
        yield stays.select(
            *data.names,
            *(pl.when("bad").then(raw).alias(name) for name in names if name == corrupt),
            pl.col("bad").alias("#row"),
        )


def corrupt_name(options: Mapping[str, str]) -> str:
    """The column that holds records that cannot be read."""
    return options.get("columnnameofcorruptrecord", "_corrupt_record")


def texts(piece: FileSlice, options: Mapping[str, str]) -> Iterator[pl.Series]:
    """The texts of a slice that hold a value each."""
    if flag(options, "multiline"):
        whole = b"".join(unpacked(piece.path)).decode(plain.codec_of(options), MARKED)
        yield pl.Series([whole.removeprefix("\ufeff")], dtype=pl.String)
        return
    yield from plain.series(piece, options, MARKED)


def _slow(
    lines: pl.Series,
    data: t.StructType,
    options: Mapping[str, str],
    settings: Settings,
    before: int,
) -> pl.DataFrame:
    """The rows of texts with "raw", "line" and whether they are "bad", value by value."""
    parser = Parser(Liberties.of(options))
    making = Making(Spelling.of(options, settings), settings)
    later = [f.dataType in (t.DATE, t.TIMESTAMP, t.TIMESTAMP_NTZ) for f in data.fields]
    columns: list[list[Any]] = [[] for _ in data.fields]
    raws: list[str] = []
    numbers: list[int] = []
    bads: list[bool] = []
    for number, text in enumerate(lines, before + 1):
        if not text.strip():
            continue
        try:
            found = rows_of(parser.value(text))
        except BadJson:
            found = [False]
        first = len(bads)
        for row in found:
            bad = row is False
            for column, each, late in zip(columns, data.fields, later, strict=True):
                value = row.fields.get(each.name) if isinstance(row, Object) else None
                if late and isinstance(value, str) and not isinstance(value, Number):
                    column.append(value)
                    continue
                made = None
                try:
                    made = making.value(value, each.dataType)
                except Misfit:
                    bad = True
                if late and isinstance(made, datetime):
                    made = made.isoformat()
                column.append(made)
            raws.append(text)
            numbers.append(number)
            bads.append(bad or making.misfits > 0)
            making.misfits = 0
        if UNREADABLE in text and not any(bads[first:]):  # it is where nobody looks
            for column in columns:
                column[first:] = [None] * len(found)
            bads[first:] = [True] * len(found)
        elif any(bads[first:]):  # an array is one record
            bads[first:] = [True] * len(found)
    arrays = [
        pa.array(column, pa.string() if late else to_arrow(each.dataType))
        for column, each, late in zip(columns, data.fields, later, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "raw": pl.Series(raws, dtype=pl.String),
            "line": pl.Series(numbers, dtype=pl.Int64),
            "bad": pl.Series(bads, dtype=pl.Boolean),
        }
    ).with_columns(pl.Series(f"v{at}", pl.from_arrow(array)) for at, array in enumerate(arrays))
    return _finished(frame, data, later, options, settings)


def rows_of(value: Any) -> list[Any]:
    """The objects of a record: itself, or those of an array; one False for what is none."""
    found = value.items if isinstance(value, Array) else [value]
    return found if all(isinstance(each, Object) for each in found) else [False]


def _wrong(text: str, data: t.StructType, options: Mapping[str, str], settings: Settings) -> str:
    """What is wrong with a record that does not fit the columns."""
    if UNREADABLE in text:
        name = plain.codec_of(options)
        return f"it has bytes that are not {name}, which the option encoding can change"
    try:
        found = rows_of(Parser(Liberties.of(options)).value(text))
    except BadJson as error:
        return f"it is not JSON ({error})"
    if found == [False]:
        return "it is no object, nor an array of objects"
    making = Making(Spelling.of(options, settings), settings)
    for row in found:
        for each in data.fields:
            value = row.fields.get(each.name)
            if isinstance(making._field(row, each), type(None)) and value is not None:
                shown = _text(value)[:100]
                return f"{shown!r} in the column {each.name} is no {each.dataType.simpleString()}"
    return "a value within a column is of another type"


def _finished(
    frame: pl.DataFrame,
    data: t.StructType,
    later: Sequence[bool],
    options: Mapping[str, str],
    settings: Settings,
) -> pl.DataFrame:
    """The columns "v0", "v1", … with their names and types; dates and times are text before."""
    how = Spelling.of(options, settings)
    made: list[pl.Expr] = []
    bad = [pl.col("bad")]
    for at, (each, late) in enumerate(zip(data.fields, later, strict=True)):
        value = pl.col(f"v{at}")
        if late:
            found = typed(value, each.dataType, how, settings)
            bad.append(found.is_null() & value.is_not_null())
            made.append(found.alias(each.name))
        else:
            made.append(value.cast(to_polars(each.dataType)).alias(each.name))
    return frame.select("raw", "line", pl.any_horizontal(bad).alias("bad"), *made)


# ---- the quick way -------------------------------------------------------------------------------


def _quick(
    lines: pl.Series, data: t.StructType, options: Mapping[str, str], settings: Settings
) -> pl.DataFrame | None:
    """As `_slow`, if the lines hold just what the schema says; else None."""
    quick = [_quick_type(each.dataType, top=True) for each in data.fields]
    if None in quick or not data.fields:
        return None
    schema = pa.schema(list(zip(data.names, quick, strict=True)))
    found = parsed(lines, options, schema)
    if found is None:
        return None
    full, table = found
    later = [f.dataType in (t.DATE, t.TIMESTAMP, t.TIMESTAMP_NTZ) for f in data.fields]
    columns = [pl.Series(f"v{at}", pl.from_arrow(table[n])) for at, n in enumerate(data.names)]
    frame = full.with_columns(pl.lit(False).alias("bad")).hstack(columns)
    return _finished(frame, data, later, options, settings)


def parsed(
    lines: pl.Series, options: Mapping[str, str], schema: pa.Schema | None
) -> tuple[pl.DataFrame, pa.Table] | None:
    """The lines with something in them ("raw", "line"), and what pyarrow makes of them; None if
    that is not certainly what Spark would."""
    from pyarrow import json

    if any(flag(options, name) for name in _LIBERAL):
        return None
    if lines.str.contains(UNREADABLE, literal=True).any():
        return None
    full = pl.DataFrame({"raw": lines}).with_row_index("line", 1)
    full = full.with_columns(pl.col("raw").str.strip_chars().alias("bare"))
    full = full.filter(pl.col("bare") != "").cast({"line": pl.Int64})
    around = pl.col("bare").str.starts_with("{") & pl.col("bare").str.ends_with("}")
    if not full.height or not full.select(around.all()).item():
        return None
    text = "\n".join(full["bare"].to_list()).encode()
    how = json.ParseOptions(
        explicit_schema=schema,
        unexpected_field_behavior="infer" if schema is None else "ignore",
    )
    try:
        table = json.read_json(
            io.BytesIO(text), json.ReadOptions(block_size=len(text) + 1), parse_options=how
        )
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    return (full.drop("bare"), table) if table.num_rows == full.height else None


def _quick_type(kind: t.DataType, top: bool) -> pa.DataType | None:
    """The type as which pyarrow reads a column just as Spark does; None if it does not."""
    match kind:
        case t.DateType() | t.TimestampType() | t.TimestampNTZType():
            return pa.string() if top else None
        case t.StringType() | t.BooleanType() | t.IntegralType() | t.DoubleType() | t.FloatType():
            found = to_arrow(kind)
            return pa.string() if pa.types.is_large_string(found) else found
        case t.ArrayType():
            inner = _quick_type(kind.elementType, False)
            return None if inner is None else pa.list_(inner)
        case t.StructType() if kind.fields:
            parts = [(f.name, _quick_type(f.dataType, False)) for f in kind.fields]
            return None if any(part is None for _, part in parts) else pa.struct(parts)
    return None
