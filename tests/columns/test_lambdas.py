"""Functions that are given functions give PySpark's values and types (recorded_lambdas.json)."""

from __future__ import annotations

import pytest
from collections_peer import assert_same, call, cast, col, fn, part, questions, recorded

a, b, d, s, aa, i, x, w, sa, m, m2, n = map(
    col, ("a", "b", "d", "s", "aa", "i", "x", "w", "sa", "m", "m2", "n")
)


def plus(*values):  # type: ignore[no-untyped-def]
    found = values[0]
    for value in values[1:]:
        found = call("+", found, value)
    return found


QUESTIONS = questions(
    call("transform", a, fn(lambda e: plus(e, 1))),
    call("transform", a, fn(lambda e: plus(e, i))),
    call("transform", a, fn(lambda e, at: plus(e, at))),
    call("transform", a, fn(lambda e: 7)),
    call("transform", a, fn(lambda e: n)),
    call("transform", a, fn(lambda e: call("array", e, i))),
    call(
        "transform",
        aa,
        fn(lambda e: call("transform", e, fn(lambda f: plus(f, call("size", e), n)))),
    ),
    call("transform", a, fn(lambda e: call("transform", b, fn(lambda f: plus(f, e))))),
    call("transform", sa, fn(lambda e: part(e, "p"))),
    call("transform", a, fn(lambda e: call("isnull", e))),
    call("transform", call("array", 1, 2), fn(lambda e: plus(e, 1))),
    call("transform", a, fn(lambda e: call("named_struct", "v", e, "w", w))),
    call("filter", a, fn(lambda e: call(">", e, 1))),
    call("filter", a, fn(lambda e: call(">", e, i))),
    call("filter", a, fn(lambda e, at: call(">", at, e))),
    call("filter", s, fn(lambda e: call("=", e, w))),
    call("filter", aa, fn(lambda e: call("exists", e, fn(lambda f: call(">", f, 1))))),
    call("filter", a, fn(lambda e: e)),
    call("exists", a, fn(lambda e: call(">", e, 2))),
    call("exists", a, fn(lambda e: call("isnull", e))),
    call("forall", a, fn(lambda e: call(">", e, 0))),
    call("forall", a, fn(lambda e: call("isnull", e))),
    call("forall", a, fn(lambda e: call(">", e, i))),
    call("aggregate", a, 0, fn(lambda acc, e: plus(acc, e))),
    call("aggregate", a, 0, fn(lambda acc, e: plus(acc, call("coalesce", e, i)))),
    call(
        "reduce",
        a,
        1,
        fn(lambda acc, e: call("*", acc, call("coalesce", e, 1))),
        fn(lambda acc: plus(acc, n)),
    ),
    call("aggregate", d, cast(0, "double"), fn(lambda acc, e: plus(acc, call("coalesce", e, x)))),
    call("aggregate", s, "", fn(lambda acc, e: call("coalesce", e, acc))),
    call("aggregate", a, cast(0, "bigint"), fn(lambda acc, e: plus(acc, e))),
    call("aggregate", a, 0, fn(lambda acc, e: cast(e, "double"))),
    call("aggregate", a, call("array", 0), fn(lambda acc, e: call("array_append", acc, e))),
    call("zip_with", a, b, fn(lambda e, f: plus(e, f))),
    call("zip_with", a, s, fn(lambda e, f: call("named_struct", "l", e, "r", f))),
    call("zip_with", a, b, fn(lambda e, f: call("coalesce", e, f, i))),
    call(
        "array_sort",
        a,
        fn(
            lambda e, f: call(
                "case_when", call("isnull", e), 1, call("isnull", f), -1, call("-", f, e)
            )
        ),
    ),
    call(
        "array_sort",
        aa,
        fn(
            lambda e, f: call(
                "-", call("coalesce", call("size", f), 0), call("coalesce", call("size", e), 0)
            )
        ),
    ),
    call("array_sort", a, fn(lambda e, f: call("-", e, f))),
    call("map_filter", m, fn(lambda k, v: call(">", v, 1))),
    call("map_filter", m, fn(lambda k, v: call("=", k, w))),
    call("transform_values", m, fn(lambda k, v: plus(v, n))),
    call("transform_values", m, fn(lambda k, v: k)),
    call("transform_keys", col("mi"), fn(lambda k, v: plus(k, n))),
    call("transform_keys", m, fn(lambda k, v: v)),
    call("transform_keys", m, fn(lambda k, v: 1)),
    call("map_zip_with", m, m2, fn(lambda k, v, u: plus(v, u))),
    call("map_zip_with", m, m2, fn(lambda k, v, u: call("coalesce", v, u, n))),
    call("map_zip_with", m, m2, fn(lambda k, v, u: k)),
)
EXPECTED = recorded("lambdas")


@pytest.mark.parametrize("key", QUESTIONS)
def test_as_pyspark(key: str) -> None:
    question, ansi = QUESTIONS[key]
    assert_same(question, ansi, EXPECTED[key])
