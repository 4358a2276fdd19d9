"""Functions of maps give PySpark's values and types (recorded_maps.json)."""

from __future__ import annotations

import pytest
from collections_peer import assert_same, call, col, questions, recorded

a, b, s, i, x, w, m, m2, mi = map(col, ("a", "b", "s", "i", "x", "w", "m", "m2", "mi"))

QUESTIONS = questions(
    call("map", "a", 1),
    call("map", "a", i, "b", x),
    call("map", 1, a, 2, None),
    call("map", w, 1),
    call("map", "a", 1, "a", 2),
    call("map", call("array", 1), 2),
    call("map", m, 2),
    call("map", call("named_struct", "z", 1), w),
    call("map_from_arrays", call("array", 1, 2), call("array", w, "x")),
    call("map_from_arrays", call("array", 1, 2), a),
    call("map_from_arrays", call("array", 1, 1), call("array", 1, 2)),
    call("map_from_arrays", call("array", 1), call("array", a)),
    call("map_from_entries", col("sa")),
    call("map_from_entries", call("array", call("named_struct", "x", w, "y", 1))),
    call("map_from_entries", call("array", call("named_struct", "x", 1, "y", w))),
    call("map_entries", m),
    call("map_keys", m),
    call("map_values", m),
    call("map_keys", mi),
    call("map_concat", m, m2),
    call("map_concat", mi, call("map", 77, "q")),
    call("map_concat"),
    call("map_concat", m, mi),
    call("map_contains_key", m, "a"),
    call("map_contains_key", mi, i),
    call("map_contains_key", m, w),
    call("map_contains_key", m, None),
    call("str_to_map", "a:1,b:2,c"),
    call("str_to_map", "a=1;b=2", ";", "="),
    call("str_to_map", w),
    call("str_to_map", "a:1,a:2"),
    call("str_to_map", "a1b22c", "[0-9]+", ":"),
    call("str_to_map", ""),
    call("size", m),
)
EXPECTED = recorded("maps")


@pytest.mark.parametrize("key", QUESTIONS)
def test_as_pyspark(key: str) -> None:
    question, ansi = QUESTIONS[key]
    assert_same(question, ansi, EXPECTED[key])
