"""Functions of text: case, length, trimming, padding, parts, joining, replacing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.elements import by_batch, by_row
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import (
    ANY,
    INT,
    TEXT,
    At,
    Kind,
    Mismatch,
    Settings,
    Typed,
    coerced,
    resolver,
    scalar,
)
from planner.columns.functions.rowwise import each, fail

TEXT_OR_BYTES = Kind(
    "text or bytes", lambda k: t.BINARY if isinstance(k, t.BinaryType) else TEXT.to(k)
)
TEXT_FROM_BYTES = Kind(
    "text or bytes", lambda k: t.STRING if isinstance(k, t.BinaryType) else TEXT.to(k)
)
MAX = 2**31 - 1
WHOLE = pl.Int64()


def null_of(kind: t.DataType) -> pl.Expr:
    """NULL of a type."""
    return pl.lit(None, dtype=to_polars(kind))


# ---- case ----------------------------------------------------------------------------------------


@scalar("upper", "ucase", takes=(TEXT,), gives=t.STRING)
def upper(at: At, text: pl.Expr) -> pl.Expr:
    return text.str.to_uppercase()


@scalar("lower", "lcase", takes=(TEXT,), gives=t.STRING)
def lower(at: At, text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase()


def capitalised(text: str) -> str:
    """Words between spaces begin large and go on small."""
    return " ".join(word[:1].title() + word[1:].lower() for word in text.split(" "))


@scalar("initcap", takes=(TEXT,), gives=t.STRING)
def initcap(at: At, text: pl.Expr) -> pl.Expr:
    return each(capitalised, t.STRING, text)


# ---- length --------------------------------------------------------------------------------------


@scalar("length", "char_length", "character_length", "len", takes=(TEXT_OR_BYTES,), gives=t.INT)
def length(at: At, text: pl.Expr) -> pl.Expr:
    if at.types[0] == t.BINARY:
        return text.bin.size().cast(pl.Int32)
    return text.str.len_chars().cast(pl.Int32)


@scalar("octet_length", takes=(TEXT_OR_BYTES,), gives=t.INT)
def octet_length(at: At, text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Binary).bin.size().cast(pl.Int32)


@scalar("bit_length", takes=(TEXT_OR_BYTES,), gives=t.INT)
def bit_length(at: At, text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Binary).bin.size().cast(pl.Int32) * 8


# ---- trimming and padding ------------------------------------------------------------------------


def _trimmed(text: pl.Expr, side: str, chars: pl.Expr | None, known: Any) -> pl.Expr:
    """Without the spaces, or those characters, at its ends; no characters trim nothing."""
    method = {"both": "strip_chars", "left": "strip_chars_start", "right": "strip_chars_end"}[side]
    if chars is None:
        known = " "
    if known == "":
        return text
    if known is not None:
        found: pl.Expr = getattr(text.str, method)(known)
        return found
    assert chars is not None
    trim = {"both": str.strip, "left": str.lstrip, "right": str.rstrip}[side]
    return each(lambda value, set_: trim(value, set_) if set_ else value, t.STRING, text, chars)


@scalar("btrim", takes=(TEXT, TEXT), gives=t.STRING, least=1)
def btrim(at: At, text: pl.Expr, chars: pl.Expr | None = None) -> pl.Expr:
    return _trimmed(text, "both", chars, at.values[-1])


@scalar("trim", takes=(TEXT, TEXT), gives=t.STRING, least=1)
def trim(at: At, text: pl.Expr, chars: pl.Expr | None = None) -> pl.Expr:
    """The text comes first, as in DataFrames; SQL's own order is the parser's matter."""
    return _trimmed(text, "both", chars, at.values[-1])


@scalar("ltrim", takes=(TEXT, TEXT), gives=t.STRING, least=1)
def ltrim(at: At, text: pl.Expr, chars: pl.Expr | None = None) -> pl.Expr:
    return _trimmed(text, "left", chars, at.values[-1])


@scalar("rtrim", takes=(TEXT, TEXT), gives=t.STRING, least=1)
def rtrim(at: At, text: pl.Expr, chars: pl.Expr | None = None) -> pl.Expr:
    return _trimmed(text, "right", chars, at.values[-1])


def _padding(name: str) -> Any:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        found = coerced(name, args, (TEXT_OR_BYTES, INT, TEXT_OR_BYTES), None, 2)
        kind = found[0].type
        if len(found) == 2:
            space = Literal(b"\0", t.BINARY) if kind == t.BINARY else Literal(" ", t.STRING)
            found = (*found, space)
        elif found[2].type != kind and not isinstance(found[2].type, t.NullType):
            found = (*(implied(each, t.STRING) for each in (found[0],)), *found[1:])
            found = (found[0], found[1], implied(found[2], t.STRING))
            kind = t.STRING
        return found, kind, any(arg.nullable for arg in found)

    return resolve


def _fill(value: Any, size: int, pad: Any) -> Any:
    missing = max(size, 0) - len(value)
    return (pad * (missing // len(pad) + 1))[:missing] if pad and missing > 0 else value[:0]


def _padded(at: At, left: bool, text: pl.Expr, size: pl.Expr, pad: pl.Expr) -> pl.Expr:
    known, width = at.values[2], at.values[1]
    if isinstance(known, str) and len(known) == 1 and isinstance(width, int):
        if width <= 0:
            return text.str.head(0)
        whole = text.str.pad_start(width, known) if left else text.str.pad_end(width, known)
        return whole.str.head(width)

    def one(value: Any, wanted: int, fill: Any) -> Any:
        own = value[: max(wanted, 0)]
        more = _fill(own, wanted, fill)
        return more + own if left else own + more

    return each(one, at.type, text, size, pad)


@scalar("lpad", resolve=_padding("lpad"))
def lpad(at: At, text: pl.Expr, size: pl.Expr, pad: pl.Expr) -> pl.Expr:
    return _padded(at, True, text, size, pad)


@scalar("rpad", resolve=_padding("rpad"))
def rpad(at: At, text: pl.Expr, size: pl.Expr, pad: pl.Expr) -> pl.Expr:
    return _padded(at, False, text, size, pad)


@scalar("repeat", takes=(TEXT, INT), gives=t.STRING)
def repeat(at: At, text: pl.Expr, times: pl.Expr) -> pl.Expr:
    def one(value: str, n: int) -> str:
        if len(value) * n > MAX:
            fail("ARITHMETIC_OVERFLOW", "repeat makes a text that is too long")
        return value * max(n, 0)

    return each(one, t.STRING, text, times)


@scalar("space", takes=(INT,), gives=t.STRING)
def space(at: At, times: pl.Expr) -> pl.Expr:
    return each(lambda n: " " * max(n, 0), t.STRING, times)


def _turned(args: Sequence[Expr], settings: Settings) -> Typed:
    other = len(args) == 1 and isinstance(args[0].type, t.ArrayType | t.BinaryType)
    kind = ANY if other else TEXT
    return resolver("reverse", (kind,), lambda types: types[0])(args, settings)


@scalar("reverse", resolve=_turned)
def reverse(at: At, value: pl.Expr) -> pl.Expr:
    if isinstance(at.types[0], t.ArrayType):
        return value.list.reverse()
    if isinstance(at.types[0], t.BinaryType):
        return each(lambda data: data[::-1], t.BINARY, value)

    def run(texts: pl.Series) -> pl.Series:
        if (texts.str.len_bytes() == texts.str.len_chars()).all():
            return texts.str.reverse()
        return pl.Series([None if x is None else x[::-1] for x in texts], dtype=pl.String)

    return by_batch(run, t.STRING, value)


# ---- parts ---------------------------------------------------------------------------------------


def _bounds(place: pl.Expr, count: pl.Expr, size: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """(offset, length) of the part that begins at `place`, counted from 1, or from the end if it is
    negative; a place before the beginning uses up some of the count."""
    start = pl.when(place > 0).then(place - 1).when(place < 0).then(size + place).otherwise(0)
    end = start + count
    offset = start.clip(0)
    return offset, (end - offset).clip(0)


def part(at: At, value: pl.Expr, place: pl.Expr, count: pl.Expr | None) -> pl.Expr:
    """substring: `place` and `count` are Int32; without a count, to the end."""
    binary = at.types[0] == t.BINARY
    known = at.values[1]
    amount = pl.lit(MAX, dtype=WHOLE) if count is None else count.cast(WHOLE)
    if known is not None and known >= 0:
        offset, wanted = pl.lit(max(known - 1, 0), dtype=WHOLE), amount.clip(0)
    else:
        size = (value.bin.size() if binary else value.str.len_chars()).cast(WHOLE)
        offset, wanted = _bounds(place.cast(WHOLE), amount, size)
    found = value.bin.slice(offset, wanted) if binary else value.str.slice(offset, wanted)
    checks = [x for x, v in ((place, known), (count, at.values[2:] and at.values[2])) if v is None]
    unknown = [check.is_not_null() for check in checks if check is not None]
    return pl.when(pl.all_horizontal(unknown)).then(found) if unknown else found


@scalar("substring", "substr", takes=(TEXT_OR_BYTES, INT, INT), least=2)
def substring(at: At, text: pl.Expr, place: pl.Expr, count: pl.Expr | None = None) -> pl.Expr:
    return part(at, text, place, count)


@scalar("left", takes=(TEXT_OR_BYTES, INT))
def left(at: At, text: pl.Expr, count: pl.Expr) -> pl.Expr:
    wanted = count.clip(0)
    found = text.bin.head(wanted) if at.type == t.BINARY else text.str.head(wanted)
    return pl.when(count.is_not_null()).then(found)


@scalar("right", takes=(TEXT_FROM_BYTES, INT), gives=t.STRING)
def right(at: At, text: pl.Expr, count: pl.Expr) -> pl.Expr:
    return pl.when(count.is_not_null()).then(text.str.tail(count.clip(0)))


def before(text: str, delimiter: str, count: int) -> str:
    """What is before the `count`-th delimiter; after it, from the end, if the count is negative."""
    if not delimiter or not count:
        return ""
    if count > 0:
        place = -1
        for _ in range(count):
            place = text.find(delimiter, place + 1)
            if place < 0:
                return text
        return text[:place]
    place = len(text) + 1 - len(delimiter)
    for _ in range(-count):
        place = text.rfind(delimiter, 0, max(place - 1 + len(delimiter), 0))
        if place < 0:
            return text
    return text[place + len(delimiter) :]


@scalar("substring_index", takes=(TEXT, TEXT, INT), gives=t.STRING)
def substring_index(at: At, text: pl.Expr, delimiter: pl.Expr, count: pl.Expr) -> pl.Expr:
    known, wanted = at.values[1], at.values[2]
    if isinstance(known, str) and len(known) == 1 and wanted:
        parts = text.str.split(known)
        return (parts.list.head(wanted) if wanted > 0 else parts.list.tail(-wanted)).list.join(
            known
        )
    return each(before, t.STRING, text, delimiter, count)


def place_of(text: pl.Expr, what: pl.Expr) -> pl.Expr:
    """Where it is first, in characters from 1; 0 if it is not there."""
    ahead = text.cast(pl.Binary).bin.slice(0, text.str.find(what, literal=True))
    place = ahead.cast(pl.String).str.len_chars() + 1
    found = pl.when(text.str.contains(what, literal=True)).then(place).otherwise(0)
    return pl.when(text.is_not_null() & what.is_not_null()).then(found.cast(pl.Int32))


@scalar("instr", takes=(TEXT, TEXT), gives=t.INT)
def instr(at: At, text: pl.Expr, what: pl.Expr) -> pl.Expr:
    return place_of(text, what)


@scalar("locate", "position", "charindex", takes=(TEXT, TEXT, INT), gives=t.INT, least=2)
def locate(at: At, what: pl.Expr, text: pl.Expr, start: pl.Expr | None = None) -> pl.Expr:
    """A start of NULL is found nowhere: 0, even in a NULL."""
    if start is None:
        return place_of(text, what)
    wide = start.cast(WHOLE)
    found = place_of(text.str.slice((wide - 1).clip(0).fill_null(0)), what)
    moved = pl.when(found > 0).then(found + start - 1).when(found == 0).then(found)
    beyond = (wide - 1 > text.str.len_chars()) & what.is_not_null()
    there = pl.when(what == "").then(1).when(beyond).then(0).otherwise(moved)
    none = pl.when(text.is_not_null() & what.is_not_null()).then(0)
    placed = pl.when(start > 0).then(there).otherwise(none)
    return pl.when(start.is_null()).then(0).otherwise(placed).cast(pl.Int32)


# ---- joining -------------------------------------------------------------------------------------


def _joined(args: Sequence[Expr], settings: Settings) -> Typed:
    kinds = [arg.type for arg in args if not isinstance(arg.type, t.NullType)]
    null = any(arg.nullable for arg in args)
    if any(isinstance(kind, t.ArrayType) for kind in kinds):
        if not all(isinstance(kind, t.ArrayType) for kind in kinds):
            raise Mismatch("concat takes arrays, or text", "DATATYPE_MISMATCH.DATA_DIFF_TYPES")
        found = resolver("concat", (), lambda types: types[0], ANY, alike=True)
        return found(args, settings)
    if kinds and all(isinstance(kind, t.BinaryType) for kind in kinds):
        return tuple(implied(arg, t.BINARY) for arg in args), t.BINARY, null
    found_args = coerced("concat", args, (), TEXT_FROM_BYTES, 0)
    return found_args, t.STRING, null


@scalar("concat", "||", resolve=_joined)
def concat(at: At, *parts: pl.Expr) -> pl.Expr:
    if not parts:
        return pl.lit("", dtype=pl.String)
    if isinstance(at.type, t.ArrayType):
        none = pl.any_horizontal([part.is_null() for part in parts])
        return pl.when(~none).then(pl.concat_list(parts)).cast(to_polars(at.type))
    if at.type == t.BINARY:
        return each(lambda *values: b"".join(values), t.BINARY, *parts)
    return pl.concat_str(*parts)


def _with_separator(args: Sequence[Expr], settings: Settings) -> Typed:
    if not args:
        raise Mismatch("concat_ws takes at least a separator", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
    words = t.ArrayType(t.STRING)
    found = [coerced("concat_ws", args[:1], (TEXT,), None, None)[0]]
    for place, arg in enumerate(args[1:]):
        if isinstance(arg.type, t.ArrayType) and TEXT.to(arg.type.elementType):
            found.append(implied(arg, words))
        elif TEXT_FROM_BYTES.to(arg.type) is None:
            raise Mismatch(
                f"argument {place + 2} of concat_ws must be text or an array of it, and is "
                f"{arg.type.simpleString()}"
            )
        else:
            found.append(implied(arg, t.STRING))
    return tuple(found), t.STRING, found[0].nullable


@scalar("concat_ws", resolve=_with_separator)
def concat_ws(at: At, separator: pl.Expr, *parts: pl.Expr) -> pl.Expr:
    """NULLs are left out, in arrays too."""
    if not parts:
        return pl.when(separator.is_not_null()).then(pl.lit(""))
    lists = any(isinstance(kind, t.ArrayType) for kind in at.types[1:])
    if not lists and at.values[0] is not None:
        return pl.concat_str(parts, separator=at.values[0], ignore_nulls=True)

    def joined(mark: str | None, *values: Any) -> str | None:
        words: list[str] = []
        for value in values:
            words += [x for x in (value if isinstance(value, list) else [value]) if x is not None]
        return None if mark is None else mark.join(words)

    return by_row(joined, t.STRING, separator, *parts)


@scalar("elt", resolve=lambda args, settings: _chosen(args))
def elt(at: At, place: pl.Expr, *values: pl.Expr) -> pl.Expr:
    found = pl.coalesce(
        pl.when(place == index + 1).then(value) for index, value in enumerate(values)
    )
    if not at.ansi:
        return found
    outside = (place < 1) | (place > len(values))
    return raise_where(outside, "INVALID_ARRAY_INDEX", f"elt has {len(values)} values", found)


def _chosen(args: Sequence[Expr]) -> Typed:
    if len(args) < 2:
        raise Mismatch("elt takes at least 2 arguments", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
    binary = all(isinstance(arg.type, t.BinaryType) for arg in args[1:])
    kind = t.BINARY if binary else t.STRING
    place = coerced("elt", args[:1], (INT,), None, None)
    return (*place, *(implied(arg, kind) for arg in args[1:])), kind, True


# ---- replacing -----------------------------------------------------------------------------------


def exchanged(text: str, old: str, new: str) -> str:
    """translate: each character of `old` becomes that of `new` at its place, or nothing."""
    table: dict[int, str | None] = {}
    for place, char in enumerate(old):
        table.setdefault(ord(char), new[place] if place < len(new) else None)
    return text.translate(table)


@scalar("translate", takes=(TEXT, TEXT, TEXT), gives=t.STRING)
def translate(at: At, text: pl.Expr, old: pl.Expr, new: pl.Expr) -> pl.Expr:
    if isinstance(at.values[1], str) and isinstance(at.values[2], str):
        letters = list(dict.fromkeys(at.values[1]))
        if not letters:
            return text
        return text.str.replace_many(
            letters, [exchanged(x, at.values[1], at.values[2]) for x in letters]
        )
    return each(exchanged, t.STRING, text, old, new)


@scalar("replace", takes=(TEXT, TEXT, TEXT), gives=t.STRING, least=2)
def replace(at: At, text: pl.Expr, old: pl.Expr, new: pl.Expr | None = None) -> pl.Expr:
    new = pl.lit("") if new is None else new
    if len(at.args) == 3 and isinstance(at.args[2], Literal) and at.values[2] is None:
        return null_of(t.STRING)  # Polars refuses it
    if isinstance(at.values[1], str):
        if not at.values[1]:
            return pl.when(new.is_not_null()).then(text)
        return text.str.replace_all(at.values[1], new, literal=True)
    return each(lambda s, a, b: s.replace(a, b) if a else s, t.STRING, text, old, new)


@scalar("overlay", takes=(TEXT_OR_BYTES, TEXT_OR_BYTES, INT, INT), least=3)
def overlay(
    at: At, text: pl.Expr, new: pl.Expr, place: pl.Expr, count: pl.Expr | None = None
) -> pl.Expr:
    """substring(text, 1, place - 1) || new || substring(text, place + count)."""

    def one(value: Any, other: Any, start: int, size: int = -1) -> Any:
        after = start + (len(other) if size < 0 else size)
        tail = value[after - 1 :] if after > 0 else value[after:] if after else value
        return value[: max(start - 1, 0)] + other + tail

    return each(one, at.type, text, new, place, *([] if count is None else [count]))


@scalar("split_part", takes=(TEXT, TEXT, INT), gives=t.STRING)
def split_part(at: At, text: pl.Expr, delimiter: pl.Expr, place: pl.Expr) -> pl.Expr:
    def one(value: str, mark: str, wanted: int) -> str:
        parts = value.split(mark) if mark else [value]
        index = wanted - 1 if wanted > 0 else len(parts) + wanted
        return parts[index] if 0 <= index < len(parts) else ""

    found = each(one, t.STRING, text, delimiter, place)
    if at.values[2]:
        return found
    bad = (place == 0) & text.is_not_null() & delimiter.is_not_null()
    return raise_where(bad, "INVALID_INDEX_OF_ZERO", "parts are counted from 1, or from -1", found)


# ---- questions -----------------------------------------------------------------------------------


@scalar("startswith", takes=(TEXT_OR_BYTES, TEXT_OR_BYTES), gives=t.BOOLEAN)
def startswith(at: At, text: pl.Expr, what: pl.Expr) -> pl.Expr:
    return text.cast(pl.Binary).bin.starts_with(what.cast(pl.Binary))


@scalar("endswith", takes=(TEXT_OR_BYTES, TEXT_OR_BYTES), gives=t.BOOLEAN)
def endswith(at: At, text: pl.Expr, what: pl.Expr) -> pl.Expr:
    return text.cast(pl.Binary).bin.ends_with(what.cast(pl.Binary))


@scalar("contains", takes=(TEXT_OR_BYTES, TEXT_OR_BYTES), gives=t.BOOLEAN)
def contains(at: At, text: pl.Expr, what: pl.Expr) -> pl.Expr:
    if at.types == (t.STRING, t.STRING):
        found = text.str.contains(what, literal=True)
    else:
        found = text.cast(pl.Binary).bin.contains(what.cast(pl.Binary))
    if at.values[1] is not None:
        return found
    return pl.when(what.is_not_null()).then(found)


@scalar("find_in_set", takes=(TEXT, TEXT), gives=t.INT)
def find_in_set(at: At, what: pl.Expr, text: pl.Expr) -> pl.Expr:
    def one(word: str, words: str) -> int:
        found = words.split(",")
        return found.index(word) + 1 if "," not in word and word in found else 0

    return each(one, t.INT, what, text)
