"""rollup, cube, grouping sets and pivot against recorded answers of PySpark 4.3."""

from __future__ import annotations

from typing import Any

import pytest
from recorded_calls import ANSI, decoded, peer_table, read, recorded, run, same

from planner.columns import types as t
from planner.columns.expressions import Alias, Expr, Literal
from planner.columns.typing import AnalysisError, bind
from planner.query import logical as l
from planner.query.analysis import requests
from planner.query.analysis.grouping import cube, grouped_sets, rollup
from planner.query.analysis.pivot import pivoted

ANSWERS = {case["sql"]: case for case in recorded("groupings")}
PLAN = peer_table(recorded("aggregates")["rows"])
NOTHING = l.Filter(PLAN, Literal(False, t.BOOLEAN))


def exprs(plan: l.Plan, *texts: str) -> list[Expr]:
    scope = requests.scope_of(plan, ANSI)
    found = []
    for text in texts:
        word, _, name = text.partition(" as ")
        expr = read(word)
        found.append(bind(Alias(expr, name) if name else expr, scope))
    return found


def sets(plan: l.Plan, keys: list[str], chosen: list[list[int]], *values: str) -> l.Plan:
    scope = requests.scope_of(plan, ANSI)
    return grouped_sets(plan, exprs(plan, *keys), chosen, exprs(plan, *values), scope, False)


def _is(sql: str, start: str) -> bool:
    return sql == start if start.startswith("pivot") else sql.startswith(start)


def check(plan: l.Plan, start: str) -> None:
    (wanted,) = (case for sql, case in ANSWERS.items() if _is(sql, start))
    assert [attr.name for attr in plan.output] == wanted["names"]
    assert [attr.kind.simpleString() for attr in plan.output] == wanted["types"]
    theirs = sorted([[decoded(v) for v in row] for row in wanted["rows"]], key=repr)
    ours = sorted(run(plan), key=repr)
    assert same(ours, theirs), f"\n{ours}\n{theirs}"


def test_rollup_with_grouping() -> None:
    counts = ("sum(i) as s", "count(1) as c", "grouping(g) as gg", "grouping(b) as gb")
    found = sets(PLAN, ["g", "b"], rollup(2), "g", "b", *counts, "grouping_id() as id")
    check(found, "select g, b, sum(i) s, count(1) c, grouping(g)")


def test_cube_with_grouping_id_of_its_keys() -> None:
    found = sets(PLAN, ["g", "b"], cube(2), "g", "b", "sum(i) as s", "grouping_id(g, b) as id")
    check(found, "select g, b, sum(i) s, grouping_id(g, b)")


def test_a_set_that_is_there_twice_gives_its_rows_twice() -> None:
    chosen = [[0], [1, 2], [], [0]]
    found = sets(PLAN, ["g", "b", "y"], chosen, "g", "b", "y", "sum(e) as s", "grouping_id() as id")
    check(found, "select g, b, y, sum(e) s")


def test_aggregates_of_a_key_are_of_its_values() -> None:
    found = sets(PLAN, ["g"], rollup(1), "g", "sum(g) as s", "count(distinct g) as d")
    check(found, "select g, sum(g) s, count(distinct g)")


def test_nan_and_zero_are_one_group_each_in_a_rollup() -> None:
    found = sets(PLAN, ["k"], rollup(1), "k", "count(1) as c")
    check(found, "select k, count(1) c from t group by rollup(k)")


def test_a_computed_output_is_made_of_the_sets_keys() -> None:
    check(sets(PLAN, ["g"], rollup(1), "g + 1 as h", "count(1) as c"), "select g + 1 h")


def test_no_rows_give_no_group_but_the_one_of_no_keys() -> None:
    found = sets(NOTHING, ["g"], rollup(1), "g", "count(1) as c")
    check(found, "select g, count(1) c from t where false")
    check(sets(NOTHING, [], [[]], "count(1) as c"), "select count(1) c from t where false")
    check(sets(PLAN, [], [[]], "count(1) as c"), "select count(1) c from t group")


def test_grouping_id_of_other_columns_is_refused() -> None:
    with pytest.raises(AnalysisError) as caught:
        sets(PLAN, ["g", "b"], cube(2), "g", "grouping_id(g) as c")
    assert caught.value.code == "GROUPING_ID_COLUMN_MISMATCH"


def test_grouping_without_sets_is_refused() -> None:
    scope = requests.scope_of(PLAN, ANSI)
    keys = exprs(PLAN, "g")
    with pytest.raises(AnalysisError) as caught:
        requests.aggregate(PLAN, keys, [*keys, *exprs(PLAN, "grouping(g) as x")], scope)
    assert caught.value.code == "UNSUPPORTED_GROUPING_EXPRESSION"


# ---- pivot ---------------------------------------------------------------------------------------


def pivot(keys: list[str], column: str, values: list[tuple[Any, str]], *calls: str) -> l.Plan:
    (on,) = exprs(PLAN, column)
    given = [(Literal(value, on.type), text) for value, text in values]
    scope = requests.scope_of(PLAN, ANSI)
    return pivoted(PLAN, exprs(PLAN, *keys), on, given, exprs(PLAN, *calls), scope)


def test_pivot_has_null_where_a_group_has_no_row_of_a_value() -> None:
    values = [(None, "null"), (False, "false"), (True, "true")]
    check(pivot(["g"], "b", values, "sum(i)"), "pivot b")


def test_pivot_of_several_aggregates_names_them() -> None:
    values = [(True, "true"), (False, "false")]
    check(pivot(["g"], "b", values, "count(1) as c", "sum(e)"), "pivot b values")


def test_pivot_by_values_that_are_not_there_and_without_groups() -> None:
    check(pivot(["g"], "s", [("a", "a"), ("nope", "nope")], "max(i)"), "pivot s")
    check(pivot([], "y", [(1, "1"), (7, "7")], "sum(i)"), "pivot none keys")
