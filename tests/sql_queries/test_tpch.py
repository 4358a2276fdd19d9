"""The 22 TPC-H queries, by value against DuckDB."""

from __future__ import annotations

import pytest
from recorded import recorded
from tpch_tables import Tpch, compare, query_text

from planner.query import logical as l

ORDERED = {n for n in range(1, 23) if n not in (6, 14, 17, 19)}  # these have one row


@pytest.mark.parametrize("number", range(1, 23))
def test_answer_of_the_plan_as_written(tpch: Tpch, number: int) -> None:
    found = tpch.arrow(query_text(number), optimised=False)
    compare(found, tpch.expected(number), number in ORDERED)


@pytest.mark.parametrize("number", range(1, 23))
def test_answer_of_the_optimised_plan(tpch: Tpch, number: int) -> None:
    found = tpch.arrow(query_text(number))
    compare(found, tpch.expected(number), number in ORDERED)


@pytest.mark.parametrize("number", range(1, 23))
def test_no_plan_pairs_all_rows_of_two_tables(tpch: Tpch, number: int) -> None:
    plan = tpch.plan(query_text(number))
    for node in l.walk(plan):
        if isinstance(node, l.Join) and not any(node.expressions):
            assert one_row(node.right) or one_row(node.left), node


@pytest.mark.parametrize("number", range(1, 23))
def test_names_and_types_of_columns_are_those_of_pyspark(tpch: Tpch, number: int) -> None:
    plan = tpch.plan(query_text(number))
    found = [[attr.name, attr.kind.simpleString()] for attr in plan.output]
    assert found == recorded("tpch_dtypes")[str(number)]


def one_row(plan: l.Plan) -> bool:
    while isinstance(plan, l.Project | l.Known):
        plan = plan.child
    return isinstance(plan, l.Aggregate) and not plan.groups
