"""The small tables of drawn queries: NULLs, NaN, both zeros, empty partitions, skewed keys."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("k", pa.int64()),  # two of three are 1
        ("n", pa.int32()),
        ("f", pa.float64()),  # quarters: their sums are exact in any order
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("d", pa.decimal128(10, 2)),
        ("t", pa.date32()),
    ]
)
KINDS = {"k": "int", "n": "int", "f": "float", "s": "text", "b": "bool", "d": "dec", "t": "date"}

_VALUES: dict[str, list[Any]] = {
    "k": [1, 1, 1, 1, 0, 2, 3],
    "n": [-3, -1, 0, 1, 2, 2, 7],
    "f": [0.0, -0.0, math.nan, 1.5, -2.25, 1.0, 2.0, 3.75],
    "s": ["a", "b", "", "ab", "ü", " B a", "a%b"],
    "b": [True, False],
    "d": [Decimal("1.25"), Decimal("-2.50"), Decimal("0.00"), Decimal("1.00"), Decimal("2.00")],
    "t": [date(2020, 1, 3), date(2020, 2, 29), date(1969, 12, 31)],
}


def made(rows: int, seed: int, nulls: float = 0.2) -> pa.Table:
    """Rows of all seven columns."""
    rng = random.Random(seed)

    def column(name: str) -> list[Any]:
        return [None if rng.random() < nulls else rng.choice(_VALUES[name]) for _ in range(rows)]

    columns = {name: column(name) for name in SCHEMA.names}
    return pa.table(columns, schema=SCHEMA)


TABLES = {
    "few": made(6, 1),
    "lot": made(17, 2),
    "whole": made(9, 3, 0.0),
    "empty": made(0, 4),
    "single": made(1, 5, 0.0),
    "holes": made(5, 6, 0.8),
    "pieces": made(14, 7),
    "files": made(30, 8),
}
_CUTS = {"pieces": (0, 5, 5, 6, 14), "files": (0, 11, 11, 12, 26, 30)}


def cut(name: str) -> list[pa.Table]:
    """A table's rows in parts, of which some are empty."""
    table, cuts = TABLES[name], _CUTS[name]
    return [table.slice(a, b - a) for a, b in zip(cuts, cuts[1:], strict=False)]


def written(folder: str) -> str:
    """The table `files` as Parquet, a file for each part, in small row groups; gives the folder."""
    for place, part in enumerate(cut("files")):
        path = os.path.join(folder, f"part-{place}.parquet")
        pq.write_table(part, path, row_group_size=4)
    return folder


def registered(spark: Any, folder: str, duck: Any) -> None:
    """All tables as views of the session, and as tables of DuckDB."""
    whole: Callable[[pa.Table], Any] = spark.createDataFrame
    for name, table in TABLES.items():
        duck.register("arriving", table)
        duck.execute(f"CREATE TABLE {name} AS FROM arriving")
        duck.unregister("arriving")
        if name == "files":
            frame = spark.read.parquet(written(folder))
        elif name == "pieces":
            first, *others = map(whole, cut(name))
            frame = first
            for other in others:
                frame = frame.union(other)
        else:
            frame = whole(table)
        frame.createOrReplaceTempView(name)
