"""Collections of other types, and in one another, as in PySpark (recorded_…_of_kinds.json)."""

from __future__ import annotations

import datetime as dt

import pytest
from collections_peer import aliased, assert_same, call, col, fn, part, questions, recorded

a, b, d, s, aa, i, x, w, sa, m, m2, mi, n, st, day, deep = map(
    col,
    ("a", "b", "d", "s", "aa", "i", "x", "w", "sa", "m", "m2", "mi", "n", "st", "day", "deep"),
)
days = call("array", day, dt.date(2024, 2, 1), None)
truths = call("transform", a, fn(lambda e: call(">", e, 1)))
maps = call("array", m, m2)
both = call("named_struct", "sum", 0, "most", -100)


def larger(e, f):  # type: ignore[no-untyped-def]
    return call("case_when", call(">", e, f), e, f)


QUESTIONS = questions(
    call("sort_array", days),
    call("array_max", days),
    call("array_min", truths),
    call("sort_array", truths, False),
    call("array_distinct", truths),
    call("array_union", days, call("array", day)),
    call("array_contains", days, day),
    call("array_position", truths, False),
    call("array_remove", days, day),
    call("size", maps),
    call("array_repeat", st, 2),
    call("array_repeat", m, 2),
    call("array_append", sa, st),
    call("array_insert", sa, 2, st),
    call("array_insert", aa, 4, b),
    call("array_contains", sa, st),
    call("array_position", aa, call("array", 4)),
    call("array_remove", sa, call("named_struct", "p", 1, "q", "one")),
    call("array_intersect", sa, call("array", st)),
    call("array_except", aa, call("array", call("array", 1))),
    call("arrays_overlap", aa, call("array", call("array", 4))),
    call("arrays_overlap", s, call("array", w)),
    call("array_compact", aa),
    call("slice", sa, 1, 1),
    call("flatten", call("array", sa, call("array", st))),
    call("arrays_zip", sa, aa, d),
    call("try_element_at", sa, -1),
    call("get", aa, 1),
    call("get", maps, 1),
    call("get_item", call("get", maps, 0), "a"),
    call("try_element_at", m, w),
    call("map", n, day),
    call("map", "k", call("array", m)),
    call("map", "s", st),
    call("map_from_arrays", call("array", n, 100), call("array", aa, None)),
    call("map_values", call("map", "k", sa)),
    call("map_concat", call("map", "z", i), m),
    call("map_entries", call("map", "k", st)),
    call("map_contains_key", call("map", x, 1), x),
    call("get_item", call("map", call("array", n), w), call("array", 1)),
    call("get_item", call("map", 1, "x", 2, w), n),
    call("transform", maps, fn(lambda e: call("size", e))),
    call("transform", maps, fn(lambda e: call("map_filter", e, fn(lambda k, v: call(">", v, i))))),
    call("transform", sa, fn(lambda e: call("map", "p", part(e, "p")))),
    call("size", sa),
    call("transform", a, fn(lambda e: call("transform", b, fn(lambda e: call("+", e, n))))),
    call("transform", a, fn(lambda e: call("filter", a, fn(lambda f: call("<=", f, e))))),
    call("transform", aa, fn(lambda e: call("aggregate", e, n, fn(lambda c, f: call("+", c, f))))),
    call("transform", aa, fn(lambda e, p: call("get", e, p))),
    call("filter", sa, fn(lambda e: call("isnull", part(e, "q")))),
    call("filter", maps, fn(lambda e: call("map_contains_key", e, "a"))),
    call("exists", truths, fn(lambda e: e)),
    call("size", s),
    call(
        "aggregate",
        a,
        both,
        fn(
            lambda c, e: call(
                "named_struct",
                "sum",
                call("+", part(c, "sum"), call("coalesce", e, 0)),
                "most",
                larger(call("coalesce", e, -100), part(c, "most")),
            )
        ),
        fn(lambda c: call("-", part(c, "most"), part(c, "sum"))),
    ),
    call("zip_with", sa, aa, fn(lambda e, f: call("array_contains", f, part(e, "p")))),
    call("zip_with", s, d, fn(lambda e, f: call("struct", aliased(e, "e"), aliased(f, "f")))),
    call("transform_values", m, fn(lambda k, v: call("array", v, i))),
    call("transform_values", m, fn(lambda k, v: call("get_item", m2, k))),
    call("transform_keys", m, fn(lambda k, v: call("named_struct", "k", k))),
    call("map_zip_with", m, mi, fn(lambda k, v, u: 1)),
    call("map_zip_with", mi, call("map", call("coalesce", i, 0), day), fn(lambda k, v, u: u)),
    call("map_from_entries", call("transform", s, fn(lambda e, p: call("struct", p, e)))),
    call("map_filter", call("map", "k", a), fn(lambda k, v: call("array_contains", v, i))),
    call(
        "array_sort",
        s,
        fn(lambda e, f: call("case_when", call("<", e, f), 1, call(">", e, f), -1, 0)),
    ),
    call("array_sort", sa),
    call("sort_array", aa, False),
    call("array_max", aa),
    call("to_json", maps),
    call("to_json", call("map", "k", aa)),
    call("array_join", call("transform", a, fn(lambda e: call("coalesce", e, i))), "|"),
    call("array_join", days, "|", "none"),
    call("array_join", d, ","),
    call("array_join", truths, ","),
    call("sequence", n, i),
    call("sequence", n, call("+", n, 6), 3),
    call("element_at", a, None),
    call("get", a, None),
    call("get", None, 1),
    call("size", None),
    call("sort_array", None),
    call("array_distinct", None),
    call("array_union", a, None),
    call("array_append", None, 1),
    call("array_append", a, None),
    call("flatten", None),
    call("transform", None, fn(lambda e: e)),
    call("slice", a, 1, None),
    call("array_join", None, ","),
    call("array_repeat", 1, None),
    call("array_contains", None, 1),
    call("map", "a", None),
    call("explode_me", a),
    call("array_contains", a),
    call("element_at", a, "x"),
    call("element_at", st, 1),
    call("size", i),
    call("map_keys", a),
    call("transform", i, fn(lambda e: e)),
    call("filter", a, fn(lambda e: 1)),
    call("array_sort", a, fn(lambda e, f: "x")),
    call("sequence", w, w),
    call("slice", a, w, 1),
    call("flatten", sa),
    call("array_join", sa, ","),
    call("inline_me", sa),
    call("map_from_entries", a),
    call("named_struct", 1, 2),
)
EXPECTED = recorded("collections_of_kinds")


@pytest.mark.parametrize("key", QUESTIONS)
def test_as_pyspark(key: str) -> None:
    question, ansi = QUESTIONS[key]
    assert_same(question, ansi, EXPECTED[key])
