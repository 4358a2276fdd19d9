"""Statements that cannot be: the class of the error is PySpark's, the message tells the place."""

from __future__ import annotations

from typing import Any

import pytest
from recorded import error_of, recorded
from tpch_tables import Tables

from minispark.sql.parser.commands import command


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables({})


@pytest.mark.parametrize("entry", recorded("errors"), ids=lambda e: e["sql"][:60])
def test_class_as_in_pyspark(tables: Tables, entry: dict[str, Any]) -> None:
    assert error_of(tables, entry["sql"])[0] == entry["error"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("SELECT 1 frm t where", ["line 1", "position 13", ">>>t<<<"]),
        ("SELECT *\nFROM t\nWHERE a =", ["line 3", ">>>=<<<"]),
        ("SELECT a, FROM t", ["line 1", "position 10", ">>>FROM<<<"]),
        ("SELECT 'abc", ["not closed"]),
        ("", ["no statement"]),
        ("SELECT 1; SELECT 2", ["one statement"]),
    ],
)
def test_a_syntax_error_shows_the_place_in_one_line(
    tables: Tables, text: str, parts: list[str]
) -> None:
    code, message = error_of(tables, text)
    assert code == ("PARSE_SYNTAX_ERROR" if text else "PARSE_EMPTY_STATEMENT")
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_an_unknown_column_names_the_nearest(tables: Tables) -> None:
    _, message = error_of(tables, "SELECT prise FROM VALUES (1, 2) t(price, name)")
    assert "prise" in message and "price" in message


@pytest.mark.parametrize(
    "text",
    [
        "CREATE VIEW t AS SELECT 1",
        "CREATE OR REPLACE TABLE t (a INT)",
        "SHOW CREATE TABLE t",
        "ANALYZE TABLE t COMPUTE STATISTICS",
        "DELETE FROM t",
    ],
)
def test_statements_that_are_not_there_say_so(text: str) -> None:
    with pytest.raises(NotImplementedError) as caught:
        command(text)
    assert text.split()[0] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM range(3) TABLESAMPLE (BUCKET 1 OUT OF 2)",
        "SELECT * FROM range(3) a JOIN range(3) b ON exists "
        "(SELECT 1 FROM range(2) c WHERE c.id = a.id + b.id)",
    ],
)
def test_constructs_that_are_not_there_are_named(tables: Tables, text: str) -> None:
    with pytest.raises(NotImplementedError) as caught:
        tables.arrow(text)
    assert len(str(caught.value)) > 10
