"""Generators make PySpark's rows, names and types (recorded_generators.json)."""

from __future__ import annotations

import pytest
from collections_peer import (
    assert_same_rows,
    call,
    col,
    fn,
    named_all,
    our_rows,
    recorded,
    rows_asked,
    table,
)

a, i, w, m, sa, n = map(col, ("a", "i", "w", "m", "sa", "n"))

# name -> the items of a select list
ROWS = rows_asked(
    [n, call("explode", a)],
    [n, call("explode_outer", a)],
    [call("explode", a), i, n],
    [n, call("explode", m)],
    [n, call("explode_outer", m)],
    [n, call("posexplode", a)],
    [n, call("posexplode_outer", a)],
    [n, call("posexplode", m)],
    [n, named_all(call("explode", a), "x")],
    [n, named_all(call("posexplode", a), "p", "x")],
    [n, named_all(call("explode", m), "who", "what")],
    [call("inline", sa), n],
    [call("inline_outer", sa), n],
    [n, call("explode", sa)],
    [n, call("stack", 2, 1, w, i, "z")],
    [n, call("stack", 2, 1, 2, i)],
    [n, named_all(call("stack", 2, 1, w, i, "z"), "b", "c")],
    [call("explode", call("array", 1, 2))],
    [call("explode", call("filter", a, fn(lambda e: call(">", e, i))))],
    [n, call("explode", call("array", call("array", i), a))],
    [call("explode", call("sequence", 1, 3))],
    [n, named_all(call("explode", a), "x", "y")],
    [call("explode", a), call("explode", a)],
    [call("+", call("explode", a), 1)],
    [call("explode", i)],
    [call("explode", call("collect_list", i))],
    [call("sum", i), call("explode", call("array", 1, call("max", n)))],
    [n, call("json_tuple", '{"a": 1, "b": [1, {"c": null}], "d": "x"}', "a", "b", "d", "e")],
    [n, call("json_tuple", w, "a")],
)
EXPECTED = recorded("generators")


@pytest.mark.parametrize("key", ROWS)
def test_as_pyspark(key: str) -> None:
    assert_same_rows(ROWS[key], EXPECTED[key])


def test_the_order_may_use_what_is_made() -> None:
    item = named_all(call("explode", a), "x")
    found = our_rows([n, item], order=[call("explode", a)])
    assert [row["x"] for row in found["rows"]] == [None, None, -7, 1, 1, 2, 2, 2, 3, 5, 5]


def test_a_generator_in_an_expression_says_so() -> None:
    from planner.columns.typing import (
        AnalysisError,  # needs Polars, which is not where answers are recorded
    )

    with pytest.raises(AnalysisError, match="explode makes rows"):
        our_rows([call("size", call("explode", a))])


def test_only_a_select_makes_rows() -> None:
    from planner.columns.expressions import Attr
    from planner.columns.functions.registry import Settings
    from planner.columns.typing import AnalysisError, Scope
    from planner.query import logical as l
    from planner.query.analysis.requests import order, where

    rows, schema = table()
    attrs = tuple(Attr(field.name, field.dataType) for field in schema.fields)
    plan, scope = l.Table(attrs, rows), Scope(attrs, Settings())
    with pytest.raises(AnalysisError, match=r"explode\(a\) makes rows.*not orderBy"):
        order(plan, [call("explode", a).make()], scope)
    with pytest.raises(AnalysisError, match=r"explode\(a\) makes rows.*not a condition"):
        where(plan, call("explode", a).make(), scope)
