"""Windows of time to group by: each instant in the one window of fixed length that it is in."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.dates import MICROS
from planner.columns.functions.raising import raise_where
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
                raise Mismatch(f"a window of {text}: months have no fixed length")
            raise Mismatch(f"{text!r} is no length of time", "CANNOT_PARSE_INTERVAL")
        total, some, rest = total + int(step[1]) * _UNITS[step[2]], True, rest[step.end() :]
    if not some:
        raise Mismatch(f"{text!r} is no length of time", "CANNOT_PARSE_INTERVAL")
    return total


def _span(args: Sequence[Expr], settings: Settings) -> Typed:
    """window(time, length, slide?, start?) becomes window(time, length, start) in microseconds."""
    if not 2 <= len(args) <= 4:
        raise Mismatch("window takes 2 to 4 arguments", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
    if all(isinstance(arg.type, t.LongType) for arg in args[1:]):
        time, sizes = args[0], [arg.value for arg in args[1:] if isinstance(arg, Literal)]
    else:
        texts = [arg.value for arg in args[1:] if isinstance(arg, Literal)]
        if len(texts) != len(args) - 1 or not all(isinstance(text, str) for text in texts):
            raise Mismatch("the lengths of window must be constant text")
        found = [length(text) for text in texts]
        if len(found) > 1 and found[1] != found[0]:
            raise NotImplementedError(
                "window with a slide other than its length; union one window for each start"
            )
        time, sizes = args[0], [found[0], found[2] if len(found) > 2 else 0]
        if sizes[0] <= 0 or abs(sizes[1]) >= sizes[0]:
            raise Mismatch("a window is longer than 0 and than what its start is moved by")
    if not isinstance(time.type, (t.TimestampType, t.TimestampNTZType)):
        takes = isinstance(time.type, (t.DateType, t.StringType))
        if not takes:
            raise Mismatch(f"window takes a timestamp, not {time.type.simpleString()}")
        time = implied(time, t.TIMESTAMP)
    fields = [t.StructField(name, time.type) for name in ("start", "end")]
    return (time, *(Literal(size, t.LONG) for size in sizes)), t.StructType(fields), False


@scalar("window", resolve=_span)
def window(at: At, time: pl.Expr, size: pl.Expr, start: pl.Expr) -> pl.Expr:
    """A NULL would be a group here and is none in Spark: it is refused."""
    kind = to_polars(at.types[0])
    wide, shift = at.values[1], at.values[2]
    micros = time.to_physical()
    begin = (micros - shift) // wide * wide + shift
    found = pl.struct(begin.cast(kind).alias("start"), (begin + wide).cast(kind).alias("end"))
    message = "window over times that are NULL is not there yet; filter them out first"
    return raise_where(time.is_null(), "UNSUPPORTED_FEATURE", message, found)


def _moment(args: Sequence[Expr], settings: Settings) -> Typed:
    kind = args[0].type if len(args) == 1 else None
    if not isinstance(kind, t.StructType) or kind.names != ["start", "end"]:
        raise Mismatch("window_time takes a window")
    return tuple(args), kind["end"].dataType, args[0].nullable


@scalar("window_time", resolve=_moment)
def window_time(at: At, span: pl.Expr) -> pl.Expr:
    """The last moment of a window."""
    return span.struct.field("end") - pl.duration(microseconds=1)
