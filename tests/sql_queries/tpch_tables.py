"""TPC-H in tests: the tables, the queries, and the answers of DuckDB to compare with."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from executors.formats import parquet
from executors.relational.fragments import answer, named
from minispark.sql.parser.statements import sql_to_plan
from planner.columns.columnar import schema_from_arrow
from planner.columns.expressions import Attr, Expr
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.fragment import flatten
from planner.query.optimiser.rules import optimise

TABLES = (
    "customer lineitem nation orders part partsupp region supplier".split()  # noqa: SIM905
)
QUERIES = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "tpch_queries")


def made(folder: str, scale: float = 0.01) -> str:
    """The tables as Parquet files in a folder; gives the folder."""
    tool = os.path.join(os.path.dirname(sys.executable), "tpchgen-cli")
    command = [tool, "parquet", "-s", str(scale), "--output-dir", folder]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def query_text(number: int) -> str:
    """The text of a query, 1 to 22."""
    with open(os.path.join(QUERIES, f"q{number:02}.sql")) as file:
        return file.read()


class Tables:
    """Plans by name, for statements without a session: what `spark.sql` asks of its session."""

    def __init__(self, plans: Mapping[str, l.Plan], settings: Settings | None = None) -> None:
        self.plans = dict(plans)
        self.settings = settings or Settings()

    def relation(self, parts: tuple[str, ...]) -> l.Plan:
        return self.plans[parts[-1].lower()]

    def call(self, name: str, args: tuple[Expr, ...]) -> Expr | None:
        return None

    def table_function(self, name: str) -> None:
        return None

    def plan(self, text: str, args: Any = None) -> l.Plan:
        """The typed plan of a query."""
        return sql_to_plan(text, self, args)

    def arrow(self, text: str, args: Any = None, optimised: bool = True) -> pa.Table:
        """The answer of a query, run here without a session, as one fused task would."""
        plan = self.plan(text, args)
        best = optimise(plan, self.settings) if optimised else plan
        return named(answer(flatten(best, self.settings), [], 0), plan.output)

    def rows(self, text: str, args: Any = None) -> list[tuple[Any, ...]]:
        """The answer's rows."""
        return rows_of(self.arrow(text, args))


class Tpch(Tables):
    """The eight tables, and DuckDB over the same files."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.duck = duckdb.connect()
        for name in TABLES:
            self.duck.execute(f"CREATE VIEW {name} AS FROM '{self.path(name)}'")
        super().__init__({name: scan(self.path(name)) for name in TABLES})

    def path(self, name: str) -> str:
        """The file of a table."""
        return os.path.join(self.folder, f"{name}.parquet")

    def expected(self, number: int) -> pa.Table:
        """DuckDB's answer."""
        return self.duck.sql(query_text(number)).to_arrow_table()


def scan(path: str) -> l.Scan:
    """A plan that reads a Parquet file."""
    schema, slices = parquet.described([path])[:2]
    fields = schema_from_arrow(schema).fields
    attrs = tuple(Attr(f.name, f.dataType, f.nullable) for f in fields)
    return l.Scan("parquet", attrs, slices)


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of a table, whose columns may have one name."""
    columns = [column.to_pylist() for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else []


def compare(found: pa.Table, expected: pa.Table, ordered: bool) -> None:
    """Fails unless the rows are the same: decimals exactly at the scale that both have, floats to
    1e-9, in order if `ordered`."""
    mine, other = rows_of(found), rows_of(expected)
    assert len(mine) == len(other)
    if not ordered:
        mine, other = sorted(mine, key=_order), sorted(other, key=_order)
    for place, (a, b) in enumerate(zip(mine, other, strict=True)):
        assert len(a) == len(b)
        assert all(map(same_value, a, b)), f"row {place}: {a} and not {b}"


def _order(row: Sequence[Any]) -> tuple[tuple[bool, str], ...]:
    return tuple((value is None, str(value)) for value in row)


def same_value(a: Any, b: Any) -> bool:
    """Whether two values are one. DuckDB gives the averages and quotients of decimals as floats."""
    if isinstance(a, Decimal) and isinstance(b, float):
        scale = -int(a.as_tuple().exponent)
        return abs(float(a) - b) <= max(0.51 * 10.0**-scale, 1e-12 * abs(b))
    if isinstance(a, Decimal) and isinstance(b, Decimal | int):
        return a == b
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9)
    return bool(a == b)
