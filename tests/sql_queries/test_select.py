"""SELECT with all its clauses, as PySpark answers; parameters; text that is one expression."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from recorded import check, recorded
from tpch_tables import Tables

from minispark.sql.parser.statements import parse_expression
from planner.columns import types as t
from planner.columns.expressions import Alias, Call, Literal, Name


@pytest.fixture
def tables() -> Tables:
    return Tables({})


@pytest.mark.parametrize("entry", recorded("select"), ids=lambda e: e["sql"][:50])
def test_as_pyspark(tables: Tables, entry: dict[str, Any]) -> None:
    check(tables, entry)


def test_parameters_by_name_and_by_place(tables: Tables) -> None:
    text = "SELECT x FROM VALUES (1), (2), (3) t(x) WHERE x > :low AND x < :high"
    assert tables.rows(text, {"low": 1, "high": 3}) == [(2,)]
    # The places count in the text, though FROM and WHERE are read in another order.
    text = "SELECT ? AS a, x FROM VALUES (1), (2) t(x) WHERE x = ? ORDER BY ?"
    assert tables.rows(text, ["first", 2, 1]) == [("first", 2)]


@pytest.mark.parametrize(
    "value", [True, 7, 2**40, 1.5, "it's", Decimal("1.25"), dt.date(2020, 2, 3), None]
)
def test_a_parameter_is_a_value_and_never_text(tables: Tables, value: Any) -> None:
    assert tables.rows("SELECT :v AS v", {"v": value}) == [(value,)]


def test_doubled_and_escaped_quotes(tables: Tables) -> None:
    text = """SELECT 'a''b' AS a, "a''b" AS b, 'a""b' AS c, '' AS d, 'a' 'b' AS e, '\\'' AS f"""
    assert tables.rows(text) == [("a'b", "a''b", 'a""b', "", "ab", "'")]


def test_a_name_of_with_hides_a_table_and_ends_with_its_query(tables: Tables) -> None:
    text = """
        WITH t AS (SELECT 1 AS x)
        SELECT x, (WITH t AS (SELECT 2 AS x) SELECT x FROM t) AS y, (SELECT x FROM t) AS z FROM t
    """
    assert tables.rows(text) == [(1, 2, 1)]


def test_one_plan_of_with_is_used_twice(tables: Tables) -> None:
    text = "WITH t AS (SELECT * FROM range(4)) SELECT count(*) FROM t a JOIN t b ON a.id = b.id + 1"
    assert tables.rows(text) == [(3,)]


def test_a_column_selected_twice(tables: Tables) -> None:
    found = tables.arrow("SELECT x, x, x AS y FROM VALUES (1) t(x)")
    assert found.column_names == ["x", "x", "y"]


def test_text_as_an_expression() -> None:
    assert parse_expression("rank <= 10") == Call("<=", (Name(("rank",)), Literal(10, t.INT)))
    named = parse_expression("a + 1 AS b")
    assert isinstance(named, Alias) and named.name == "b"
    assert parse_expression("-5") == Literal(-5, t.INT)
    assert parse_expression("0.05") == Literal(Decimal("0.05"), t.DecimalType(2, 2))


def test_settings_without_ansi_give_null(tables: Tables) -> None:
    from dataclasses import replace

    tables.settings = replace(tables.settings, ansi=False)
    assert tables.rows("SELECT 1 / 0, CAST('x' AS INT)") == [(None, None)]


def test_sum_over_all_pairs_uses_the_columns_of_both(tables: Tables) -> None:
    text = "SELECT sum(x * y) FROM VALUES (1), (2) t(x), VALUES (10), (20) u(y)"
    assert tables.rows(text) == [(90,)]
