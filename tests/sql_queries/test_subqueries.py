"""Subqueries everywhere, as PySpark answers; and the plans that they become."""

from __future__ import annotations

from typing import Any

import pytest
from recorded import check, recorded
from tpch_tables import Tables, Tpch, compare

from executors.relational.errors import QueryError
from planner.columns.expressions import Query, walk
from planner.query import logical as l
from planner.query.decorrelate import outer_columns


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables({})


@pytest.mark.parametrize("entry", recorded("subqueries"), ids=lambda e: e["sql"][:60])
def test_as_pyspark(tables: Tables, entry: dict[str, Any]) -> None:
    check(tables, entry)
    plan = tables.plan(entry["sql"])
    assert not outer_columns(plan)
    exprs = [each for node in l.walk(plan) for expr in node.expressions for each in walk(expr)]
    assert not any(isinstance(each, Query) for each in exprs)


AGAINST_DUCKDB = [
    # nested over two levels, the inner one using the outermost query
    """SELECT r_name FROM region r WHERE EXISTS (SELECT 1 FROM nation n WHERE n.n_regionkey =
       r.r_regionkey AND EXISTS (SELECT 1 FROM supplier s WHERE s.s_nationkey = n.n_nationkey
       AND s.s_acctbal > r.r_regionkey * 2400)) ORDER BY 1""",
    # a comparison that is no equality, under an aggregate
    """SELECT n_nationkey, (SELECT count(*) FROM nation m WHERE m.n_nationkey < n.n_nationkey) c,
       (SELECT max(m.n_name) FROM nation m WHERE m.n_nationkey < n.n_nationkey) x
       FROM nation n ORDER BY 1""",
    # EXISTS with comparisons only, and inside OR
    """SELECT n_name FROM nation n WHERE EXISTS (SELECT 1 FROM supplier WHERE s_nationkey >
       n_nationkey AND s_acctbal < -900) OR n_nationkey = 24 ORDER BY 1""",
    # a union in a subquery
    """SELECT r_name, (SELECT max(k) FROM (SELECT n_nationkey k FROM nation WHERE n_regionkey =
       r_regionkey UNION ALL SELECT r_regionkey * 100 AS k) q) m FROM region r ORDER BY 1""",
    # HAVING and groups in a subquery
    """SELECT n_name FROM nation WHERE n_nationkey IN (SELECT s_nationkey FROM supplier WHERE
       s_acctbal > n_nationkey GROUP BY s_nationkey HAVING count(*) > 4) ORDER BY 1""",
    # the greatest of each group, by window
    """SELECT r_name, (SELECT n_name FROM nation WHERE n_regionkey = r_regionkey
       ORDER BY n_nationkey DESC LIMIT 1) AS last FROM region ORDER BY 1""",
    # DISTINCT and an expression of the outer row that is selected
    """SELECT n_nationkey, (SELECT count(DISTINCT s_acctbal > n_nationkey) FROM supplier WHERE
       s_nationkey = n_nationkey) d FROM nation ORDER BY 1""",
    # a left join inside
    """SELECT r_name, (SELECT count(s_suppkey) FROM nation LEFT JOIN supplier ON s_nationkey =
       n_nationkey WHERE n_regionkey = r_regionkey) c FROM region ORDER BY 1""",
]


@pytest.mark.parametrize("text", AGAINST_DUCKDB, ids=range(len(AGAINST_DUCKDB)))
def test_as_duckdb(tpch: Tpch, text: str) -> None:
    wanted = tpch.duck.sql(text).to_arrow_table()
    for optimised in (False, True):
        compare(tpch.arrow(text, optimised=optimised), wanted, ordered=True)


def test_two_rows_for_one_value_are_an_error_when_it_runs(tables: Tables) -> None:
    text = "SELECT x, (SELECT y FROM VALUES (1), (1) u(y) WHERE y = x) AS y FROM VALUES {} t(x)"
    assert tables.rows(text.format("(2)")) == [(2, None)]
    with pytest.raises(QueryError) as caught:
        tables.rows(text.format("(1)"))
    assert caught.value.code == "SCALAR_SUBQUERY_TOO_MANY_ROWS"


def test_equal_subqueries_that_can_be_pulled_up_read_the_outer_table_once(tpch: Tpch) -> None:
    plan = tpch.plan(
        "SELECT * FROM part WHERE p_size > (SELECT avg(ps_availqty) FROM partsupp "
        "WHERE ps_partkey = p_partkey) AND NOT EXISTS (SELECT 1 FROM lineitem WHERE l_partkey "
        "= p_partkey)"
    )
    scans = [node.slices[0].path for node in l.walk(plan) if isinstance(node, l.Scan)]
    assert len(scans) == len(set(scans)) == 3
    kinds = sorted(node.kind for node in l.walk(plan) if isinstance(node, l.Join))
    assert kinds == ["anti", "left"]
