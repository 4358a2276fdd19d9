"""The columns of csv and json files, found from what is in them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa

from executors.formats import csv, json
from executors.formats.errors import FilesError
from executors.formats.files import name_of
from executors.formats.jsontext import Array, BadJson, Liberties, Number, Object, Parser
from executors.formats.plain import UNREADABLE
from executors.formats.values import Spelling, kinds, typed, wide_enough
from planner.columns import types as t
from planner.columns.columnar import from_arrow
from planner.columns.functions.registry import Settings
from planner.query.logical import FileSlice

_LONG_DIGITS = re.compile(r"[0-9]{19}")
_EMPTY = t.StructType([])


# ---- csv -----------------------------------------------------------------------------------------


def of_csv(
    slices: Sequence[FileSlice], options: Mapping[str, str], settings: Settings
) -> t.StructType:
    """The columns of CSV files: names from the first line of the first that has one (with `header`)
    or `_c0`, `_c1`, …; types, with `inferSchema`, from all values."""
    dialect = csv.Dialect.of(options)
    firsts = (csv.first_record(piece, dialect, options) for piece in slices)
    found = next((each for each in firsts if each is not None), None)
    lines = dialect if dialect.multi else replace(dialect, header=False)

    def records(width: int) -> Iterator[pl.DataFrame]:
        for piece in slices:
            yield from csv.records(piece, lines, width, options)

    return _of_records(found, records, dialect, options, settings)


def of_csv_lines(
    texts: Iterable[pl.Series], options: Mapping[str, str], settings: Settings
) -> t.StructType:
    """As `of_csv`, for lines that are there."""
    dialect = csv.Dialect.of(options)
    kept = list(texts)
    stay = (line for lines in kept for line in lines if line.strip())
    first = next((line for line in stay if not csv.is_comment(line, dialect)), None)
    found = None if first is None else (csv.record(first, dialect)[0], first)
    lines = replace(dialect, header=False)

    def records(width: int) -> Iterator[pl.DataFrame]:
        return csv.of_lines(kept, FileSlice("<a dataset>"), lines, width)

    return _of_records(found, records, dialect, options, settings)


def _of_records(
    found: tuple[list[str | None], str] | None,
    records: Callable[[int], Iterator[pl.DataFrame]],
    dialect: csv.Dialect,
    options: Mapping[str, str],
    settings: Settings,
) -> t.StructType:
    if found is None:
        return t.StructType([])
    first, header = found
    if dialect.header:
        names = header_names(first, settings.case_sensitive, dialect.null)
    else:
        names = [f"_c{at}" for at in range(len(first))]
    if not csv.flag(options, "inferschema"):
        return t.StructType([t.StructField(name, t.STRING) for name in names])
    how = Spelling.of(options, settings)
    types: list[set[t.DataType]] = [set() for _ in names]
    ratio = _ratio(options)
    for frame in records(len(names)):
        # As Spark: it is lines like the first file's header that are left out, in all files.
        some = frame.filter(pl.col("raw") != header) if dialect.header else frame
        some = some if ratio >= 1 else some.sample(fraction=ratio, seed=1)
        for at, each in enumerate(types):
            if t.STRING not in each:
                each |= kinds(some[str(at)], how, settings)
    fields = zip(names, map(wide_enough, types), strict=True)
    return t.StructType([t.StructField(name, kind) for name, kind in fields])


def header_names(row: Sequence[str | None], sensitive: bool, null: str) -> list[str]:
    """The names of columns that a header gives: `_c1` for an empty one, with their place after them
    where they come more than once."""
    fold = [(cell or "") if sensitive else (cell or "").lower() for cell in row]
    names = []
    for at, cell in enumerate(row):
        if not cell or cell == null:
            names.append(f"_c{at}")
        elif fold.count(fold[at]) > 1:
            names.append(f"{cell}{at}")
        else:
            names.append(cell)
    return names


def _ratio(options: Mapping[str, str]) -> float:
    text = options.get("samplingratio", "1.0")
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if not ratio > 0:
        raise ValueError(f"samplingRatio must be a number above 0, not {text}")
    return ratio


# ---- json ----------------------------------------------------------------------------------------


def of_json(
    slices: Sequence[FileSlice], options: Mapping[str, str], settings: Settings
) -> t.StructType:
    """The columns of JSON files, by name."""
    files = ((name_of(piece.path), json.texts(piece, options)) for piece in slices)
    return _of_objects(files, options, settings)


def of_texts(
    texts: Iterable[pl.Series], options: Mapping[str, str], settings: Settings
) -> t.StructType:
    """As `of_json`, for texts that are there."""
    return _of_objects([("<a dataset>", texts)], options, settings)


def _of_objects(
    files: Iterable[tuple[str, Iterable[pl.Series]]],
    options: Mapping[str, str],
    settings: Settings,
) -> t.StructType:
    """The columns of the records of files, which have names.

    Raises
    ------
    FilesError
        A record is malformed and the mode is FAILFAST.
    """
    finding = _Finding(options, settings)
    ratio, dice = _ratio(options), random.Random(1)
    nothing = pl.Series([""])
    found: t.DataType = _EMPTY
    for finding.file, texts in files:
        before = 0
        for lines in texts:
            if ratio < 1:
                taken = pl.Series([dice.random() < ratio for _ in range(lines.len())])
                lines = lines.zip_with(taken, nothing)
            found = finding.merged(found, finding.of_lines(lines, before))
            before += lines.len()
    kind = finding.final(found)
    assert isinstance(kind, t.StructType)
    fold = str if settings.case_sensitive else str.lower
    fields: dict[str, t.StructField] = {}
    for each in kind.fields:  # of names that differ in case only, the first is read
        fields.setdefault(fold(each.name), each)
    corrupt = json.corrupt_name(options)
    if finding.malformed and csv.mode_of(options) == "PERMISSIVE":
        fields.setdefault(fold(corrupt), t.StructField(corrupt, t.STRING))
    return t.StructType(sorted(fields.values(), key=lambda each: each.name))


class _Finding:
    """Finds the types of JSON values."""

    def __init__(self, options: Mapping[str, str], settings: Settings) -> None:
        self._options = options
        self._settings = settings
        self._as_text = csv.flag(options, "primitivesasstring")
        self._decimals = csv.flag(options, "prefersdecimal")
        self._times = csv.flag(options, "infertimestamp")
        self._drop = csv.flag(options, "dropfieldifallnull")
        self._how = Spelling.of(options, settings)
        self._parser = Parser(Liberties.of(options))
        self.malformed = 0
        self.file = ""

    def of_lines(self, lines: pl.Series, before: int) -> t.DataType:
        """The type of the records of a few MB; `before` lines of the file came before them."""
        plain_types = not (self._as_text or self._decimals or self._times)
        if plain_types and not csv.flag(self._options, "multiline"):
            found = None
            if not lines.str.contains(_LONG_DIGITS.pattern).any():
                found = json.parsed(lines, self._options, None)
            if found is not None:
                fields = [(f.name, self._of_arrow(f.type)) for f in found[1].schema]
                return _struct(fields)
        return self._slowly(lines, before)

    def _of_arrow(self, kind: pa.DataType) -> t.DataType:
        if pa.types.is_timestamp(kind) or pa.types.is_string(kind):
            return t.STRING
        if pa.types.is_struct(kind):
            return _struct([(f.name, self._of_arrow(f.type)) for f in kind])
        if pa.types.is_list(kind):
            return t.ArrayType(self._of_arrow(kind.value_type))
        return from_arrow(kind)

    def _slowly(self, lines: pl.Series, before: int) -> t.DataType:
        found: t.DataType = _EMPTY
        for number, text in enumerate(lines, before + 1):
            if not text.strip():
                continue
            try:
                value = self._parser.value(text)
            except BadJson as error:
                self._refuse(text, str(error), number)
                continue
            if UNREADABLE in text:
                self._refuse(text, "bytes that are not of the file's encoding", number)
                continue
            if value is None or isinstance(value, Array) and None in value.items:
                continue  # malformed when it is read, but nothing that a column is made of
            for row in json.rows_of(value):
                if isinstance(row, Object):
                    found = self.merged(found, self._of(row))
                else:
                    self._refuse(text, "it is no object", number)
        return found

    def _refuse(self, text: str, why: str, number: int) -> None:
        if csv.mode_of(self._options) == "FAILFAST":
            shown = text[:200].replace(UNREADABLE, "\ufffd")
            raise FilesError(
                f"{self.file}, line {number}: the record {shown!r} is not JSON: {why}; the mode "
                "PERMISSIVE puts it in _corrupt_record, DROPMALFORMED leaves it out",
                "MALFORMED_RECORD_IN_PARSING",
            )
        self.malformed += 1

    def _of(self, value: Any) -> t.DataType:
        if value is None:
            return t.NULL
        if isinstance(value, Object):
            return _struct([(name, self._of(each)) for name, each in value.fields.items()])
        if isinstance(value, Array):
            inner: t.DataType = t.NULL
            for each in value.items:
                inner = self.merged(inner, self._of(each))
            return t.ArrayType(inner)
        if self._as_text:
            return t.STRING
        if isinstance(value, bool):
            return t.BOOLEAN
        if isinstance(value, Number):
            return self._number(value)
        if self._times and value:
            frame = pl.DataFrame({"x": [value]})
            time = typed(pl.col("x"), t.TIMESTAMP, self._how, self._settings)
            if frame.select(time.is_not_null()).item():
                return t.TIMESTAMP
        return t.STRING

    def _number(self, text: str) -> t.DataType:
        if re.fullmatch(r"-?[0-9]+", text):
            if -(2**63) <= int(text) < 2**63:
                return t.LONG
            digits = len(text.lstrip("-"))
            return t.DecimalType(digits, 0) if digits <= t.DecimalType.MAX else t.DOUBLE
        if self._decimals and re.fullmatch(r"-?[0-9.]+([eE][+-]?[0-9]+)?", text):
            exact = Decimal(text).as_tuple()
            scale = max(0, -int(exact.exponent))
            digits = max(len(exact.digits) + max(0, int(exact.exponent)), scale)
            if digits <= t.DecimalType.MAX:
                return t.DecimalType(digits, scale)
        return t.DOUBLE

    def merged(self, a: t.DataType, b: t.DataType) -> t.DataType:
        """The type that holds values of both."""
        if a == b or isinstance(b, t.NullType):
            return a
        if isinstance(a, t.NullType):
            return b
        match a, b:
            case t.StructType(), t.StructType():
                sides = {f.name: f.dataType for f in a.fields}
                for each in b.fields:
                    old = sides.get(each.name, t.NULL)
                    sides[each.name] = self.merged(old, each.dataType)
                return _struct(list(sides.items()))
            case t.ArrayType(), t.ArrayType():
                return t.ArrayType(self.merged(a.elementType, b.elementType))
            case t.NumericType(), t.NumericType():
                return _number(a, b)
        return t.STRING

    def final(self, kind: t.DataType) -> t.DataType:
        """The type without what holds nothing: nulls are text, empty structs are left out."""
        match kind:
            case t.NullType():
                return t.STRING
            case t.StructType():
                stay = [f for f in kind.fields if not self._void(f.dataType)]
                return _struct([(f.name, self.final(f.dataType)) for f in stay])
            case t.ArrayType():
                return t.ArrayType(self.final(kind.elementType))
        return kind

    def _void(self, kind: t.DataType) -> bool:
        """Whether there is nothing in a type that makes a column."""
        match kind:
            case t.NullType():
                return self._drop
            case t.StructType():
                return all(self._void(each.dataType) for each in kind.fields)
            case t.ArrayType():
                return self._void(kind.elementType)
        return False


def _struct(fields: list[tuple[str, t.DataType]]) -> t.StructType:
    return t.StructType([t.StructField(name, kind) for name, kind in sorted(fields, key=_first_of)])


def _first_of(pair: tuple[str, t.DataType]) -> str:
    return pair[0]


def _number(a: t.DataType, b: t.DataType) -> t.DataType:
    """The type of numbers of two types."""
    if t.DOUBLE in (a, b):
        return t.DOUBLE
    one, two = (
        each if isinstance(each, t.DecimalType) else t.DecimalType(20, 0) for each in (a, b)
    )
    scale = max(one.scale, two.scale)
    whole = max(one.precision - one.scale, two.precision - two.scale)
    if whole + scale > t.DecimalType.MAX:
        return t.DOUBLE
    return t.DecimalType(whole + scale, scale)
