"""Answers of queries: in one task, in stages, with rules left out, and DuckDB's; compared."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from minispark.context import SparkContext
from minispark.sql.conf import RuntimeConfig
from minispark.sql.engine import QueryEngine
from minispark.sql.python_makers import makers
from planner.columns.functions.registry import Settings
from planner.query import logical as l
from planner.query.analysis.python_calls import taken_out
from planner.query.lowering.pieces import Lowering
from planner.query.optimiser.rules import optimise

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Way:
    """A way to run a query. `split` makes adaptive execution cut every channel it may."""

    partitions: int = 0  # in one task if 0
    broadcast: bool = False
    adaptive: bool = False
    split: bool = False
    without: tuple[str, ...] = ()


class Engine(QueryEngine):
    """A session's engine that runs queries in a given way."""

    def __init__(self, sc: SparkContext, way: Way) -> None:
        conf = RuntimeConfig(sc)
        staged = way.partitions > 0
        conf.set("minispark.sql.singleNode", "never" if staged else "always")
        conf.set("spark.sql.shuffle.partitions", way.partitions or 1)
        conf.set("spark.sql.autoBroadcastJoinThreshold", "10m" if way.broadcast else "-1")
        conf.set("spark.sql.adaptive.enabled", way.adaptive)
        if way.split:
            prefix = "spark.sql.adaptive."
            conf.set(prefix + "coalescePartitions.minPartitionSize", "1")
            conf.set(prefix + "advisoryPartitionSizeInBytes", "100")
            conf.set(prefix + "skewJoin.skewedPartitionThresholdInBytes", "1")
            conf.set(prefix + "skewJoin.skewedPartitionFactor", "0.0001")
        self._way = way
        super().__init__(sc, conf)

    def optimised(self, plan: l.Plan, settings: Settings | None = None) -> l.Plan:
        settings = settings or self.settings
        plan = taken_out(self.cached.used(plan), makers(settings))
        return optimise(plan, settings, without=self._way.without)

    def lowering(self, settings: Settings) -> Lowering:
        return replace(super().lowering(settings), sort_bytes=0)  # sorts are by range


class Both:
    """A session and DuckDB with the same tables."""

    def __init__(self, spark: Any, duck: Any) -> None:
        self.spark, self.duck = spark, duck

    def expected(self, text: str) -> Rows:
        """DuckDB's answer."""
        return rows_of(self.duck.sql(text).to_arrow_table())

    def answer(self, text: str, way: Way) -> Rows:
        """Ours."""
        return answer(self.spark.sparkContext, self.spark.sql(text)._plan, way)

    def check(self, text: str, ways: Iterable[Way], ordered: bool = False) -> None:
        """Fails unless each way gives what DuckDB does."""
        expected = self.expected(text)
        plan = self.spark.sql(text)._plan
        for way in ways:
            wrong = differ(answer(self.spark.sparkContext, plan, way), expected, ordered)
            assert not wrong, f"{way}: {wrong}, for {text}"


def answer(sc: SparkContext, plan: l.Plan, way: Way) -> Rows:
    """The rows of a plan."""
    return rows_of(Engine(sc, way).table(plan))


def rows_of(table: pa.Table) -> Rows:
    """The rows of a table, its columns by position."""
    columns = [column.to_pylist() for column in table.columns]
    return list(zip(*columns, strict=True))


def differ(found: Rows, expected: Rows, ordered: bool) -> str:
    """What differs, empty if nothing does."""
    if len(found) != len(expected):
        return f"{len(found)} rows, and not {len(expected)}: {found[:5]} and not {expected[:5]}"
    if not ordered:
        found, expected = sorted(found, key=_order), sorted(expected, key=_order)
    for a, b in zip(found, expected, strict=True):
        if len(a) != len(b) or not all(map(same, a, b)):
            return f"{a} and not {b}"
    return ""


def _order(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(map(_word, row))


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return str(value)
    return "nan" if math.isnan(value) else f"{float(value) + 0.0:.5g}"


def same(a: Any, b: Any) -> bool:
    """Whether two values are one, fractions to 1e-9."""
    if isinstance(a, float) or isinstance(b, float):
        if a is None or b is None:
            return a is b
        both_nan = math.isnan(a) and math.isnan(b)
        return both_nan or math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-9)
    return bool(a == b and isinstance(a, bool) == isinstance(b, bool))
