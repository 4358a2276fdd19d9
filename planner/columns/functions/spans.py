"""Windows of time to group by: each instant in the one window of fixed length that it is in."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Call, Expr, Literal
from planner.columns.functions.dates import MICROS
from planner.columns.functions.registry import At, Mismatch, Settings, Typed, scalar

_UNITS = {name.lower(): size for name, size in MICROS.items()}
_UNITS |= {"day": 86400 * 10**6, "week": 7 * 86400 * 10**6}
_STEP = re.compile(r"\s*([+-]?\d+)\s+([a-z]+?)s?(?=\s|$)")


def length(text: str) -> int:
    """The microseconds of '10 minutes' or 'interval 1 day 2 hours'.

    >>> length("1 hour 30 minutes") // 1_000_000
    5400
    """
    rest, total, some = text.strip().lower().removeprefix("interval "), 0, False
    while rest.strip():
        step = _STEP.match(rest)
        if step is None or step[2] not in _UNITS:
            if step is not None and step[2] in ("month", "year"):
                raise Mismatch(
                    f"a window of {text}: months have no fixed length", "_LEGACY_ERROR_TEMP_3231"
                )
            raise Mismatch(f"{text!r} is no length of time", "CANNOT_PARSE_INTERVAL")
        total, some, rest = total + int(step[1]) * _UNITS[step[2]], True, rest[step.end() :]
    if not some:
        raise Mismatch(f"{text!r} is no length of time", "CANNOT_PARSE_INTERVAL")
    return total


def _micros(arg: Expr) -> int:
    """A length that is given as constant text, or in microseconds."""
    if not isinstance(arg, Literal) or not isinstance(arg.value, int | str):
        raise Mismatch("the lengths of window must be constants", "_LEGACY_ERROR_TEMP_1207")
    return length(arg.value) if isinstance(arg.value, str) else arg.value


def _time(arg: Expr, name: str) -> Expr:
    """What is put into a window: a timestamp, or the last moment of another window."""
    if isinstance(arg.type, t.StructType) and arg.type.names == ["start", "end"]:
        kind = arg.type["end"].dataType
        return Call("window_time", (arg,), kind=kind, null=arg.nullable)
    if isinstance(arg.type, (t.TimestampType, t.TimestampNTZType)):
        return arg
    if not isinstance(arg.type, (t.DateType, t.StringType, t.NullType)):
        raise Mismatch(f"{name} takes a timestamp, not {arg.type.simpleString()}")
    return implied(arg, t.TIMESTAMP)


def _span(args: Sequence[Expr], settings: Settings) -> Typed:
    """window(time, length, slide?, start?) becomes one with lengths in microseconds. A fifth
    argument, which only the planner gives, is how many slides back the window is."""
    if not 2 <= len(args) <= 5:
        raise Mismatch("window takes 2 to 4 arguments", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
    sizes = [_micros(arg) for arg in args[1:4]]
    size = sizes[0]
    slide = sizes[1] if len(sizes) > 1 else size
    start = sizes[2] if len(sizes) > 2 else 0
    if size <= 0 or slide <= 0:
        raise Mismatch(
            "the length and the slide of a window must be more than 0",
            "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
        )
    if slide > size or abs(start) >= slide:
        raise Mismatch(
            "a window slides by no more than its length, and starts within a slide",
            "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION",
        )
    time = _time(args[0], "window")
    fields = [t.StructField(name, time.type) for name in ("start", "end")]
    whole = [Literal(each, t.LONG) for each in (size, slide, start)]
    null = size != slide or len(args) > 4
    return (time, *whole, *args[4:]), t.StructType(fields), null


@scalar("window", resolve=_span)
def window(
    at: At,
    time: pl.Expr,
    size: pl.Expr,
    slide: pl.Expr,
    start: pl.Expr,
    back: pl.Expr | None = None,
) -> pl.Expr:
    """The last window that begins before an instant, or one so many slides before it; NULL if the
    instant is not in that one."""
    kind = to_polars(at.types[0])
    wide, step, shift = at.values[1:4]
    micros = time.to_physical()
    begin = (micros - shift) // step * step + shift
    if back is not None:
        begin = begin - at.values[4] * step
    found = pl.struct(begin.cast(kind).alias("start"), (begin + wide).cast(kind).alias("end"))
    return pl.when(micros < begin + wide).then(found)


def _session(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 2:
        raise Mismatch("session_window takes 2 arguments", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
    gap: Expr = args[1]
    if isinstance(gap, Literal) and isinstance(gap.value, str):
        gap = Literal(length(gap.value), t.LONG)
    if not isinstance(gap.type, t.StringType | t.LongType):
        raise Mismatch(f"the gap of session_window is text, not {gap.type.simpleString()}")
    time = _time(args[0], "session_window")
    fields = [t.StructField(name, time.type) for name in ("start", "end")]
    return (time, gap), t.StructType(fields), False


@scalar("session_window", resolve=_session)
def session_window(at: At, time: pl.Expr, gap: pl.Expr) -> pl.Expr:
    """The session of one row alone."""
    if isinstance(at.types[1], t.StringType):
        gap = gap.map_batches(_lengths, pl.Int64(), is_elementwise=True)
    end = (time.to_physical() + gap).cast(to_polars(at.types[0]))
    return pl.struct(time.alias("start"), end.alias("end"))


def _lengths(texts: pl.Series) -> pl.Series:
    known = {text: length(text) for text in texts.unique() if text is not None}
    return pl.Series([known.get(text) for text in texts], dtype=pl.Int64)


def _moment(args: Sequence[Expr], settings: Settings) -> Typed:
    kind = args[0].type if len(args) == 1 else None
    if not isinstance(kind, t.StructType) or kind.names != ["start", "end"]:
        raise Mismatch("window_time takes a window")
    return tuple(args), kind["end"].dataType, True


@scalar("window_time", resolve=_moment)
def window_time(at: At, span: pl.Expr) -> pl.Expr:
    """The last moment of a window."""
    return span.struct.field("end") - pl.duration(microseconds=1)
