"""One SQL engine in a driver process of its own, commanded through a pipe.

`python -m benchmarks.sql_engines NAME FD` opens the engine and answers until it is told to stop.
"""

from __future__ import annotations

import glob
import importlib
import os
import sys
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

Rows = list[tuple[Any, ...]]


def tables_in(folder: str) -> dict[str, str]:
    """The Parquet files of a folder by the names of their tables."""
    paths = sorted(glob.glob(os.path.join(folder, "*.parquet")))
    return {os.path.splitext(os.path.basename(path))[0]: path for path in paths}


class Spark:
    """minispark or PySpark. `fused` is one task a query; `staged` and `ray` are stages."""

    def __init__(self, name: str) -> None:
        package = "pyspark" if name == "pyspark" else "minispark"
        session = importlib.import_module(f"{package}.sql").SparkSession
        builder = session.builder.master("ray[2]" if name == "ray" else "local[2]")
        if name == "pyspark":
            builder = builder.config("spark.ui.enabled", "false").config(
                "spark.driver.memory", "8g"
            )
            builder = builder.config("spark.ui.showConsoleProgress", "false")
        if name in ("staged", "ray"):
            builder = builder.config("minispark.sql.singleNode", "never")
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")

    def open(self, folder: str) -> None:
        for name, path in tables_in(folder).items():
            self.spark.read.parquet(path).createOrReplaceTempView(name)

    def run(self, query: str) -> Rows:
        return [tuple(row) for row in self.spark.sql(query).collect()]

    def plan(self, query: str) -> None:
        """Everything but running it."""
        self.spark.sql(query)._engine.physical(self.spark.sql(query)._plan)

    def stop(self) -> None:
        self.spark.stop()


class Polars:
    """Polars' own SQL, over the same files, with its own decimal scales."""

    def __init__(self, name: str) -> None:
        self.polars = importlib.import_module("polars")

    def open(self, folder: str) -> None:
        scans = {name: self.polars.scan_parquet(path) for name, path in tables_in(folder).items()}
        self.context = self.polars.SQLContext(scans)

    def run(self, query: str) -> Rows:
        rows: Rows = self.context.execute(query).collect(engine="streaming").rows()
        return rows

    def stop(self) -> None:
        """It has no process of its own."""


_FACTORS = ("l_extendedprice", "l_discount", "l_tax", "ps_supplycost")


class ExactPolars(Polars):
    """Polars' own SQL with six digits after the point in what the queries multiply, so that no
    product is rounded: what Spark's scales give."""

    def open(self, folder: str) -> None:
        wide = self.polars.Decimal(38, 6)
        scans = {}
        for name, path in tables_in(folder).items():
            scan = self.polars.scan_parquet(path)
            there = [each for each in scan.collect_schema().names() if each in _FACTORS]
            scans[name] = scan.with_columns(self.polars.col(there).cast(wide)) if there else scan
        self.context = self.polars.SQLContext(scans)


class DuckDb:
    """DuckDB over the same files."""

    def __init__(self, name: str) -> None:
        self.connection = importlib.import_module("duckdb").connect()
        self.connection.execute("set threads to 2")

    def open(self, folder: str) -> None:
        for name, path in tables_in(folder).items():
            self.connection.execute(f"create or replace view {name} as from '{path}'")

    def run(self, query: str) -> Rows:
        rows: Rows = self.connection.execute(query).fetchall()
        return rows

    def stop(self) -> None:
        self.connection.close()


KINDS = {
    "fused": Spark,
    "staged": Spark,
    "ray": Spark,
    "pyspark": Spark,
    "polars": Polars,
    "exact": ExactPolars,
    "duckdb": DuckDb,
}


def serve(name: str, connection: Connection) -> None:
    """Open the engine, say so, answer ("open", folder) and ("run", query) until None comes."""
    engine: Any = KINDS[name](name)
    connection.send(("ok", None))
    while (request := connection.recv()) is not None:
        try:
            connection.send(("ok", answer(engine, *request)))
        except Exception:  # becomes text in the table's notes; the engine goes on
            connection.send(("failed", traceback.format_exc()))
    engine.stop()


def answer(engine: Any, verb: str, what: str) -> Any:
    """Do one request; (seconds, rows) of a query, seconds of a plan."""
    if verb == "open":
        return engine.open(what)
    begin = time.perf_counter()
    found = getattr(engine, verb)(what)
    seconds = time.perf_counter() - begin
    return (seconds, found) if verb == "run" else seconds


if __name__ == "__main__":
    serve(sys.argv[1], Connection(int(sys.argv[2])))
