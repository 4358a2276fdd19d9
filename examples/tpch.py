"""The 22 queries of TPC-H: the data is made, the queries run, the answers are checked.

    python examples/tpch.py --scale 1
    python examples/tpch.py --scale 0.1 --master ray

The data comes from the `tpchgen-cli` package. Answers at scales 0.01, 0.1 and 1 are held against
recorded ones (see tpch_answers.json); at other scales every query runs a second time, in stages,
and both answers must agree.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import zlib
from decimal import Decimal
from typing import Any

from minispark.sql import SparkSession

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]


def make_tables(scale: float, folder: str) -> str:
    """The folder that holds the tables as Parquet files; made where it is missing."""
    path = os.path.join(folder, f"tpch-{scale:g}")
    if os.path.isdir(path):
        return path
    program = os.path.join(sysconfig.get_path("scripts"), "tpchgen-cli")
    if not os.path.exists(program):
        raise SystemExit("the data is made by the package tpchgen-cli: pip install tpchgen-cli")
    print(f"Making the tables of scale {scale:g} in {path} …", flush=True)
    subprocess.run(
        [program, "parquet", "-s", f"{scale:g}", f"--output-dir={path}.part"],
        check=True,
        capture_output=True,
    )
    os.rename(f"{path}.part", path)
    return path


def query_text(number: int) -> str:
    """The text of a query."""
    with open(os.path.join(HERE, "tpch_queries", f"q{number:02}.sql")) as file:
        return file.read()


def summary(rows: list[Any]) -> list[Any]:
    """What is compared of an answer, in whatever order its rows are: their number, and for each
    column a sum of its numbers or of checksums of its values."""
    columns = list(zip(*map(tuple, rows), strict=True))
    return [len(rows), *(_of_column(column) for column in columns)]


def _of_column(values: tuple[Any, ...]) -> float | str:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, int | float | Decimal) for value in known):
        return float(sum(map(Decimal, known)))
    return str(sum(zlib.crc32(str(value).strip().encode()) for value in known))


def alike(one: list[Any], other: list[Any]) -> bool:
    """Whether two summaries say the same; sums to one part in 10⁹."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-9) if isinstance(a, float) else a == b
        for a, b in zip(one, other, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--scale", type=float, default=0.1, help="1 is about a gigabyte")
    parser.add_argument("--master", default=None, help="as for SparkSession.builder.master")
    parser.add_argument("--data", default=tempfile.gettempdir(), help="where tables are made")
    options = parser.parse_args()
    path = make_tables(options.scale, options.data)
    with open(os.path.join(HERE, "tpch_answers.json")) as file:
        recorded = json.load(file).get(f"{options.scale:g}")

    if options.master and options.master.startswith(("ray", "auto")):
        print("Starting Ray, which takes some ten seconds …", flush=True)
    builder = SparkSession.builder.appName("TPC-H")
    if options.master:
        builder = builder.master(options.master)
    with builder.getOrCreate() as spark:
        for table in TABLES:
            spark.read.parquet(f"{path}/{table}.parquet").createOrReplaceTempView(table)
        wrong, total = [], 0.0
        for number in range(1, 23):
            begin = time.perf_counter()
            rows = spark.sql(query_text(number)).collect()
            seconds = time.perf_counter() - begin
            total += seconds
            if recorded:
                right = alike(summary(rows), recorded[str(number)])
            else:
                spark.conf.set("minispark.sql.singleNode", "never")
                again = spark.sql(query_text(number)).collect()
                right = alike(summary(rows), summary(again))
                spark.conf.set("minispark.sql.singleNode", "auto")
            wrong += [] if right else [number]
            says = "" if right else "   the answer is WRONG"
            print(f"query {number:2}  {len(rows):6} rows  {seconds:7.3f} s{says}", flush=True)
    print(f"all 22 queries: {total:.2f} s")
    if wrong:
        sys.exit(f"wrong answers: {', '.join(map(str, wrong))}")
    print("all answers are right")


if __name__ == "__main__":
    main()
