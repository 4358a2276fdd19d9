"""What `frames.py` times: cases for minispark, and the same in the words of Polars and pandas.

A case is a function of the tables (`Ours`, `Theirs`) that gives a frame or a number. Engines are
compared by its digest, which is made after the clock stops.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.memory import MB, status

SMALL, BIG = "small", "big"
CHUNK = 1_000_000  # rows in one file of the big table
ROW = 64  # bytes of a row of the big table in memory
SAMPLE = 16  # one in so many rows of the big table goes through Python functions
REACH = 5_000  # of the RANGE frame to either side, in order keys


# ---- data ----------------------------------------------------------------------------------------


def make_data(folder: str, rows: int, megabytes: int) -> None:
    """The small table of one file, and the big one in files of a million rows.

    Each is there under a second name: a table that is cached is not read from its files.
    """
    random = np.random.default_rng(3)
    small = {
        "few": random.integers(0, 1000, rows),
        "key": random.integers(0, max(rows // 10, 1), rows),
        "at": random.permutation(rows),  # no ties: engines break them as they like
        "tied": random.integers(0, 1000, rows),
        "real": random.normal(size=rows),
        "value": random.integers(0, 1000, rows),
    }
    words = np.array([f"text {word:07}" for word in range(20_000)])
    total = megabytes * MB // ROW
    for name in (SMALL, BIG):
        os.mkdir(os.path.join(folder, name))
        os.symlink(name, os.path.join(folder, f"{name}-files"))
    pl.DataFrame(small).write_parquet(os.path.join(folder, SMALL, "part.parquet"))
    for number, start in enumerate(range(0, total, CHUNK)):
        count = min(CHUNK, total - start)
        part = {
            "id": np.arange(start, start + count),
            "key": random.integers(0, 1000, count),
            "size": random.integers(1, 51, count),
            "price": np.round(random.uniform(1, 1000, count), 2),
            "share": random.random(count),
            "text": words[random.integers(0, len(words), count)],
        }
        path = os.path.join(folder, BIG, f"part-{number:05}.parquet")
        pl.DataFrame(part).write_parquet(path)


def digest(found: Any) -> list[float]:
    """A number; or of a frame the count of rows, and the sum of each column."""
    if isinstance(found, pa.Table):
        found = pl.from_arrow(found)
    if not isinstance(found, pl.DataFrame):
        return [float(found)]
    sums = found.select(pl.all().cast(pl.Float64).sum()).row(0)
    return [float(found.height), *map(float, sums)]


class Ours:
    """The tables as DataFrames of minispark on `local[2]`."""

    def __init__(self, folder: str) -> None:
        session = importlib.import_module("minispark.sql").SparkSession
        self.F = importlib.import_module("minispark.sql").functions
        self.Window = importlib.import_module("minispark.sql").Window
        self.spark = session.builder.master("local[2]").getOrCreate()
        self.spark.sparkContext.setLogLevel("ERROR")
        self.folder = folder
        self.kept: dict[str, Any] = {}

    def file(self, name: str) -> Any:
        """A table from its files."""
        return self.spark.read.parquet(os.path.join(self.folder, f"{name}-files"))

    def cached(self, name: str) -> Any:
        """A table that is cached when it is first asked for."""
        if name not in self.kept:
            self.kept[name] = self.spark.read.parquet(os.path.join(self.folder, name)).cache()
            self.kept[name].count()
        return self.kept[name]

    def sample(self, *columns: str) -> Any:
        """One in SAMPLE rows of the big table."""
        return self.cached(BIG).where(f"id % {SAMPLE} = 0").select(*columns)

    def stop(self) -> None:
        self.spark.stop()


class Theirs:
    """The tables as frames of Polars, or of pandas."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.kept: dict[str, Any] = {}

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name, "*.parquet")

    def file(self, name: str) -> pl.LazyFrame:
        return pl.scan_parquet(self.path(name))

    def cached(self, name: str) -> pl.LazyFrame:
        if name not in self.kept:
            self.kept[name] = pl.read_parquet(self.path(name))
        found: pl.LazyFrame = self.kept[name].lazy()
        return found

    def pandas(self) -> Any:
        """The sample of the big table."""
        if "sample" not in self.kept:
            some = self.file(BIG).filter(pl.col("id") % SAMPLE == 0).drop("share", "text")
            self.kept["sample"] = some.collect().to_pandas()
        return self.kept["sample"]

    def stop(self) -> None:
        """It has no process of its own."""


Case = Callable[[Any], Any]


# ---- groups --------------------------------------------------------------------------------------


def our_groups(source: str, key: str) -> Case:
    def run(data: Ours) -> pa.Table:
        F = data.F
        table = getattr(data, source)(SMALL)
        return (
            table.groupBy(key)
            .agg(F.sum("value").alias("s"), F.count("value").alias("n"), F.avg("real").alias("m"))
            .toArrow()
        )

    return run


def their_groups(source: str, key: str) -> Case:
    def run(data: Theirs) -> pl.DataFrame:
        value, real = pl.col("value"), pl.col("real")
        table: pl.LazyFrame = getattr(data, source)(SMALL)
        made = table.group_by(key).agg(
            value.sum().alias("s"), value.count().alias("n"), real.mean().alias("m")
        )
        return made.collect(engine="streaming")

    return run


# ---- windows -------------------------------------------------------------------------------------


def our_window(name: str) -> Case:
    def run(data: Ours) -> pa.Table:
        F, Window = data.F, data.Window
        by = Window.partitionBy("key")
        at = by.orderBy("at")
        column = {
            "row_number": lambda: F.row_number().over(at),
            "running sum": lambda: F.sum("value").over(
                at.rowsBetween(Window.unboundedPreceding, 0)
            ),
            "rank": lambda: F.rank().over(by.orderBy("tied")),
            "lag": lambda: F.lag("value").over(at),
            "RANGE offset": lambda: F.sum("value").over(at.rangeBetween(-REACH, 0)),
            "float row_number": lambda: F.row_number().over(by.orderBy("real")),
            "float sum": lambda: F.sum("real").over(
                by.orderBy("real").rowsBetween(Window.unboundedPreceding, 0)
            ),
            "whole sum": lambda: F.sum("value").over(by),
        }[name]()
        return data.cached(SMALL).select("key", "at", column.alias("x")).toArrow()

    return run


def their_window(name: str) -> Case:
    def run(data: Theirs) -> pl.DataFrame:
        value, real = pl.col("value"), pl.col("real")
        column = {
            "row_number": (pl.int_range(pl.len()) + 1).over("key", order_by="at"),
            "running sum": value.cum_sum().over("key", order_by="at"),
            "rank": pl.col("tied").rank("min").over("key"),
            "lag": value.shift(1).over("key", order_by="at"),
            "RANGE offset": value.rolling_sum_by("at", f"{REACH}i", closed="both").over(
                "key", order_by="at"
            ),
            "float row_number": (pl.int_range(pl.len()) + 1).over("key", order_by="real"),
            "float sum": real.cum_sum().over("key", order_by="real"),
            "whole sum": value.sum().over("key"),
        }[name]
        made = data.cached(SMALL).select("key", "at", column.alias("x"))
        return made.collect(engine="streaming")

    return run


WINDOWS = (
    "row_number",
    "running sum",
    "rank",
    "lag",
    "RANGE offset",
    "float row_number",
    "float sum",
    "whole sum",
)


# ---- scans ---------------------------------------------------------------------------------------


def scan(name: str, source: str) -> Case:
    def run(data: Ours) -> Any:
        F, table = data.F, getattr(data, source)(BIG)
        if name == "count":
            return table.count()
        if name == "filter":
            return table.where("price > 500 and share < 0.25").count()
        if name == "sum":
            return table.agg(F.sum("price").alias("s")).toArrow()
        if name == "sums":
            numbers = ("id", "key", "size", "price", "share")
            return table.agg(*(F.sum(each).alias(each) for each in numbers)).toArrow()
        return table.where("text like '%9999%'").count()

    return run


SCANS = ("count", "filter", "sum", "sums", "text")
DOMINATED = ("sum", "sums")  # by the scan: little is computed from what is read


# ---- Python functions ----------------------------------------------------------------------------


def _halved(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        place = batch.schema.get_field_index("price")
        half = pc.divide(batch.column(place), 2.0)
        yield batch.set_column(place, "price", half)


def through_arrow(data: Ours) -> dict[str, float]:
    """The whole big table through `mapInArrow`: seconds, rows, and MB of the driver's memory
    before and at its peak."""
    F, table = data.F, data.file(BIG)

    def mapped(rows: Any) -> Any:
        made = rows.mapInArrow(_halved, rows.schema)
        return made.agg(F.count("id").alias("n"), F.sum("price").alias("s")).toArrow()

    mapped(table.limit(1000))  # what is loaded once is loaded
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak counts from here
    before = status("self")["VmRSS"]
    begin = time.perf_counter()
    found = mapped(table)
    seconds = time.perf_counter() - begin
    peak = status("self")["VmHWM"]
    rows = found.column("n")[0].as_py()
    return {"seconds": seconds, "rows": rows, "before": before / MB, "peak": peak / MB}


def _price(row: Any) -> float:
    return float(row[2] * row[3])


def _centred(frame: Any) -> Any:
    frame["price"] = frame["price"] - frame["price"].mean()
    return frame


def our_rows(data: Ours) -> float:
    """A Python function of each row of the sample."""
    rows = data.sample("id", "key", "size", "price")
    found: float = rows.rdd.map(_price).sum()
    return found


def pandas_rows(data: Theirs) -> float:
    return sum(map(_price, data.pandas().itertuples(index=False)))


def our_groups_in_pandas(data: Ours) -> pa.Table:
    """A pandas function of each group of the sample."""
    rows = data.sample("id", "key", "price")
    made = rows.groupBy("key").applyInPandas(_centred, rows.schema)
    return made.agg(data.F.count("id").alias("n"), data.F.sum("id").alias("s")).toArrow()


def pandas_groups(data: Theirs) -> pl.DataFrame:
    parts = [_centred(part.copy()) for _, part in data.pandas().groupby("key")]
    made = importlib.import_module("pandas").concat(parts)
    return pl.DataFrame({"n": [len(made)], "s": [int(made["id"].sum())]})


# ---- the table -----------------------------------------------------------------------------------


_KEYS = {"1000 groups": "few", "many groups": "key"}
_SOURCES = {"cached": "cached", "Parquet": "file"}
CASES: dict[str, dict[str, Case]] = {
    **{
        f"{size}, {place}": {
            "minispark": our_groups(source, key),
            "polars": their_groups(source, key),
        }
        for size, key in _KEYS.items()
        for place, source in _SOURCES.items()
    },
    **{
        f"window {name}": {"minispark": our_window(name), "polars": their_window(name)}
        for name in WINDOWS
    },
    **{
        f"scan {name}": {
            "minispark": scan(name, "cached"),
            "minispark, Parquet": scan(name, "file"),
        }
        for name in SCANS
    },
    "mapInArrow": {"minispark": through_arrow},
    "rdd.map": {"minispark": our_rows, "pandas": pandas_rows},
    "applyInPandas": {"minispark": our_groups_in_pandas, "pandas": pandas_groups},
}
TABLES = {"minispark": Ours, "polars": Theirs, "pandas": Theirs}


def serve(name: str, connection: Connection) -> None:
    """Answer ("open", folder) and (case, engine) until None comes."""
    connection.send(("ok", None))
    data: Any = None
    while (request := connection.recv()) is not None:
        try:
            if request[0] == "open":
                data = TABLES[name](request[1])
                found = None
            else:
                found = timed(CASES[request[0]][request[1]], data)
            connection.send(("ok", found))
        except Exception:  # becomes text below the table; the engine goes on
            connection.send(("failed", traceback.format_exc()))
    if data is not None:
        data.stop()


def timed(case: Case, data: Any) -> tuple[float, Any]:
    """Seconds, and the digest; what measures itself is as it is."""
    gc.collect()
    begin = time.perf_counter()
    found = case(data)
    seconds = time.perf_counter() - begin
    return seconds, found if isinstance(found, dict) else digest(found)


if __name__ == "__main__":
    serve(sys.argv[1], Connection(int(sys.argv[2])))
