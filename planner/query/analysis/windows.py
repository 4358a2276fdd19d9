"""Windows in expressions: checked, given the frame that is meant, and computed in nodes below."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from planner.columns import types as t
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Expr,
    Frame,
    Literal,
    Over,
    PythonCall,
    attributes,
    rewrite,
)
from planner.columns.functions.registry import Aggregate, WindowOnly, find
from planner.columns.typing import AnalysisError
from planner.query import logical as l
from planner.query.analysis.naming import text_of

_UP_TO_HERE = Frame("rows", None, 0)
_NO_FRAME = ("median", "percentile_cont", "percentile_disc")
_SPANS = (t.DayTimeIntervalType, t.YearMonthIntervalType)
_TIMES = (t.DateType, t.TimestampType, t.TimestampNTZType)
_MISMATCH = "DATATYPE_MISMATCH."


def with_windows(plan: l.Plan, exprs: Sequence[Expr]) -> tuple[l.Plan, list[Expr]]:
    """The windows of expressions computed below them, those of one partitioning together.

    Raises AnalysisError for a window that its function cannot have.
    """
    places: dict[Expr, Alias] = {}
    depths: dict[Attr, int] = {}  # of windows inside windows: those are below
    together: dict[tuple[int, object, object], list[Alias]] = {}

    def out(expr: Expr) -> Expr:
        if not isinstance(expr, Over):
            return expr
        over = framed(expr)
        if over not in places:
            place = places[over] = Alias(over, text_of(over))
            depth = 1 + max((depths.get(attr, 0) for attr in attributes(over)), default=0)
            depths[place.attr] = depth
            together.setdefault((depth, over.partition, over.order), []).append(place)
        return places[over].attr

    found = []
    for expr in exprs:
        new = rewrite(expr, out)
        named = new is expr or isinstance(new, Alias)
        found.append(new if named else Alias(new, text_of(with_frames(expr))))
    for _, values in sorted(together.items(), key=lambda item: item[0][0]):
        plan = l.Window(plan, tuple(values))
    return plan, found


def with_frames(expr: Expr) -> Expr:
    """The expression with all windows given the frames that are meant."""
    return rewrite(expr, lambda each: framed(each) if isinstance(each, Over) else each)


def framed(over: Over) -> Over:
    """The window with the frame that is meant where none is said. Raises AnalysisError."""
    call = over.call
    if isinstance(call, PythonCall):
        return _of_python(over, call)
    if not isinstance(call, Call):
        return over
    entry = find(call.name)
    if call.distinct:
        raise AnalysisError(
            f"{text_of(call)}: DISTINCT cannot be in a window",
            "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED",
        )
    if isinstance(entry, WindowOnly) or call.name == "nth_value":
        _need_order(over)
    if isinstance(entry, WindowOnly):
        own = _own_frame(call)
        if over.frame not in (None, own):
            raise AnalysisError(
                f"{text_of(call)} has a frame of its own, and cannot be given one",
                "_LEGACY_ERROR_TEMP_1036",
            )
        return replace(over, frame=own)
    if not isinstance(entry, Aggregate):
        raise AnalysisError(
            f"{text_of(call)} is no window function and no aggregate",
            "UNSUPPORTED_EXPR_FOR_WINDOW",
        )
    if call.name in _NO_FRAME and (over.order or over.frame is not None):
        raise AnalysisError(
            f"{text_of(call)} takes its window without order and frame",
            "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC",
        )
    if over.frame is None:
        whole = Frame("rows", None, None)
        return replace(over, frame=Frame("range", None, 0) if over.order else whole)
    _check(over, over.frame)
    return over


def _of_python(over: Over, call: PythonCall) -> Over:
    """The window of a user's function."""
    if call.style != "fold":
        raise AnalysisError(
            f"{call.name} gives a value for each row, so it is no function over a window",
            "UNSUPPORTED_EXPR_FOR_WINDOW",
        )
    if over.frame is None:
        whole = Frame("rows", None, None)
        return replace(over, frame=Frame("range", None, 0) if over.order else whole)
    _check(over, over.frame)
    ends = [value_of_bound(bound) for bound in (over.frame.start, over.frame.end)]
    if over.frame.unit == "range" and any(end not in (None, 0) for end in ends):
        raise NotImplementedError(
            f"the Python function {call.name} over RANGE with an offset; use ROWS"
        )
    return over


def _own_frame(call: Call) -> Frame:
    if call.name not in ("lag", "lead"):
        return Frame("range", None, 0) if call.name == "cume_dist" else _UP_TO_HERE
    offset = call.args[1].value if isinstance(call.args[1], Literal) else 0
    place = -offset if call.name == "lag" else offset
    return Frame("rows", place, place)


def _need_order(over: Over) -> None:
    if not over.order:
        raise AnalysisError(
            f"{text_of(over.call)} needs a window with an order",
            "WINDOW_FUNCTION_FRAME_NOT_ORDERED",
        )


# ---- frames --------------------------------------------------------------------------------------


def value_of_bound(bound: object) -> object:
    """The value of a frame's bound, literal or not."""
    return bound.value if isinstance(bound, Literal) else bound


def _check(over: Over, frame: Frame) -> None:
    bounds = [value_of_bound(bound) for bound in (frame.start, frame.end)]
    low, high = bounds
    if low is not None and high is not None and _number(low) > _number(high):
        raise AnalysisError(
            "the frame of a window ends before it starts",
            _MISMATCH + "SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON",
        )
    if frame.unit == "rows":
        if any(bound is not None and not isinstance(bound, int) for bound in bounds):
            raise AnalysisError(
                "the bounds of ROWS must be whole numbers",
                _MISMATCH + "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
            )
        return
    if not over.order and bounds != [None, None]:
        raise AnalysisError("RANGE needs an order", _MISMATCH + "RANGE_FRAME_WITHOUT_ORDER")
    offsets = [b for b in (frame.start, frame.end) if value_of_bound(b) is not None]
    offsets = [b for b in offsets if _number(value_of_bound(b)) or isinstance(b, Literal)]
    if offsets and len(over.order) > 1:
        raise AnalysisError(
            "RANGE with an offset needs an order of one key",
            _MISMATCH + "RANGE_FRAME_MULTI_ORDER",
        )
    for offset in offsets:
        _check_offset(over.order[0].type, offset)


def _number(bound: object) -> float:
    return bound.total_seconds() if isinstance(bound, dt.timedelta) else float(bound)  # type: ignore[arg-type]


def _check_offset(key: t.DataType, offset: object) -> None:
    kind = offset.kind if isinstance(offset, Literal) else None
    value = value_of_bound(offset)
    span = isinstance(kind, _SPANS) or isinstance(value, dt.timedelta)
    if not isinstance(key, (t.NumericType, *_TIMES, *_SPANS)):
        raise AnalysisError(
            f"RANGE with an offset is not for {key.simpleString()}",
            _MISMATCH + "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
        )
    fits = span == (not isinstance(key, t.NumericType))
    if isinstance(key, t.DateType):
        days = not isinstance(value, dt.timedelta) or value % dt.timedelta(1) == dt.timedelta(0)
        fits = days and (span or isinstance(value, int))
    if not fits:
        shown = kind.simpleString() if kind is not None else type(value).__name__
        raise AnalysisError(
            f"RANGE over {key.simpleString()} cannot be counted in {shown}",
            _MISMATCH + "RANGE_FRAME_INVALID_TYPE",
        )
