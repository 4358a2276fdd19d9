"""How long planning takes: the 22 TPC-H statements, and hundreds of `withColumn` in a chain.

A statement is planned from its text to the physical plan, the files' footers known. The times are
of the processor, so that other programs disturb them little. `first` is the very first planning of
each statement in the session, `again` the median of those that follow.

    python -m benchmarks.planning
    python -m benchmarks.planning --rounds 5 --columns 500
"""

from __future__ import annotations

import argparse
import glob
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.tpch import make_data, query_text
from minispark.sql import SparkSession
from minispark.sql.functions import col

NUMBERS = range(1, 23)
MEDIAN_MS, WORST_MS, CHAIN_SECONDS = 5.0, 15.0, 1.0


def seconds(work: Callable[[], Any]) -> float:
    """The processor's time that something takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def statement_times(spark: SparkSession, rounds: int) -> dict[int, list[float]]:
    """Milliseconds by query, round after round."""
    found: dict[int, list[float]] = {number: [] for number in NUMBERS}
    for _ in range(rounds):
        for number in NUMBERS:
            text = query_text(number)
            found[number].append(1e3 * seconds(lambda text=text: physical(spark.sql(text))))
    return found


def physical(frame: Any) -> Any:
    """The physical plan of a DataFrame."""
    return frame._engine.physical(frame._plan)


def of_one_column(spark: SparkSession, count: int) -> Any:
    """Each new column is made of the same old one."""
    found = spark.range(10)
    for place in range(count):
        found = found.withColumn(f"c{place}", col("id") + place)
    return found


def of_the_last(spark: SparkSession, count: int) -> Any:
    """Each new column is made of the one before."""
    found = spark.range(10).withColumn("c0", col("id"))
    for place in range(1, count):
        found = found.withColumn(f"c{place}", col(f"c{place - 1}") + 1)
    return found


def say(what: str, value: float, limit: float, unit: str) -> None:
    """A line of the report."""
    says = f"{what} ≤ {limit:g} {unit}"
    print(f"{'met   ' if value <= limit else 'MISSED'}  {says:48} {value:.2f} {unit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--columns", type=int, default=500, help="calls of withColumn")
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--data", default=tempfile.gettempdir(), help="where the tables are made")
    options = parser.parse_args()
    if options.rounds < 2:
        sys.exit("--rounds must be 2 or more: the first is told apart")
    folder = make_data(options.scale, options.data)
    spark = SparkSession.builder.master("inline[1]").getOrCreate()
    for path in glob.glob(os.path.join(folder, "*.parquet")):
        name = os.path.basename(path).removesuffix(".parquet")
        spark.read.parquet(path).createOrReplaceTempView(name)
    physical(spark.sql("select 1"))  # loads what statements need
    times = statement_times(spark, options.rounds)
    firsts = [each[0] for each in times.values()]
    again = [statistics.median(each[1:]) for each in times.values()]
    print(f"{'ms':8}{'first':>8}{'again':>8}")
    for number, first, later in zip(NUMBERS, firsts, again, strict=True):
        print(f"q{number:02}     {first:8.2f}{later:8.2f}")
    print(f"{'median':8}{statistics.median(firsts):8.2f}{statistics.median(again):8.2f}")
    print(f"{'worst':8}{max(firsts):8.2f}{max(again):8.2f}\n")
    say("planning a statement, median", statistics.median(again), MEDIAN_MS, "ms")
    say("planning a statement, worst", max(again), WORST_MS, "ms")
    chains = {"of one column": of_one_column, "of the one before": of_the_last}
    for name, chain in chains.items():
        took = seconds(lambda chain=chain: physical(chain(spark, options.columns)))
        say(f"{options.columns} withColumn, each {name}", took, CHAIN_SECONDS, "s")
    spark.stop()


if __name__ == "__main__":
    main()
