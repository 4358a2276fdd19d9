"""Functions of arrays give PySpark's values and types (recorded_arrays.json)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from collections_peer import Asked, assert_same, call, col, our_answer, part, questions, recorded

a, b, d, s, aa, i, x, w, sa = map(col, ("a", "b", "d", "s", "aa", "i", "x", "w", "sa"))
nothing = call("array")

QUESTIONS = questions(
    call("array", 1, 2),
    call("array", i, None, 3),
    call("array", i, x),
    call("array", a, b),
    call("array", col("st"), None),
    call("array_repeat", w, 2),
    call("array_repeat", a, i),
    call("array_repeat", 1, -1),
    call("get", a, i),
    call("get", s, -1),
    call("get", s, 0),
    call("try_element_at", a, 2),
    call("try_element_at", a, -1),
    call("try_element_at", a, i),
    call("element_at", call("array", i, 2, 3), -3),
    call("element_at", call("array", 1, 2, 3), 4),
    call("element_at", call("array", 1, 2, 3), 0),
    call("element_at", a, 1),
    call("element_at", col("m"), "a"),
    call("element_at", col("mi"), 3),
    call("get_item", a, 0),
    call("get_item", call("array", 1, i), 1),
    call("get_item", call("array", 1, 2), -1),
    call("get_item", col("m"), "a"),
    call("get_item", col("m"), w),
    call("get_item", col("mi"), i),
    part(col("st"), "q"),
    part(col("st"), "P"),
    part(sa, "p"),
    part(part(col("deep"), "u"), "v"),
    call("size", a),
    call("cardinality", col("m")),
    call("array_size", aa),
    call("array_contains", a, 2),
    call("array_contains", a, i),
    call("array_contains", d, float("2.0")),
    call("array_contains", d, x),
    call("array_contains", s, w),
    call("array_contains", call("array", 1, 2), 2),
    call("array_contains", call("array", 1, 2), x),
    call("array_contains", aa, call("array", 2, 3)),
    call("array_contains", a, None),
    call("array_contains", a, True),
    call("array_position", a, 2),
    call("array_position", d, x),
    call("array_position", s, "a"),
    call("array_position", a, i),
    call("array_remove", a, 2),
    call("array_remove", d, x),
    call("array_remove", s, w),
    call("array_append", a, 9),
    call("array_append", a, i),
    call("array_append", s, w),
    call("array_append", aa, a),
    call("array_append", call("array", 1), 2),
    call("array_prepend", a, i),
    call("array_prepend", call("array", 1), 2),
    call("array_prepend", aa, b),
    call("array_insert", a, 1, 9),
    call("array_insert", a, 3, i),
    call("array_insert", a, 6, 9),
    call("array_insert", a, -1, 9),
    call("array_insert", a, -2, 9),
    call("array_insert", a, -6, 9),
    call("array_insert", a, 0, 9),
    call("array_insert", call("array", 1, 2), 2, 7),
    call("array_compact", a),
    call("array_compact", sa),
    call("array_distinct", a),
    call("array_distinct", d),
    call("array_distinct", aa),
    call("array_distinct", sa),
    call("array_union", a, b),
    call("array_union", d, call("array", x, float("1.5"))),
    call("array_union", a, call("array", 1, 1)),
    call("array_intersect", a, b),
    call("array_intersect", d, call("array", x)),
    call("array_intersect", call("array", 1, 2), a),
    call("array_except", a, b),
    call("array_except", b, a),
    call("array_except", d, call("array", x)),
    call("array_except", a, s),
    call("array_union", a, s),
    call("array_contains", a, "1"),
    call("array_append", a, "1"),
    call("array", 1, "2"),
    call("array_union", a, d),
    call("array_intersect", d, d),
    call("arrays_overlap", a, b),
    call("arrays_overlap", a, call("array", 2)),
    call("arrays_overlap", nothing, a),
    call("arrays_zip", a, s),
    call("arrays_zip", a, call("array", 1)),
    call("arrays_zip", a, part(sa, "q")),
    call("array_join", s, "-"),
    call("array_join", s, "-", "?"),
    call("array_join", a, ", "),
    call("array_join", s, w, w),
    call("array_min", a),
    call("array_max", a),
    call("array_min", d),
    call("array_max", d),
    call("array_max", s),
    call("array_min", aa),
    call("array_max", sa),
    call("sort_array", a),
    call("sort_array", a, False),
    call("sort_array", d, False),
    call("sort_array", s),
    call("sort_array", sa),
    call("array_sort", a),
    call("array_sort", d),
    call("array_sort", aa),
    call("slice", a, 2, 2),
    call("slice", a, -2, 2),
    call("slice", a, -9, 9),
    call("slice", a, 9, 1),
    call("slice", a, 1, i),
    call("slice", a, 0, 1),
    call("slice", a, 1, -1),
    call("slice", a, i, 2),
    call("flatten", aa),
    call("flatten", call("array", a, b)),
    call("flatten", a),
    call("reverse", a),
    call("reverse", w),
    call("reverse", d),
    call("concat", a, b),
    call("concat", a, call("array", x)),
    call("concat", w, "!"),
    call("sequence", 1, 5),
    call("sequence", 5, 1),
    call("sequence", 1, 10, 4),
    call("sequence", 10, 1, -4),
    call("sequence", i, 2),
    call("sequence", 1, 5, -1),
    call("sequence", 1, 5, 0),
    call("sequence", 3, 3, 0),
    call("sequence", i, 3_000_000_000, 1_000_000_000),
    call("sequence", dt.date(2024, 1, 30), dt.date(2024, 2, 2)),
    call("slice", call("sequence", col("day"), dt.date(2024, 2, 2)), -3, 3),
)
QUESTIONS |= questions(
    call("get_item", a, 5),
    call("get_item", a, -1),
    call("element_at", a, 5),
    call("element_at", a, 0),
    call("size", a),
    call("array_append", a, 1),
    ansi=False,
)
EXPECTED = recorded("arrays")


@pytest.mark.parametrize("key", QUESTIONS)
def test_as_pyspark(key: str) -> None:
    question, ansi = QUESTIONS[key]
    assert_same(question, ansi, EXPECTED[key])


def interval(text: str, value: Any) -> Asked:
    """An interval: months as a number, or a length of time."""
    from planner.columns import types as t
    from planner.columns.expressions import Literal

    kind = t.YearMonthIntervalType(1) if isinstance(value, int) else t.DayTimeIntervalType()
    return Asked(f"INTERVAL {text}", lambda: Literal(value, kind))


def instant(text: str) -> Asked:
    from planner.columns import types as t
    from planner.columns.expressions import Literal

    value = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return Asked(f"TIMESTAMP'{text}'", lambda: Literal(value, t.TIMESTAMP))


MONTH, BACK = interval("1 MONTH", 1), interval("'-1' MONTH", -1)
TIMES: list[tuple[Any, Any, Any, Any]] = [  # start, stop, step, PySpark's answer or error class
    (
        dt.date(2024, 1, 31),
        dt.date(2024, 5, 31),
        MONTH,
        ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"],
    ),
    (
        dt.date(2024, 5, 31),
        dt.date(2024, 1, 31),
        BACK,
        ["2024-05-31", "2024-04-30", "2024-03-31", "2024-02-29", "2024-01-31"],
    ),
    (
        dt.date(2024, 1, 1),
        dt.date(2024, 1, 10),
        interval("3 DAY", dt.timedelta(3)),
        ["2024-01-01", "2024-01-04", "2024-01-07", "2024-01-10"],
    ),
    (
        instant("2024-01-01 00:00:00"),
        instant("2024-01-01 01:00:00"),
        interval("30 MINUTE", dt.timedelta(minutes=30)),
        ["2024-01-01 00:00:00", "2024-01-01 00:30:00", "2024-01-01 01:00:00"],
    ),
    (
        instant("2024-01-31 05:00:00"),
        instant("2025-01-01 02:00:00"),
        interval("6 MONTH", 6),
        ["2024-01-31 05:00:00", "2024-07-31 05:00:00"],
    ),
    (dt.date(2024, 1, 31), dt.date(2024, 3, 1), BACK, None),
    (
        dt.date(2024, 1, 1),
        dt.date(2024, 1, 2),
        interval("12 HOUR", dt.timedelta(hours=12)),
        "_LEGACY_ERROR_TEMP_3242",
    ),
]


@pytest.mark.parametrize("place", range(len(TIMES)))
def test_sequences_of_times(place: int) -> None:
    start, stop, step, expected = TIMES[place]
    found = our_answer(call("sequence", start, stop, step))
    if isinstance(expected, list):
        assert found["values"][0] == expected
    else:
        assert expected in (None, found["error"])


def test_shuffle_says_that_it_is_not_there() -> None:
    with pytest.raises(NotImplementedError, match="shuffle"):
        our_answer(call("shuffle", a))
