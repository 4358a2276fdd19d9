"""Helpers of the tests of files: plans over tables, read and written without a DataFrame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from executors.formats.scanning import Reading, scan
from executors.relational.fragments import answer, named
from minispark import SparkContext
from minispark.dataset.dataset import Dataset
from minispark.dataset.plans import by_partition
from minispark.sql.writer import DataFrameWriter
from planner.columns import types as t
from planner.columns.expressions import Attr
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.fragment import flatten


def opened(
    form: str, *paths: str | Path, schema: str | None = None, merge: bool = False, **options: Any
) -> l.Scan:
    given = t.StructType.fromDDL(schema) if schema else None
    low = {name.lower(): str(value) for name, value in options.items()}
    reading = Reading(low, Settings(), merge=merge)
    return scan(form, [str(path) for path in paths], given, reading)  # type: ignore[arg-type]


def table_of(plan: l.Plan) -> pa.Table:
    return named(answer(flatten(plan, Settings()), [], 0), plan.output)


def rows_of(plan: l.Plan) -> list[tuple[Any, ...]]:
    columns = [column.to_pylist() for column in table_of(plan).columns]
    return [tuple(row) for row in zip(*columns, strict=True)]


def of_columns(plan: l.Scan, *names: str) -> l.Scan:
    found = {attr.name: attr for attr in plan.attrs}
    return replace(plan, attrs=tuple(found[name] for name in names))


def put(path: Path, columns: Mapping[str, Any], **how: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(dict(columns)), path, **how)
    return str(path)


@dataclass(frozen=True)
class Partition:
    """f(index, rows) that gives the tables of a partition, doing something on the way."""

    count: int
    on_the_way: Callable[[int, int], None]
    rows: int = 1

    def __call__(self, index: int, rows: Iterator[Any]) -> Iterator[pa.Table]:
        for at in range(self.count):
            yield pa.table({"a": [index] * self.rows, "b": [f"row {at}"] * self.rows})
            self.on_the_way(index, at)


def nothing(index: int, at: int) -> None:
    return


def writer(
    sc: SparkContext,
    partitions: int = 3,
    tables: int = 2,
    on_the_way: Callable[[int, int], None] = nothing,
    rows: int = 1,
) -> DataFrameWriter:
    """`df.write` of a DataFrame (a bigint, b string) of so many partitions and tables in each."""
    source: Dataset = sc.parallelize(range(partitions), partitions)
    node = by_partition(source._node, Partition(tables, on_the_way, rows))
    attrs = (Attr("a", t.LONG), Attr("b", t.STRING))
    conf = SimpleNamespace(get=lambda key, default=None: default)
    frame = SimpleNamespace(
        _plan=l.Rows(attrs, node),
        _engine=SimpleNamespace(settings=Settings(), physical=lambda plan: plan.node),
        _session=SimpleNamespace(conf=conf, sparkContext=sc),
    )
    return DataFrameWriter(frame)  # type: ignore[arg-type]


def whole(partitions: int = 3, tables: int = 2) -> list[tuple[int, str]]:
    """The rows that `writer` writes."""
    return [(index, f"row {at}") for index in range(partitions) for at in range(tables)]
